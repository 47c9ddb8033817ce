//! A namespace of its own on a real cluster, and a manifests repo for it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, shipcat, write};

/// The cluster's kubeconfig; without a cluster the test fails and says how to get one.
pub fn kubeconfig() -> PathBuf {
    let cache = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cache");
    let default = PathBuf::from(cache).join("shipcat-test/cluster/kubeconfig");
    let path = std::env::var_os("SHIPCAT_TEST_KUBECONFIG").map_or(default, PathBuf::from);
    let answers = path.is_file()
        && Command::new("kubectl")
            .args(["--kubeconfig", path.to_str().unwrap(), "--request-timeout=10s", "get", "--raw", "/readyz"])
            .output()
            .is_ok_and(|output| output.status.success());
    assert!(
        answers,
        "there is no cluster behind `{}`: these tests need a real one. `make test` starts one and runs them, \
         or start it with `tests/cluster/up` (take it down with `tests/cluster/down`)",
        path.display()
    );
    path
}

/// A namespace and a repo whose environment `dev` is it.
pub struct World {
    pub namespace: String,
    pub repo: TempDir,
    environment: &'static str,
    kubeconfig: PathBuf,
}

/// A service that is found ready two seconds after it runs.
pub const LATE: &str = "version: 0.1.0
port: 8080
health: {httpGet: {path: /ready, port: 8080}, initialDelaySeconds: 2}
terminationGracePeriodSeconds: 2
";

/// The example service, as small as it may be.
pub const WEBAPP: &str = "version: 0.1.0
port: 8080
health: /ready
replicas: 2
terminationGracePeriodSeconds: 2
files: {/etc/webapp/app.conf: app.conf}
initContainers:
  - {name: prepare, command: [/bin/app, prepare]}
";

impl World {
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let kubeconfig = kubeconfig();
        let namespace = format!("t-{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let repo = tempfile::tempdir().unwrap();
        let environments = format!(
            "environments:\n  dev: {{contexts: [shipcat-test], namespace: {namespace}, registry: registry.shipcat.test, rollbackTimeout: 2m}}\n"
        );
        write(
            repo.path(),
            &[
                ("shipcat.yml", &environments),
                ("manifests/webapp/manifest.yml", WEBAPP),
                ("manifests/webapp/app.conf", "one\n"),
            ],
        );
        let world = Self { namespace, repo, environment: "dev", kubeconfig };
        world.kubectl(&["create", "namespace", &world.namespace]);
        world
    }

    /// This project as it is, but for the namespace of one of its environments, and the Kubernetes version, which is the cluster's.
    pub fn of_this_repo(environment: &'static str) -> Self {
        let mut world = Self::new(environment);
        world.environment = environment;
        let version: Value = serde_json::from_str(&world.kubectl(&["version", "-o", "json"])).unwrap();
        let minor = version["serverVersion"]["minor"].as_str().unwrap().trim_end_matches('+').to_owned();
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let settings = std::fs::read_to_string(here.join("shipcat.yml")).unwrap();
        let start = format!("  {environment}:\n");
        assert!(settings.contains(&start));
        let own = format!("{start}    namespace: {}\n    kubernetes: 1.{minor}\n", world.namespace);
        let settings = settings.replace("    kubernetes: 1.20\n", "").replace(&start, &own);
        std::fs::remove_dir_all(world.repo.path().join("manifests")).unwrap();
        write(world.repo.path(), &[("shipcat.yml", &settings)]);
        copy(&here.join("manifests"), &world.repo.path().join("manifests"));
        world
    }

    /// Gives the environment more settings (`lock: {lifetime: 8s}`).
    pub fn settings(&self, more: &str) {
        let file = self.repo.path().join("shipcat.yml");
        let text = std::fs::read_to_string(&file).unwrap();
        let with = text.replace("rollbackTimeout: 2m}", &format!("rollbackTimeout: 2m, {more}}}"));
        assert_ne!(with, text);
        std::fs::write(&file, with).unwrap();
    }

    /// Writes a file of the webapp's.
    pub fn file(&self, name: &str, text: &str) {
        write(self.repo.path(), &[(&format!("manifests/webapp/{name}"), text)]);
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = shipcat(self.repo.path());
        command.args(args).args(["-n", self.environment]).env("KUBECONFIG", &self.kubeconfig);
        // Some of this project's services have tests.
        if let Some(path) = super::engine::path_if_there() {
            command.env("PATH", path);
        }
        command
    }

    pub fn shipcat(&self, args: &[&str]) -> Run {
        Run::of(&self.command(args).output().unwrap())
    }

    /// What our kubeconfig says.
    pub fn get_config(&self, jsonpath: &str) -> String {
        self.kubectl(&["config", "view", "--raw", "--minify", "-o", &format!("jsonpath={jsonpath}")])
    }

