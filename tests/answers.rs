//! What programs and the pages of CI systems get, where no cluster is needed for it: one object on stdout and a page in a file, whatever becomes
//! of the command. What Kubernetes has a say in is for `e2e`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Run, shipcat, write};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Each command that answers something, with what it is about.
const COMMANDS: [&str; 16] = [
    "generate -n dev web",
    "validate",
    "diff -n dev web",
    "ship -n dev web",
    "update -n dev web",
    "rollback -n dev web",
    "remove -n dev web",
    "test -n dev web",
    "status -n dev web",
    "list -n dev",
    "history -n dev web",
    "rbac -n dev",
    "lock show -n dev",
    "lock acquire -n dev --for 1h",
    "lock release -n dev",
    "lock steal -n dev --reason x",
];

fn repo() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let tests = "tests: {image: web-tests}\n";
    write(
        dir.path(),
        &[
            ("shipcat.yml", "environments:\n  dev: {contexts: [here]}\n"),
            ("manifests/web/manifest.yml", &format!("version: 1.0.0\nport: 80\n{tests}")),
        ],
    );
    dir
}

/// A kubectl of which each call ends like this.
fn kubectl(answer: &str) -> TempDir {
    let bin = tempfile::tempdir().unwrap();
    let path = bin.path().join("kubectl");
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> {}/log
case "$*" in
"config view"*) echo '{{"contexts": [{{"name": "here", "context": {{"cluster": "c"}}}}], "clusters": [{{"name": "c", "cluster": {{"server": "https://c"}}}}]}}' ;;
"version --client"*) echo '{{"clientVersion": {{"minor": "30"}}}}' ;;
{answer}
esac
"#,
        bin.path().display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

fn run(dir: &Path, bin: &Path, line: &str, more: &[&str]) -> Run {
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut command = shipcat(dir);
    Run::of(&command.args(line.split(' ')).args(more).env("PATH", path).env("SHIPCAT_USER", "ann").output().unwrap())
}

/// The one object on stdout.
#[track_caller]
fn object(run: &Run) -> Value {
    let value: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| {
        panic!("not one object: {error}\n--- stdout\n{}\n--- stderr\n{}", run.stdout, run.stderr)
    });
    assert_eq!(value["version"], 1, "{value:#}");
    value
}

#[test]
fn every_command_answers_with_one_object_whatever_becomes_of_it() {
    let (good, broken, nowhere) = (repo(), repo(), tempfile::tempdir().unwrap());
    write(broken.path(), &[("manifests/web/manifest.yml", "version: 1\nport: http\n")]);
    let away = kubectl("*) echo 'Unable to connect to the server: dial tcp: connection refused' >&2; exit 1 ;;");
    let forbidden = kubectl("*) echo 'Error from server (Forbidden): no' >&2; exit 1 ;;");
    for line in COMMANDS {
        let offline = ["generate", "validate", "rbac"].iter().any(|one| line.starts_with(one));
        let name = line.split(" -").next().unwrap().trim_end_matches(" web");
        for (dir, bin, more) in [
            (&good, &away, &[][..]),
            (&good, &forbidden, &[]),
            (&broken, &away, &[]),
            (&nowhere, &away, &[]),
            (&good, &away, &["--nope"]),
        ] {
            let run = run(dir.path(), bin.path(), line, &[&["-o", "json"], more].concat());
            let value = object(&run);
            let is_answer = offline && run.code < 2;
            assert_eq!(value.get("exitCode").is_none(), is_answer, "{line}: {value:#}");
            if !is_answer {
                assert_eq!(
                    (run.code, &value["exitCode"], &value["command"]),
                    (2, &json!(2), &json!(name)),
                    "{value:#}"
                );
                assert_eq!(value["error"]["code"], 2);
                let message = value["error"]["message"].as_str().unwrap();
                assert!(run.stderr.contains(message), "{message}\n{}", run.stderr);
            }
        }
    }
}

