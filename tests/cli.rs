//! The command line without a cluster: whole outputs, and a fake kubectl for what cannot be provoked for real.
//! What Kubernetes makes of it is for `e2e`.
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
        "error: expected a whole number, found `two`
  --> manifests/web/dev.yml:1:11
  |
1 | replicas: two
  |           ^

error: unknown key `replica`
  --> manifests/web/manifest.yml:2:1
  |
2 | replica: 2
  | ^
hint: did you mean `replicas`?

error: expected a port, or a map with `container` and `service`, found `http`
  --> manifests/web/manifest.yml:3:7
  |
3 | port: http
  |       ^
",
    );
}

#[test]
fn a_file_that_nobody_would_read() {
    let dir = repo(&[("manifests/web/devv.yml", "replicas: 1\n")]);
    refused(
        dir.path(),
        &["ship", "-n", "dev", "web"],
        "error: `manifests/web/devv.yml` is no environment's file: there is no environment `devv`\n  --> manifests/web/devv.yml:1:1\n\
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
hint: what there is: service, environment, namespace, version, image
",
    );
}

#[test]
fn no_version() {
    let dir = repo(&[("manifests/web/manifest.yml", "port: 80\n")]);
    refused(
        dir.path(),
        &["generate", "-n", "dev", "web"],
        "error: `web` has no version\n  --> manifests/web/manifest.yml:1:1\n  |\n1 | port: 80\n  | ^\n\
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
hint: what there is: service, environment, namespace, version, image

error: `web` has no version
  --> manifests/web/manifest.yml:1:1
  |
1 | port: 80
  | ^
hint: add `version: 1.2.3` to the manifest, or say which with `--tag`
",
    );
}

