//! The pipeline of shipcat's own: what `.circleci/config.yml` says holds together, and its steps do what they say, each run as CircleCI would
//! run it in a clean copy of this project.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::Run;
use common::circleci::{Config, Machine, Step};
use tempfile::TempDir;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn config() -> Config {
    Config::read(&here().join(".circleci/config.yml"))
}

/// This project as a clone would be: nothing that was built, and all of it in a commit.
fn clone() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let script = "tar --create --exclude ./target --exclude ./dist --exclude ./.git . | tar --extract --directory \"$1\" && cd \"$1\" \
                  && git init --quiet && git add --all \
                  && git -c user.name=t -c user.email=t@example.com commit --quiet --no-verify --message all";
    let copied = Command::new("bash").args(["-c", script, "copy"]).arg(copy.path()).current_dir(here()).output();
    Run::of(&copied.unwrap()).ends(0);
    copy
}

/// Changes a file of a copy.
fn edit(copy: &Path, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(copy.join(file)).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    std::fs::write(copy.join(file), text.replacen(from, to, 1)).unwrap();
}

#[test]
fn each_job_is_in_a_workflow_and_the_other_way_round() {
    let config = config();
    let jobs: BTreeSet<String> = config.jobs().into_iter().collect();
    let planned: BTreeSet<String> = config.planned().into_iter().map(|job| job.name).collect();
    assert_eq!(jobs, planned);
    assert!(config.planned().iter().flat_map(|job| &job.requires).all(|name| jobs.contains(name)));
}

#[test]
fn a_release_is_for_tags_alone_and_needs_all_else() {
    let planned = config().planned();
    let release = planned.iter().find(|job| job.name == "release").unwrap();
    assert_eq!(release.filters["tags"]["only"], "/^v.*/");
    assert_eq!(release.filters["branches"]["ignore"], "/.*/");
    let others: BTreeSet<&String> = planned.iter().map(|job| &job.name).filter(|name| *name != "release").collect();
    assert_eq!(release.requires.iter().collect::<BTreeSet<_>>(), others);
    // CircleCI leaves out a job without a filter for tags, and with it all that require it.
    for job in &planned {
        assert_eq!(job.filters["tags"], release.filters["tags"], "{}", job.name);
    }
}

#[test]
fn each_step_and_script_is_one_that_bash_reads_and_shellcheck_likes() {
    let config = config();
    let steps: Vec<Step> = config.jobs().iter().flat_map(|job| config.steps(job)).collect();
    assert!(steps.len() > 8, "{steps:?}");
    let dir = tempfile::tempdir().unwrap();
    let mut scripts = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let path = dir.path().join(format!("{n}-{}-{}", step.job, step.name.replace(['/', ' '], "-")));
        std::fs::write(&path, format!("{}\n", step.command)).unwrap();
        scripts.push(path);
    }
    for script in ["lib.sh", "static", "pack", "check", "tag", "publish", "image"] {
        scripts.push(here().join("release").join(script));
    }
    scripts.extend(
        [".circleci/tools", ".ci/run", "tests/static", "tests/alone", "tests/tools", "tests/release"]
            .map(|name| here().join(name)),
    );
    for script in &scripts {
        let read = Command::new("bash").arg("-n").arg(script).output().unwrap();
        assert!(read.status.success(), "{}", Run::of(&read).stderr);
    }
    let checked = Command::new("shellcheck")
        .args(["--shell=bash", "--external-sources", "--source-path=SCRIPTDIR"])
        .args(&scripts)
        .output();
    let checked = Run::of(&checked.expect("`make unit` brings shellcheck, or run `tests/tools`"));
    assert_eq!((checked.code, checked.stdout.as_str()), (0, ""));
}

#[test]
fn a_tag_is_the_version_and_the_changelog_knows_it() {
    let (config, copy) = (config(), clone());
    let version = env!("CARGO_PKG_VERSION");
    let check = |tag: &str| Machine::new(copy.path()).with("CIRCLE_TAG", tag).run(&config.step("release", "Version"));
    edit(copy.path(), "CHANGELOG.md", "## Unreleased\n", &format!("## Unreleased\n\n## {version}0\n\n- later\n"));
    for tag in ["v9.9.9", version, ""] {
        let run = check(tag).ends(1);
        assert_eq!(
            run.stderr,
            format!(
                "error: the tag is `{tag}`, and the version in Cargo.toml is {version}\nhint: a release of it is tagged v{version}\n"
            )
        );
    }
    let untold = check(&format!("v{version}")).ends(1);
    assert_eq!(
        untold.stderr,
        format!(
            "error: CHANGELOG.md tells nothing of {version}\nhint: give what is unreleased the heading `## {version}`\n"
        )
    );
    edit(
        copy.path(),
        "CHANGELOG.md",
        "## Unreleased\n",
        &format!("## Unreleased\n\n- soon\n\n## {version} (today)\n\n- news\n"),
    );
    let run = check(&format!("v{version}")).ends(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("\n- news\n", ""));
}

