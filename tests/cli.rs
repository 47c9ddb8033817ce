//! The command line without a cluster: whole outputs, and a fake kubectl for what cannot be provoked for real.
//! What Kubernetes makes of it is for `e2e.rs`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Run, shipcat, write};
use tempfile::TempDir;

const REPO: &str = "environments:\n  dev: {contexts: [here]}\n  global: {contexts: [there]}\n";

fn repo(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("shipcat.yml", REPO), ("manifests/web/manifest.yml", "version: 1.0.0\nport: 80\n")]);
    write(dir.path(), files);
    dir
}

fn run(dir: &Path, args: &[&str]) -> Run {
    Run::of(&shipcat(dir).args(args).output().unwrap())
}

#[track_caller]
fn refused(dir: &Path, args: &[&str], stderr: &str) {
    let run = run(dir, args).ends(2);
    assert_eq!((run.stderr.replace(dir.to_str().unwrap(), "[DIR]").as_str(), run.stdout.as_str()), (stderr, ""));
}

#[test]
fn no_repo() {
    let dir = tempfile::tempdir().unwrap();
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web"],
        "error: there is no `shipcat.yml` in `[DIR]` or above it\n\
         hint: go to your manifests repo, or name it with `-C DIR` or SHIPCAT_REPO\n",
    );
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web", "-C", "nope"],
        "error: there is no `shipcat.yml` in `nope`\n\
         hint: name the folder of a manifests repo with `-C DIR` or SHIPCAT_REPO\n",
    );
}

#[test]
fn a_repo_is_found_upwards_and_by_name() {
    let dir = repo(&[]);
    run(&dir.path().join("manifests/web"), &["generate", "-n", "dev", "web"]).ends(0);
    run(Path::new("/"), &["generate", "-n", "dev", "web", "-C", dir.path().to_str().unwrap()]).ends(0);
}

#[test]
fn unknown_environment() {
    let dir = repo(&[]);
    refused(
        dir.path(),
        &["ship", "-n", "dve", "web"],
        "error: there is no environment `dve` in `shipcat.yml`\nhint: did you mean `dev`?\n",
    );
    refused(
        dir.path(),
        &["ship", "web"],
        "error: no environment named\nhint: say which with `-n ENV` or SHIPCAT_ENV: dev and global\n",
    );
}

#[test]
fn unknown_service() {
    let dir = repo(&[]);
    refused(
        dir.path(),
        &["ship", "-n", "dev", "wbe"],
        "error: there is no service `wbe`: no folder `manifests/wbe`\nhint: did you mean `web`?\n",
    );
}

#[test]
fn a_service_that_is_not_in_the_environment() {
    let dir = repo(&[("manifests/web/manifest.yml", "environments: [global]\nversion: 1\n")]);
    refused(
        dir.path(),
        &["ship", "-n", "dev", "web"],
        "error: the service `web` is not in the environment `dev`\nhint: its manifest says `environments: [global]`\n",
    );
}

#[test]
fn every_mistake_of_every_file_in_one_go() {
    let dir = repo(&[
        ("manifests/web/manifest.yml", "version: 1\nreplica: 2\nport: http\n"),
        ("manifests/web/dev.yml", "replicas: two\n"),
    ]);
    refused(
        dir.path(),
        &["ship", "-n", "dev", "web"],
        "error: unknown key `replica`
  --> manifests/web/manifest.yml:2:1
  |
2 | replica: 2
  | ^
hint: did you mean `replicas`?

error: expected a port, or a map with `container` and `service`, found the text \"http\"
  --> manifests/web/manifest.yml:3:7
  |
3 | port: http
  |       ^

error: expected a whole number, found `two`
  --> manifests/web/dev.yml:1:11
  |
1 | replicas: two
  |           ^
",
    );
}