#[test]
fn contexts_that_are_none_are_told_once() {
    for (contexts, told) in [
        ("[]", "the environment `dev` accepts no kube context"),
        ("[\"\"]", "`` is not a kube context"),
        ("here", "expected a list, found `here`"),
    ] {
        let dir = repo(&[("shipcat.yml", &format!("environments:\n  dev: {{contexts: {contexts}}}\n"))]);
        let run = run(dir.path(), &["validate"]).ends(1);
        assert!(run.stderr.starts_with(&format!("error: {told}\n")), "{}", run.stderr);
        assert!(run.stderr.ends_with("the repo itself: 1 problem\n"), "{}", run.stderr);
    }
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
fn no_address_of_a_cluster_is_not_any_address() {
    for (cluster, says) in [("[]", "this is no address of an API server"), ("''", "`` is not the URL of an API server")]
    {
        let dir = repo(&[("shipcat.yml", &format!("environments:\n  dev: {{contexts: [x], cluster: {cluster}}}\n"))]);
        let run = run(dir.path(), &["generate", "-n", "dev", "web"]).ends(2);
        assert!(run.stderr.starts_with(&format!("error: {says}\n  --> shipcat.yml:2:33\n")), "{}", run.stderr);
    }
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
fn every_example_is_good_in_every_environment() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = run(root, &["validate"]).ends(0).stderr;
    assert_eq!(told, "8 services in 2 environments: nothing wrong\n");
    for environment in ["dev", "global"] {
        let yaml = run(root, &["generate", "-n", environment, "--all"]).ends(0).stdout;
        for (kind, name) in
            [("Deployment", "webapp"), ("StatefulSet", "store"), ("DaemonSet", "agent"), ("NetworkPolicy", "shop")]
        {
            let start = format!("kind: {kind}\nmetadata:\n  name: {name}\n  namespace: {environment}\n");
            assert!(yaml.contains(&start), "{kind}/{name} in {environment}");
        }
    }
}

#[track_caller]
fn validated(dir: &Path, args: &[&str], code: i32, stderr: &str) {
    let run = run(dir, args).ends(code);
    assert_eq!((run.stderr.as_str(), run.stdout.as_str()), (stderr, ""));
}

#[test]
fn validate_tells_all_problems_of_all_services_in_all_environments() {
    let dir = repo(&[
        (
            "manifests/web/manifest.yml",
            "version: 1\nport: 80\nhealth: {tcpSocket: {port: admin}}\nenv: {A: \"{{ values.x }}\"}\n",
        ),
        ("manifests/other/manifest.yml", "replicas: 2\nautoscaling: {maxReplicas: 3}\nversion: latest\n"),
        ("shipcat.yml", "environments:\n  dev: {contexts: [here], values: {x: 1}}\n  global: {contexts: [there]}\n"),
    ]);
    validated(
        dir.path(),
        &["validate"],
        1,
        "warning: `latest` is a tag that moves: nobody knows which image it is
  --> manifests/other/manifest.yml:3:10
  |
3 | version: latest
  |          ^
hint: name a version, or a digest `sha256:...`

error: `replicas` and `autoscaling` exclude each other
  --> manifests/other/manifest.yml:2:1
  |
2 | autoscaling: {maxReplicas: 3}
  | ^
hint: take all but one away

error: the container has no port named `admin`
  --> manifests/web/manifest.yml:3:28
  |
3 | health: {tcpSocket: {port: admin}}
  |                            ^
hint: the ports are `http`

error: `env.A` cannot be rendered: field `x` is not defined
  --> manifests/web/manifest.yml:4:10
  |
4 | env: {A: \"{{ values.x }}\"}
  |          ^
hint: what there is: service, environment, namespace, version, image
note: in `global`

2 services in 2 environments: 3 problems, 1 warning
",
    );
    run(dir.path(), &["validate", "nope"]).ends(2);
    run(dir.path(), &["validate", "-n", "nope"]).ends(2);
}

#[test]
fn validate_finds_two_services_that_claim_one_host_or_one_name() {
    let dir = repo(&[
        ("manifests/a/manifest.yml", "version: 1\nport: 80\ningress: {hosts: {x.example.com: {}}}\n"),
        (
            "manifests/b/manifest.yml",
            "version: 1\nport: 80\ningress: {hosts: {x.example.com: {}}}\nservice: {name: a}\n",
        ),
    ]);
    let told = run(dir.path(), &["validate", "-n", "dev"]).ends(1).stderr;
    let messages: Vec<&str> = told.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        messages,
        [
            "error: Service/a is claimed by the service `a` as well",
            "error: the host `x.example.com` with the path `/` is claimed by the service `a` as well"
        ]
    );
    // Different paths of one host are nobody's loss.
    write(
        dir.path(),
        &[(
            "manifests/b/manifest.yml",
            "version: 1\nport: 80\ningress: {hosts: {x.example.com: {paths: {/b: http}}}}\n",
        )],
    );
    validated(dir.path(), &["validate", "-n", "dev"], 0, "3 services in 1 environment: nothing wrong\n");
}

#[test]
fn validate_answers_for_the_repos_own_file_too() {
    let dir = repo(&[("shipcat.yml", "environments:\n  dev: {contexts: [here], timeout: soon}\n")]);
    validated(
        dir.path(),
        &["validate"],
        1,
        "error: `soon` is not a span of time
  --> shipcat.yml:2:36
  |
2 |   dev: {contexts: [here], timeout: soon}
  |                                    ^
hint: write it as `90s`, `5m` or `1h30m`

the repo itself: 1 problem
",
    );
    run(dir.path(), &["generate", "-n", "dev", "web"]).ends(2);
}

#[test]
fn every_problem_has_a_place() {
    for (manifest, told) in [
        (
            "version: 1\nenvironments: [dv]\n",
            "error: there is no environment `dv`\n  --> manifests/web/manifest.yml:2:16\n",
        ),
        (
            "version: 1\nkind: None\n",
            "error: `web` makes no object at all in `dev`\n  --> manifests/web/manifest.yml:1:1\n",
        ),
        (
            "version: 1\ntemplates: {servce: false}\n",
            "error: there is no template `servce`\n  --> manifests/web/manifest.yml:2:13\n",
        ),
        ("", "error: `web` has no version\n  --> manifests/web/manifest.yml:1:1\n"),
        (
            "version: 1\nfiles: {/a: ../../x}\n",
            "error: `../../x` is not a file of the service's folder\n  --> manifests/web/manifest.yml:2:13\n",
        ),
    ] {
        let dir = repo(&[("manifests/web/manifest.yml", manifest)]);
        let stderr = run(dir.path(), &["validate", "-n", "dev"]).ends(1).stderr;
        assert!(stderr.starts_with(told), "{stderr}");
        let stderr = run(dir.path(), &["generate", "-n", "dev", "web"]).ends(2).stderr;
        assert!(stderr.starts_with(told), "{stderr}");
    }
}

#[test]
fn explain_says_which_layer_a_value_came_from() {
    let dir = repo(&[
        (
            "shipcat.yml",
            "defaults: {replicas: 1, env: {A: all}}\nenvironments:\n  dev: {contexts: [here], defaults: {replicas: 2}}\n",
        ),
        ("manifests/web/manifest.yml", "version: 1\nreplicas: 3\nlabels: {example.com/x: y}\n"),
        ("manifests/web/dev.yml", "replicas: 4\nenv: {A: ~}\n"),
    ]);
    let explain = |key: &str| run(dir.path(), &["generate", "-n", "dev", "web", "--explain", key]).ends(0).stdout;
    assert_eq!(
        explain("replicas"),
        "replicas: 4
  from manifests/web/dev.yml:1:11
  manifests/web/manifest.yml says 3  manifests/web/manifest.yml:2:11
  the defaults of the environment `dev` says 2  shipcat.yml:3:48
  the defaults of `shipcat.yml` says 1  shipcat.yml:1:22
"
    );
    assert!(explain("env.A").starts_with("env.A is not set in dev: "), "{}", explain("env.A"));
    assert!(explain("env.A").contains("manifests/web/dev.yml says taken away"), "{}", explain("env.A"));
    assert_eq!(
        explain("labels.example.com/x"),
        "labels.example.com/x: \"y\"\n  from manifests/web/manifest.yml:3:25\n"
    );
    assert!(explain("health").starts_with("health is not set in dev: Whether it is ready"));
    run(dir.path(), &["generate", "-n", "dev", "web", "--explain", "nope"]).ends(2);
}

#[test]
fn templates_of_the_repo_are_for_every_service() {
    let policy = "{% if values.policy is defined %}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: {{ name }}}\nspec: {podSelector: {matchLabels: {{ selector | json }}}}\n{% endif %}";
    let dir = repo(&[
        ("templates/policy.yml.j2", policy),
        ("templates/service.yml.j2", "{# none #}"),
        ("manifests/web/manifest.yml", "version: 1\nport: 80\nvalues: {policy: 1}\n"),
        ("manifests/api/manifest.yml", "version: 1\nport: 80\n"),
        ("manifests/off/manifest.yml", "version: 1\nport: 80\nvalues: {policy: 1}\ntemplates: {policy: false}\n"),
    ]);
    let yaml = run(dir.path(), &["generate", "-n", "dev", "--all"]).ends(0).stdout;
    let kinds: Vec<&str> = yaml.lines().filter(|line| line.starts_with("kind")).collect();
    assert_eq!(kinds, ["kind: Deployment", "kind: Deployment", "kind: Deployment", "kind: NetworkPolicy"]);
    write(dir.path(), &[("templates/policy.yml.j2", "{% if %}")]);
    run(dir.path(), &["validate"]).ends(1).says("--> templates/policy.yml.j2:1:");
    run(dir.path(), &["generate", "-n", "dev", "web"]).ends(2).says("--> templates/policy.yml.j2:1:");
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

const ALL: &str = r#"{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}"#;

/// What the API server says of all that one may do.
fn rules(rules: &str, incomplete: bool) -> String {
    format!(r#"echo '{{"status": {{"resourceRules": [{rules}], "incomplete": {incomplete}}}}}'"#)
}

/// A kubectl that answers by `case "$*" in` and keeps a log of how it was called.
fn fake_kubectl(dir: &Path, cases: &str) {
    fake_kubectl_of(dir, cases, &rules(ALL, false));
}

/// The same for a user who is told this of what they may do.
fn fake_kubectl_of(dir: &Path, cases: &str, rules: &str) {
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> {log}
case "$*" in
"config view"*) echo '{{"contexts": [{{"name": "here", "context": {{"cluster": "c"}}}}], "clusters": [{{"name": "c", "cluster": {{"server": "https://c"}}}}]}}' ;;
"version --client"*) echo '{{"clientVersion": {{"minor": "30"}}}}' ;;
"get --raw /version"*) echo '{{}}' ;;
"create --raw"*/leases*) cat ;;
"create --raw"*/selfsubjectrulesreviews*) {rules} ;;
"delete --raw"*/leases/shipcat*) ;;
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
    with_fake_of(dir, cases, &rules(ALL, false), args)
}

