//! How soon a ship says what is true, and what it costs: good news, bad news, CPU, start.
//!
//! `make bench` runs it with a cluster; SHIPCAT_BENCH_RUNS says how often (default 10). Times that have no peer in the run are of this
//! machine: what DESIGN and the README promise stands beside each.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when something is wrong")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

const MANIFEST: &str =
    "image: webapp\nversion: 0.1.0\nport: 8080\nhealth: /ready\nreplicas: 2\nterminationGracePeriodSeconds: 2\n";
const SHIPCAT: &str = env!("CARGO_BIN_EXE_shipcat");

struct Bench {
    kubeconfig: String,
    namespace: String,
    repo: tempfile::TempDir,
    runs: usize,
}

fn main() {
    let kubeconfig = std::env::var("SHIPCAT_TEST_KUBECONFIG").unwrap_or_else(|_| {
        panic!(
            "there is no cluster: run `make bench`, or set SHIPCAT_TEST_KUBECONFIG to what `tests/cluster/up` prints"
        )
    });
    let runs = std::env::var("SHIPCAT_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let namespace = format!("bench-told-{}", std::process::id());
    let bench = Bench { kubeconfig, namespace, repo: tempfile::tempdir().unwrap(), runs };
    bench.manifest(MANIFEST);
    let environments = format!(
        "environments:\n  dev: {{contexts: [shipcat-test], namespace: {}, registry: registry.shipcat.test}}\n",
        bench.namespace
    );
    std::fs::write(bench.repo.path().join("shipcat.yml"), environments).unwrap();
    bench.run("kubectl", &["create", "namespace", &bench.namespace]);
    bench.run(SHIPCAT, &["ship", "-n", "dev", "webapp"]);
    bench.good_news();
    bench.bad_news("absent", "a missing image");
    bench.bad_news("crashes", "a crash loop");
    bench.cpu();
    bench.start();
    bench.run("kubectl", &["delete", "namespace", &bench.namespace, "--wait=false"]);
}

impl Bench {
    fn manifest(&self, text: &str) {
        let file = self.repo.path().join("manifests/webapp/manifest.yml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
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

    /// Starts a ship, and gives its lines as they come.
    fn ship(&self, tag: &str) -> (Child, Receiver<(Instant, String)>) {
        let mut command = self.command(SHIPCAT, &["ship", "-n", "dev", "webapp", "--tag", tag]);
        lines(command.stdout(Stdio::null()).stderr(Stdio::piped()), |child| child.stderr.take().unwrap())
    }

    /// From the moment in which the API server says that the Deployment is good until shipcat says it.
    fn good_news(&self) {
        let mut lags = Vec::new();
        for run in 0..self.runs {
            self.settle();
            let tag = ["0.2.0", "0.3.0"][run % 2];
            let args = ["-n", &self.namespace, "get", "deployments", "--watch", "-o", "json"];
            let mut command = self.command("kubectl", &args);
            let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let (sender, states) = channel();
            let stdout = watch.stdout.take().unwrap();
            std::thread::spawn(move || {
                for state in serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter::<Value>() {
                    let Ok(state) = state else { return };
                    if sender.send((Instant::now(), state)).is_err() {
                        return;
                    }
                }
            });
            let (mut child, told) = self.ship(tag);
            let said = told.iter().find(|(_, line)| line.starts_with(&format!("webapp {tag} runs in dev"))).unwrap().0;
            assert!(child.wait().unwrap().success());
            let good = states.try_iter().find(|(_, state)| is_good(state, tag)).unwrap().0;
            watch.kill().unwrap();
            watch.wait().unwrap();
            lags.push(said.saturating_duration_since(good));
        }
        println!("good news: said {:.2} s after it was true (to be under 0.3 s)", median(lags));
    }

    /// Until the bad news are said, and until the old version is known to run.
    fn bad_news(&self, tag: &str, what: &str) {
        let (mut told, mut back) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            self.settle();
            let started = Instant::now();
            let (mut child, lines) = self.ship(tag);
            let at = |marks: &[&str]| {
                let line = lines.iter().find(|(_, line)| marks.iter().any(|mark| line.contains(mark))).unwrap();
                line.0.duration_since(started)
            };
            told.push(at(&["failed after"]));
            back.push(at(&["as before"]));
            assert_eq!(child.wait().unwrap().code(), Some(3));
        }
        println!(
            "{what}: said after {:.1} s (to be under 5 s), the old version confirmed after {:.1} s (under 10 s)",
            median(told),
            median(back)
        );
    }

    /// What shipcat and all its kubectls cost over a rollout of a minute.
    fn cpu(&self) {
        self.manifest(&format!("{MANIFEST}minReadySeconds: 28\n"));
        self.settle();
        let (before, started) = (children(), Instant::now());
        self.run(SHIPCAT, &["ship", "-n", "dev", "webapp", "--tag", "0.1.0"]);
        let (cpu, took) = (children() - before, started.elapsed().as_secs_f64());
        println!("CPU over a rollout of {took:.0} s: {cpu:.1} s (to be under 10 s over a minute)");
        self.manifest(MANIFEST);
    }

    /// How long it takes to start, and how large it is.
    fn start(&self) {
        let times = (0..50).map(|_| {
            let started = Instant::now();
            self.run(SHIPCAT, &["--help"]);
            started.elapsed()
        });
        let size = std::fs::metadata(PathBuf::from(SHIPCAT)).unwrap().len();
        println!(
            "--help: {:.1} ms (to be under 5 ms); the binary: {:.1} MB (under 8 MB)",
            median(times.collect()) * 1000.0,
            f64::from(u32::try_from(size).unwrap()) / 1e6
        );
    }

    /// Waits until the containers of the last change have ended: their end costs CPU that is nobody's of the next run. (To clear away what
    /// has ended takes an old kubelet up to a minute, and no CPU.)
    fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let running = ["-n", &self.namespace, "get", "pods", "-o", "jsonpath={..state.running.startedAt}"];
        while Instant::now() < deadline {
            if self.run("kubectl", &running).split_whitespace().count() <= 2 {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("the pods of `{}` never went", Path::new(&self.namespace).display());
    }
}

fn lines<R: std::io::Read + Send + 'static>(
    command: &mut Command,
    pipe: impl Fn(&mut Child) -> R,
) -> (Child, Receiver<(Instant, String)>) {
    let mut child = command.spawn().unwrap();
    let (sender, receiver) = channel();
    let pipe = pipe(&mut child);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    (child, receiver)
}

fn is_good(state: &Value, tag: &str) -> bool {
    let image = state["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
    let status = |field: &str| state["status"][field].as_u64().unwrap_or_default();
    image.ends_with(&format!(":{tag}"))
        && status("observedGeneration") >= state["metadata"]["generation"].as_u64().unwrap()
        && ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|field| status(field) == 2)
}

/// Seconds of CPU of all children that ended, and of theirs (proc(5): `cutime` and `cstime`, in ticks of a hundredth of a second).
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind = stat.rsplit_once(") ").unwrap().1;
    let field = |n: usize| behind.split(' ').nth(n - 3).unwrap().parse::<f64>().unwrap();
    (field(16) + field(17)) / 100.0
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
