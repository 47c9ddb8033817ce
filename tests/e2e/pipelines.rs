//! The Jenkinsfile and the examples of docs/ci, step by step as they are written, on a real cluster.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::pipeline::{Build, Step, System, jenkins_environment, jenkins_steps, text, yaml_steps};
use crate::common::slack::Slack;
use crate::common::web::Web;
use crate::common::world::World;
use crate::common::{Run, world, write};

/// A manifests repo on a server, as a folder on disk, and what a build knows of it.
struct Forge {
    world: World,
    bare: tempfile::TempDir,
    slack: Slack,
}

fn git(root: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    let output = Command::new("git").arg("-C").arg(root).args(identity).args(args).output().unwrap();
    Run::of(&output).ends(0).stdout.trim().to_owned()
}

impl Forge {
    /// With webapp 0.1.0 running.
    fn new(name: &str, settings: &str) -> Self {
        let world = World::new(name);
        let root = world.repo.path();
        let file = root.join("shipcat.yml");
        std::fs::write(&file, format!("{settings}{}", std::fs::read_to_string(&file).unwrap())).unwrap();
        git(root, &["init", "-q", "-b", "main"]);
        git(root, &["add", "-A"]);
        git(root, &["commit", "-qm", "webapp"]);
        let bare = tempfile::tempdir().unwrap();
        git(bare.path(), &["clone", "-q", "--bare", root.to_str().unwrap(), "."]);
        world.shipcat(&["ship", "webapp", "--no-test"]).ends(0);
        Self { world, bare, slack: Slack::new() }
    }

    /// A checkout of a revision, and of no branch.
    fn checkout(&self, folder: &Path) {
        let folder = folder.to_str().unwrap();
        git(self.bare.path(), &["clone", "-q", &format!("file://{}", self.bare.path().display()), folder]);
        git(Path::new(folder), &["checkout", "-q", "--detach"]);
    }

    /// A build of the Jenkinsfile with its parameters, behind its stage `checkout`.
    fn jenkins(&self, service: &str, version: &str) -> Build {
        let (set, bound) = jenkins_environment(&text("Jenkinsfile"));
        let bound: Vec<&str> = bound.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(bound, ["KUBECONFIG", "SLACK_SHIPCAT_HOOK_URL"]);
        let build =
            set.iter().fold(Build::new(System::Jenkins), |build, (name, value)| build.with(name, value.as_str()));
        self.checkout(&build.workspace.path().join("manifests-repo"));
        build
            .with("KUBECONFIG", world::kubeconfig().to_str().unwrap())
            .with("SLACK_SHIPCAT_HOOK_URL", &self.slack.url)
            .with("ENVIRONMENT", "dev")
            .with("SERVICE", service)
            .with("VERSION", version)
    }

    /// What the branch says by now.
    fn recorded(&self) -> String {
        git(self.bare.path(), &["show", "main:manifests/webapp/dev.yml"])
    }
}

fn step(name: &str) -> Step {
    jenkins_steps(&text("Jenkinsfile")).into_iter().find(|step| step.name == name).unwrap()
}

/// All stages and what is behind them, as Jenkins runs them: the first that fails is the last. The code and the log.
fn through(build: &Build) -> (i32, String) {
    let mut all = String::new();
    let mut code = 0;
    for name in ["diff", "ship", "push"] {
        let (ended, log) = build.run(&step(name));
        all.push_str(&log);
        code = ended;
        if code != 0 {
            break;
        }
    }
    let (ended, log) = build.run(&step("always"));
    assert_eq!(ended, 0, "{log}");
    (code, all + &log)
}

const TESTS: &str = "tests: {image: webapp-tests, tag: passes, runner: job, fetcher: \"busybox:1\"}\n";