fn with_fake_of(dir: &TempDir, cases: &str, rules: &str, args: &[&str]) -> (Run, Vec<String>) {
    let bin = tempfile::tempdir().unwrap();
    fake_kubectl_of(bin.path(), cases, rules);
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(args).env("PATH", path).output().unwrap());
    let log = std::fs::read_to_string(bin.path().join("log")).unwrap_or_default();
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    lines.sort();
    (run, lines)
}

const TAIL: &str = "--context here --namespace dev --request-timeout=25s";

#[test]
fn what_the_server_would_not_take_is_refused_before_anything_is_changed() {
    let dir = repo(&[]);
    let cases = r#"
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
    // The whole conversation: the lock, and nothing but questions, each with context, namespace and timeout.
    assert_eq!(
        log,
        [
            format!(
                "apply --server-side --force-conflicts --field-manager=shipcat --dry-run=server -f - -o json --validate=false {TAIL} --show-managed-fields"
            ),
            "config view -o json".to_owned(),
            format!("create --raw /apis/authorization.k8s.io/v1/selfsubjectrulesreviews -f - {TAIL}"),
            format!("create --raw /apis/coordination.k8s.io/v1/namespaces/dev/leases?fieldManager=shipcat -f - {TAIL}"),
            format!("delete --raw /apis/coordination.k8s.io/v1/namespaces/dev/leases/shipcat?uid=none -f - {TAIL}"),
            format!(
                "get --raw /api/v1/namespaces/dev/secrets?fieldSelector=type%21%3Dshipcat.dev%2Frelease%2Ctype%21%3Dhelm.sh%2Frelease.v1 {TAIL}"
            ),
            format!("get -f - -o json --ignore-not-found {TAIL} --show-managed-fields"),
            format!("get resourcequotas,limitranges,horizontalpodautoscalers.autoscaling -o json {TAIL}"),
            format!("get secrets -l shipcat.dev/release-of=web -o json {TAIL}"),
        ]
    );
}

