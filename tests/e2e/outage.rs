//! Runs in a bad world, on a real cluster: an API server that is away, calls that fail or whose answers are lost, builds that are cancelled,
//! a story that nobody can read.

use std::fs::OpenOptions;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::proxy::Proxy;
use crate::common::trap::Trap;
use crate::common::world::World;

const OLD: &str = "version: 0.1.0\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\nenv: {LEVEL: info}\nfiles: {/etc/webapp/app.conf: app.conf}\n";

/// A namespace in which the old version runs, and whose files are of the new one.
fn world(name: &str) -> World {
    let world = World::new(name);
    world.file("manifest.yml", OLD);
    world.shipcat(&["ship", "webapp"]).ends(0);
    world.file("manifest.yml", &OLD.replace("info", "debug"));
    world.file("app.conf", "two\n");
    world
}

/// Nothing of a run is left that somebody would have to care for.
#[track_caller]
fn is_tidy(world: &World, run: &Run) {
    let outcomes = world.outcomes();
    assert!(!outcomes.iter().any(|outcome| outcome == "pending"), "{outcomes:?}\n{}", run.stderr);
    assert_eq!(world.kubectl(&["get", "lease"]), "", "{}", run.stderr);
}

fn spread(count: usize, percent: usize) -> usize {
    (count * percent / 100).clamp(1, count)
}

/// How many kubectl commands a run of these arguments takes.
fn count(trap: &Trap, world: &World, args: &[&str]) -> usize {
    trap.set(None);
    trap.run(world, args);
    trap.calls()
}

/// The API server goes away at a point of a ship, for 20 seconds. `ship` is a version, and whether it works.
fn away(name: &str, version: &str, works: bool, percents: &[usize]) {
    let world = world(name);
    let server = world.get_config("{.clusters[0].cluster.server}");
    let upstream = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let proxy = Proxy::to(&upstream);
    let host = upstream.rsplit_once(':').map_or(upstream.as_str(), |(host, _)| host).to_owned();
    let kubeconfig = world.kubeconfig(|config| {
        let cluster = &mut config["clusters"][0]["cluster"];
        cluster["server"] = format!("https://127.0.0.1:{}", proxy.port).into();
        cluster["tls-server-name"] = host.as_str().into();
    });
    // Long enough for the way to be cut before the command goes on.
    let trap = Trap::new("read -r point", "sleep 0.4; exec \"$real\" \"$@\"");
    let args = ["ship", "webapp", "--tag", version, "--timeout", "90s"];
    let count = count(&trap, &world, &args);
    if works {
        world.shipcat(&["rollback", "webapp"]).ends(0);
    }
    for percent in percents {
        let before = world.fields();
        trap.set(Some(&spread(count, *percent).to_string()));
        let mut command = trap.command(&world, &args);
        command.env("KUBECONFIG", &kubeconfig);
        let run = piped(&mut command);
        let started = Instant::now();
        while trap.at().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy.cut();
        std::thread::sleep(Duration::from_secs(20));
        proxy.mend();
        let run = Run::of(&run.wait_with_output().unwrap());
        let point = format!("{percent} %: kubectl {}\n{}", trap.at(), run.stderr);
        match run.code {
            0 => assert!(works && world.image() == version, "{point}"),
            // It was away before anything was changed, or it was all taken back.
            2 | 3 => assert!(world.fields() == before, "{point}"),
            code => panic!("code {code} at {point}"),
        }
        is_tidy(&world, &run);
        if run.code == 0 {
            world.shipcat(&["rollback", "webapp"]).ends(0);
            assert!(image_and_files(&world) == image_and_files_of(&before), "{point}");
        }
    }
}

/// What a way back brings: marks tell another release.
fn image_and_files(world: &World) -> serde_json::Value {
    image_and_files_of(&world.fields())
}

fn image_and_files_of(fields: &serde_json::Value) -> serde_json::Value {
    let deployment = fields.as_array().unwrap().iter().find(|item| item["kind"] == "Deployment").unwrap();
    deployment["spec"]["template"].clone()
}