#[test]
fn two_jenkins_builds_queue_and_both_ship_test_and_record() {
    let forge = Forge::new("jenkins", TESTS);
    let builds = ["0.2.0", "0.3.0"].map(|version| forge.jenkins("webapp", version));
    let logs = std::thread::scope(|scope| {
        builds.each_ref().map(|build| scope.spawn(|| through(build))).map(|thread| thread.join().unwrap())
    });
    for (code, log) in &logs {
        assert_eq!(*code, 0, "{log}");
        assert!(log.contains("the tests of webapp passed"), "{log}");
    }
    let waited = logs.iter().filter(|(_, log)| log.contains("waiting for the lock, place 1 of 1: ")).count();
    assert_eq!(waited, 1, "{}\n{}", logs[0].1, logs[1].1);
    for build in &builds {
        let junit = std::fs::read_dir(build.workspace.path().join("results/junit/webapp")).unwrap().count();
        assert!(junit > 0);
        assert!(build.file("results/summary.md").contains("webapp"), "{}", build.file("results/summary.md"));
    }
    // The branch has what runs, whoever pushed first; each ship was from a clean checkout.
    assert_eq!(forge.recorded(), format!("version: {}", forge.world.image()));
    assert_eq!(forge.slack.texts().len(), 2);
    let history = forge.world.shipcat(&["history", "webapp"]).ends(0).stdout;
    assert!(
        !history.contains("local changes") && history.contains("https://jenkins.example.com/job/deploy-dev/7/"),
        "{history}"
    );
}

#[test]
fn a_push_that_meets_a_later_ship_leaves_what_runs() {
    let forge = Forge::new("push", "");
    // The first has shipped, and has not pushed yet: the second ships and pushes in between.
    let (first, second) = (forge.jenkins("webapp", "0.2.0"), forge.jenkins("webapp", "0.3.0"));
    for build in [&first, &second] {
        assert_eq!(build.run(&step("diff")).0, 0);
        let (code, log) = build.run(&step("ship"));
        assert_eq!(code, 0, "{log}");
    }
    assert_eq!(second.run(&step("push")).0, 0);
    let (code, log) = first.run(&step("push"));
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("the files say this version already"), "{log}");
    assert_eq!(forge.recorded(), "version: 0.3.0");
    assert_eq!(git(forge.bare.path(), &["log", "--format=%s", "main"]), "webapp 0.3.0 in dev\nwebapp");
    // A branch that takes no push fails the step after some tries, and nothing is half done.
    let refuses = forge.bare.path().join("hooks/pre-receive");
    write(forge.bare.path(), &[("hooks/pre-receive", "#!/bin/sh\nexit 1\n")]);
    assert!(Command::new("chmod").arg("755").arg(&refuses).status().unwrap().success());
    let third = forge.jenkins("webapp", "0.1.0");
    let (code, log) = through(&third);
    assert_eq!((code, forge.world.image().as_str()), (1, "0.1.0"), "{log}");
    assert_eq!(forge.recorded(), "version: 0.3.0");
}

#[test]
fn a_jenkins_build_that_fails_or_is_aborted_leaves_what_ran_before() {
    let forge = Forge::new("abort", "");
    // What is in a parameter is never code, nor an option.
    for service in ["webapp; touch pwned", "$(touch pwned)", "--version"] {
        let build = forge.jenkins(service, "");
        let (code, log) = through(&build);
        assert_eq!(code, 1, "{log}");
        assert!(log.contains("error: ") && !build.workspace.path().join("pwned").exists(), "{log}");
    }
    let failed = forge.jenkins("webapp", "crashes");
    let (code, log) = through(&failed);
    assert_eq!(code, 3, "{log}");
    assert!(log.contains("webapp 0.1.0 runs in dev as before (release 2 was taken back)"), "{log}");
    assert!(failed.workspace.path().join("results/evidence").is_dir());

    let build = forge.jenkins("webapp", "never-ready");
    assert_eq!(build.run(&step("diff")).0, 0);
    let ship = build.start(&step("ship"));
    ship.until("release 3 begun");
    ship.until("0 of 2");
    ship.abort();
    // Jenkins goes on to the end of the file before shipcat is done, and there waits for the way back.
    let (code, log) = build.run(&step("always"));
    assert_eq!((code, forge.world.image().as_str()), (0, "0.1.0"), "{log}");
    assert!(ship.log().contains("(release 3 was taken back)"), "{}", ship.log());
    let (code, log) = ship.ended();
    assert_eq!(code, 143, "{log}");
    assert!(log.contains("webapp 0.1.0 runs in dev as before (release 3 was taken back)"), "{log}");
    assert_eq!(forge.world.items(&["leases"]).len(), 0);
    let (code, summary) = build.run(&step("aborted"));
    assert!(code == 0 && summary.contains("never-ready"), "{summary}");
    // What was taken back is recorded nowhere.
    assert!(!git(forge.bare.path(), &["ls-tree", "--name-only", "-r", "main"]).contains("dev.yml"));
}

