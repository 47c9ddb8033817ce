//! Rendering many services, against `kubectl kustomize` printing the very same objects: `make bench-generate`.
//! Prints medians and ratios; asserts nothing, since machines are noisy.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops, and prints")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 5;

fn repo(dir: &Path, services: usize) {
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "shipcat.yml",
        "defaults: {labels: {team: demo}, resources: {requests: {cpu: 10m, memory: 16Mi}}}\nvalues: {greeting: ahoy}\n\
         environments: {dev: {contexts: [c], registry: r.io, values: {log: {level: debug}}}}\n",
    );
    for i in 0..services {
        let manifest = format!(
            "version: 1.2.{i}\nport: 8080\nhealth: /ready\nlivenessProbe: /live\nterminationGracePeriodSeconds: 20\n\
             env:\n  GREETING: \"{{{{ values.greeting }}}} from {{{{ service }}}}\"\n  LOG_LEVEL: \"{{{{ values.log.level }}}}\"\n  DB: {{secret: db, key: password}}\n\
             files: {{/etc/app/app.conf: app.conf.j2}}\nautoscaling: {{minReplicas: 2, maxReplicas: 5, cpu: 80}}\ningress: svc-{i}.example.com\n"
        );
        write(&format!("manifests/svc-{i}/manifest.yml"), &manifest);
        write(&format!("manifests/svc-{i}/dev.yml"), "env: {DEBUG: 1}\n");
        write(&format!("manifests/svc-{i}/app.conf.j2"), &"level = {{ values.log.level }}\n".repeat(5));
    }
}

/// How long a command takes, and how much memory it had at most (read from /proc while it runs).
fn timed(command: &mut Command) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(code) = child.try_wait().unwrap() {
            let took = started.elapsed();
            assert!(code.success(), "{command:?}: {code}");
            return (took, peak);
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0) / 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn median(mut runs: Vec<(Duration, u64)>) -> (f64, u64) {
    runs.sort();
    (runs[runs.len() / 2].0.as_secs_f64(), runs.iter().map(|run| run.1).max().unwrap())
}

fn main() {
    let shipcat = env!("CARGO_BIN_EXE_shipcat");
    for services in [1_000, 10_000] {
        let dir = tempfile::tempdir().unwrap();
        repo(dir.path(), services);
        let out = dir.path().join("out");
        let run = |args: &[&str]| {
            let mut command = Command::new(shipcat);
            command.args(args).arg("-C").arg(dir.path());
            command
        };
        timed(&mut run(&["generate", "-n", "dev", "--all", "-d", out.to_str().unwrap()]));
        let mut kustomization = String::from("resources:\n");
        for i in 0..services {
            writeln!(kustomization, "- svc-{i}.yml").unwrap();
        }
        std::fs::write(out.join("kustomization.yaml"), kustomization).unwrap();
        let (mut generate, mut validate, mut kustomize) = (Vec::new(), Vec::new(), Vec::new());
        // kustomize takes more than a minute for a thousand files: once is enough.
        for i in 0..RUNS {
            generate.push(timed(&mut run(&["generate", "-n", "dev", "--all"])));
            validate.push(timed(&mut run(&["validate", "-n", "dev"])));
            if services == 1_000 && i == 0 {
                kustomize.push(timed(Command::new("kubectl").arg("kustomize").arg(&out)));
            }
        }
        let (generate, validate) = (median(generate), median(validate));
        println!("{services} services of 5 objects (medians of {RUNS} runs)");
        println!("  shipcat generate --all  {:.2} s, {} MB", generate.0, generate.1);
        println!("  shipcat validate        {:.2} s, {} MB", validate.0, validate.1);
        if !kustomize.is_empty() {
            let kustomize = median(kustomize);
            println!(
                "  kubectl kustomize       {:.2} s, {} MB: {:.0} times as long as generate",
                kustomize.0,
                kustomize.1,
                kustomize.0 / generate.0
            );
        }
    }
}
