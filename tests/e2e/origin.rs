//! Who ships, and from which build: in the lock, the records, and what is told; and how the story is told where a CI system has a terminal.

use serde_json::Value;

use crate::common::Run;
use crate::common::world::World;

const SMALL: &str = "version: 0.1.0\nreplicas: 1\nterminationGracePeriodSeconds: 2\nport: 8080\nhealth: /ready\n";

/// Variables, who is at work by them, and the build.
type System = (&'static [(&'static str, &'static str)], &'static str, &'static str);

/// Each system's variables, and what is to become of them.
const SYSTEMS: [System; 4] = [
    (
        &[
            ("JENKINS_URL", "https://ci.example.com/"),
            ("BUILD_URL", "https://robot:geheim@ci.example.com/job/deploy-dev/7/"),
            ("BUILD_USER_ID", "ann"),
            // Handed on by the build that triggered it.
            ("CIRCLE_USERNAME", "bob"),
            ("CIRCLE_BUILD_URL", "https://circleci.com/gh/acme/webapp/12"),
        ],
        "ann via jenkins",
        "https://ci.example.com/job/deploy-dev/7/",
    ),
    (
        &[
            ("CI", "true"),
            ("CIRCLECI", "true"),
            ("CIRCLE_USERNAME", "ann"),
            ("CIRCLE_BUILD_URL", "https://circleci.com/gh/acme/webapp/12"),
        ],
        "ann via circleci",
        "https://circleci.com/gh/acme/webapp/12",
    ),
    (
        &[
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/webapp"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_ACTOR", "ann"),
            ("GITHUB_TRIGGERING_ACTOR", "bob"),
        ],
        "bob via github",
        "https://github.com/acme/webapp/actions/runs/99/attempts/2",
    ),
    (
        &[
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("GITLAB_USER_LOGIN", "ann\u{1b}[2J\n"),
            ("CI_JOB_URL", "https://gitlab.com/acme/webapp/-/jobs/5"),
        ],
        "ann [2J via gitlab",
        "https://gitlab.com/acme/webapp/-/jobs/5",
    ),
];

#[test]
fn the_lock_and_the_record_know_the_build_and_who_started_it() {
    let world = World::new("origin");
    world.file("manifest.yml", SMALL);
    for (n, (variables, who, build)) in SYSTEMS.iter().enumerate() {
        let mut command = world.command(&["ship", "webapp", "--tag", ["0.1.0", "0.2.0"][n % 2]]);
        command
            .envs(variables.iter().copied())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        // While it is at work.
        let run = loop {
            let lock: Value =
                serde_json::from_str(&world.shipcat(&["lock", "show", "-o", "json"]).ends(0).stdout).unwrap();
            if lock["run"].is_object() {
                break lock["run"].clone();
            }
        };
        assert_eq!((&run["who"], &run["build"]), (&Value::from(*who), &Value::from(*build)));
        Run::of(&child.wait_with_output().unwrap()).ends(0).says(&format!("begun by {who}"));
        let history: Value =
            serde_json::from_str(&world.shipcat(&["history", "webapp", "-o", "json"]).ends(0).stdout).unwrap();
        let newest = &history["releases"][0];
        assert_eq!((&newest["who"], &newest["build"]), (&Value::from(*who), &Value::from(*build)));
        let status = world.shipcat(&["status", "webapp"]).ends(0).stdout;
        assert!(status.contains(&format!("by {who}, ")) && status.contains(build), "{status}");
    }
}

#[test]
fn a_terminal_that_nobody_sits_at_is_told_in_lines() {
    let world = World::new("ci-terminal");
    world.file("manifest.yml", SMALL);
    let seen = |tag: &str, variables: &[(&str, &str)]| {
        world.on_terminal(&["ship", "webapp", "--tag", tag], variables, "").ends(0).stdout
    };
    // What moves the cursor, and what only colours.
    let moves = |seen: &str| seen.contains("\u{1b}[K") || seen.contains("\u{1b}[J");
    let live = seen("0.1.0", &[("TERM", "xterm")]);
    assert!(moves(&live) && live.contains("\u{1b}[1m"), "{live:?}");
    let circle = seen("0.2.0", &[("TERM", "xterm"), ("CI", "true"), ("CIRCLECI", "true")]);
    assert!(!moves(&circle) && circle.contains("\u{1b}[1m"), "{circle:?}");
    let plain = seen("0.1.0", &[("TERM", "xterm"), ("CI", "true"), ("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}') && plain.contains("webapp 0.1.0 runs in dev after"), "{plain:?}");
    let dumb = seen("0.2.0", &[("TERM", "dumb"), ("CI", "true")]);
    assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
    let colourless = seen("0.1.0", &[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(moves(&colourless) && !colourless.contains("\u{1b}[1m"), "{colourless:?}");
}