#[test]
fn no_script_of_the_jenkinsfile_is_made_of_parameters() {
    let jenkinsfile = text("Jenkinsfile");
    assert!(
        !jenkinsfile.contains("sh \"")
            && !jenkinsfile.contains("params.")
            && !jenkinsfile.contains("disableConcurrentBuilds()")
    );
    let names: Vec<String> = jenkins_steps(&jenkinsfile).into_iter().map(|step| step.name).collect();
    assert_eq!(names, ["diff", "ship", "push", "always", "aborted"]);
}

/// What is downloaded: a folder with shipcat's tarball and kubectl, each with its checksum. The programs in it lead to the real ones.
fn downloads() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let name = "shipcat-0.1.0-x86_64-linux";
    let kubectl = which::which("kubectl").unwrap();
    let leads = |to: &Path| format!("#!/bin/sh\nexec {} \"$@\"\n", to.display());
    write(
        folder.path(),
        &[
            (&format!("{name}/shipcat"), &leads(Path::new(env!("CARGO_BIN_EXE_shipcat")))),
            ("kubectl", &leads(&kubectl)),
        ],
    );
    let make = format!(
        "chmod 755 {name}/shipcat && tar -czf {name}.tar.gz {name} && sha256sum {name}.tar.gz > SHA256SUMS && sha256sum kubectl | cut -d' ' -f1 > kubectl.sha256"
    );
    assert!(Command::new("sh").args(["-ec", &make]).current_dir(folder.path()).status().unwrap().success());
    folder
}

/// A build of one of the examples; where they say /tmp it is a folder of the build's own.
fn build(forge: &Forge, system: System, downloads: &Path) -> Build {
    let encoded = Command::new("base64").arg("-w0").arg(world::kubeconfig()).output().unwrap();
    let url = format!("file://{}", downloads.display());
    Build::new(system)
        .with("SHIPCAT_URL", &url)
        .with("KUBECTL_URL", &url)
        .with("KUBECONFIG_BASE64", Run::of(&encoded).ends(0).stdout)
        .with("SLACK_SHIPCAT_HOOK_URL", &forge.slack.url)
}

/// The steps of a job with /tmp replaced by a folder of the build's own: two tests may run at once.
fn steps(build: &Build, file: &str, job: &str) -> Vec<Step> {
    let text = text(file).replace("/tmp/", &format!("{}/tmp/", build.home.path().display()));
    yaml_steps(&text, job)
}

#[track_caller]
fn all(build: &Build, steps: &[Step]) -> String {
    let mut all = String::new();
    for step in steps {
        let (code, log) = build.run(step);
        assert_eq!(code, 0, "{}: {log}", step.name);
        all.push_str(&log);
    }
    all
}

fn results(build: &Build) -> PathBuf {
    build.home.path().join("tmp/results")
}

