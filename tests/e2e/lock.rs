//! The environment's lock and its queue, on a real cluster.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::trap::Trap;
use crate::common::world::{LATE, World};
use serde_json::{Value, json};

const SMALL: &str = "version: 0.1.0\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\n";

/// A namespace whose lock lives for so long.
fn world(name: &str, lifetime: &str) -> World {
    let world = World::new(name);
    world.settings(&format!("lock: {{lifetime: {lifetime}}}"));
    world.file("manifest.yml", SMALL);
    world
}

fn lock(world: &World) -> Value {
    let lease = world.try_kubectl(&["get", "lease", "shipcat", "-o", "json", "--ignore-not-found"]).ends(0).stdout;
    if lease.trim().is_empty() {
        return Value::Null;
    }
    let lease: Value = serde_json::from_str(&lease).unwrap();
    serde_json::from_str(lease["metadata"]["annotations"]["shipcat.dev/lock"].as_str().unwrap()).unwrap()
}

/// Waits until the lock is as wanted.
#[track_caller]
fn until(world: &World, is: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let lock = lock(world);
        if is(&lock) {
            return lock;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{lock:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn waiting(n: usize) -> impl Fn(&Value) -> bool {
    move |lock| lock["queue"].as_array().is_some_and(|queue| queue.len() == n)
}

fn running(lock: &Value) -> bool {
    lock["run"].is_object()
}

fn ended(child: Child) -> Run {
    Run::of(&child.wait_with_output().unwrap())
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// How many tenths of a second it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}

#[test]
fn twenty_at_once_go_out_one_after_the_other() {
    let world = world("queue", "60s");
    let versions: Vec<String> = (1..=20).map(|n| format!("0.1.0-{n}")).collect();
    // Of no workload, so that it is the lock that is tried, and not the node.
    world.file(
        "manifest.yml",
        "kind: None\nimage: webapp\ncronJobs:\n  nightly: {schedule: \"0 3 * * *\", command: [/bin/true]}\n",
    );
    let token = world.shipcat(&["lock", "acquire", "--for", "1h"]).ends(0).stdout;
    let ships: Vec<Child> = versions
        .iter()
        .map(|version| world.start(&["ship", "webapp", "--tag", version, "--lock-wait", "10m"]))
        .collect();
    let queue = until(&world, waiting(20))["queue"].clone();
    let order: Vec<&str> = queue.as_array().unwrap().iter().map(|place| place["what"].as_str().unwrap()).collect();
    Run::of(&world.command(&["lock", "release"]).env("SHIPCAT_LOCK", token.trim()).output().unwrap()).ends(0);
    for run in ships.into_iter().map(ended) {
        run.ends(0);
    }
    let history = world.shipcat(&["history", "webapp"]).ends(0).stdout;
    let lines: Vec<&str> = history.lines().skip(1).collect();
    // The newest comes first.
    for (line, (number, what)) in lines.iter().zip((1..=20u16).zip(&order).rev()) {
        let version = what.rsplit(' ').next().unwrap();
        assert!(
            line.starts_with(&format!("{number} ")) && line.contains(&format!(" {version} ")),
            "{history}{order:#?}"
        );
    }
    assert_eq!(lines.len(), 10, "{history}");
    assert_eq!(lock(&world), Value::Null);
}

#[test]
fn who_waits_comes_in_turn_and_who_does_not_is_told() {
    let world = world("turn", "20s");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let first = world.start(&["ship", "webapp", "--tag", "never-ready", "--timeout", "20s"]);
    until(&world, running);
    let second = world.start(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "2m"]);
    until(&world, waiting(1));
    let third = world.start(&["ship", "webapp", "--tag", "0.3.0", "--lock-wait", "2m"]);
    until(&world, waiting(2));
    let (busy, took) = timed(|| world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]));
    busy.ends(4).says("the lock of dev is taken: ").says(": ship webapp never-ready, ").says("`--lock-wait 15m`");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (busy, took) = timed(|| world.shipcat(&["update", "webapp", "--lock-wait", "6s"]));
    busy.ends(4).says("place 3 of 3").says("`shipcat lock show -n dev`");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let shown = world.shipcat(&["lock", "show"]).ends(0).stdout;
    for text in ["dev is at work: ship webapp never-ready\n", "  step      watches the rollout\n", "  waits 2   "] {
        assert!(shown.contains(text), "{shown}");
    }
    assert!(world.shipcat(&["status", "webapp"]).stdout.contains("\n  lock      "));
    let diff = world.shipcat(&["diff", "webapp"]).ends(1);
    assert!(diff.stdout.contains("the lock is taken: "), "{}", diff.stdout);
    // A Ctrl-C gives the place back.
    signal(&third, "-INT");
    ended(third).ends(130).says("Ctrl-C came before anything was changed: nothing is left to do");
    until(&world, waiting(1));
    ended(first).ends(3);
    ended(second).ends(0).says("waiting for the lock").says("webapp 0.2.0 runs in dev after");
    assert_eq!((world.image(), lock(&world)), ("0.2.0".into(), Value::Null));
}

#[test]
fn what_died_is_taken_over_and_loses_its_place() {
    let world = world("dead", "8s");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let mut dead = world.start(&["ship", "webapp", "--tag", "never-ready"]);
    until(&world, |lock| lock["run"]["step"] == "watches the rollout");
    let mut waiter = world.start(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "2m"]);
    until(&world, waiting(1));
    let next = world.start(&["ship", "webapp", "--tag", "0.3.0", "--lock-wait", "2m", "--timeout", "25s"]);
    until(&world, waiting(2));
    waiter.kill().unwrap();
    waiter.wait().unwrap();
    dead.kill().unwrap();
    dead.wait().unwrap();
    ended(next).ends(0).says("webapp 0.3.0 runs in dev after");
    assert_eq!((world.image(), lock(&world)), ("0.3.0".into(), Value::Null));
    // Who does not wait in the queue looks for a lifetime whether it is dead.
    let mut dead = world.start(&["ship", "webapp", "--tag", "never-ready"]);
    until(&world, |lock| lock["run"]["step"] == "watches the rollout");
    dead.kill().unwrap();
    dead.wait().unwrap();
    std::thread::sleep(Duration::from_secs(8));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--timeout", "25s"]).ends(0).says("has run out: taken over");
}

