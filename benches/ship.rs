//! `shipcat ship` of an image change against what it must be compared with: `kubectl set image` and `kubectl rollout status`.
//!
//! One run, one cluster, in turn, so that a machine that slows down slows both: the ratio is what counts.
//! `make bench` runs it with a cluster; SHIPCAT_BENCH_RUNS says how often (default 10).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when something is wrong")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MANIFEST: &str =
    "image: webapp\nversion: 0.1.0\nport: 8080\nhealth: /ready\nreplicas: 2\nterminationGracePeriodSeconds: 2\n";

/// How long what was around containers is taken down behind their end: sandboxes, networks, volumes. In whole seconds, by which a kubelet looks.
const CLEARING: Duration = Duration::from_secs(2);

fn main() {
    let kubeconfig = std::env::var("SHIPCAT_TEST_KUBECONFIG").unwrap_or_else(|_| {
        panic!(
            "there is no cluster: run `make bench`, or set SHIPCAT_TEST_KUBECONFIG to what `tests/cluster/up` prints"
        )
    });
    let runs: u32 = std::env::var("SHIPCAT_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let namespace = format!("bench-{}", std::process::id());
    let repo = tempfile::tempdir().unwrap();
    let folder = repo.path().join("manifests/webapp");
    std::fs::create_dir_all(&folder).unwrap();
    let environments = format!(
        "environments:\n  dev: {{contexts: [shipcat-test], namespace: {namespace}, registry: registry.shipcat.test}}\n"
    );
    std::fs::write(repo.path().join("shipcat.yml"), environments).unwrap();
    std::fs::write(folder.join("manifest.yml"), MANIFEST).unwrap();

    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).env("KUBECONFIG", &kubeconfig).stdin(Stdio::null());
        let output = command.current_dir(repo.path()).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let ship = |tag: &str| run(env!("CARGO_BIN_EXE_shipcat"), &["ship", "-n", "dev", "webapp", "--tag", tag]);
    let kubectl = |args: &[&str]| run("kubectl", &[&["-n", namespace.as_str()], args].concat());
    let bare = |tag: &str| {
        let image = format!("webapp=registry.shipcat.test/webapp:{tag}");
        kubectl(&["set", "image", "deployment/webapp", &image]);
        kubectl(&["rollout", "status", "deployment/webapp"]);
    };
    run("kubectl", &["create", "namespace", &namespace]);
    ship("0.1.0");

    let tags = ["0.2.0", "0.3.0"];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for i in 0..=runs {
        for (times, change) in [(&mut ours, &ship as &dyn Fn(&str)), (&mut theirs, &bare as &dyn Fn(&str))] {
            // Each ship is a change, whoever made the last one.
            let tag = tags[times.len() % 2];
            kubectl(&["set", "image", "deployment/webapp", "webapp=registry.shipcat.test/webapp:0.1.0"]);
            kubectl(&["rollout", "status", "deployment/webapp"]);
            settle(&namespace, &kubeconfig);
            // What settled was seen by a kubelet that looks at its containers once a second. Who begins at the same moment of that second each
            // time measures how lucky that moment is, and not how long it takes.
            std::thread::sleep(CLEARING + Duration::from_secs(1) * (i % runs) / runs);
            let started = Instant::now();
            change(tag);
            times.push(started.elapsed());
        }
        println!(
            "{} ship {:.2} s, set image + rollout status {:.2} s",
            if i == 0 { "warm-up" } else { "run    " },
            ours.last().unwrap().as_secs_f64(),
            theirs.last().unwrap().as_secs_f64()
        );
    }
    run("kubectl", &["delete", "namespace", &namespace, "--wait=false"]);
    let (ours, theirs) = (median(&mut ours[1..]), median(&mut theirs[1..]));
    println!(
        "\nmedian of {runs}: shipcat ship {:.2} s, kubectl set image + rollout status {:.2} s, ratio {:.2}",
        ours.as_secs_f64(),
        theirs.as_secs_f64(),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Waits until the containers of the last change have ended: their end costs CPU that is nobody's of the next run. (To clear away what has
/// ended takes an old kubelet up to a minute, and no CPU.)
fn settle(namespace: &str, kubeconfig: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let running = ["get", "pods", "-o", "jsonpath={..state.running.startedAt}"];
    while Instant::now() < deadline {
        let output = Command::new("kubectl").args(["--kubeconfig", kubeconfig, "-n", namespace]).args(running).output();
        if String::from_utf8_lossy(&output.unwrap().stdout).split_whitespace().count() <= 2 {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("the pods of `{}` never went", Path::new(namespace).display());
}