#[test]
fn a_file_that_nobody_would_read() {
    let dir = repo(&[("manifests/web/devv.yml", "replicas: 1\n")]);
    refused(
        dir.path(),
        &["ship", "-n", "dev", "web"],
        "error: `manifests/web/devv.yml` is no environment's file: there is no environment `devv`\n\
         hint: did you mean `dev.yml`?\n",
    );
}

#[test]
fn a_file_in_a_file() {
    let dir = repo(&[
        ("manifests/web/manifest.yml", "version: 1\nfiles:\n  /etc/a: x\n  /etc/a/b: x\n"),
        ("manifests/web/x", ""),
    ]);
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web"],
        "error: `/etc/a` cannot be a file, since `/etc/a/b` is in it
  --> manifests/web/manifest.yml:3:11
  |
3 |   /etc/a: x
  |           ^
hint: give one of them another path
",
    );
}

#[test]
fn an_undefined_variable() {
    let dir = repo(&[("manifests/web/manifest.yml", "version: 1\nenv:\n  A: \"{{ vlaues.x }}\"\n")]);
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web"],
        "error: `env.A` cannot be rendered: variable `vlaues` is not defined
  --> manifests/web/manifest.yml:3:6
  |
3 |   A: \"{{ vlaues.x }}\"
  |      ^
hint: what there is: environment, image, namespace, service, version
",
    );
}

#[test]
fn no_version() {
    let dir = repo(&[("manifests/web/manifest.yml", "port: 80\n")]);
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web"],
        "error: `web` has no version in `manifests/web/manifest.yml`\n\
         hint: add `version: 1.2.3` to the manifest, or say which with `--tag`\n",
    );
    run(dir.path(), &["generate", "-n", "dev", "web", "--tag", "2"]).ends(0);
}

#[test]
fn every_service_that_cannot_be_rendered_in_one_go() {
    let dir = repo(&[
        ("manifests/web/manifest.yml", "port: 80\n"),
        ("manifests/other/manifest.yml", "version: 1\nenv: {A: \"{{ x }}\"}\n"),
    ]);
    refused(
        dir.path(),
        &["generate", "-n", "dev", "--all"],
        "error: `env.A` cannot be rendered: variable `x` is not defined
  --> manifests/other/manifest.yml:2:10
  |
2 | env: {A: \"{{ x }}\"}
  |          ^
hint: what there is: environment, image, namespace, service, version

error: `web` has no version in `manifests/web/manifest.yml`
hint: add `version: 1.2.3` to the manifest, or say which with `--tag`
",
    );
}

#[test]
fn environments_that_are_one_place_are_refused() {
    let dir = repo(&[(
        "shipcat.yml",
        "environments:\n  a: {contexts: [x], namespace: n}\n  b: {contexts: [x, y], namespace: n}\n",
    )]);
    let run = run(dir.path(), &["generate", "-n", "a", "web"]).ends(2);
    assert!(
        run.stderr.contains("the environments `a` and `b` are the same place: namespace `n` of one cluster"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--> shipcat.yml:3:6"), "{}", run.stderr);
}

#[test]
fn generate_writes_one_file_a_service_and_the_same_bytes_each_time() {
    let dir = repo(&[("manifests/job/manifest.yml", "version: 2\n")]);
    let out = dir.path().join("out");
    let args = ["generate", "-n", "dev", "--all", "-d", out.to_str().unwrap()];
    run(dir.path(), &args).ends(0);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let first = (read("web.yml"), read("job.yml"));
    run(dir.path(), &args).ends(0);
    assert_eq!(first, (read("web.yml"), read("job.yml")));
    let all = run(dir.path(), &["generate", "-n", "dev", "--all"]).ends(0).stdout;
    assert_eq!(all, first.1 + &first.0);
}

#[test]
fn every_example_renders_in_every_environment() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for environment in ["dev", "global"] {
        let yaml = run(root, &["generate", "-n", environment, "--all"]).ends(0).stdout;
        for service in ["webapp", "heartbeat"] {
            assert!(yaml.contains(&format!(
                "kind: Deployment\nmetadata:\n  name: \"{service}\"\n  namespace: \"{environment}\""
            )));
        }
    }
}

#[test]
fn no_kubectl() {
    let dir = repo(&[]);
    let empty = tempfile::tempdir().unwrap();
    let run =
        Run::of(&shipcat(dir.path()).args(["ship", "-n", "dev", "web"]).env("PATH", empty.path()).output().unwrap());
    assert_eq!(
        run.ends(2).stderr,
        "error: there is no `kubectl` on your PATH\n\
         hint: install kubectl 1.20 or later, and see that `kubectl version --client` works\n"
    );
}

/// A kubectl that answers by `case "$*" in` and keeps a log of how it was called.
fn fake_kubectl(dir: &Path, cases: &str) {
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> {log}
case "$*" in
"config view"*) echo '{{"contexts": [{{"name": "here", "context": {{"cluster": "c"}}}}], "clusters": [{{"name": "c", "cluster": {{"server": "https://c"}}}}]}}' ;;
"version --client"*) echo '{{"clientVersion": {{"minor": "30"}}}}' ;;
"get --raw /version"*) echo '{{}}' ;;
{cases}
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
"#,
        log = dir.join("log").display()
    );
    let path = dir.join("kubectl");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn with_fake(dir: &TempDir, cases: &str, args: &[&str]) -> (Run, Vec<String>) {
    let bin = tempfile::tempdir().unwrap();
    fake_kubectl(bin.path(), cases);
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(args).env("PATH", path).output().unwrap());
    let log = std::fs::read_to_string(bin.path().join("log")).unwrap_or_default();
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    lines.sort();
    (run, lines)
}

