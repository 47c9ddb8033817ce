//! Every command of the documents, exactly as it is written, on a real cluster: only the names of namespace and registry are the test's.

use std::path::Path;
use std::process::Command;

use crate::common::web::Web;
use crate::common::world::{WEBAPP, World};
use crate::common::{Run, document, engine, pipeline, write};
use serde_json::json;

/// A terminal in which somebody reads the documents: shipcat and kubectl on PATH, a home with a name for git, and a kubeconfig whose contexts
/// `dev-eu` and `live-eu` lead to the cluster.
fn terminal(world: &World, home: &Path) -> Command {
    let kubeconfig = world.kubeconfig(|config| {
        let ours = config["contexts"][0]["context"].clone();
        let named = |name: &str| json!({"name": name, "context": ours});
        config["contexts"] = json!([named("dev-eu"), named("live-eu"), named("shipcat-test")]);
        config["current-context"] = json!("dev-eu");
    });
    let kept = home.join("kubeconfig");
    std::fs::rename(kubeconfig, &kept).unwrap();
    write(home, &[(".gitconfig", "[user]\n\tname = Ann\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n")]);
    let bin = Path::new(env!("CARGO_BIN_EXE_shipcat")).parent().unwrap();
    let path = engine::path_if_there().unwrap_or_else(|| std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.env_clear().env("PATH", format!("{}:{path}", bin.display())).env("HOME", home);
    shell.env("KUBECONFIG", kept).env("LANG", "C.UTF-8");
    shell
}

/// Runs a document of ours, whose namespaces are these.
#[track_caller]
fn read((dev, live): (&str, &str), path: &str, folder: &Path, shell: &mut Command) {
    let renamed = [
        ("acme-dev", dev),
        ("acme-live", live),
        ("quay.io/acme", "registry.shipcat.test"),
        // The sample images of tests are named by what they do.
        ("  tag: 1.4.0\n", "  tag: passes\n"),
    ];
    document::run(path, &pipeline::text(path), folder, &renamed, shell);
}

fn settings(world: &World) -> String {
    format!(
        "environments:\n  dev: {{contexts: [dev-eu, shipcat-test], namespace: {}, registry: registry.shipcat.test}}\n",
        world.namespace
    )
}

#[test]
fn who_ships_reads_what_happens() {
    let world = World::new("shipping");
    let home = tempfile::tempdir().unwrap();
    write(
        world.repo.path(),
        &[
            ("shipcat.yml", &settings(&world)),
            ("manifests/webapp/manifest.yml", &WEBAPP.replace("app.conf: app.conf", "nginx.conf: app.conf")),
        ],
    );
    world.shipcat(&["ship", "webapp"]).ends(0);
    read((&world.namespace, "-"), "docs/shipping.md", world.repo.path(), &mut terminal(&world, home.path()));
}

#[test]
fn who_sets_up_a_manifests_repo_gets_from_nothing_to_a_ship() {
    let world = World::new("setup");
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // The document makes its namespaces itself.
    let made = Made { world: &world, names: ["dev", "live"].map(|name| format!("{}-{name}", world.namespace)) };
    let [dev, live] = &made.names;
    read((dev, live), "docs/manifests-repo.md", folder.path(), &mut terminal(&world, home.path()));
}

/// Namespaces that go with their value.
struct Made<'a> {
    world: &'a World,
    names: [String; 2],
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let [one, other] = &self.names;
        self.world.try_kubectl(&["delete", "namespace", one, other, "--wait=false", "--ignore-not-found"]);
    }
}

#[test]
fn who_moves_from_static_files_and_a_pipeline_arrives() {
    let world = World::new("moving");
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // What runs today, as `kubectl apply` made it, and behind the set image of the old pipeline.
    let text = pipeline::text("docs/moving.md");
    let shown = text.split("$ cat k8s/webapp.yml\n").nth(1).unwrap().split("$ ").next().unwrap();
    let file = shown.replace("quay.io/acme", "registry.shipcat.test");
    write(folder.path(), &[("k8s/webapp.yml", file.trim_end_matches('`'))]);
    world.kubectl(&["apply", "-f", folder.path().join("k8s/webapp.yml").to_str().unwrap()]);
    world.kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.2.0"]);
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    read((&world.namespace, "-"), "docs/moving.md", folder.path(), &mut terminal(&world, home.path()));
}

#[test]
fn a_jenkins_job_is_triggered_from_elsewhere() {
    let (web, folder) = (Web::new(), tempfile::tempdir().unwrap());
    let mut shell = Command::new("bash");
    shell.env("JENKINS_URL", &web.url).env("JENKINS_LOGIN", "ann:t0ken").env("VERSION", "1.4.2&ENVIRONMENT=live");
    document::run("docs/ci.md", &pipeline::text("docs/ci.md"), folder.path(), &[], &mut shell);
    let asked = web.asked().remove(0);
    assert!(asked.head.starts_with("POST /job/deploy-dev/buildWithParameters "), "{asked:?}");
    // `ann:t0ken`, as HTTP has it.
    assert!(asked.head.contains("Basic YW5uOnQwa2Vu"), "{asked:?}");
    assert_eq!(asked.body, "ENVIRONMENT=dev&SERVICE=webapp&VERSION=1.4.2%26ENVIRONMENT%3Dlive");
    // The job knows these parameters.
    let jenkinsfile = pipeline::text("Jenkinsfile");
    for name in ["ENVIRONMENT", "SERVICE", "VERSION"] {
        assert!(jenkinsfile.contains(&format!("(name: '{name}',")), "{name}");
    }
}

/// The README's own session, in a copy of this project, behind what `make demo` does.
#[test]
fn the_first_session_of_the_readme_goes_as_it_says() {
    let world = World::of_this_repo("dev");
    let home = tempfile::tempdir().unwrap();
    let root = world.repo.path();
    for args in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"],
    ] {
        Run::of(&Command::new("git").arg("-C").arg(root).args(args).output().unwrap()).ends(0);
    }
    world.shipcat(&["ship", "webapp", "--tag", "0.1.0"]).ends(0);
    let readme = pipeline::text("README.md");
    let session = readme.split("\n## A first session\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let renamed = [("namespace dev", &*format!("namespace {}", world.namespace))];
    document::run("README.md", session, root, &renamed, &mut terminal(&world, home.path()));
}
