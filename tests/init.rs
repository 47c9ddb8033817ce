//! `init` without a cluster: whole outputs. That `kubectl diff` is empty is for `e2e/init.rs`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::{Run, shipcat, write};
use tempfile::TempDir;

const REPO: &str = "environments:\n  dev: {contexts: [here]}\n  global: {contexts: [there]}\n";

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: elsewhere, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: quay.io/acme/web:1.10
        ports: [{name: http, containerPort: 8080}]
        env:
        - {name: LEVEL, value: info}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: web, key: password}}}
        readinessProbe: {httpGet: {path: /ready, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: hunter22}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: web}
spec: {groups: [{name: web, rules: [{alert: Down, annotations: {text: \"{{ $labels.pod }} is down\"}}]}]}
";

fn repo(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("shipcat.yml", REPO)]);
    write(dir.path(), files);
    dir
}

fn run(dir: &Path, args: &[&str]) -> Run {
    Run::of(&shipcat(dir).args(args).output().unwrap())
}

fn run_with(dir: &Path, args: &[&str], stdin: &str) -> Run {
    let mut command = shipcat(dir);
    let command = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    Run::of(&child.wait_with_output().unwrap())
}

/// Refused with these words, and nothing was written.
#[track_caller]
fn refused(dir: &Path, args: &[&str], stdin: &str, stderr: &str) {
    let run = run_with(dir, args, stdin).ends(2);
    assert_eq!((run.stderr.replace(dir.to_str().unwrap(), "[DIR]").as_str(), run.stdout.as_str()), (stderr, ""));
    let left = std::fs::read_dir(dir.join("manifests"))
        .map_or(0, |entries| entries.filter(|entry| entry.as_ref().unwrap().file_name() != "taken").count());
    assert_eq!(left, 0, "something was written");
}

fn read(dir: &TempDir, name: &str) -> String {
    std::fs::read_to_string(dir.path().join("manifests/web").join(name)).unwrap()
}

#[test]
fn a_first_manifest_ships_as_it_is() {
    let dir = repo(&[]);
    let told = run(dir.path(), &["init", "web"]).ends(0);
    assert_eq!(
        (told.stderr.as_str(), told.stdout.as_str()),
        (
            "wrote manifests/web/manifest.yml\n\
             next:\n  shipcat generate -n dev web   # after a look at manifests/web/manifest.yml\n  shipcat ship -n dev web\n",
            ""
        )
    );
    for environment in ["dev", "global"] {
        let yaml = run(dir.path(), &["generate", "-n", environment, "web"]).ends(0);
        assert_eq!(yaml.stderr, "");
        assert!(yaml.stdout.contains("web:0.1.0"), "{}", yaml.stdout);
    }
    let manifest = read(&dir, "manifest.yml");
    for word in ["version", "port", "health", "env"] {
        assert!(manifest.contains(&format!("{word}:")), "{manifest}");
    }
}

#[test]
fn nothing_is_overwritten_and_a_bad_name_is_refused() {
    let dir = repo(&[("manifests/taken/x", "")]);
    refused(
        dir.path(),
        &["init", "taken"],
        "",
        "error: there is a service `taken` already: `manifests/taken`\n\
         hint: take another name, or move that folder away: nothing is overwritten\n",
    );
    refused(
        dir.path(),
        &["init", "Web_1"],
        "",
        "error: `Web_1` is not a good name for a service\n\
         hint: use at most 63 lower case letters, digits and `-`, starting with a letter\n",
    );
}

#[test]
fn without_a_repo_it_says_how_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    refused(
        dir.path(),
        &["init", "web"],
        "",
        "error: there is no `shipcat.yml` in `[DIR]` or above it\n\
         hint: go to your manifests repo, or name it with `-C DIR` or SHIPCAT_REPO\n\
         hint: or make this folder one: a `shipcat.yml` with `environments: {dev: {contexts: [MY-CONTEXT]}}` is enough\n",
    );
}

#[test]
fn what_was_there_becomes_a_manifest() {
    let dir = repo(&[("web.yml", WEB)]);
    let told = run(dir.path(), &["init", "web", "--from", "web.yml"]).ends(0);
    assert_eq!(
        (told.stderr.as_str(), told.stdout.as_str()),
        (
            "wrote manifests/web: manifest.yml, templates/prometheusrule-web.yml.j2
  Deployment/web      manifest.yml
  Service/web         manifest.yml: port
  PrometheusRule/web  templates/prometheusrule-web.yml.j2, since a manifest has no word for a PrometheusRule
  Secret/web          left out: secrets stay out of the repo: keep it where it is, and the manifest refers to it by its name
next:
  shipcat generate -n dev web | kubectl diff -n dev -f -   # prints nothing, since nothing changes
  shipcat ship -n dev web
",
            ""
        )
    );
    assert_eq!(
        read(&dir, "manifest.yml"),
        "# Made by `shipcat init web` from web.yml.
image: quay.io/acme/web
version: \"1.10\"
replicas: 3

port: {container: 8080, service: 80}

readinessProbe:
  httpGet: {path: /ready, port: http}

env:
  LEVEL: info
  PASSWORD: {secret: web, key: password}

strategy:
  rollingUpdate: {maxUnavailable: 25%, maxSurge: 25%}

# The objects keep the labels that they had. Take this line away, and each object and pod gets shipcat's labels as well, by which
# `kubectl get all -l shipcat.dev/service=NAME` finds them: the pods are replaced once for it.
shipcatLabels: false
labels: {app: web}
"
    );
    assert_eq!(
        read(&dir, "templates/prometheusrule-web.yml.j2"),
        "{# PrometheusRule/web: a manifest has no word for a PrometheusRule. #}
{% raw %}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: web
spec:
  groups:
    - name: web
      rules:
        - alert: Down
          annotations: {text: \"{{ $labels.pod }} is down\"}
{% endraw %}
"
    );
    let tag = run(dir.path(), &["generate", "-n", "dev", "web", "--tag", "2.0"]).ends(0);
    assert!(tag.stdout.contains("quay.io/acme/web:2.0"), "{}", tag.stdout);
}

#[test]
fn lists_json_and_several_files_are_the_same() {
    let item = |kind: &str, name: &str| {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"{kind}\", \"metadata\": {{\"name\": \"{name}\"}}, \"data\": {{\"a\": \"b\"}}}}"
        )
    };
    let list = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}, {}]}}",
        item("ConfigMap", "one"),
        item("ConfigMap", "two")
    );
    let dir = repo(&[]);
    run_with(dir.path(), &["init", "web", "--from", "-"], &list).ends(0);
    let other = repo(&[("one.json", &item("ConfigMap", "one")), ("two.json", &item("ConfigMap", "two"))]);
    run(other.path(), &["init", "web", "--from", "one.json", "--from", "two.json"]).ends(0);
    let body = |dir: &TempDir| read(dir, "manifest.yml").split_once('\n').unwrap().1.to_owned();
    assert_eq!(body(&dir), body(&other));
    assert!(body(&dir).contains("configMaps:\n  one:\n    data: {a: b}\n  two:\n    data: {a: b}\n"), "{}", body(&dir));
}

