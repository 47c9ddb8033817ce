//! `shipcat slack` against a server on loopback that stands for Slack. No cluster is needed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::slack::{Answer, SECRET, Slack};
use common::{Run, shipcat, write};
use serde_json::json;

fn say(dir: &Path, url: &str, args: &[&str]) -> Run {
    let run = Run::of(&shipcat(dir).arg("slack").args(args).env("SLACK_SHIPCAT_HOOK_URL", url).output().unwrap());
    for part in [url, SECRET, "s3cr3t-h00k"].iter().filter(|part| part.len() > 3) {
        assert!(!run.stderr.contains(part) && !run.stdout.contains(part), "{run:?}");
    }
    run
}

#[test]
fn a_message_is_told_as_it_is() {
    let (dir, slack) = (tempfile::tempdir().unwrap(), Slack::new());
    let run = say(dir.path(), &slack.url, &["<!here> a & b", "--channel", "#web"]).ends(0);
    assert_eq!((run.stderr.as_str(), run.stdout.as_str()), ("Slack was told\n", ""));
    let text = "&lt;!here&gt; a &amp; b";
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    assert_eq!(slack.told(), [json!({"text": text, "blocks": [block], "channel": "#web"})]);
}

#[test]
fn the_channel_is_the_environments() {
    let (dir, slack) = (tempfile::tempdir().unwrap(), Slack::new());
    let repo = "slack: \"#all\"\nenvironments:\n  dev: {contexts: [a]}\n  live: {contexts: [b], slack: \"#live\"}\n  my: {contexts: [c], slack: false}\n";
    write(dir.path(), &[("shipcat.yml", repo)]);
    for (environment, channel) in [("dev", Some("#all")), ("live", Some("#live")), ("my", None)] {
        say(dir.path(), &slack.url, &["x", "-n", environment]).ends(0);
        let told = slack.told();
        assert_eq!(told.first().map(|message| message["channel"].as_str().unwrap()), channel, "{environment}");
    }
}

#[test]
fn it_is_tried_again_as_slack_asks() {
    let dir = tempfile::tempdir().unwrap();
    let slack = Slack::answering(&[Answer::Later(1), Answer::Status(503), Answer::Status(200)]);
    say(dir.path(), &slack.url, &["x"]).ends(0).says("Slack was told");
    let times = slack.times();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_millis(950), "{:?}", times[1] - times[0]);
}

#[test]
fn a_slack_that_fails_is_a_warning_within_ten_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let each = |answers: &[Answer], says: &str, least: usize| {
        let slack = Slack::answering(answers);
        let started = Instant::now();
        say(dir.path(), &slack.url, &["x"]).ends(0).says(&format!("warning: Slack was not told: {says}\n"));
        assert!(started.elapsed() < Duration::from_secs(11), "{says}: {:?}", started.elapsed());
        assert!(slack.told().len() >= least, "{says}");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| each(&[Answer::Status(500)], "Slack answers 500", 3));
        scope.spawn(|| each(&[Answer::Hangs], "Slack did not answer in time", 1));
        scope.spawn(|| each(&[Answer::Later(60)], "Slack wants fewer messages (429)", 1));
        scope.spawn(|| each(&[Answer::Status(404)], "Slack answers 404: ok", 1));
    });
    // Nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = Instant::now();
    let nobody = format!("http://{gone}/services/{SECRET}");
    say(dir.path(), &nobody, &["x"]).ends(0).says("warning: Slack was not told: Slack's webhook cannot be reached\n");
    assert!(started.elapsed() < Duration::from_secs(11));
}

#[test]
fn the_url_comes_from_the_environment_alone_and_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let none = Run::of(&shipcat(dir.path()).args(["slack", "x"]).output().unwrap()).ends(2);
    assert!(
        none.stderr.starts_with("error: SLACK_SHIPCAT_HOOK_URL is not set: there is no Slack to tell\nhint: "),
        "{none:?}"
    );
    let plain = format!("http://hooks.example.com/services/{SECRET}");
    say(dir.path(), &plain, &["x"]).ends(2).says("error: SLACK_SHIPCAT_HOOK_URL holds a URL that is not https\n");
    let unknown = format!("https://no-such-host.invalid/services/{SECRET}");
    say(dir.path(), &unknown, &["x"]).ends(0).says("warning: Slack was not told: ");
    say(dir.path(), "", &["x"]).ends(2);
}

#[test]
fn what_leads_elsewhere_is_not_followed() {
    let (dir, slack) = (tempfile::tempdir().unwrap(), Slack::answering(&[Answer::Status(302)]));
    say(dir.path(), &slack.url, &["x"]).ends(0).says("warning: Slack was not told: ");
    assert_eq!(slack.told().len(), 1);
}