#[test]
fn what_is_released_is_what_was_built() {
    let (config, copy) = (config(), clone());
    let version = env!("CARGO_PKG_VERSION");
    edit(copy.path(), "CHANGELOG.md", "## Unreleased\n", &format!("## {version}\n"));
    let name = format!("shipcat-{version}-{}-linux", std::env::consts::ARCH);
    let dist = copy.path().join("dist");
    std::fs::create_dir(&dist).unwrap();
    std::fs::write(dist.join(&name), "binary").unwrap();
    std::fs::write(dist.join(format!("{name}.tar.gz")), "tarball").unwrap();
    let sums = Command::new("sha256sum").args([&name, &format!("{name}.tar.gz")]).current_dir(&dist).output().unwrap();
    std::fs::write(dist.join("SHA256SUMS"), &sums.stdout).unwrap();
    let machine = || {
        Machine::new(copy.path())
            .with("CIRCLE_TAG", format!("v{version}"))
            .with("CIRCLE_PROJECT_USERNAME", "acme")
            .with("CIRCLE_PROJECT_REPONAME", "shipcat")
    };
    let publish = config.step("release", "Publish");
    let gh = "printf '%s\\n' \"$GH_REPO\" \"$@\"; head -c 8";
    // Without a token nothing is tried.
    let nobody = machine();
    nobody.program("gh", gh);
    let run = nobody.run(&publish).ends(1);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "error: there is no GH_TOKEN with which a release may be written\n")
    );
    let machine = machine().with("GH_TOKEN", "secret");
    machine.program("gh", gh);
    let run = machine.run(&publish).ends(0);
    let at = std::fs::canonicalize(&dist).unwrap();
    let at = at.display();
    assert_eq!(
        run.stdout,
        format!(
            "acme/shipcat\nrelease\ncreate\nv{version}\n--verify-tag\n--title\nshipcat {version}\n--notes-file\n-\n\
             {at}/{name}.tar.gz\n{at}/{name}\n{at}/SHA256SUMS\n\n- `ship"
        )
    );
    // A file that was changed on its way is no release.
    std::fs::write(dist.join(&name), "another").unwrap();
    let run = machine.run(&publish).ends(1).says("error: the checksums are not those of the files\n");
    assert!(!run.stdout.contains("release"), "{run:?}");
}

#[test]
fn what_is_fetched_is_held_to_its_checksum_and_there_for_later_steps() {
    let (config, copy) = (config(), clone());
    let tools = config.step("test", "Tools");
    assert_eq!(tools.command, ".circleci/tools rust kind kubectl");
    let machine = Machine::new(copy.path());
    // Rust's installer comes on stdout; a binary goes to the file behind `-o`, and its address is what is in it.
    machine.program(
        "curl",
        "while (($#)); do [[ $1 != -o ]] || file=$2; url=$1; shift; done\n\
         if [[ -z ${file:-} ]]; then echo 'echo \"$@\"'; else printf '#!/bin/sh\\necho from %s\\n' \"$url\" >\"$file\"; fi",
    );
    let refused = machine.run(&tools).ends(1);
    assert!(refused.stdout.contains("--default-toolchain 1."), "{refused:?}");
    let kubectl = machine.home.path().join("bin/kubectl");
    assert!(!kubectl.exists());
    let sum = |text: &str| {
        let script = format!("printf '#!/bin/sh\\necho from %s\\n' {text} | sha256sum | cut -d' ' -f1");
        Run::of(&Command::new("bash").args(["-c", &script]).output().unwrap()).ends(0).stdout.trim().to_owned()
    };
    let pin = |file: &str, name: &str| {
        let text = std::fs::read_to_string(copy.path().join(file)).unwrap();
        text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap()
    };
    let kind = format!("https://kind.sigs.k8s.io/dl/v{}/kind-linux-amd64", pin(".circleci/tools", "kind="));
    let url = format!("https://dl.k8s.io/release/v{}/bin/linux/amd64/kubectl", pin("Dockerfile", "ARG KUBECTL="));
    edit(copy.path(), ".circleci/tools", &pin(".circleci/tools", "kind_sha256="), &sum(&kind));
    edit(copy.path(), "Dockerfile", &pin("Dockerfile", "ARG KUBECTL_SHA256="), &sum(&url));
    machine.run(&tools).ends(0);
    let later = Step { job: "test".into(), name: "later".into(), command: "kind; kubectl".into() };
    assert_eq!(machine.run(&later).ends(0).stdout, format!("from {kind}\nfrom {url}\n"));
}

#[test]
fn what_is_built_is_one_static_binary_with_all_that_belongs_to_it() {
    let (config, copy) = (config(), clone());
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| here().join("target").display().to_string());
    // Unoptimized, and for whatever this machine's compiler knows: the rest is as it is there.
    let machine = Machine::new(copy.path()).with("PROFILE", "dev").with("CARGO_TARGET_DIR", target);
    let built = machine.run(&config.step("build", "Build")).ends(0);
    let head =
        Command::new("git").args(["rev-parse", "HEAD"]).current_dir(copy.path()).stdin(Stdio::null()).output().unwrap();
    let told = format!("shipcat {} ({})", env!("CARGO_PKG_VERSION"), &Run::of(&head).stdout[..7]);
    built.says(&format!("building {told} for {}-unknown-linux-", std::env::consts::ARCH));
    let checked = machine.run(&config.step("build", "Check")).ends(0);
    assert!(checked.stderr.starts_with(&format!("{told}: ")), "{checked:?}");
    assert!(checked.stderr.ends_with(" bytes, static, and runs where nothing else is\n"), "{checked:?}");
    let name = format!("shipcat-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let mut files: Vec<String> = std::fs::read_dir(copy.path().join("dist"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["SHA256SUMS".to_owned(), name.clone(), format!("{name}.tar.gz")]);
    // A release that was tampered with is found.
    let tampered = Command::new("truncate").args(["--size=-1"]).arg(copy.path().join("dist").join(&name)).status();
    assert!(tampered.unwrap().success());
    machine.run(&config.step("build", "Check")).ends(1).says("error: the checksums are not those of the files\n");
}
