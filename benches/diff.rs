//! `shipcat diff --all` of 100 deployed services against `kubectl diff -f` of the same objects in one call; and what the preflight
//! adds to what a ship has to read anyway: the kubeconfig, the live objects, a dry run, the releases.
//!
//! One run, one cluster, in turn, so that a machine that slows down slows both: the ratio is what counts.
//! `make bench-diff` runs it with a cluster; SHIPCAT_BENCH_RUNS says how often (default 5).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when something is wrong")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SERVICES: usize = 100;

fn main() {
    let kubeconfig = std::env::var("SHIPCAT_TEST_KUBECONFIG").unwrap_or_else(|_| {
        panic!("there is no cluster: run `make bench-diff`, or set SHIPCAT_TEST_KUBECONFIG to what `tests/cluster/up` prints")
    });
    let runs: usize = std::env::var("SHIPCAT_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let namespace = format!("bench-diff-{}", std::process::id());
    let repo = tempfile::tempdir().unwrap();
    write(
        repo.path(),
        "shipcat.yml",
        &format!(
            "environments:\n  dev: {{contexts: [shipcat-test], namespace: {namespace}, registry: registry.shipcat.test}}\n"
        ),
    );
    for i in 0..SERVICES {
        let manifest = format!(
            "image: webapp\nversion: 0.1.0\nport: 8080\nhealth: /ready\nreplicas: 0\nenv: {{LEVEL: info, N: \"{i}\"}}\nfiles: {{/etc/app.conf: app.conf}}\n"
        );
        write(repo.path(), &format!("manifests/s{i}/manifest.yml"), &manifest);
        write(repo.path(), &format!("manifests/s{i}/app.conf"), &format!("number = {i}\n"));
    }
    let run = |program: &str, args: &[&str], stdin: &str| -> String {
        let mut command = Command::new(program);
        command.args(args).env("KUBECONFIG", &kubeconfig).current_dir(repo.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shipcat = |args: &[&str]| run(env!("CARGO_BIN_EXE_shipcat"), &[args, &["-n", "dev"]].concat(), "");
    let kubectl = |args: &[&str], stdin: &str| run("kubectl", &[&["-n", namespace.as_str()], args].concat(), stdin);

    kubectl(&["create", "namespace", &namespace], "");
    println!("shipping {SERVICES} services");
    std::thread::scope(|scope| {
        for part in 0..4 {
            let shipcat = &shipcat;
            scope.spawn(move || (part..SERVICES).step_by(4).for_each(|i| drop(shipcat(&["ship", &format!("s{i}")]))));
        }
    });
    let yaml = shipcat(&["generate", "--all"]);
    let one = shipcat(&["generate", "s0"]);
    let (mut ours, mut theirs, mut look, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..=runs {
        let time = |times: &mut Vec<Duration>, what: &dyn Fn() -> String| {
            let started = Instant::now();
            let told = what();
            times.push(started.elapsed());
            told
        };
        let told = time(&mut ours, &|| shipcat(&["diff", "--all"]));
        assert!(told.ends_with(&format!("0 of {SERVICES} services differ\n")), "{told}");
        assert_eq!(time(&mut theirs, &|| kubectl(&["diff", "--server-side", "-f", "-"], &yaml)), "");
        time(&mut look, &|| shipcat(&["diff", "--check", "s0"]));
        time(&mut bare, &|| {
            together(&[&|| kubectl(&["config", "view"], ""), &|| kubectl(&["version", "--client"], "")]);
            together(&[
                &|| kubectl(&["get", "-o", "json", "-f", "-"], &one),
                &|| {
                    kubectl(
                        &["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-o", "json", "-f", "-"],
                        &one,
                    )
                },
                &|| kubectl(&["get", "secrets", "-l", "shipcat.dev/release-of=s0", "-o", "json"], ""),
            ]);
            String::new()
        });
        println!(
            "{} diff --all {:.2} s, kubectl diff {:.2} s; one service: look {:.2} s, without the preflight {:.2} s",
            if i == 0 { "warm-up" } else { "run    " },
            ours[i].as_secs_f64(),
            theirs[i].as_secs_f64(),
            look[i].as_secs_f64(),
            bare[i].as_secs_f64()
        );
    }
    kubectl(&["delete", "namespace", &namespace, "--wait=false"], "");
    let [ours, theirs, look, bare] = [ours, theirs, look, bare].map(|mut times| median(&mut times[1..]).as_secs_f64());
    println!(
        "\nmedian of {runs}: shipcat diff --all {ours:.2} s, kubectl diff {theirs:.2} s, ratio {:.2}",
        ours / theirs
    );
    println!(
        "one service: the look before a ship {look:.2} s, what a ship reads without a preflight {bare:.2} s, {:.2} s more",
        look - bare
    );
}

/// Side by side, as shipcat does it.
fn together(all: &[&(dyn Fn() -> String + Sync)]) {
    std::thread::scope(|scope| {
        for one in all {
            scope.spawn(one);
        }
    });
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
