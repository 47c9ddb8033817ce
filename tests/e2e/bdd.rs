//! BDD tests, by a real container engine and by the cluster: what is made of their files, and of a ship whose tests fail.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::slack::Slack;
use crate::common::trap::Trap;
use crate::common::world::World;
use crate::common::{Run, engine, write};
use serde_json::Value;

const WEB: &str = "version: 0.1.0\nimage: webapp\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\n";
const CONTAINER: &str = "network: none";
const JOB: &str = "runner: job, fetcher: \"busybox:1\"";

/// A namespace whose services have the sample tests.
fn world(name: &str, how: &str, services: &[&str]) -> World {
    let world = World::new(name);
    let file = world.repo.path().join("shipcat.yml");
    let environments = std::fs::read_to_string(&file).unwrap();
    let env = "env: {URL: \"http://{{ service }}.{{ namespace }}/{{ version }}\", PLACE: \"{{ environment }}\"}";
    let more = if how.contains("env:") { how.to_owned() } else { format!("{how}, {env}") };
    let tests = format!("tests: {{image: webapp-tests, tag: passes, {more}}}\nslack: \"#deploys\"\n");
    std::fs::write(&file, format!("{tests}{environments}")).unwrap();
    std::fs::remove_dir_all(world.repo.path().join("manifests")).unwrap();
    for service in services {
        write(world.repo.path(), &[(&format!("manifests/{service}/manifest.yml"), WEB)]);
    }
    world
}

fn command(world: &World, args: &[&str]) -> Command {
    let mut command = world.command(args);
    command.env("PATH", engine::path());
    command
}

fn run(world: &World, args: &[&str]) -> Run {
    Run::of(&command(world, args).output().unwrap())
}

/// Nothing of the tests is at work any more: no container, no Job, no pod but what an old kubelet clears away within a minute.
#[track_caller]
fn nothing_is_left(world: &World, story: &str) {
    assert_eq!(engine::containers(world), [""; 0], "{story}");
    let tests = ["-l", "shipcat.dev/tests-of"];
    for pod in world.items(&[&["pods"][..], &tests].concat()) {
        let running = pod["status"]["containerStatuses"].as_array().unwrap().iter();
        assert!(running.clone().all(|one| one["state"].get("terminated").is_some()), "{pod:#} {story}");
        assert!(pod["metadata"].get("deletionTimestamp").is_some(), "{pod:#} {story}");
    }
    let jobs = world.items(&[&["jobs"][..], &tests].concat());
    assert!(jobs.iter().all(|job| job["metadata"].get("deletionTimestamp").is_some()), "{jobs:#?} {story}");
}

/// Waits until tests say that they have begun.
fn until_they_run(world: &World, by_job: bool) {
    let started = Instant::now();
    let running = || match by_job {
        true => {
            world.kubectl(&["get", "pods", "-l", "shipcat.dev/tests-of", "-o", "jsonpath={.items[*].status.phase}"])
                == "Running"
        }
        false => !engine::containers(world).is_empty(),
    };
    while !running() {
        assert!(started.elapsed() < Duration::from_secs(60), "the tests did not begin");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_millis(700));
}