const TAIL: &str = "--context here --namespace dev --request-timeout=30s";

#[test]
fn what_the_server_would_not_take_is_refused_before_anything_is_changed() {
    let dir = repo(&[]);
    let cases = r#"
"create --validate=false"*) echo '{"kind": "List", "items": []}' ;;
"apply"*"--dry-run=server"*) echo 'The Deployment "web" is invalid: spec.selector: Invalid value: field is immutable' >&2; exit 1 ;;
"get"*) ;;
"#;
    let (run, log) = with_fake(&dir, cases, &["ship", "-n", "dev", "web"]);
    assert_eq!(
        run.ends(2).stderr,
        "shipping web 1.0.0 in dev (context here, namespace dev)\n\
         error: the API server would not take it: The Deployment \"web\" is invalid: spec.selector: Invalid value: field is immutable\n\
         hint: an immutable field differs from what runs: give the manifest the same (a Deployment's labels: `selector`), \
         or remove the object first\n"
    );
    // The whole conversation: nothing but questions, each with context, namespace and timeout.
    assert_eq!(
        log,
        [
            format!(
                "apply --server-side --force-conflicts --field-manager=shipcat --dry-run=server -f - -o json {TAIL} --show-managed-fields"
            ),
            "config view -o json".to_owned(),
            format!("create --validate=false -f - -o json {TAIL}"),
            "get --raw /version --context here --namespace dev --request-timeout=5s".to_owned(),
            format!("get -f - -o json --ignore-not-found {TAIL} --show-managed-fields"),
            format!("get horizontalpodautoscalers.autoscaling -o json {TAIL}"),
            format!("get secrets -l shipcat.dev/release-of=web -o json {TAIL}"),
            "version --client -o json".to_owned(),
        ]
    );
}

#[test]
fn what_is_not_permitted_is_named() {
    let dir = repo(&[]);
    let cases = r#"
"create --validate=false"*) echo '{"kind": "List", "items": [
  {"spec": {"resourceAttributes": {"verb": "patch", "group": "apps", "resource": "deployments"}}, "status": {"allowed": false}},
  {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log"}}, "status": {"allowed": false}},
  {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}, "status": {"allowed": true}}]}' ;;
