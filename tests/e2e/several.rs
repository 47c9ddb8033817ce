//! Several services in one go: under one lock, side by side, each its own transaction or all together. On a real cluster.

use crate::common::world::World;
use crate::common::{Run, write};

/// A namespace with three services.
fn world(name: &str) -> World {
    let world = World::new(name);
    for service in ["api", "shop", "webapp"] {
        let manifest = "version: 0.1.0\nimage: webapp\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\n";
        write(world.repo.path(), &[(&format!("manifests/{service}/manifest.yml"), manifest)]);
    }
    world
}

fn image(world: &World, service: &str) -> String {
    let image = world.get(&["deployment", service])["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    image.as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

fn images(world: &World) -> [String; 3] {
    ["api", "shop", "webapp"].map(|service| image(world, service))
}

fn outcomes(world: &World, service: &str) -> Vec<String> {
    let history = world.shipcat(&["history", service]).ends(0).stdout;
    let rows = history.lines().skip(1);
    rows.map(|row| row.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).nth(1).unwrap().to_owned()).collect()
}

/// The lines of the summary, without what takes its time.
fn summary(run: &Run) -> Vec<String> {
    let lines = run.stderr.lines().skip_while(|line| !line.contains(" services in dev: "));
    lines.map(|line| line.split(" after ").next().unwrap().trim_end().to_owned()).collect()
}

#[test]
fn several_go_side_by_side_and_each_is_its_own_transaction() {
    let world = world("several");
    let first = world.shipcat(&["ship", "--all"]).ends(0);
    assert_eq!(
        summary(&first),
        [
            "3 services in dev: 3 shipped",
            "  api      0.1.0   shipped",
            "  shop     0.1.0   shipped",
            "  webapp   0.1.0   shipped"
        ]
    );
    assert!(first.stderr.contains("api    | release 1 begun by "), "{}", first.stderr);
    let again = world.shipcat(&["ship", "--all"]).ends(0);
    assert_eq!(summary(&again)[0], "3 services in dev: 3 ran already");
    // One fails, the others go on.
    let mixed = world.shipcat(&["ship", "api=0.2.0", "shop=crashes", "webapp"]).ends(3);
    assert_eq!(
        summary(&mixed),
        [
            "3 services in dev: 1 shipped, 1 failed and 1 ran already",
            "  api      0.2.0     shipped",
            "  shop     crashes   failed",
            "  webapp   0.1.0     ran already"
        ]
    );
    assert_eq!(images(&world), ["0.2.0", "0.1.0", "0.1.0"]);
    assert_eq!(
        (outcomes(&world, "api"), outcomes(&world, "shop")),
        (vec!["deployed".into(); 2], vec!["taken back".into(), "deployed".into()])
    );
    // What is refused for one is refused for all, before anything is changed.
    write(world.repo.path(), &[("manifests/shop/dev.yml", "env: {A: {secret: nobody, key: a}}\n")]);
    let refused = world.shipcat(&["ship", "api=0.3.0", "shop"]).ends(2);
    assert!(refused.stderr.contains("shop: ") && refused.stderr.contains("nobody"), "{}", refused.stderr);
    assert_eq!(images(&world), ["0.2.0", "0.1.0", "0.1.0"]);
    world.shipcat(&["ship", "api", "webapp", "--tag", "0.3.0"]).ends(2).says("`--tag` is for one service");
    world.shipcat(&["ship", "api", "api=0.3.0"]).ends(2).says("`api` is named twice");
    world.shipcat(&["ship", "api=0.3.0", "--tag", "0.3.0"]).ends(2).says("`api` is given two versions");
    std::fs::remove_file(world.repo.path().join("manifests/shop/dev.yml")).unwrap();
    // The configuration of several, each with the image that runs.
    for service in ["api", "webapp"] {
        write(world.repo.path(), &[(&format!("manifests/{service}/dev.yml"), "env: {LEVEL: debug}\n")]);
    }
    let updated = world.shipcat(&["update", "api", "webapp"]).ends(0);
    assert_eq!(summary(&updated)[0], "2 services in dev: 2 shipped");
    assert_eq!(images(&world), ["0.2.0", "0.1.0", "0.1.0"]);
    assert_eq!(world.kubectl(&["get", "lease"]), "");
}

#[test]
fn together_all_go_or_none() {
    let world = world("together");
    world.shipcat(&["ship", "--all", "--together"]).ends(0);
    let before = world.fields();
    let failed = world.shipcat(&["ship", "api=0.2.0", "shop=crashes", "webapp=0.2.0", "--together"]).ends(3);
    assert_eq!(summary(&failed)[0], "3 services in dev: 2 taken back and 1 failed");
    assert!(failed.stderr.contains("api    | api 0.2.0 goes back after "), "{}", failed.stderr);
    assert!(failed.stderr.contains(": shop failed"), "{}", failed.stderr);
    assert_eq!(world.fields(), before);
    for service in ["api", "shop", "webapp"] {
        assert_eq!(outcomes(&world, service), ["taken back", "deployed"]);
    }
    world.shipcat(&["ship", "api=0.2.0", "shop=0.2.0", "webapp=0.2.0", "--together"]).ends(0);
    assert_eq!(images(&world), ["0.2.0", "0.2.0", "0.2.0"]);
}

/// A namespace whose lock lives for eight seconds, and a run in it that is killed when its record is there and as far as `is_reached` says.
fn killed(world: &World, args: &[&str], is_reached: impl Fn() -> bool) {
    world.settings("lock: {lifetime: 8s}");
    let mut run = world.start(args);
    let started = std::time::Instant::now();
    while !is_reached() {
        assert!(started.elapsed() < std::time::Duration::from_secs(60) && run.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn a_killed_run_of_several_together_comes_back_as_a_whole() {
    let world = world("whole");
    world.shipcat(&["ship", "--all"]).ends(0);
    let before = world.fields();
    // One of them will never be up: the next command is about another one, and finds it all the same.
    let args = ["ship", "api=0.2.0", "shop=never-ready", "--together", "--timeout", "60s"];
    killed(&world, &args, || image(&world, "api") == "0.2.0" && image(&world, "shop") == "never-ready");
    let next = world.shipcat(&["ship", "api", "--lock-wait", "1m", "--timeout", "10s"]).ends(0);
    assert!(next.stderr.contains("shop | release 2 (ship, version never-ready)"), "{}", next.stderr);
    assert!(world.fields() == before, "{}", next.stderr);
    for service in ["api", "shop"] {
        assert_eq!(outcomes(&world, service), ["taken back", "deployed"]);
    }
}