fn start(world: &World, args: &[&str]) -> Child {
    command(world, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn tested(world: &World, service: &str) -> Value {
    let history = run(world, &["history", service, "-o", "json"]).ends(0).stdout;
    serde_json::from_str::<Value>(&history).unwrap()["releases"][0]["tests"].clone()
}

/// Ships with tests that pass, and with tests that fail.
fn a_ship_is_tested(name: &str, how: &str) {
    let world = world(name, how, &["webapp"]);
    let slack = Slack::new();
    let ship = |args: &[&str]| {
        let run = Run::of(&command(&world, args).env("SLACK_SHIPCAT_HOOK_URL", &slack.url).output().unwrap());
        assert!(
            !run.stderr.contains(crate::common::slack::SECRET) && !run.stdout.contains(crate::common::slack::SECRET),
            "{run:?}"
        );
        run
    };
    let url = format!("testing http://webapp.{}/0.1.0 (passes)", world.namespace);
    let first =
        ship(&["ship", "webapp"]).ends(0).says(&url).says("the tests of webapp passed").says("3 cases, 1 skipped");
    // Tested it is before it is said to run.
    let at = |text: &str| first.stderr.find(text).unwrap_or_else(|| panic!("{text}: {}", first.stderr));
    assert!(at("the tests of webapp passed") < at("webapp 0.1.0 runs in dev"), "{}", first.stderr);
    assert_eq!(tested(&world, "webapp")["passed"], true);
    assert_eq!(slack.texts(), ["webapp 0.1.0 shipped in dev"]);
    // Nothing to do, nothing to test.
    assert!(!ship(&["ship", "webapp"]).ends(0).stderr.contains("testing"));
    let (fields, pods) = (world.fields(), world.ready_pods());
    let junit = world.repo.path().join("reports");
    let page = world.repo.path().join("page.md");
    let args = ["ship", "webapp", "--tag", "0.2.0", "--tests-tag", "fails", "--junit", junit.to_str().unwrap()];
    let failed = ship(&[&args[..], &["-o", "json", "--summary", page.to_str().unwrap()]].concat())
        .ends(3)
        .says("webapp 0.1.0 runs in dev as before (release 2 was taken back)");
    let failed = failed.says("webapp: says goodbye\n    expected \"bye\", found \"ahoy\"").says("1 of 3 cases failed");
    assert_eq!((world.fields(), world.image()), (fields, "0.1.0".to_owned()), "{}", failed.stderr);
    // Programs and pages are told which.
    let json: Value = serde_json::from_str(&failed.stdout).unwrap();
    let told = &json["services"][0];
    assert_eq!((&json["reason"], &told["reason"], &told["exitCode"]), (&"tests".into(), &"tests".into(), &3.into()));
    assert_eq!((&told["tests"]["passed"], &told["tests"]["failed"]), (&false.into(), &1.into()), "{told:#}");
    assert_eq!(told["tests"]["failing"][0]["name"], "webapp: says goodbye");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("- webapp: says goodbye: expected \"bye\", found "), "{page}");
    // That it was tested did not touch the old pod's fields; it is another one, or the same.
    assert_eq!(world.ready_pods().len(), pods.len());
    let message = slack.told();
    assert_eq!(message.len(), 1);
    assert_eq!(message[0]["text"], "webapp 0.1.0 -&gt; 0.2.0: tests failed in dev");
    assert_eq!(message[0]["channel"], "#deploys");
    let blocks = message[0]["blocks"].to_string();
    assert!(blocks.contains("\u{2022} webapp: says goodbye: expected \\\"bye\\\", found"), "{blocks}");
    let kept = std::fs::read_to_string(junit.join("webapp/TEST-webapp.xml")).unwrap();
    assert!(kept.contains("greets in dev"), "{kept}");
    let verdict = tested(&world, "webapp");
    assert_eq!((&verdict["passed"], &verdict["failed"], &verdict["cases"]), (&false.into(), &1.into(), &3.into()));
    assert!(run(&world, &["history", "webapp"]).ends(0).stdout.contains("   1 of 3 failed   "));
    run(&world, &["ship", "webapp", "--tag", "0.2.0", "--no-test"]).ends(0);
    nothing_is_left(&world, &failed.stderr);
}

#[test]
fn a_ship_is_tested_by_a_container() {
    a_ship_is_tested("bdd-ship", CONTAINER);
}

#[test]
fn a_ship_is_tested_by_a_job() {
    a_ship_is_tested("bdd-ship-job", JOB);
}

/// Each verdict, on one service that runs.
fn verdicts(name: &str, how: &str) {
    let world = world(name, how, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let mut story = run(&world, &["test", "webapp", "-v"]).ends(0).says("the tests of webapp passed").stderr;
    for (tag, says) in [
        ("lies", "the tests of webapp failed after"),
        ("lies", "1 of 3 cases failed (3 cases, 1 failed)\n  webapp: says goodbye"),
        ("grumbles", "the tests' container ended with exit code 1, though no case failed"),
        ("silent", "the tests left no JUnit file in `/junit`"),
        ("empty", "the JUnit file `TEST-webapp.xml` is empty"),
        ("skips", "the only test case was skipped"),
        ("broken", "the JUnit file `TEST-webapp.xml` is no well-formed XML: "),
    ] {
        story += &run(&world, &["test", "webapp", "--tests-tag", tag]).ends(1).says(says).stderr;
    }
    let page = world.repo.path().join("page.md");
    let args = ["test", "webapp", "--tests-tag", "sleeps", "--tests-timeout", "3s", "-o", "json", "--summary"];
    let late = run(&world, &[&args[..], &[page.to_str().unwrap()]].concat()).ends(1);
    let late = late.says("the tests were not done within 3.0 s and were stopped; 1 of 3 cases failed");
    let json: Value = serde_json::from_str(&late.stdout).unwrap();
    assert_eq!((&json["services"][0]["verdict"], &json["services"][0]["version"]), (&"failed".into(), &"0.1.0".into()));
    assert_eq!(json["services"][0]["tests"]["failing"][0]["name"], "webapp: says goodbye");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("shipcat test in dev: ") && page.contains("- webapp: says goodbye: expected "), "{page}");
    story += &late.stderr;
    nothing_is_left(&world, &story);
    let status = run(&world, &["status", "webapp"]).ends(0).stdout;
    assert!(status.contains("\n  tests     failed: the tests were not done within 3.0 s"), "{status}");
}

#[test]
fn verdicts_by_a_container() {
    verdicts("bdd-verdicts", CONTAINER);
}

#[test]
fn verdicts_by_a_job() {
    verdicts("bdd-verdicts-job", JOB);
}

#[test]
fn a_job_that_cannot_run_says_why() {
    let world = world("bdd-stuck-job", JOB, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let stuck = run(&world, &["test", "webapp", "--tests-tag", "absent"]).ends(2);
    let stuck = stuck.says("error: the tests of webapp could not be run: the container `tests` of the tests' pod, ");
    nothing_is_left(&world, &stuck.stderr);
    // What the API server would not take is found before anything is changed.
    let quota = r#"{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"count/jobs.batch":"0"}}}"#;
    world.kubectl_with(&["apply", "-f", "-"], quota);
    let full = run(&world, &["ship", "webapp", "--tag", "0.2.0"]).ends(2);
    let full = full.says("the API server would not take the Job of the tests of webapp");
    assert_eq!(world.image(), "0.1.0", "{}", full.stderr);
}

/// An interrupt in the middle of the tests of a ship takes it back, and leaves nothing.
fn interrupts(name: &str, how: &str, by_job: bool) {
    let world = world(name, how, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let fields = world.fields();
    for (args, kill, code) in [
        (&["ship", "webapp", "--tag", "0.2.0", "--tests-tag", "sleeps"][..], "-INT", 130),
        (&["test", "webapp", "--tests-tag", "sleeps"], "-TERM", 143),
    ] {
        let child = start(&world, args);
        until_they_run(&world, by_job);
        let waits = world.shipcat(&["lock", "show"]).ends(0).stdout;
        assert!(waits.contains("  step      runs the tests of webapp") || waits.contains("is at work"), "{waits}");
        let at = Instant::now();
        signal(&child, kill);
        let run = Run::of(&child.wait_with_output().unwrap()).ends(code);
        // Nobody waits for tests that do not listen; only for a kubelet of 1.20 that is busy, which may say a minute later that they have ended.
        assert!(at.elapsed() < Duration::from_secs(if by_job { 90 } else { 8 }), "{:?}\n{}", at.elapsed(), run.stderr);
        nothing_is_left(&world, &run.stderr);
        assert_eq!(world.fields(), fields, "{}", run.stderr);
    }
}

#[test]
fn an_interrupt_leaves_no_container() {
    interrupts("bdd-int", CONTAINER, false);
}

#[test]
fn an_interrupt_leaves_no_job() {
    interrupts("bdd-int-job", JOB, true);
}

/// Tests whose pod somebody deletes are over, and say so.
#[test]
fn tests_whose_pod_is_deleted_are_over() {
    let world = world("bdd-deleted", JOB, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let child = start(&world, &["test", "webapp", "--tests-tag", "sleeps", "--tests-timeout", "4m"]);
    until_they_run(&world, true);
    let at = Instant::now();
    world.kubectl(&["delete", "pods", "-l", "shipcat.dev/tests-of", "--force", "--grace-period=0", "--wait=false"]);
    let run = Run::of(&child.wait_with_output().unwrap()).ends(1).says("the tests' pod is gone: somebody, or the");
    assert!(at.elapsed() < Duration::from_secs(90), "{:?} {}", at.elapsed(), run.stderr);
    nothing_is_left(&world, &run.stderr);
}

/// What is urgent comes first: nothing waits for a Job before what it tested is put back.
#[test]
fn an_interrupt_puts_back_before_it_waits_for_a_job() {
    let world = world("bdd-first", JOB, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let trap = Trap::new("read -r point", "exec \"$real\" \"$@\"");
    let mut ship = trap.command(&world, &["ship", "webapp", "--tag", "0.2.0", "--tests-tag", "sleeps"]);
    let child = ship.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_they_run(&world, true);
    signal(&child, "-INT");
    let run = Run::of(&child.wait_with_output().unwrap()).ends(130).says("webapp 0.1.0 runs in dev as before");
    let log = trap.log();
    let (_, behind) = log.split_once("delete --raw /apis/batch/v1/").unwrap_or_else(|| panic!("{log}"));
    let at = |start: &str| {
        behind.lines().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}:\n{log}"))
    };
    assert!(at("replace --raw /apis/apps/v1/") < at("get pods -l job-name="), "{behind}");
    nothing_is_left(&world, &run.stderr);
}

/// Tests that take some seconds, and pass.
const SLOW: &str = "command: [sh, -c, \"mkdir -p /junit; sleep 4; echo '<testsuite><testcase name=\\\"a\\\"/></testsuite>' > /junit/a.xml\"], network: none";

#[test]
fn a_verdict_on_what_somebody_changed_meanwhile_is_void() {
    let world = world("bdd-void", SLOW, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    for (args, says) in [
        (&["ship", "webapp", "--tag", "0.2.0"][..], "nothing of webapp in dev is rolled back, a person is needed"),
        (
            &["test", "webapp"],
            "error: the verdict of the tests is void: Deployment/webapp was changed by somebody else meanwhile",
        ),
    ] {
        let child = start(&world, args);
        until_they_run(&world, false);
        world.kubectl(&["set", "env", "deployment/webapp", &format!("BY_HAND={}", args[0])]);
        let run = Run::of(&child.wait_with_output().unwrap()).ends(5).says(says);
        // What he did stays, and so does the ship.
        let env = world.get(&["deployment", "webapp"])["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
        assert!(env.contains("BY_HAND") && world.image() == "0.2.0", "{env} {}", run.stderr);
        nothing_is_left(&world, &run.stderr);
    }
    assert!(world.outcomes()[0].contains("broken"), "{:?}", world.outcomes());
}

#[test]
fn a_lost_lock_stops_the_tests() {
    let world = world("bdd-lock", CONTAINER, &["webapp"]);
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let child = start(&world, &["ship", "webapp", "--tag", "0.2.0", "--tests-tag", "sleeps"]);
    until_they_run(&world, false);
    world.shipcat(&["lock", "steal", "--reason", "a test", "--now"]).ends(0);
    let run = Run::of(&child.wait_with_output().unwrap()).ends(5).says("the lock is lost");
    assert_eq!(world.image(), "0.2.0", "{}", run.stderr);
    nothing_is_left(&world, &run.stderr);
}

#[test]
fn a_release_whose_run_died_is_completed_with_its_tests() {
    let world = world("bdd-died", "command: [sh, -c, \"sleep 3\"], network: none", &["webapp"]);
    world.settings("lock: {lifetime: 4s}");
    run(&world, &["ship", "webapp", "--no-test"]).ends(0);
    let mut child = start(&world, &["ship", "webapp", "--tag", "0.2.0"]);
    until_they_run(&world, false);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it ran may run on: nobody is there to stop it. What it brought is up, and its tests, which leave no file, fail.
    let next = run(&world, &["rollback", "webapp", "--to", "999", "--lock-wait", "1m"]).ends(2);
    let next =
        next.says("completing it").says("the tests left no JUnit file").says("webapp 0.1.0 runs in dev as before");
    assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), ("0.1.0", "taken back"), "{}", next.stderr);
    let mut remove = Command::new("podman");
    remove.env("PATH", engine::path()).args(["rm", "--force", "--time", "0"]).args(engine::containers(&world));
    drop(remove.output());
}

#[test]
fn all_are_rolled_out_before_one_is_tested() {
    let world = world("bdd-several", CONTAINER, &["api", "shop", "webapp"]);
    let first = run(&world, &["ship", "--all", "--jobs", "1"]).ends(0);
    let line =
        |text: &str| first.stderr.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}"));
    let begun = ["api    | release 1 begun", "shop   | release 1 begun", "webapp | release 1 begun"].map(line);
    let tested = ["api    | testing", "shop   | testing", "webapp | testing"].map(line);
    let passed = ["api    | the tests", "shop   | the tests", "webapp | the tests"].map(line);
    assert!(begun.iter().max() < tested.iter().min(), "{}", first.stderr);
    assert!(passed[0] < tested[1] && passed[1] < tested[2], "{}", first.stderr);
    // One of them fails: it alone goes back, or all do.
    write(world.repo.path(), &[("manifests/shop/manifest.yml", &format!("{WEB}tests: {{tag: fails}}\n"))]);
    let image = |service: &str| {
        let image = world.get(&["deployment", service])["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        image.as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    };
    let ship = ["ship", "api=0.2.0", "shop=0.2.0", "webapp=0.2.0"];
    let together = run(&world, &[&ship[..], &["--together"]].concat()).ends(3);
    assert_eq!(["api", "shop", "webapp"].map(image), ["0.1.0"; 3], "{}", together.stderr);
    let apart = run(&world, &ship).ends(3);
    assert_eq!(["api", "shop", "webapp"].map(image), ["0.2.0", "0.1.0", "0.2.0"], "{}", apart.stderr);
    nothing_is_left(&world, &apart.stderr);
}

#[test]
fn what_cannot_be_run_is_found_before_anything_is_changed() {
    let world = world("bdd-preflight", CONTAINER, &["webapp"]);
    let absent = run(&world, &["ship", "webapp", "--tests-tag", "absent"]).ends(2);
    let absent = absent.says("the image of the tests, registry.shipcat.test/webapp-tests:absent, cannot be pulled: ");
    assert_eq!(world.items(&["deployments"]).len(), 0, "{}", absent.stderr);
    // With nothing but kubectl on PATH.
    let dir = tempfile::tempdir().unwrap();
    let kubectl =
        std::env::split_paths(&engine::path()).map(|dir| dir.join("kubectl")).find(|file| file.is_file()).unwrap();
    std::os::unix::fs::symlink(kubectl, dir.path().join("kubectl")).unwrap();
    let ship = Run::of(&world.command(&["ship", "webapp"]).env("PATH", dir.path()).output().unwrap()).ends(2);
    let none = ship.says("there is no `docker` on your PATH, and there is no `podman` on your PATH");
    assert_eq!(world.items(&["deployments"]).len(), 0, "{}", none.stderr);
    // What does not run cannot be tested.
    run(&world, &["test", "webapp"]).ends(2).says("`webapp` does not run in dev: there is nothing to test");
}

/// An engine that does what a real one cannot be made to do: `dir` says what, and knows what it was asked.
const FAKE: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$*" >>"$dir/asked"
case $1 in
create)
    env >"$dir/env"
    [ ! -e "$dir/full" ] || { echo "Error response from daemon: no space left on device" >&2; exit 1; } ;;
start)
    echo "password: $PASSWORD" ;;
inspect)
    echo "exited 0" ;;
cp)
    [ -e "$dir/files.tar" ] || { echo "Error response from daemon: connection reset by peer" >&2; exit 1; }
    cat "$dir/files.tar" ;;
rm)
    [ ! -e "$dir/stuck" ] || { echo "Error response from daemon: device or resource busy" >&2; exit 1; } ;;
