//! What Slack is told of releases on a real cluster, and that nobody else is told the webhook's URL.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::common::Run;
use crate::common::slack::{Answer, SECRET, Slack};
use crate::common::world::World;

const WEB: &str = "version: 0.1.0\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\nslack: \"#web\"\n";

/// A kubectl that keeps its arguments and its environment before it is the real one.
fn witness(dir: &std::path::Path) -> String {
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|dir| dir.join("kubectl")).find(|kubectl| kubectl.is_file()).unwrap();
    let script =
        format!("#!/bin/sh\n{{ echo \"$*\"; env; }} >>'{0}/seen'\nexec '{1}' \"$@\"\n", dir.display(), real.display());
    std::fs::write(dir.join("kubectl"), script).unwrap();
    std::fs::set_permissions(dir.join("kubectl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{path}", dir.display())
}

#[test]
fn each_message_as_it_is_sent() {
    let (world, slack, dir) = (World::new("slack"), Slack::new(), tempfile::tempdir().unwrap());
    world.file("manifest.yml", WEB);
    let path = witness(dir.path());
    let run = |args: &[&str], code: i32| {
        let mut command = world.command(args);
        command
            .env("SLACK_SHIPCAT_HOOK_URL", &slack.url)
            .env("PATH", &path)
            .env("BUILD_URL", "https://ci.example.com/7");
        let run = Run::of(&command.output().unwrap()).ends(code);
        for part in [slack.url.as_str(), SECRET, "s3cr3t-h00k"] {
            assert!(!run.stderr.contains(part) && !run.stdout.contains(part), "{run:?}");
        }
        let told = slack.told();
        assert!(told.iter().all(|message| message["channel"] == "#web"), "{told:?}");
        told
    };
    let texts = |told: &[serde_json::Value]| -> Vec<String> {
        told.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    };
    // What changes nothing tells nothing.
    assert!(run(&["ship", "webapp", "--dry-run"], 0).is_empty());
    let shipped = run(&["ship", "webapp", "-v"], 0);
    assert_eq!(texts(&shipped), ["webapp 0.1.0 shipped in dev"]);
    let context = shipped[0]["blocks"][1]["elements"][0]["text"].as_str().unwrap();
    assert!(
        context.starts_with("new  |  by ") && context.ends_with("  |  <https://ci.example.com/7|build>"),
        "{context}"
    );
    assert!(run(&["ship", "webapp"], 0).is_empty());
    assert!(run(&["ship", "webapp=0.2.0", "--no-notify"], 0).is_empty());
    world.file("manifest.yml", &format!("{WEB}env: {{A: b}}\n"));
    assert_eq!(texts(&run(&["update", "webapp"], 0)), ["webapp 0.2.0 updated in dev"]);
    let back = run(&["ship", "webapp", "--tag", "crashes"], 3);
    assert_eq!(texts(&back), ["webapp 0.2.0 -&gt; crashes rolled back in dev"]);
    let why = back[0]["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(why.contains("crashed 2 times: exit code 7"), "{why}");
    let person = run(&["ship", "webapp", "--tag", "crashes", "--on-failure", "keep"], 5);
    assert_eq!(texts(&person), ["webapp 0.2.0 -&gt; crashes needs a person in dev"]);
    assert_eq!(texts(&run(&["rollback", "webapp"], 0)), ["webapp crashes -&gt; 0.2.0 rolled back in dev"]);
    // Refused, and so nothing of anybody's interest.
    assert!(run(&["rollback", "webapp", "--to", "99"], 2).is_empty());
    assert_eq!(texts(&run(&["remove", "webapp"], 0)), ["webapp 0.2.0 removed in dev"]);
    let seen = std::fs::read_to_string(dir.path().join("seen")).unwrap();
    assert!(seen.lines().count() > 100 && !seen.contains("s3cr3t") && !seen.contains("SLACK_SHIPCAT_HOOK_URL"));
}

#[test]
fn a_slack_that_hangs_changes_nothing_of_a_ship() {
    let (world, slack) = (World::new("slack-hangs"), Slack::answering(&[Answer::Hangs]));
    let started = Instant::now();
    let mut command = world.command(&["ship", "webapp"]);
    let run = Run::of(&command.env("SLACK_SHIPCAT_HOOK_URL", &slack.url).output().unwrap()).ends(0);
    let run =
        run.says("webapp 0.1.0 runs in dev after").says("warning: Slack was not told: Slack did not answer in time");
    assert!(started.elapsed() < Duration::from_secs(40), "{}", run.stderr);
    let mut command = world.command(&["ship", "webapp", "--tag", "0.2.0"]);
    let run = Run::of(&command.env("SLACK_SHIPCAT_HOOK_URL", "http://example.com/s3cr3t").output().unwrap()).ends(0);
    let run = run.says("warning: Slack was not told: SLACK_SHIPCAT_HOOK_URL holds a URL that is not https");
    assert!(!run.stderr.contains("s3cr3t"));
}
