//! Runs that are killed, or told to stop, before, in and after the kubectl commands that they run, on a real cluster: the next command
//! brings the environment to exactly the old or exactly the new state.
//!
//! The points are counted, not listed. `make test` tries some of them; all are tried with `SHIPCAT_TEST_KILLS=all` (`make test-kill`).
#![allow(clippy::print_stderr, reason = "how many points there were is worth a line")]

use crate::common::trap::Trap;
use crate::common::world::World;
use serde_json::Value;

const OLD: &str = "version: 0.1.0\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\nenv: {LEVEL: info}\nfiles: {/etc/webapp/app.conf: app.conf}\n";

fn new() -> String {
    OLD.replace("0.1.0", "0.2.0").replace("info", "debug") + "replicas: 2\n"
}

/// When, at the n-th kubectl command, the run is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    In,
    After,
}

/// What happens at the point that was set: `$when` and `$signal` come from there. What a shell starts in the background would read nothing: it
/// is handed what was to be read.
const KILL: &str = r#"case "$when $*" in
Before*) kill "$signal" $PPID; [ "$signal" = -KILL ] || exec "$real" "$@" ;;
*" -w "* | *"--watch"* | In*) { "$real" "$@" <&3 3<&- & } 3<&0; sleep 0.1; kill "$signal" $PPID; wait $! ;;
After*) "$real" "$@"; code=$?; kill "$signal" $PPID; exit $code ;;
esac"#;

fn set_files(world: &World, manifest: &str, conf: &str) {
    world.file("manifest.yml", manifest);
    world.file("app.conf", conf);
}

/// Everything in which old and new differ; a ConfigMap that is named by its content stays behind the release that had it.
fn state(world: &World) -> Value {
    let mut fields = world.fields();
    let deployment = fields.as_array().unwrap().iter().find(|item| item["kind"] == "Deployment").cloned();
    let mounted = deployment.unwrap_or_default().to_string();
    fields.as_array_mut().unwrap().retain(|item| {
        let name = item["metadata"]["name"].as_str().unwrap();
        item["kind"] != "ConfigMap" || item["immutable"] != true || mounted.contains(name)
    });
    for item in fields.as_array_mut().unwrap() {
        for key in ["uid", "creationTimestamp"] {
            item["metadata"].as_object_mut().unwrap().remove(key);
        }
        // Each run has a number of its own.
        if let Some(annotations) = item["metadata"]["annotations"].as_object_mut() {
            annotations.remove("shipcat.dev/release");
        }
        if item["kind"] == "Service" {
            let spec = item["spec"].as_object_mut().unwrap();
            spec.remove("clusterIP");
            spec.remove("clusterIPs");
        }
    }
    fields
}

/// What is tried of `count` points: all of them, or some that are spread.
fn points(count: usize) -> Vec<(usize, When)> {
    let all = std::env::var("SHIPCAT_TEST_KILLS").is_ok_and(|which| which == "all");
    if all {
        return (1..=count).flat_map(|n| [When::Before, When::In, When::After].map(|when| (n, when))).collect();
    }
    // The changes come in the last two thirds.
    [(40, When::After), (55, When::In), (70, When::Before), (85, When::After)]
        .map(|(percent, when)| ((count * percent / 100).max(1), when))
        .to_vec()
}

/// What died is known to be dead soon.
fn short_lock(world: &World) {
    world.settings("lock: {lifetime: 8s}");
}

/// Kills a ship from the state `old` (none: not there) to `new`, and lets a command come that changes nothing by itself.
fn each_point(name: &str, old: Option<(&str, &str)>, signal: &str) {
    let world = World::new(name);
    short_lock(&world);
    let trap = Trap::new("read -r point when signal", KILL);
    let reset = |world: &World| match old {
        Some((manifest, conf)) => {
            set_files(world, manifest, conf);
            drop(world.shipcat(&["ship", "webapp", "--tag", "0.1.0"]).ends(0));
        }
        None => {
            world.kubectl(&["delete", "deployment,service,configmap,secret,lease", "--all", "--wait=true"]);
            world.kubectl(&["wait", "--for=delete", "pods", "--all", "--timeout=240s"]);
        }
    };
    reset(&world);
    let before = state(&world);
    set_files(&world, &new(), "two\n");
    let ship = ["ship", "webapp", "--tag", "0.2.0"];
    trap.set(None);
    trap.run(&world, &ship).ends(0);
    let count = trap.calls();
    let after = state(&world);
    assert_ne!(before, after);
    let mut reached = (0, 0);
    for (number, when) in points(count) {
        reset(&world);
        set_files(&world, &new(), "two\n");
        trap.set(Some(&format!("{number} {when:?} {signal}")));
        let run = trap.run(&world, &ship);
        let at = trap.at();
        let point = format!("{signal} {when:?} command {number} of {count}: kubectl {at}\n{}", run.stderr);
        if at.is_empty() {
            // Fewer calls than when they were counted.
            assert_eq!((run.code, state(&world)), (0, after.clone()), "{point}");
            continue;
        }
        if signal == "-TERM" {
            let wanted = match run.code {
                143 | 3 => &before,
                0 => &after,
                code => panic!("code {code}: {point}"),
            };
            assert_eq!(&state(&world), wanted, "{point}");
        } else {
            // Refused by itself; what died is recovered before.
            let next = world.shipcat(&["rollback", "webapp", "--to", "999", "--lock-wait", "1m"]).ends(2);
            let now = state(&world);
            assert!(now == before || now == after, "{point}\n--- next:\n{}\n{now:#}", next.stderr);
            if now == before {
                reached.0 += 1;
            } else {
                reached.1 += 1;
            }
        }
        let history = world.shipcat(&["history", "webapp"]).ends(0).stdout;
        assert!(!history.contains("pending"), "{point}\n{history}");
        let lease = world.kubectl(&["get", "lease", "--ignore-not-found"]);
        assert_eq!(lease, "", "{point}");
        // And it ships all the same.
        drop(world.shipcat(&ship).ends(0));
        assert_eq!(state(&world), after, "{point}");
    }
    eprintln!("{count} commands; as before {} times, as shipped {} times", reached.0, reached.1);
}

