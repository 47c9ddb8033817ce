//! In a pod: the context `in-cluster` is its service account. What makes a pod of a process here is what Kubernetes gives it: the account's folder
//! at its place, in a mount namespace of its own, and the two variables.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::world::World;

/// Mounts the account's folder where a pod has it, and becomes the command.
const POD: &str = r#"
mount -t tmpfs none /var/run
mkdir -p /var/run/secrets/kubernetes.io
cp -r "$ACCOUNT" /var/run/secrets/kubernetes.io/serviceaccount
exec "$@"
"#;

/// An account with exactly the Role that `rbac` prints, and its folder.
fn account(world: &World) -> tempfile::TempDir {
    let role = world.shipcat(&["rbac"]).ends(0).stdout;
    world.kubectl_with(&["apply", "-f", "-"], &role);
    let name = role.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap().to_owned();
    world.kubectl(&["create", "serviceaccount", "ci"]);
    let subject = format!("--serviceaccount={}:ci", world.namespace);
    world.kubectl(&["create", "rolebinding", "ci", &format!("--role={name}"), &subject]);
    let token = "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {name: ci-token, annotations: {kubernetes.io/service-account.name: ci}}\n";
    world.kubectl_with(&["apply", "-f", "-"], token);
    let started = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    for (key, file) in [("token", "token"), ("ca\\.crt", "ca.crt"), ("namespace", "namespace")] {
        let text = loop {
            let template = format!("go-template={{{{index .data \"{}\" | base64decode}}}}", key.replace('\\', ""));
            let run = world.try_kubectl(&["get", "secret", "ci-token", "-o", &template]);
            if run.code == 0 && !run.stdout.is_empty() {
                break run.stdout;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{run:?}");
            std::thread::sleep(Duration::from_millis(100));
        };
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// shipcat in the pod.
fn in_pod(world: &World, account: &tempfile::TempDir, args: &[&str]) -> Run {
    let server = world.get_config("{.clusters[0].cluster.server}");
    let (host, port) = server.trim_start_matches("https://").rsplit_once(':').unwrap();
    let is_root = Run::of(&Command::new("id").arg("-u").output().unwrap()).stdout.trim() == "0";
    let mut pod = Command::new("unshare");
    pod.arg(if is_root { "-m" } else { "-rm" }).args(["sh", "-ec", POD, "pod", env!("CARGO_BIN_EXE_shipcat")]);
    pod.args(args).args(["-n", "dev"]).current_dir(world.repo.path()).env("ACCOUNT", account.path());
    // No kubeconfig: neither a variable nor a home.
    pod.env_remove("KUBECONFIG").env("HOME", "/nonexistent");
    pod.env("KUBERNETES_SERVICE_HOST", host).env("KUBERNETES_SERVICE_PORT", port);
    Run::of(&pod.output().unwrap())
}

#[test]
fn a_pod_ships_as_its_service_account_with_the_role_that_is_printed() {
    let world = World::new("pod");
    let settings = world.repo.path().join("shipcat.yml");
    let text = std::fs::read_to_string(&settings).unwrap().replace("[shipcat-test]", "[shipcat-test, in-cluster]");
    std::fs::write(&settings, &text).unwrap();
    let account = account(&world);
    // The pod is in another namespace than the environment: that one is nobody's business.
    std::fs::write(account.path().join("namespace"), "default").unwrap();
    let shipped = in_pod(&world, &account, &["ship", "webapp", "-v"]).ends(0);
    let shipped = shipped.says(&format!("(context in-cluster, namespace {})", world.namespace));
    let token = std::fs::read_to_string(account.path().join("token")).unwrap();
    assert!(!shipped.stderr.contains(&token), "the token is on no command line");
    // Its line can be pasted for as long as the run lasts, and its file goes with it.
    let line = shipped.stderr.lines().find(|line| line.contains(" --kubeconfig ")).unwrap();
    let file = line.split(" --kubeconfig ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(file.ends_with(".kubeconfig") && !std::path::Path::new(file).exists(), "{line}");
    in_pod(&world, &account, &["ship", "webapp", "--tag", "crashes"]).ends(3).says("runs in dev as before");
    assert_eq!(world.image(), "0.1.0");
    // What the Role does not say, the account may not.
    let other = text.replace(&format!("namespace: {}", world.namespace), "namespace: default");
    std::fs::write(&settings, other).unwrap();
    in_pod(&world, &account, &["ship", "webapp"])
        .ends(2)
        .says("you may not do all that a ship does in namespace `default`");
    // The API server's address in a pod is not the one that people use.
    let elsewhere = text.replace("rollbackTimeout", "cluster: \"https://api.example.com\", rollbackTimeout");
    std::fs::write(&settings, elsewhere).unwrap();
    in_pod(&world, &account, &["status", "webapp"])
        .ends(2)
        .says("a pod knows its API server by an address of the cluster's own");
}
