//! `ship --restart` on a real cluster: other pods, and nothing else.

use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::trap::Trap;
use crate::common::world::World;

const MANIFEST: &str = "version: 0.1.0
port: 8080
health: /ready
replicas: 2
terminationGracePeriodSeconds: 1
workers: {mail: {replicas: 1}}
";

fn shipped(name: &str) -> World {
    let world = World::new(name);
    world.settings("lock: {lifetime: 8s}");
    world.file("manifest.yml", MANIFEST);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world
}

fn restarted(world: &World) -> bool {
    let template = &world.get(&["deployment", "webapp"])["spec"]["template"];
    template["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].is_string()
}

#[test]
fn every_workload_gets_other_pods_once() {
    let world = shipped("restart");
    let before = world.ready_pods();
    let said = world.shipcat(&["ship", "webapp", "--restart"]).ends(0);
    said.says("Deployment/webapp        restart").says("Deployment/webapp-mail   restart");
    let after = world.ready_pods();
    assert!(after.len() == 3 && after.iter().all(|pod| !before.contains(pod)), "{before:?} {after:?}");
    assert_eq!(world.replica_sets(), 4);
    // It is no configuration: nothing differs behind it, and the next ship leaves it.
    assert!(world.shipcat(&["diff", "webapp"]).ends(0).stdout.contains("nothing differs\ncan ship: yes"));
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    assert_eq!(world.ready_pods(), after);
    // Where pods are replaced anyhow, they are so once.
    world.file("manifest.yml", &(MANIFEST.to_owned() + "env: {A: b}\n"));
    world.shipcat(&["ship", "webapp", "--restart", "--tag", "0.2.0"]).ends(0);
    assert_eq!((world.replica_sets(), restarted(&world)), (6, true));
    world.shipcat(&["ship", "webapp", "--restart", "--image-only", "--tag", "0.2.0"]).ends(0).says("restart\n");
    assert_eq!(world.replica_sets(), 8);
    let history = world.shipcat(&["history", "webapp"]).ends(0).stdout;
    let natures: Vec<&str> = history
        .lines()
        .skip(1)
        .filter_map(|line| line.split("   ").filter(|cell| !cell.trim().is_empty()).nth(4))
        .map(str::trim)
        .collect();
    assert_eq!(natures, ["restart", "image, config", "restart", "new"], "{history}");
    // A release that only restarted is nowhere to go back to.
    world.shipcat(&["rollback", "webapp"]).ends(0).says("webapp 0.1.0 runs in dev");
    world.file("manifest.yml", MANIFEST);
    let dry = world.shipcat(&["ship", "webapp", "--restart", "--dry-run"]).ends(0).stdout;
    assert_eq!(dry.matches("kubectl patch deployment/webapp").count(), 2, "{dry}");
}

#[test]
fn stateful_and_daemon_sets_as_well() {
    for kind in ["StatefulSet", "DaemonSet"] {
        let world = World::new(&format!("restart-{}", kind.to_lowercase()));
        let count = if kind == "DaemonSet" { "" } else { "replicas: 2\n" };
        world.file(
            "manifest.yml",
            &format!(
                "kind: {kind}\nversion: 0.1.0\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 1\n{count}"
            ),
        );
        world.shipcat(&["ship", "webapp"]).ends(0);
        let before = world.ready_pods();
        world.shipcat(&["ship", "webapp", "--restart"]).ends(0).says(&format!("{kind}/webapp   restart"));
        let after = world.ready_pods();
        assert!(after.len() == before.len() && after.iter().all(|pod| !before.contains(pod)), "{before:?} {after:?}");
        world.shipcat(&["diff", "webapp"]).ends(0);
    }
}

#[test]
fn one_that_is_broken_off_is_taken_back() {
    let world = shipped("restart-back");
    let (fields, pods) = (world.fields(), world.ready_pods());
    let child = world.start(&["ship", "webapp", "--restart"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !restarted(&world) {
        assert!(Instant::now() < deadline, "the ship never restarted anything");
        std::thread::sleep(Duration::from_millis(50));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    Run::of(&child.wait_with_output().unwrap()).ends(130);
    assert_eq!(world.fields(), fields);

    // Killed between two workloads: half of it is no restart.
    let trap = Trap::new("read -r point only", "kill -KILL $PPID");
    trap.set(Some("1 patch deployment/webapp-mail"));
    trap.run(&world, &["ship", "webapp", "--restart"]).ends(137);
    assert!(restarted(&world), "{}", trap.log());
    world.shipcat(&["ship", "webapp", "--lock-wait", "1m"]).ends(0).says("taking it back");
    assert_eq!(world.fields(), fields);
    assert_eq!(world.outcomes(), ["taken back", "taken back", "deployed"]);
    assert_eq!(world.ready_pods().len(), pods.len());

    // Before the first: there is nothing to take back, and nothing is called done.
    trap.set(Some("1 patch deployment/webapp "));
    trap.run(&world, &["ship", "webapp", "--restart"]).ends(137);
    world.shipcat(&["ship", "webapp", "--lock-wait", "1m"]).ends(0).says("had changed nothing");
    assert_eq!((world.fields(), world.outcomes()[0].as_str()), (fields, "taken back"));
    let records = world.items(&["secrets", "-l", "shipcat.dev/release-of=webapp"]);
    assert!(records.iter().all(|record| record["metadata"]["labels"]["shipcat.dev/outcome"] != "pending"));
}