#[test]
fn what_is_wrong_with_the_files_is_told_with_its_places() {
    let dir = repo();
    write(dir.path(), &[("manifests/web/manifest.yml", "version: 1\nreplica: 2\nport: http\n")]);
    let bin = kubectl("");
    let problems = json!([
        {"file": "manifests/web/manifest.yml", "line": 2, "column": 1, "message": "unknown key `replica`",
            "hint": "did you mean `replicas`?", "environments": []},
        {"file": "manifests/web/manifest.yml", "line": 3, "column": 7,
            "message": "expected a port, or a map with `container` and `service`, found `http`", "hint": null, "environments": []},
    ]);
    assert_eq!(
        object(&run(dir.path(), bin.path(), "validate -o json", &[]).ends(1)),
        json!({"version": 1, "isGood": false, "environments": ["dev"], "services": ["web"], "errors": problems, "warnings": []})
    );
    let mut value = object(&run(dir.path(), bin.path(), "ship -n dev web -o json", &[]).ends(2));
    assert!(value["seconds"].take().is_number());
    assert_eq!(
        value,
        json!({
            "version": 1, "command": "ship", "environment": "dev", "exitCode": 2, "outcome": "refused", "reason": "invalid",
            "error": {"code": 2, "message": "unknown key `replica`", "hints": ["did you mean `replicas`?"], "problems": problems},
            "context": null, "namespace": null, "who": value["who"], "build": null, "seconds": null,
            "services": [], "recovered": [], "commands": null,
        })
    );
    assert!(value["who"].as_str().unwrap().starts_with("ann@"));
    let one = repo();
    assert_eq!(
        object(&run(one.path(), bin.path(), "validate -o json", &[]).ends(0)),
        json!({"version": 1, "isGood": true, "environments": ["dev"], "services": ["web"], "errors": [], "warnings": []})
    );
}

#[test]
fn what_needs_no_cluster_is_the_same_as_its_yaml() {
    let (dir, bin) = (repo(), kubectl(""));
    let yaml = |text: &str| -> Vec<Value> {
        let documents = text.split("---\n").filter(|part| part.contains("kind:"));
        documents.map(|part| serde_yaml::from_str(part).unwrap()).collect()
    };
    let text = run(dir.path(), bin.path(), "generate -n dev web", &[]).ends(0).stdout;
    let objects = yaml(&text);
    assert!(objects.len() > 1);
    assert_eq!(
        object(&run(dir.path(), bin.path(), "generate -n dev web -o json", &[]).ends(0)),
        json!({"version": 1, "environment": "dev", "services": [{"service": "web", "version": "1.0.0", "objects": objects}]})
    );
    run(dir.path(), bin.path(), "generate -n dev web -o json -d out", &[]).ends(2);
    let text = run(dir.path(), bin.path(), "rbac -n dev", &[]).ends(0).stdout;
    assert_eq!(
        object(&run(dir.path(), bin.path(), "rbac -n dev -o json", &[]).ends(0)),
        json!({"version": 1, "environment": "dev", "role": yaml(&text)[0]})
    );
}

#[test]
fn a_page_says_why_it_was_refused_and_stands_behind_what_was_there() {
    let (dir, bin) = (repo(), kubectl(""));
    write(
        dir.path(),
        &[("manifests/web/manifest.yml", "version: 1\nport: \"</pre><b>|`\"\n"), ("page.md", "before\n")],
    );
    run(dir.path(), bin.path(), "diff -n dev web --summary page.md", &[]).ends(2);
    run(dir.path(), bin.path(), "remove -n dev wEb --summary page.md", &[]).ends(2);
    let page = std::fs::read_to_string(dir.path().join("page.md")).unwrap();
    let (start, end) = page.split_once("by ann@").unwrap();
    assert_eq!(
        start,
        "before
### \u{274c} shipcat diff in dev: it could not be told

<pre>
error: expected a port, or a map with `container` and `service`, found the text \"&lt;/pre&gt;&lt;b&gt;|`\"
  --&gt; manifests/web/manifest.yml:2:7
  |
2 | port: \"&lt;/pre&gt;&lt;b&gt;|`\"
  |       ^
</pre>

### \u{274c} shipcat remove in dev: refused, nothing was changed

"
    );
    assert!(end.contains("\n\n**error**: \\`wEb\\` "), "{end}");
}

#[test]
fn a_page_that_cannot_be_written_is_found_before_anything_is_done() {
    let (dir, bin) = (repo(), kubectl(""));
    for command in ["ship", "update", "rollback", "remove", "test", "diff"] {
        let line = format!("{command} -n dev web --summary no/where.md");
        let run = run(dir.path(), bin.path(), &line, &[]).ends(2);
        assert_eq!(
            run.stderr,
            "error: the summary cannot be written to `no/where.md`: No such file or directory (os error 2)\n\
             hint: name a file that can be written behind `--summary`\n"
        );
    }
    assert!(!bin.path().join("log").exists());
    // One that fills up is a warning: what is done is done.
    let run = run(dir.path(), bin.path(), "diff -n dev nope --summary /dev/full", &[]).ends(2);
    assert!(
        run.stderr.ends_with(
            "warning: the summary could not be written to `/dev/full`: No space left on device (os error 28)\n"
        ),
        "{}",
        run.stderr
    );
}