#[test]
fn what_is_not_permitted_is_named() {
    let dir = repo(&[]);
    let most = r#"{"verbs": ["*"], "apiGroups": ["*"], "resources": ["services", "secrets", "leases", "replicasets", "events", "horizontalpodautoscalers"]},
        {"verbs": ["get", "create", "update", "delete", "list", "watch"], "apiGroups": ["apps", ""], "resources": ["deployments", "pods"]}"#;
    let asked = [
        // What the rules do not show, and nothing else.
        (rules(most, false), 2),
        // Where there may be others, everything; so where nobody may ask for them, or what comes back is none of it.
        (rules(ALL, true), 30),
        ("echo 'Error from server (Forbidden): no' >&2; exit 1".to_owned(), 30),
        ("echo '<html>sign in</html>'".to_owned(), 30),
    ];
    for (answer, reviews) in asked {
        let asked = tempfile::NamedTempFile::new().unwrap();
        let cases = format!(
            r#"
"create --validate=false"*) grep -o SelfSubjectAccessReview >> {asked}; echo '{{"kind": "List", "items": [
  {{"spec": {{"resourceAttributes": {{"verb": "patch", "group": "apps", "resource": "deployments"}}}}, "status": {{"allowed": false}}}},
  {{"spec": {{"resourceAttributes": {{"verb": "get", "resource": "pods", "subresource": "log"}}}}, "status": {{"allowed": false}}}},
  {{"spec": {{"resourceAttributes": {{"verb": "list", "resource": "pods"}}}}, "status": {{"allowed": true}}}}]}}' ;;
"apply"*) echo 'Error from server (Forbidden): no' >&2; exit 1 ;;
"get"*) ;;
"#,
            asked = asked.path().display()
        );
        let (run, _) = with_fake_of(&dir, &cases, &answer, &["ship", "-n", "dev", "web"]);
        assert_eq!(
            run.ends(2).stderr,
            "shipping web 1.0.0 in dev (context here, namespace dev)\n\
             error: you may not do all that a ship does in namespace `dev`: patch deployments.apps and get pods/log\n\
             hint: ask for the Role that `shipcat rbac` prints, or use a context that has these verbs\n"
        );
        assert_eq!(std::fs::read_to_string(asked).unwrap().lines().count(), reviews, "{answer}");
    }
}