fn piped(command: &mut Command) -> Child {
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_api_server_is_away_early_in_a_ship() {
    away("away-early", "0.2.0", true, &[30, 55]);
}

#[test]
fn the_api_server_is_away_late_in_a_ship() {
    away("away-late", "0.2.0", true, &[75, 95]);
}

#[test]
fn the_api_server_is_away_while_a_ship_is_taken_back() {
    away("away-back", "crashes", false, &[70, 88]);
}

/// One call fails, with what kubectl says where nobody answers: not made at all, or made and its answer lost.
fn one_call(name: &str, is_made: bool) {
    let world = world(name);
    let action = match is_made {
        true => {
            "case \"$*\" in config*|version*|*--watch*) exec \"$real\" \"$@\" ;; esac; \"$real\" \"$@\" >/dev/null; echo 'Unable to connect to the server: EOF' >&2; exit 1"
        }
        false => {
            "case \"$*\" in config*|version*) exec \"$real\" \"$@\" ;; esac; echo 'The connection to the server was refused - did you specify the right host or port?' >&2; exit 1"
        }
    };
    let trap = Trap::new("read -r point", action);
    let args = ["ship", "webapp", "--tag", "0.2.0"];
    let count = count(&trap, &world, &args);
    let all = std::env::var("SHIPCAT_TEST_KILLS").is_ok_and(|which| which == "all");
    let some = [20, 40, 55, 75, 95].map(|percent| spread(count, percent)).to_vec();
    for number in if all { (1..=count).collect() } else { some } {
        world.shipcat(&["rollback", "webapp"]).ends(0);
        trap.set(Some(&number.to_string()));
        let run = trap.run(&world, &args);
        assert_eq!(run.code, 0, "command {number} of {count}: kubectl {}\n{}", trap.at(), run.stderr);
        assert_eq!(world.image(), "0.2.0");
        is_tidy(&world, &run);
    }
}

#[test]
fn one_call_that_fails_ends_no_ship() {
    one_call("fails", false);
}

#[test]
fn one_answer_that_is_lost_ends_no_ship() {
    one_call("lost", true);
}

/// A process and all that it started, as a CI system that ends a build finds them.
fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all: Vec<u32> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .collect();
    loop {
        let new = |pid: &&u32| !found.contains(pid) && parent(**pid).is_some_and(|parent| found.contains(&parent));
        let more: Vec<u32> = all.iter().filter(new).copied().collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Sends a signal to each of them.
fn signal(pids: &[u32], name: &str) {
    for pid in pids {
        // One that has ended by itself is as good.
        drop(Command::new("kill").args([name, &pid.to_string()]).output());
    }
}

/// A build is cancelled as CI systems do it: an interrupt, seconds later a terminate, later still a kill; to the children as well.
fn cancelled(name: &str, first: &str, version: &str, moment: impl Fn(&World) -> bool) {
    let world = world(name);
    let before = world.fields();
    let mut run = world.start(&["ship", "webapp", "--tag", version]);
    let started = Instant::now();
    while !moment(&world) {
        assert!(started.elapsed() < Duration::from_secs(60) && run.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    for (name, pause) in [(first, 7500), ("-TERM", 2500), ("-KILL", 0)] {
        if run.try_wait().unwrap().is_some() {
            break;
        }
        signal(&family(run.id()), name);
        let until = Instant::now() + Duration::from_millis(pause);
        while Instant::now() < until && run.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let run = Run::of(&run.wait_with_output().unwrap());
    assert!([130, 143].contains(&run.code), "code {}\n{}", run.code, run.stderr);
    assert!(world.fields() == before, "{}", run.stderr);
    is_tidy(&world, &run);
}

#[test]
fn a_build_that_is_cancelled_in_the_rollout_is_taken_back() {
    cancelled("cancel-int", "-INT", "never-ready", |world| world.image() == "never-ready");
    cancelled("cancel-term", "-TERM", "never-ready", |world| world.image() == "never-ready");
}

#[test]
fn a_build_that_is_cancelled_as_it_begins_is_taken_back() {
    let recorded = |world: &World| world.items(&["secrets", "-l", "shipcat.dev/release-of=webapp"]).len() == 2;
    cancelled("cancel-early", "-INT", "never-ready", recorded);
}

#[test]
fn a_story_that_nobody_can_read_stops_no_put_back() {
    let world = world("unread");
    let before = world.fields();
    // A disk that is full.
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status =
        world.command(&["ship", "webapp", "--tag", "crashes"]).stderr(full.try_clone().unwrap()).stdout(full).status();
    assert_eq!(status.unwrap().code(), Some(3));
    assert!(world.fields() == before);
    // A terminal that is gone.
    let mut run = world.start(&["ship", "webapp", "--tag", "never-ready"]);
    let started = Instant::now();
    while world.image() != "never-ready" {
        assert!(started.elapsed() < Duration::from_secs(60) && run.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(run.stderr.take());
    drop(run.stdout.take());
    signal(&[run.id()], "-HUP");
    assert_eq!(run.wait().unwrap().code(), Some(129));
    assert!(world.fields() == before);
    assert_eq!(world.kubectl(&["get", "lease"]), "");
}