"apply"*) echo 'Error from server (Forbidden): no' >&2; exit 1 ;;
"get"*) ;;
"#;
    let (run, _) = with_fake(&dir, cases, &["ship", "-n", "dev", "web"]);
    assert_eq!(
        run.ends(2).stderr,
        "shipping web 1.0.0 in dev (context here, namespace dev)\n\
         error: you may not do all that a ship does in namespace `dev`: patch deployments.apps and get pods/log\n\
         hint: ask for a Role with these verbs, or use a context that has them\n"
    );
}

#[test]
fn a_kubectl_that_is_too_old_is_refused() {
    let dir = repo(&[]);
    let bin = tempfile::tempdir().unwrap();
    fake_kubectl(bin.path(), "");
    let script = std::fs::read_to_string(bin.path().join("kubectl")).unwrap().replace("\"30\"", "\"19+\"");
    std::fs::write(bin.path().join("kubectl"), script).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(["ship", "-n", "dev", "web"]).env("PATH", path).output().unwrap());
    assert_eq!(
        run.ends(2).stderr,
        "error: this kubectl is version 1.19, too old\nhint: install kubectl 1.20 or later\n"
    );
}

#[test]
fn a_kubectl_that_never_answers_is_given_up_in_seconds() {
    let dir = repo(&[]);
    let started = Instant::now();
    let cases = "\"get\"*|\"apply\"*|\"create\"*) exec sleep 300 ;;";
    let bin = tempfile::tempdir().unwrap();
    fake_kubectl(bin.path(), cases);
    let script = std::fs::read_to_string(bin.path().join("kubectl")).unwrap().replace("\"get --raw", "\"never");
    std::fs::write(bin.path().join("kubectl"), script).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(["ship", "-n", "dev", "web"]).env("PATH", path).output().unwrap());
    assert!(run.ends(2).stderr.contains("the cluster of context `here` does not answer: no answer within 8 s"));
    assert!(started.elapsed() < Duration::from_secs(60), "it must not take minutes");
}

#[test]
fn a_closed_stdout_is_no_error() {
    let dir = repo(&[]);
    let mut command = shipcat(dir.path());
    command.args(["generate", "-n", "dev", "web"]).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Gone before anything is written, as `| head` may be.
    drop(child.stdout.take());
    assert_eq!(Run::of(&child.wait_with_output().unwrap()).ends(0).stderr, "");
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The first column of the README's table that starts with this header, without backquotes.
fn readme_column(header: &str) -> Vec<String> {
    let readme = readme();
    let table =
        readme.lines().skip_while(|line| !line.starts_with(header)).skip(2).take_while(|line| line.starts_with('|'));
    let cells: Vec<String> = table.map(|line| line.split('|').nth(1).unwrap().trim().replace('`', "")).collect();
    cells.iter().flat_map(|cell| cell.split(", ")).map(str::to_owned).collect()
}

#[test]
fn the_readme_lists_the_commands_that_there_are() {
    let help = run(Path::new("/"), &["--help"]).ends(0).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut commands: Vec<&str> = commands.map(|line| line.split_whitespace().next().unwrap()).collect();
    commands.retain(|command| *command != "help");
    assert_eq!(readme_column("| command |"), commands);
}

#[test]
fn the_readme_lists_the_keys_that_there_are() {
    let dir = repo(&[("manifests/web/manifest.yml", "zzzzzzzzzzzzz: 1\n")]);
    let stderr = run(dir.path(), &["generate", "-n", "dev", "web"]).ends(2).stderr;
    let keys = stderr.split("hint: the keys here are ").nth(1).unwrap().trim().replace(" and ", ", ");
    let mut keys: Vec<&str> = keys.split(", ").collect();
    let mut listed = readme_column("| key |");
    keys.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, keys);
}

#[test]
fn the_readme_lists_the_exit_codes_that_help_lists() {
    let help = run(Path::new("/"), &["--help"]).ends(0).stdout;
    for code in readme_column("| code |") {
        assert!(help.lines().any(|line| line.trim_start().contains(&code)), "`--help` does not list {code}");
    }
}