#[test]
fn what_a_manifest_cannot_say_is_a_template_that_a_ship_still_moves() {
    let pinned = WEB.replace("    spec:\n      containers", "    spec:\n      nodeName: here\n      containers");
    let dir = repo(&[("web.yml", &pinned)]);
    let why = "templates/deployment-web.yml.j2, since a manifest cannot say its `spec.template.spec.nodeName`";
    run(dir.path(), &["init", "web", "--from", "web.yml"]).ends(0).says(why);
    assert!(read(&dir, "templates/deployment-web.yml.j2").contains("image: {{ image | json }}\n"));
    let yaml = run(dir.path(), &["generate", "-n", "dev", "web", "--tag", "2.0"]).ends(0).stdout;
    assert!(yaml.contains("quay.io/acme/web:2.0") && yaml.contains("nodeName"), "{yaml}");
}

#[test]
fn defaults_of_the_repo_do_not_get_in() {
    let settings = "environments:\n  dev: {contexts: [here], registry: r.io, defaults: {replicas: 9, labels: {a: b}}}\n\
        defaults:\n  health: /x\n  env: {LEVEL: debug, MORE: x}\n  labels: {team: x}\n";
    let extra = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ name }}-extra'}\n";
    let dir = repo(&[("web.yml", WEB), ("shipcat.yml", settings), ("templates/extra.yml.j2", extra)]);
    run(dir.path(), &["init", "web", "--from", "web.yml"]).ends(0);
    let yaml = run(dir.path(), &["generate", "-n", "dev", "web"]).ends(0);
    for word in ["team", "MORE", "extra", "r.io"] {
        assert!(!yaml.stdout.contains(word), "{word} in {}\n{}", yaml.stdout, read(&dir, "manifest.yml"));
    }
    assert_eq!(yaml.stderr, "");
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let dir = repo(&[("bad.yml", "kind: x\n  y: [\n"), ("latin.yml", "a: b\n")]);
    let run = run(dir.path(), &["init", "web", "--from", "bad.yml"]).ends(2);
    assert!(
        run.stderr.starts_with("error: not valid YAML: ") && run.stderr.contains("--> bad.yml:2:"),
        "{}",
        run.stderr
    );
    assert!(!dir.path().join("manifests").exists());
    refused(
        dir.path(),
        &["init", "web", "--from", "-"],
        "replicas: 1\n",
        "error: this is no Kubernetes object: it has no `apiVersion`
  --> stdin:1:1
  |
1 | replicas: 1
  | ^
hint: give files with Kubernetes objects, such as the output of `kubectl get -o yaml`
",
    );
    refused(
        dir.path(),
        &["init", "web", "--from", "nope.yml"],
        "",
        "error: cannot read `nope.yml`: No such file or directory (os error 2)\n\
         hint: `--from` takes a file with Kubernetes YAML or JSON, or `-` for stdin\n",
    );
    std::fs::write(dir.path().join("latin.yml"), b"a: b\nc: \xe9\n").unwrap();
    refused(
        dir.path(),
        &["init", "web", "--from", "latin.yml"],
        "",
        "error: not UTF-8 text\n  --> latin.yml:2:4\n  |\n2 | c:\n  |    ^\n",
    );
}

#[test]
fn what_cannot_be_taken_over_is_refused() {
    let dir = repo(&[]);
    refused(
        dir.path(),
        &["init", "web", "--from", "-"],
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aHVudGVyMjI=}\n",
        "error: there is no object in it that could be taken over\n\
         hint: Secret/s is left out: secrets stay out of the repo: keep it where it is, and the manifest refers to it by its name\n",
    );
    let two = WEB.replace("name: web,", "name: one,").split("---").next().unwrap().to_owned();
    let two = format!("{two}---\n{}", two.replace("name: one,", "name: two,"));
    refused(
        dir.path(),
        &["init", "web", "--from", "-"],
        &two,
        "error: it cannot be told which of them `web` is: `one` and `two`\n\
         hint: call the service as its workload is called, or give the objects of one service only\n",
    );
    let twice = format!("{WEB}---\n{WEB}");
    let run = run_with(dir.path(), &["init", "web", "--from", "-"], &twice).ends(2);
    assert!(run.stderr.contains("error: Deployment/web is here twice\n  --> stdin:"), "{}", run.stderr);
    assert!(!run.stderr.contains("hunter22"), "{}", run.stderr);
}