#[test]
fn a_kubeconfig_that_is_named_goes_to_every_call() {
    let dir = repo(&[("my config", "")]);
    let file = dir.path().join("my config");
    let file = file.to_str().unwrap();
    let (ended, log) = with_fake(&dir, "\"get\"*) ;;", &["history", "-n", "dev", "web", "-v", "--kubeconfig", file]);
    let ended = ended.ends(0);
    let without: Vec<&String> = log.iter().filter(|line| !line.contains(&format!(" --kubeconfig {file}"))).collect();
    assert_eq!((log.len(), without), (4, vec![]), "{log:#?}");
    // As it can be pasted.
    assert!(ended.stderr.contains(&format!("-o json --kubeconfig '{file}' --context here")), "{}", ended.stderr);
    refused(
        dir.path(),
        &["history", "-n", "dev", "web", "--kubeconfig", "nope"],
        "error: cannot read the kubeconfig `nope`: No such file or directory (os error 2)\n",
    );
}

#[test]
fn the_cluster_around_a_pod_is_there_in_a_pod_only() {
    let settings = "environments:\n  dev: {contexts: [elsewhere, in-cluster]}\n";
    let dir = repo(&[("shipcat.yml", settings), ("kubeconfig", "")]);
    let with = |args: &[&str], host: Option<&str>| {
        let bin = tempfile::tempdir().unwrap();
        fake_kubectl(bin.path(), "");
        let mut command = shipcat(dir.path());
        command.args(["history", "-n", "dev", "web"]).args(args);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.path().display()));
        command.envs(host.map(|host| ("KUBERNETES_SERVICE_HOST", host)));
        Run::of(&command.output().unwrap()).ends(2).stderr
    };
    let hint = "your kubeconfig has here; rename one with `kubectl config rename-context`, add it to `contexts` in shipcat.yml, or set KUBECONFIG\n";
    let error = "error: no kube context for the environment `dev`: `elsewhere` and `in-cluster` are not in your kubeconfig\nhint: ";
    assert_eq!(with(&[], None), format!("{error}this is no pod (KUBERNETES_SERVICE_HOST is not set); {hint}"));
    let without_account = with(&["--context", "in-cluster"], Some("10.0.0.1"));
    assert!(
        without_account.contains("`in-cluster` is not in your kubeconfig\nhint: the pod's `/var/run/secrets/kubernetes.io/serviceaccount/token` cannot be read: "),
        "{without_account}"
    );
    // Who names another context, or a kubeconfig, means that one.
    for args in [["--context", "elsewhere"], ["--kubeconfig", "kubeconfig"]] {
        assert!(with(&args, Some("10.0.0.1")).contains("\nhint: your kubeconfig has here"));
    }
}

/// Ships with a kubectl that does not know the flag by which newer ones show managedFields: how that ends, and how it was called.
fn with_old_kubectl(minor: &str) -> (Run, String) {
    let (dir, bin) = (repo(&[]), tempfile::tempdir().unwrap());
    let cases = r#"
*" --show-managed-fields") echo "Error: unknown flag: --show-managed-fields" >&2; exit 1 ;;
"create --validate=false"*) echo '{"kind": "List", "items": []}' ;;
"apply"*"--dry-run=server"*) echo 'The Deployment "web" is invalid: no' >&2; exit 1 ;;
"get"*) ;;
"#;
    fake_kubectl(bin.path(), cases);
    let script =
        std::fs::read_to_string(bin.path().join("kubectl")).unwrap().replace("\"30\"", &format!("\"{minor}\""));
    std::fs::write(bin.path().join("kubectl"), script).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(["ship", "-n", "dev", "web"]).env("PATH", path).output().unwrap());
    (run, std::fs::read_to_string(bin.path().join("log")).unwrap())
}