    /// Another kubeconfig, made from ours by `edit`.
    pub fn kubeconfig(&self, edit: impl Fn(&mut Value)) -> PathBuf {
        let mut config: Value =
            serde_json::from_str(&self.kubectl(&["config", "view", "--raw", "-o", "json"])).unwrap();
        edit(&mut config);
        let path = self.repo.path().join("kubeconfig");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Runs it with another kubeconfig, made from ours by `edit`.
    pub fn shipcat_as(&self, args: &[&str], edit: impl Fn(&mut Value)) -> Run {
        Run::of(&self.command(args).env("KUBECONFIG", self.kubeconfig(edit)).output().unwrap())
    }

    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it on a terminal, on which somebody types `answer`: all that is seen there is its stdout.
    pub fn on_terminal(&self, args: &[&str], variables: &[(&str, &str)], answer: &str) -> Run {
        let mut command = self.command(args);
        command.envs(variables.iter().copied());
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .collect();
        let mut script = Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]).current_dir(self.repo.path());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
        Run::of(&child.wait_with_output().unwrap())
    }

    pub fn kubectl_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["-n", &self.namespace]).args(args);
        command
    }

    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        let run = Run::of(&self.kubectl_command(args).stdin(Stdio::null()).output().unwrap());
        assert_eq!(run.code, 0, "kubectl {args:?}: {}", run.stderr);
        run.stdout
    }

    /// kubectl that may fail.
    pub fn try_kubectl(&self, args: &[&str]) -> Run {
        Run::of(&self.kubectl_command(args).stdin(Stdio::null()).output().unwrap())
    }

    #[track_caller]
    pub fn kubectl_with(&self, args: &[&str], stdin: &str) -> String {
        let run = self.try_kubectl_with(args, stdin);
        assert_eq!(run.code, 0, "kubectl {args:?}: {}", run.stderr);
        run.stdout
    }

    /// kubectl that reads something and may fail.
    pub fn try_kubectl_with(&self, args: &[&str], stdin: &str) -> Run {
        let mut child = self
            .kubectl_command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes()).unwrap();
        Run::of(&child.wait_with_output().unwrap())
    }

    #[track_caller]
    pub fn get(&self, what: &[&str]) -> Value {
        let mut args = vec!["get"];
        args.extend(what);
        args.extend(["-o", "json"]);
        serde_json::from_str(&self.kubectl(&args)).unwrap()
    }

    pub fn items(&self, what: &[&str]) -> Vec<Value> {
        self.get(what)["items"].as_array().unwrap().clone()
    }

    /// The namespace's Deployments, Services and ConfigMaps, field by field: all but managedFields, status, and what the
    /// server and the Deployment controller count (resource version, generation, revision).
    pub fn fields(&self) -> Value {
        let mut items = self.items(&["deployments,services,configmaps"]);
        items.retain(|item| item["metadata"]["name"] != "kube-root-ca.crt");
        for item in &mut items {
            item.as_object_mut().unwrap().remove("status");
            let metadata = item["metadata"].as_object_mut().unwrap();
            for key in ["managedFields", "resourceVersion", "generation"] {
                metadata.remove(key);
            }
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove("deployment.kubernetes.io/revision");
                if annotations.is_empty() {
                    metadata.remove("annotations");
                }
            }
        }
        json!(items)
    }

    /// The ready pods that are not going: uid and restarts.
    pub fn ready_pods(&self) -> Vec<(String, u64)> {
        let ready = |pod: &&Value| {
            let conditions = pod["status"]["conditions"].as_array();
            let ready = conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"));
            ready && pod["metadata"].get("deletionTimestamp").is_none()
        };
        let pods = self.items(&["pods"]);
        let mut pods: Vec<(String, u64)> = pods
            .iter()
            .filter(ready)
            .map(|pod| {
                let restarts = pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap();
                (pod["metadata"]["uid"].as_str().unwrap().to_owned(), restarts)
            })
            .collect();
        pods.sort();
        pods
    }

    /// The images of the Deployment's main container's ReplicaSets, all of them ever made.
    pub fn replica_sets(&self) -> usize {
        self.items(&["replicasets"]).len()
    }

    pub fn image(&self) -> String {
        let image = self.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        image.as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }

    pub fn outcomes(&self) -> Vec<String> {
        let history = self.shipcat(&["history", "webapp"]).ends(0).stdout;
        let cell = |line: &str| {
            line.split("   ").filter(|cell| !cell.trim().is_empty()).nth(1).unwrap_or_default().trim().to_owned()
        };
        history.lines().skip(1).map(cell).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Not waited for: the cluster tidies up while the next test runs.
        drop(self.kubectl_command(&["delete", "namespace", &self.namespace, "--wait=false"]).output());
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