esac
"#;

fn add(tar: &mut tar::Builder<Vec<u8>>, name: &[u8], kind: tar::EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    if kind == tar::EntryType::Symlink {
        header.set_link_name("/etc/hostname").unwrap();
    }
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

#[test]
fn an_engine_that_fails_or_means_harm() {
    let world = world("bdd-fake", "env: {PASSWORD: hunter2-hunter2}, network: none", &["webapp"]);
    let fake = tempfile::tempdir().unwrap();
    let file = |name: &str| fake.path().join(name);
    std::fs::write(file("docker"), FAKE).unwrap();
    std::fs::set_permissions(file("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", fake.path().display(), std::env::var("PATH").unwrap());
    let run = |args: &[&str]| Run::of(&world.command(args).env("PATH", &path).output().unwrap());
    run(&["ship", "webapp", "--no-test"]).ends(0);
    // A container that cannot be made: what is shipped is taken back, untested.
    std::fs::write(file("full"), "").unwrap();
    let says = "the container of the tests cannot be made: Error response from daemon: no space left on device";
    run(&["ship", "webapp", "--tag", "0.2.0"]).ends(3).says(says);
    assert_eq!(world.image(), "0.1.0");
    run(&["test", "webapp"]).ends(2).says(says);
    std::fs::remove_file(file("full")).unwrap();
    // Files that do not come: nobody knows how the tests went.
    let says = "the JUnit files could not be fetched: Error response from daemon: connection reset by peer";
    run(&["test", "webapp"]).ends(1).says(says);
    // What leads out of the folder does not.
    let good: &[u8] = b"<testsuite><testcase name='a'/></testsuite>";
    let mut tar = tar::Builder::new(Vec::new());
    for name in [&b"junit/a.xml"[..], b"../../../b.xml", b"/c.xml"] {
        add(&mut tar, name, tar::EntryType::Regular, good);
    }
    add(&mut tar, b"junit/d.xml", tar::EntryType::Symlink, b"");
    std::fs::write(file("files.tar"), tar.into_inner().unwrap()).unwrap();
    std::fs::write(file("stuck"), "").unwrap();
    let kept = world.repo.path().join("kept");
    let tested = run(&["test", "webapp", "--junit", kept.to_str().unwrap()])
        .ends(0)
        .says("`d.xml` is a link, and was not followed");
    let names = |dir: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&kept.join("webapp")), ["a.xml", "b.xml", "c.xml"]);
    assert_eq!((names(&kept).len(), world.repo.path().join("b.xml").exists()), (1, false));
    // A container that stays is told, with what to do about it.
    let tested = tested.says("warning: the container of the tests could not be removed: Error response from daemon: device or resource busy; `docker rm -f shipcat-tests-webapp-");
    // What a variable holds is on no process list, and is given all the same.
    let asked = std::fs::read_to_string(file("asked")).unwrap();
    assert!(!asked.contains("hunter2") && asked.contains("--env PASSWORD"), "{asked}");
    assert!(std::fs::read_to_string(file("env")).unwrap().contains("PASSWORD=hunter2-hunter2"));
    // What is in a Secret of the namespace is masked in what the tests say.
    assert!(tested.stderr.contains("    | password: "), "{}", tested.stderr);
    world.kubectl(&["create", "secret", "generic", "db", "--from-literal=password=s3cret-s3cret"]);
    let settings = std::fs::read_to_string(world.repo.path().join("shipcat.yml")).unwrap();
    std::fs::write(world.repo.path().join("shipcat.yml"), settings.replace("hunter2-hunter2", "s3cret-s3cret"))
        .unwrap();
    std::fs::write(file("docker"), FAKE.replace("$PASSWORD", "s3cret-s3cret")).unwrap();
    std::fs::remove_file(file("stuck")).unwrap();
    let masked = run(&["test", "webapp", "-v"]).ends(0).says("    | password: ***");
    assert!(!masked.stderr.contains("s3cret"), "{}", masked.stderr);
}