#[test]
fn a_kubectl_of_before_1_21_is_asked_without_the_flag_that_it_does_not_know() {
    let (run, log) = with_old_kubectl("20+");
    assert!(run.ends(2).stderr.contains("the API server would not take it: The Deployment \"web\" is invalid: no"));
    let with = |text: &str, flag: bool| {
        log.lines().filter(|line| line.contains(text) && line.contains("--show-managed-fields") == flag).count()
    };
    // Asked for its version once, and whatever it did not understand once more.
    assert_eq!((with("version --client", false), with("get -f - -o json", false)), (1, 1), "{log}");
    assert!(with("", true) > 0, "{log}");
}

#[test]
fn a_kubectl_that_is_too_old_is_refused() {
    assert_eq!(
        with_old_kubectl("19+").0.ends(2).stderr,
        "shipping web 1.0.0 in dev (context here, namespace dev)\n\
         error: cannot read the live objects: this kubectl is version 1.19, too old: install kubectl 1.20 or later\n\
         hint: `-v` shows each kubectl command; `shipcat generate` what is sent\n"
    );
}

#[test]
fn one_kubeconfig_is_read_without_a_kubectl_and_several_are_left_to_it() {
    let one =
        "contexts:\n- {name: here, context: {cluster: c}}\nclusters: [{name: c, cluster: {server: \"https://c\"}}]\n";
    let dir = repo(&[("one", one), ("two", "contexts: []\n")]);
    let asks = |kubeconfig: &str, settings: &str| {
        write(dir.path(), &[("shipcat.yml", settings)]);
        let bin = tempfile::tempdir().unwrap();
        fake_kubectl(bin.path(), "\"get\"*) ;;");
        let mut command = shipcat(dir.path());
        command.args(["history", "-n", "dev", "web"]).env("KUBECONFIG", kubeconfig);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.path().display())).current_dir(dir.path());
        let run = Run::of(&command.output().unwrap());
        let log = std::fs::read_to_string(bin.path().join("log")).unwrap_or_default();
        (run.code, log.contains("config view"))
    };
    let plain = "environments:\n  dev: {contexts: [elsewhere, here]}\n";
    assert_eq!(asks("one", plain), (0, false));
    assert_eq!(asks("one:two", plain), (0, true));
    // What is nowhere, in doubt, or to be checked, kubectl says.
    assert_eq!(asks("two", plain), (0, true));
    assert_eq!(asks("one", "environments:\n  dev: {contexts: [here], cluster: \"https://c\"}\n"), (0, true));
    assert_eq!(asks("one", "environments:\n  dev: {contexts: [here], cluster: \"https://other\"}\n"), (2, true));
}