#[test]
fn a_killed_ship_ends_as_before_or_as_shipped() {
    each_point("kill", Some((OLD, "one\n")), "-KILL");
}

#[test]
fn a_killed_first_ship_ends_as_before_or_as_shipped() {
    each_point("kill-first", None, "-KILL");
}

#[test]
fn a_ship_that_is_told_to_stop_ends_as_before_or_as_shipped() {
    each_point("term", Some((OLD, "one\n")), "-TERM");
}

/// A ship that fails, and is killed on its way back: the next command goes that way to its end.
#[test]
fn a_put_back_that_is_killed_is_gone_on_with() {
    let world = World::new("kill-back");
    short_lock(&world);
    let trap = Trap::new("read -r point when signal", KILL);
    set_files(&world, OLD, "one\n");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let before = state(&world);
    set_files(&world, &new(), "two\n");
    let ship = ["ship", "webapp", "--tag", "crashes"];
    trap.set(None);
    trap.run(&world, &ship).ends(3);
    let is_write = |line: &&str| {
        ["replace --raw /apis/apps", "replace --raw /api/v1/namespaces", "delete --raw /api/v1"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let log = trap.log();
    let writes = log.lines().filter(is_write).count();
    assert!(writes > 2, "{log}");
    let all = std::env::var("SHIPCAT_TEST_KILLS").is_ok_and(|which| which == "all");
    let first = 1 + log.lines().position(|line| is_write(&line)).unwrap();
    let points: Vec<(usize, When)> = match all {
        true => {
            (first..=trap.calls()).flat_map(|n| [When::Before, When::In, When::After].map(|when| (n, when))).collect()
        }
        false => vec![(first, When::After), (trap.calls() - 3, When::In)],
    };
    for (number, when) in points {
        trap.set(Some(&format!("{number} {when:?} -KILL")));
        let run = trap.run(&world, &ship);
        let point = format!("{when:?} command {number}: kubectl {}\n{}", trap.at(), run.stderr);
        if trap.at().is_empty() {
            // Fewer calls than when they were counted.
            assert_eq!((run.code, state(&world)), (3, before.clone()), "{point}");
            continue;
        }
        let next = world.shipcat(&["rollback", "webapp", "--to", "999", "--lock-wait", "1m"]).ends(2);
        assert_eq!(state(&world), before, "{point}\n--- next:\n{}", next.stderr);
        let history = world.shipcat(&["history", "webapp"]).ends(0).stdout;
        assert!(!history.contains("pending"), "{point}\n{history}");
    }
}

#[test]
fn in_a_protected_environment_a_person_says_what_becomes_of_a_release_that_died() {
    let world = World::new("asked");
    let file = world.repo.path().join("shipcat.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let protected = "rollbackTimeout: 2m, protected: true, lock: {lifetime: 8s}}";
    std::fs::write(&file, text.replace("rollbackTimeout: 2m}", protected)).unwrap();
    set_files(&world, OLD, "one\n");
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        let output = command.args(args).current_dir(world.repo.path()).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one"]);
    let trap = Trap::new("read -r point when signal only", KILL);
    let ship = ["ship", "webapp", "--tag", "0.2.0", "--yes"];
    for (choice, image, outcome) in [("--take-back", "0.1.0", "taken back"), ("--resume", "0.2.0", "deployed")] {
        world.shipcat(&["ship", "webapp", "--tag", "0.1.0", "--yes"]).ends(0);
        trap.set(Some("0 After -KILL set image"));
        trap.run(&world, &ship).ends(137);
        assert!(trap.at().starts_with("set image"), "{}", trap.at());
        let list = world.shipcat(&["list"]).ends(0).stdout;
        assert!(list.contains(" pending)"), "{list}");
        // To say yes to a release says nothing of the one that died.
        let other = ["rollback", "webapp", "--to", "999", "--yes", "--lock-wait", "1m"];
        let refused = world.shipcat(&other).ends(2);
        assert!(refused.stderr.contains("`--resume` completes it, `--take-back` takes it back"), "{}", refused.stderr);
        assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), ("0.2.0", "pending"));
        let list: Value = serde_json::from_str(&world.shipcat(&["list", "-o", "json"]).ends(0).stdout).unwrap();
        let service = &list["environments"][0]["services"][0];
        assert!(service["pending"].as_u64() > service["release"].as_u64(), "{list}");
        world.shipcat(&[&other[..], &[choice]].concat()).ends(2);
        assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), (image, outcome));
    }
}