#[test]
fn circleci_ships_from_the_manifests_repo_and_records() {
    let forge = Forge::new("circleci-deploy", "");
    let downloads = downloads();
    let build = build(&forge, System::CircleCi, downloads.path());
    git(
        forge.bare.path(),
        &["clone", "-q", &format!("file://{}", forge.bare.path().display()), build.workspace.path().to_str().unwrap()],
    );
    all(&build, &steps(&build, "docs/ci/circleci-deploy.yml", "validate"));
    let build = build.with("ENVIRONMENT", "dev").with("SERVICE", "webapp").with("VERSION", "0.2.0");
    let ship = steps(&build, "docs/ci/circleci-deploy.yml", "ship");
    let log = all(&build, &ship);
    assert!(log.contains("webapp 0.2.0 runs in dev after"), "{log}");
    assert_eq!(forge.recorded(), "version: 0.2.0");
    assert!(results(&build).join("summary.md").is_file());
    // A file that is not the one that the checksum is of is not used.
    std::fs::write(downloads.path().join("kubectl"), "#!/bin/sh\necho other\n").unwrap();
    let (code, log) = build.run(ship.iter().find(|step| step.name == "get shipcat").unwrap());
    assert!(code != 0 && log.contains("kubectl: FAILED"), "{log}");
}

#[test]
fn circleci_ships_from_a_services_own_repo_or_has_it_shipped() {
    let forge = Forge::new("circleci-service", "");
    let downloads = downloads();
    let file = "docs/ci/circleci-service.yml";
    let build = build(&forge, System::CircleCi, downloads.path())
        .with("CIRCLE_PROJECT_REPONAME", "webapp")
        .with("CIRCLE_SHA1", "0.2.0")
        .with("MANIFESTS_CIRCLE_TOKEN", "s3cr3t");
    let repo = format!("file://{}", forge.bare.path().display());
    let mut ship = steps(&build, file, "ship");
    for step in &mut ship {
        step.env.retain(|(name, _)| name != "MANIFESTS_REPO");
        step.env.push(("MANIFESTS_REPO".into(), repo.clone()));
    }
    let log = all(&build, &ship);
    assert!(log.contains("webapp 0.2.0 runs in dev after"), "{log}");
    // The code of a ship that fails is the step's.
    let failing = build.with("CIRCLE_SHA1", "crashes");
    let (code, log) = failing.run(ship.last().unwrap());
    assert_eq!((code, forge.world.image().as_str()), (3, "0.2.0"), "{log}");

    let web = Web::new();
    let mut deploy = steps(&failing, file, "deploy").remove(0);
    assert_eq!(
        deploy.env,
        [("PIPELINES".into(), "https://circleci.com/api/v2/project/gh/acme/manifests/pipeline".into())]
    );
    deploy.env[0].1 = format!("{}/pipeline", web.url);
    let (code, log) = failing.run(&deploy);
    assert_eq!(code, 0, "{log}");
    let asked = web.asked().remove(0);
    assert!(asked.head.starts_with("POST /pipeline ") && asked.head.contains("Circle-Token: s3cr3t"), "{asked:?}");
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    let parameters = serde_json::json!({"environment": "dev", "service": "webapp", "image_tag": "crashes"});
    assert_eq!(body, serde_json::json!({"branch": "main", "parameters": parameters}));
    // The other side knows these parameters.
    let other: serde_yaml::Value = serde_yaml::from_str(&text("docs/ci/circleci-deploy.yml")).unwrap();
    for name in parameters.as_object().unwrap().keys() {
        assert!(other["parameters"].get(name.as_str()).is_some(), "{name}");
    }
}

#[test]
fn github_ships_and_tells_the_story_on_the_builds_page() {
    let forge = Forge::new("github", "");
    let downloads = downloads();
    let build = build(&forge, System::GitHub, downloads.path()).with("GITHUB_SHA", "0.2.0");
    let kubeconfig = build.home.path().join("kubeconfig");
    forge.checkout(&build.workspace.path().join("manifests-repo"));
    let mut ship = steps(&build, "docs/ci/github.yml", "ship");
    for step in &mut ship {
        step.env.retain(|(name, _)| name != "KUBECONFIG");
        step.env.push(("KUBECONFIG".into(), kubeconfig.to_str().unwrap().into()));
    }
    let log = all(&build, &ship);
    assert!(log.contains("webapp 0.2.0 runs in dev after"), "{log}");
    let summary = std::fs::read_to_string(build.home.path().join("summary.md")).unwrap();
    assert!(summary.contains("webapp"), "{summary}");
}