/// The kubectls that finish the record and give the lock back are started before they are told to.
#[test]
fn who_is_killed_at_the_very_end_leaves_the_lock_to_run_out() {
    let world = world("end", "8s");
    world.file("manifest.yml", LATE);
    world.shipcat(&["ship", "webapp"]).ends(0);
    let trap = Trap::of_orphans();
    let ends = [("delete --raw /apis/coordination", "0.2.0"), ("replace --raw /api/v1/namespaces", "0.3.0")];
    for (end, tag) in ends {
        trap.set(Some(&format!("0 {end}")));
        trap.run(&world, &["ship", "webapp", "--tag", tag]).ends(137);
        // Nobody gave it the object that it was for.
        trap.is_refused();
        assert!(running(&lock(&world)));
        assert_eq!(world.outcomes()[0], "pending", "{end}");
        world.shipcat(&["ship", "webapp", "--tag", tag, "--lock-wait", "1m"]).ends(0);
        assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), (tag, "deployed"));
    }
}

#[test]
fn a_run_that_was_suspended_changes_nothing_without_its_lock() {
    let world = world("suspended", "10s");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let asleep = world.start(&["ship", "webapp", "--tag", "never-ready", "--timeout", "60s"]);
    until(&world, |lock| lock["run"]["step"] == "watches the rollout");
    signal(&asleep, "-STOP");
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "1m"]).ends(0);
    let before = versions(&world);
    signal(&asleep, "-CONT");
    ended(asleep).ends(5).says("the lock is lost").says("nothing is changed any more");
    assert_eq!(versions(&world), before);
    assert_eq!((world.image(), lock(&world)), ("0.2.0".into(), Value::Null));
}

/// What every object's resource version is, that no controller moves by itself.
fn versions(world: &World) -> Value {
    let version = |item: &Value| json!([item["metadata"]["name"], item["metadata"]["resourceVersion"]]);
    world.items(&["services,configmaps,secrets"]).iter().map(version).collect()
}

#[test]
fn a_stolen_lock_stops_its_run() {
    let world = world("stolen", "20s");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let robbed = world.start(&["ship", "webapp", "--tag", "never-ready", "--timeout", "60s"]);
    until(&world, |lock| lock["run"]["step"] == "watches the rollout");
    world.shipcat(&["lock", "steal"]).ends(2);
    let (steal, took) = timed(|| world.shipcat(&["lock", "steal", "--reason", "it hangs"]));
    steal.ends(0).says("the lock of dev is free; it was taken from").says("ship webapp never-ready");
    assert!(took < Duration::from_secs(15), "it waits for the acknowledgement only: {took:?}");
    ended(robbed).ends(5).says("the lock is lost: ").says("took it: it hangs");
    world.shipcat(&["lock", "steal", "--reason", "again"]).ends(0).says("nobody has the lock of dev");
    let next = world.shipcat(&["ship", "webapp", "--tag", "0.2.0", "--timeout", "30s"]).ends(0);
    next.says("completing it (up to ")
        .says("`--take-back` takes it back instead)")
        .says("webapp 0.1.0 runs in dev as before");
}

#[test]
fn who_keeps_an_environment_ships_in_it_alone() {
    let world = world("freeze", "20s");
    let token = world.shipcat(&["lock", "acquire", "--for", "1h", "--reason", "load test"]).ends(0).stdout;
    let token = token.trim();
    let with = |args: &[&str]| Run::of(&world.command(args).env("SHIPCAT_LOCK", token).output().unwrap());
    world.shipcat(&["ship", "webapp"]).ends(4).says("keeps it for themselves (load test)").says("for another 59 min");
    world.shipcat(&["lock", "acquire", "--for", "1h"]).ends(4);
    with(&["ship", "webapp"]).ends(0);
    with(&["lock", "acquire", "--for", "2h"]).ends(0).says("dev is yours longer for 120 min");
    let shown = world.shipcat(&["lock", "show"]).ends(0).stdout;
    assert!(shown.contains("for another 119 min") && shown.contains("load test"), "{shown}");
    // Neither the token nor another one stands in the cluster.
    assert!(!world.kubectl(&["get", "lease", "-o", "yaml"]).contains(token));
    world.shipcat(&["lock", "release"]).ends(4).says("no token is given");
    Run::of(&world.command(&["lock", "release"]).env("SHIPCAT_LOCK", "wrong").output().unwrap()).ends(4);
    let waits = world.start(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "1m"]);
    until(&world, waiting(1));
    with(&["lock", "release"]).ends(0).says("dev is given back");
    ended(waits).ends(0);
    // It ends by itself.
    world.shipcat(&["lock", "acquire", "--for", "8s"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(4);
    std::thread::sleep(Duration::from_secs(8));
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
    assert_eq!((world.image(), lock(&world)), ("0.3.0".into(), Value::Null));
}
