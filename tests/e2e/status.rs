//! What runs, for people, for programs, and for as long as somebody looks. On a real cluster.

use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::world::World;
use crate::common::write;
use serde_json::Value;

fn json(world: &World, args: &[&str], code: i32) -> Value {
    serde_json::from_str(&world.shipcat(args).ends(code).stdout).unwrap()
}

#[test]
fn a_rollout_is_followed_and_told_to_programs() {
    let world = World::new("status");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let watch = world.start(&["status", "webapp", "--watch"]);
    std::thread::sleep(Duration::from_secs(2));
    world.shipcat(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    std::thread::sleep(Duration::from_secs(1));
    let pid = watch.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let started = Instant::now();
    let watched = Run::of(&watch.wait_with_output().unwrap()).ends(0);
    assert!(started.elapsed() < Duration::from_secs(5));
    let lines: Vec<&str> = watched.stdout.lines().filter(|line| line.contains(" UTC  ")).collect();
    assert!(lines.iter().any(|line| line.contains("not well, or on its way: ")), "{}", watched.stdout);
    assert!(lines.iter().any(|line| line.contains("broken: container `webapp`")), "{}", watched.stdout);
    assert!(lines.last().unwrap().ends_with("well, 2 pods ready"), "{}", watched.stdout);
    let status = json(&world, &["status", "webapp", "-o", "json"], 0);
    assert_eq!((&status["running"], &status["isWell"], &status["lock"]), (&"0.2.0".into(), &true.into(), &Value::Null));
    assert_eq!((&status["release"]["number"], &status["last"]["outcome"]), (&2.into(), &"taken-back".into()));
    let history = json(&world, &["history", "webapp", "-o", "json"], 0);
    let first = &history["releases"][2];
    assert_eq!((&first["number"], &first["outcome"], &first["former"]), (&1.into(), &"deployed".into(), &Value::Null));
    assert_eq!(history["releases"][1]["former"], "0.1.0");
    // A shell that completes a word is told which releases there are.
    let mut complete = world.command(&["--", "shipcat", "rollback", "webapp", "-n", "dev", "--to", ""]);
    complete.env("COMPLETE", "zsh").env("_CLAP_COMPLETE_INDEX", "6");
    let offered = Run::of(&complete.output().unwrap()).ends(0).stdout;
    assert!(offered.contains("2:0.2.0 by ") && offered.contains("1:0.1.0 by "), "{offered}");
    assert!(!offered.contains("crashes"), "what was taken back is nothing to go back to: {offered}");
    let list = json(&world, &["list", "-o", "json"], 0);
    assert_eq!(list["environments"][0]["services"][0]["version"], "0.2.0");
}

#[test]
fn several_are_told_one_by_one() {
    let world = World::new("status-all");
    let manifest = "version: 0.1.0\nimage: webapp\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 1\n";
    for service in ["api", "later"] {
        write(world.repo.path(), &[(&format!("manifests/{service}/manifest.yml"), manifest)]);
    }
    world.shipcat(&["ship", "webapp", "api"]).ends(0);
    let told = world.shipcat(&["status", "webapp", "api"]).ends(0).stdout;
    let parts: Vec<&str> = told.split("\n\n").collect();
    assert!(
        parts.len() == 2 && parts[0].starts_with("webapp in dev (") && parts[1].starts_with("api in dev ("),
        "{told}"
    );
    assert_eq!(told.matches("health    well, ").count(), 2, "{told}");
    // One that is not there makes it a no.
    let all = json(&world, &["status", "--all", "-o", "json"], 1);
    let services: Vec<(&str, bool)> = all["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["service"].as_str().unwrap(), one["isWell"].as_bool().unwrap()))
        .collect();
    assert_eq!(services, [("api", true), ("later", false), ("webapp", true)]);
    let refused = world.shipcat(&["status", "--all", "--watch"]).ends(2);
    assert_eq!(refused.stderr, "error: `--watch` is for one service\nhint: name one service\n");
}