#[test]
fn a_kubectl_that_never_answers_is_given_up_in_seconds() {
    let dir = repo(&[]);
    let started = Instant::now();
    let cases = "\"get\"*|\"apply\"*|\"create\"*) exec sleep 300 ;;";
    let bin = tempfile::tempdir().unwrap();
    fake_kubectl(bin.path(), cases);
    let script = std::fs::read_to_string(bin.path().join("kubectl")).unwrap();
    let script = script.replace("\"get --raw", "\"never").replace("\"create --raw\"*/self", "\"never\"*/self");
    std::fs::write(bin.path().join("kubectl"), script).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let run = Run::of(&shipcat(dir.path()).args(["ship", "-n", "dev", "web"]).env("PATH", path).output().unwrap());
    run.ends(2).says("the cluster of context `here` does not answer: no answer within 8 s");
    assert!(started.elapsed() < Duration::from_secs(90), "it must not take minutes");
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

/// `docs/manifest.md` is written from the schema; `tests/manifest-keys` does it.
#[test]
fn the_documentation_lists_the_keys_that_there_are() {
    let schema = run(Path::new("/"), &["schema", "manifest"]).ends(0).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manifest.md")).unwrap();
    let mut looked_at = 0;
    for definition in ["Manifest", "Worker", "Job", "CronJob"] {
        for (key, field) in schema["definitions"][definition]["properties"].as_object().unwrap() {
            let row = format!("| `{key}` | {} |", field["description"].as_str().unwrap().replace('|', "\\|"));
            assert!(docs.lines().any(|line| line == row), "docs/manifest.md has no row {row}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 200, "{looked_at}");
}

#[test]
fn the_readme_lists_the_exit_codes_that_help_lists() {
    let help = run(Path::new("/"), &["--help"]).ends(0).stdout;
    for code in readme_column("| code |") {
        assert!(help.lines().any(|line| line.trim_start().contains(&code)), "`--help` does not list {code}");
    }
}

#[test]
fn the_role_of_an_environment_is_printed() {
    let dir = repo(&[("manifests/web/manifest.yml", "port: 80\n")]);
    let reader = run(dir.path(), &["rbac", "-n", "dev", "--reader"]).ends(0).stdout;
    let rules: Vec<&str> = reader.lines().skip_while(|line| *line != "rules:").collect();
    assert_eq!(
        rules.join("\n"),
        r#"rules:
  - apiGroups: [""]
    resources: [pods/log]
    verbs: [get]
  # The releases are recorded in Secrets, and the values of Secrets are masked in whatever is printed. Without this rule
  # `diff` and `status` still work, and do not know which release runs; `history` does not.
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list]
  - apiGroups: [""]
    resources: [configmaps, persistentvolumeclaims, pods, serviceaccounts, services]
    verbs: [get, list, watch]
  - apiGroups: [""]
    resources: [events, limitranges, resourcequotas]
    verbs: [list]
  - apiGroups: [apps]
    resources: [controllerrevisions, daemonsets, deployments, replicasets, statefulsets]
    verbs: [get, list, watch]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [get, list, watch]
  - apiGroups: [batch]
    resources: [cronjobs, jobs]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses]
    verbs: [get, list, watch]
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [get, list, watch]"#
    );
    // A kind of a template's own is in it; what is wrong with a service stops it.
    write(
        dir.path(),
        &[(
            "manifests/web/templates/own.yml.j2",
            "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: web}\nspec: {}\n",
        )],
    );
    let deployer = run(dir.path(), &["rbac", "-n", "dev"]).ends(0).stdout;
    assert!(deployer.contains(
        "  - apiGroups: [example.com]\n    resources: [widgets]\n    verbs: [create, delete, get, patch, update]\n"
    ));
    write(dir.path(), &[("manifests/web/manifest.yml", "prt: 80\n")]);
    run(dir.path(), &["rbac", "-n", "dev"]).ends(2).says("did you mean `port`?");
}

#[test]
fn tests_are_checked_before_a_cluster_is_asked() {
    let settings = "tests: {image: t, env: {A: \"{{ values.x }}\"}}\nenvironments:\n  dev: {contexts: [here]}\n  live: {contexts: [there], protected: true, tests: false}\n";
    let dir = repo(&[("shipcat.yml", settings)]);
    refused(
        dir.path(),
        &["ship", "-n", "live", "web", "--no-test"],
        "error: live is protected: nothing goes there untested\nhint: leave `--no-test` away\n",
    );
    refused(
        dir.path(),
        &["test", "-n", "live", "web"],
        "error: `web` has no tests in live\nhint: say which in `tests` of shipcat.yml, of the environment, or of its manifest\n",
    );
    let broken = run(dir.path(), &["validate", "-n", "dev"]).ends(1);
    assert!(
        broken.stderr.contains("`tests.env.A` cannot be rendered")
            || broken.stdout.contains("`tests.env.A` cannot be rendered"),
        "{broken:?}"
    );
    run(dir.path(), &["validate", "-n", "live"]).ends(0);
    // Layers: the whole repo, the environment, the service, the service there.
    let files = [
        (
            "shipcat.yml",
            "tests: {image: t, runner: job}\nenvironments:\n  dev: {contexts: [here], tests: {fetcher: \"busybox:1\"}}\n",
        ),
        ("manifests/web/dev.yml", "tests: {tag: 7}\n"),
    ];
    let dir = repo(&files);
    run(dir.path(), &["validate"]).ends(0);
    let told = run(dir.path(), &["generate", "-n", "dev", "web", "--explain", "tests.fetcher"]).ends(0);
    assert!(told.stdout.contains("shipcat.yml") || told.stderr.contains("shipcat.yml"), "{told:?}");
    // Who runs tests in the cluster must get into their pod.
    let role = run(dir.path(), &["rbac", "-n", "dev"]).ends(0).stdout;
    assert!(role.contains("resources: [pods/exec]\n    verbs: [create, get]"), "{role}");
}
