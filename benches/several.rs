//! `shipcat ship --all` of this repo's examples against the slowest of them alone, and against `kubectl apply` and `kubectl rollout status`
//! of the same objects in one go.
//!
//! One run, one cluster, in turn, each into a namespace of its own. `make bench-several` runs it with a cluster; SHIPCAT_BENCH_RUNS says how
//! often (default 3).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when something is wrong")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SHIPCAT: &str = env!("CARGO_BIN_EXE_shipcat");

struct Bench {
    kubeconfig: String,
    namespace: String,
    repo: tempfile::TempDir,
}

fn main() {
    let kubeconfig = std::env::var("SHIPCAT_TEST_KUBECONFIG").unwrap_or_else(|_| {
        panic!("there is no cluster: run `make bench-several`, or set SHIPCAT_TEST_KUBECONFIG to what `tests/cluster/up` prints")
    });
    let runs: usize = std::env::var("SHIPCAT_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let (mut all, mut slowest, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        let bench = |what: &str| Bench::new(&kubeconfig, &format!("bench-{what}-{}-{run}", std::process::id()));
        slowest.push(bench("alone").slowest());
        all.push(bench("all").all());
        bare.push(bench("bare").bare());
        let seconds = |times: &[Duration]| times.last().unwrap().as_secs_f64();
        println!(
            "run     ship --all {:.1} s, the slowest alone {:.1} s, bare kubectl {:.1} s",
            seconds(&all),
            seconds(&slowest),
            seconds(&bare)
        );
    }
    let (all, slowest, bare) = (median(all), median(slowest), median(bare));
    println!(
        "\nmedian of {runs}: ship --all {all:.1} s, the slowest alone {slowest:.1} s (ratio {:.2}), bare kubectl {bare:.1} s (ratio {:.2})",
        all / slowest,
        all / bare
    );
}

impl Bench {
    fn new(kubeconfig: &str, namespace: &str) -> Self {
        let bench =
            Self { kubeconfig: kubeconfig.into(), namespace: namespace.into(), repo: tempfile::tempdir().unwrap() };
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let settings = std::fs::read_to_string(here.join("shipcat.yml")).unwrap();
        let settings = settings.replacen(
            "  dev:\n",
            &format!("  dev:\n    namespace: {namespace}\n    kubernetes: 1.{}\n", bench.minor()),
            1,
        );
        std::fs::write(bench.repo.path().join("shipcat.yml"), settings).unwrap();
        copy(&here.join("manifests"), &bench.repo.path().join("manifests"));
        bench.run("kubectl", &["create", "namespace", namespace]);
        bench
    }

    fn minor(&self) -> String {
        let version = self.run("kubectl", &["get", "--raw", "/version"]);
        let version: serde_json::Value = serde_json::from_str(&version).unwrap();
        version["minor"].as_str().unwrap().trim_end_matches('+').to_owned()
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null()).current_dir(self.repo.path());
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program, args).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn services(&self) -> Vec<String> {
        let list: serde_json::Value =
            serde_json::from_str(&self.run(SHIPCAT, &["list", "-n", "dev", "-o", "json"])).unwrap();
        let services = list["environments"][0]["services"].as_array().unwrap();
        services.iter().map(|service| service["service"].as_str().unwrap().to_owned()).collect()
    }

    fn slowest(self) -> Duration {
        let ship = |service: &String| {
            let started = Instant::now();
            self.run(SHIPCAT, &["ship", "-n", "dev", service]);
            started.elapsed()
        };
        let slowest = self.services().iter().map(ship).max().unwrap();
        self.end();
        slowest
    }

    fn all(self) -> Duration {
        let started = Instant::now();
        self.run(SHIPCAT, &["ship", "-n", "dev", "--all", "--jobs", "8"]);
        let took = started.elapsed();
        self.end();
        took
    }

    fn bare(self) -> Duration {
        self.run(SHIPCAT, &["generate", "-n", "dev", "--all", "-d", "made"]);
        let started = Instant::now();
        self.run("kubectl", &["-n", &self.namespace, "apply", "--server-side", "-f", "made"]);
        let names =
            self.run("kubectl", &["-n", &self.namespace, "get", "deployments,statefulsets,daemonsets", "-o", "name"]);
        let watches = names.lines().map(|name| {
            let args = ["-n", &self.namespace, "rollout", "status", name];
            self.command("kubectl", &args).stdout(Stdio::null()).spawn().unwrap()
        });
        for mut watch in watches.collect::<Vec<_>>() {
            assert!(watch.wait().unwrap().success());
        }
        let took = started.elapsed();
        self.end();
        took
    }

    /// Sees that nothing of it runs any more before the next one is timed. What has ended takes an old kubelet up to a minute to clear away,
    /// and no CPU.
    fn end(self) {
        self.run("kubectl", &["delete", "namespace", &self.namespace, "--wait=false"]);
        let running = ["-n", &self.namespace, "get", "pods", "-o", "jsonpath={..state.running.startedAt}"];
        while !self.run("kubectl", &running).trim().is_empty() {
            std::thread::sleep(Duration::from_millis(500));
        }
        std::thread::sleep(Duration::from_secs(3));
    }
}

fn copy(from: &Path, to: &Path) {
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

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
