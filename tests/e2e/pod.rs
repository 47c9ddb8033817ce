//! In a pod of the cluster: the context `in-cluster` is its service account, whose folder and variables the kubelet gives it.

use std::process::{Command, Stdio};

use crate::common::Run;
use crate::common::world::World;

/// Where the pod has what it was handed.
const PLACE: &str = "/shipcat";

/// A pod that does nothing by itself, and is given shipcat, kubectl and the repo.
struct Pod<'a> {
    world: &'a World,
    /// Its namespace is another one than the environment's.
    home: World,
    /// How the API server is reached from it.
    server: (String, String),
}

impl<'a> Pod<'a> {
    /// Starts it, with an account that has exactly the Role that `rbac` prints.
    fn start(world: &'a World) -> Self {
        let home = World::new("pod-home");
        let role = world.shipcat(&["rbac"]).ends(0).stdout;
        world.kubectl_with(&["apply", "-f", "-"], &role);
        let name = role.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap();
        home.kubectl(&["create", "serviceaccount", "ci"]);
        let subject = format!("--serviceaccount={}:ci", home.namespace);
        world.kubectl(&["create", "rolebinding", "ci", &format!("--role={name}"), &subject]);
        // In the node's own network, since the API server of the tests may listen there alone.
        let spec = format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "ci"}}, "spec": {{"serviceAccountName": "ci", "hostNetwork": true,
            "terminationGracePeriodSeconds": 0, "containers": [{{"name": "ci", "image": "{}", "command": ["sleep", "3600"]}}]}}}}"#,
            "registry.shipcat.test/busybox:1"
        );
        home.kubectl_with(&["apply", "-f", "-"], &spec);
        home.kubectl(&["wait", "--for=condition=Ready", "pod/ci", "--timeout=120s"]);
        let endpoint = "jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}";
        let known = home.try_kubectl(&["-n", "default", "get", "endpoints", "kubernetes", "-o", endpoint]);
        let server = match known.code {
            0 => known.stdout,
            // One that does not say where it is listens on the node.
            _ => home.get_config("{.clusters[0].cluster.server}").trim_start_matches("https://").to_owned(),
        };
        let (host, port) = server.rsplit_once(':').unwrap();
        let pod = Self { world, server: (host.to_owned(), port.to_owned()), home };
        let shipcat = super::alone::static_shipcat();
        pod.give(&[("shipcat", &shipcat), ("kubectl", &super::alone::static_kubectl())]);
        pod
    }

    /// Hands it programs, and the repo as it is.
    fn give(&self, programs: &[(&str, &std::path::Path)]) {
        let load = tempfile::tempdir().unwrap();
        for (name, program) in programs {
            std::fs::copy(program, load.path().join(name)).unwrap();
        }
        let copied = Command::new("cp").arg("-r").arg(self.world.repo.path()).arg(load.path().join("repo")).status();
        assert!(copied.unwrap().success());
        let mut tar = Command::new("tar");
        let mut tar = tar.args(["cf", "-", "-C"]).arg(load.path()).arg(".").stdout(Stdio::piped()).spawn().unwrap();
        let unpack = format!("mkdir -p {PLACE} /tmp && rm -rf {PLACE}/repo && tar xf - -C {PLACE}");
        let taken = self
            .home
            .kubectl_command(&["exec", "-i", "ci", "--", "sh", "-c", &unpack])
            .stdin(tar.stdout.take().unwrap())
            .output();
        Run::of(&taken.unwrap()).ends(0);
        assert!(tar.wait().unwrap().success());
    }

    /// Runs a command there, with nothing of ours but what a pod has.
    fn run(&self, program: &str, args: &[&str]) -> Run {
        let (host, port) = &self.server;
        let variables = [
            format!("KUBERNETES_SERVICE_HOST={host}"),
            format!("KUBERNETES_SERVICE_PORT={port}"),
            format!("PATH={PLACE}:/bin"),
        ];
        let mut command = self.home.kubectl_command(&["exec", "ci", "--", "env"]);
        Run::of(&command.args(variables).arg(program).args(args).output().unwrap())
    }

    fn shipcat(&self, args: &[&str]) -> Run {
        self.run("shipcat", &[&["-C", &format!("{PLACE}/repo"), "-n", "dev"][..], args].concat())
    }
}

#[test]
fn a_pod_ships_as_its_service_account_with_the_role_that_is_printed() {
    let world = World::new("pod");
    let settings = world.repo.path().join("shipcat.yml");
    let text = std::fs::read_to_string(&settings).unwrap().replace("[shipcat-test]", "[shipcat-test, in-cluster]");
    std::fs::write(&settings, &text).unwrap();
    let pod = Pod::start(&world);
    let with = |settings_are: &str| {
        std::fs::write(&settings, settings_are).unwrap();
        pod.give(&[]);
    };
    let shipped = pod.shipcat(&["ship", "webapp", "-v"]).ends(0);
    let shipped = shipped.says(&format!("(context in-cluster, namespace {})", world.namespace));
    let token = pod.run("cat", &["/var/run/secrets/kubernetes.io/serviceaccount/token"]).ends(0).stdout;
    assert!(token.len() > 100 && !shipped.stderr.contains(&token), "the token is on no command line");
    // Its line can be pasted for as long as the run lasts, and its file goes with it.
    let line = shipped.stderr.lines().find(|line| line.contains(" --kubeconfig ")).unwrap();
    let file = line.split(" --kubeconfig ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(file.ends_with(".kubeconfig"), "{line}");
    pod.run("ls", &[file]).ends(1);
    pod.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3).says("runs in dev as before");
    assert_eq!(world.image(), "0.1.0");
    // What the Role does not say, the account may not.
    with(&text.replace(&format!("namespace: {}", world.namespace), "namespace: default"));
    pod.shipcat(&["ship", "webapp"]).ends(2).says("you may not do all that a ship does in namespace `default`");
    // The API server's address in a pod is not the one that people use: both may be named.
    let at = |cluster: &str| text.replace("rollbackTimeout", &format!("cluster: {cluster}, rollbackTimeout"));
    with(&at("\"https://api.example.com\""));
    pod.shipcat(&["status", "webapp"]).ends(2).says("a pod knows its API server by an address of the cluster's own");
    let (host, port) = &pod.server;
    with(&at(&format!("[\"https://api.example.com\", \"https://{host}:{port}/\"]")));
    pod.shipcat(&["status", "webapp"]).ends(0);
}
