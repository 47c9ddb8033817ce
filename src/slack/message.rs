//! What is said: one message for what became of a service, in Slack's block format with a plain text beside it
//! (api.slack.com/reference/block-kit: 50 blocks a message, 3000 characters a text). Pure.

use serde_json::{Value, json};

use crate::error::count;

/// How much a text may hold, in characters; Slack takes 3000.
const TEXT: usize = 2800;
/// How many services are told in one message, two blocks each.
const SERVICES: usize = 20;

/// What became of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A ship worked.
    Shipped,
    /// An update worked.
    Updated,
    /// The tests failed.
    TestsFailed,
    /// It was taken back: by itself, since it failed, or by somebody.
    RolledBack,
    /// It was retired.
    Removed,
    /// It is not as it should be, and stays so until somebody looks.
    NeedsPerson,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Shipped => (":white_check_mark:", "shipped"),
            Self::Updated => (":white_check_mark:", "updated"),
            Self::TestsFailed => (":x:", "tests failed"),
            Self::RolledBack => (":leftwards_arrow_with_hook:", "rolled back"),
            Self::Removed => (":wastebasket:", "removed"),
            Self::NeedsPerson => (":rotating_light:", "needs a person"),
        }
    }
}

/// What became of a service, with all that is told of it.
#[derive(Debug, Clone)]
pub struct Note {
    /// What became of it.
    pub kind: Kind,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The version that ran before, if one did.
    pub from: Option<String>,
    /// The version that this was about.
    pub to: String,
    /// Of what nature the change was.
    pub nature: Vec<String>,
    /// Who did it.
    pub who: String,
    /// The CI build that did it: its URL.
    pub build: Option<String>,
    /// Why it failed.
    pub why: Option<String>,
    /// How the tests went, where they were run and passed.
    pub tests: Option<String>,
    /// The failing cases, one a line.
    pub cases: Vec<String>,
}

/// The message about one or several services of which the same became.
pub fn told(notes: &[Note], channel: Option<&str>) -> Value {
    let mut blocks = Vec::new();
    for note in notes.iter().take(SERVICES) {
        blocks.push(json!({"type": "section", "text": mrkdwn(&body(note))}));
        blocks.push(json!({"type": "context", "elements": [mrkdwn(&context(note))]}));
    }
    if notes.len() > SERVICES {
        let more = format!("and {}", count(notes.len() - SERVICES, "more service"));
        blocks.push(json!({"type": "context", "elements": [mrkdwn(&more)]}));
    }
    let lines: Vec<String> = notes.iter().map(|note| escaped(&headline(note))).collect();
    message(&lines.join("\n"), Some(blocks), channel)
}

/// A message of somebody's own words.
pub fn said(text: &str, channel: Option<&str>) -> Value {
    message(&escaped(text), Some(vec![json!({"type": "section", "text": mrkdwn(&escaped(text))})]), channel)
}

fn message(text: &str, blocks: Option<Vec<Value>>, channel: Option<&str>) -> Value {
    let mut message = json!({"text": cut(text)});
    if let Some(blocks) = blocks {
        message["blocks"] = blocks.into();
    }
    if let Some(channel) = channel {
        message["channel"] = channel.into();
    }
    message
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": cut(text)})
}

/// In a line: `webapp 0.1.0 -> 0.2.0 shipped in dev`.
fn headline(note: &Note) -> String {
    let Note { kind, service, environment, .. } = note;
    let (_, word) = kind.words();
    let version = versions(note);
    match kind {
        Kind::TestsFailed => format!("{service} {version}: tests failed in {environment}"),
        Kind::NeedsPerson => format!("{service} {version} needs a person in {environment}"),
        _ => format!("{service} {version} {word} in {environment}"),
    }
}

fn versions(Note { from, to, .. }: &Note) -> String {
    match from {
        Some(from) if from != to => format!("{from} -> {to}"),
        _ => to.clone(),
    }
}

fn body(note: &Note) -> String {
    let (sign, _) = note.kind.words();
    let mut text = format!("{sign} *{}*", escaped(&headline(note)));
    if let Some(why) = &note.why {
        text += &format!("\n{}", escaped(why));
    }
    if let Some(tests) = &note.tests {
        text += &format!("\ntests {}", escaped(tests));
    }
    for case in &note.cases {
        text += &format!("\n\u{2022} {}", escaped(case));
    }
    text
}

fn context(note: &Note) -> String {
    let mut parts = Vec::new();
    if !note.nature.is_empty() {
        parts.push(escaped(&note.nature.join(", ")));
    }
    parts.push(format!("by {}", escaped(&note.who)));
    parts.extend(note.build.as_ref().map(|build| {
        match build.starts_with("http") && !build.contains(['|', '>', '<', ' ']) {
            true => format!("<{}|build>", build.replace('&', "&amp;")),
            false => format!("build {}", escaped(build)),
        }
    }));
    parts.join("  |  ")
}

/// What Slack would read as a link or a mention is text (api.slack.com/reference/surfaces/formatting#escaping).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(kind: Kind) -> Note {
        Note {
            kind,
            service: "webapp".into(),
            environment: "dev".into(),
            from: Some("0.1.0".into()),
            to: "0.2.0".into(),
            nature: vec!["image".into(), "config".into()],
            who: "ann@laptop".into(),
            build: Some("https://ci/job/7?a=1&b=2".into()),
            why: None,
            tests: None,
            cases: Vec::new(),
        }
    }

    #[test]
    fn a_message_says_what_and_who() {
        assert_eq!(
            told(&[note(Kind::Shipped)], Some("#deploys")),
            json!({"text": "webapp 0.1.0 -&gt; 0.2.0 shipped in dev", "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": ":white_check_mark: *webapp 0.1.0 -&gt; 0.2.0 shipped in dev*"}},
                {"type": "context", "elements": [{"type": "mrkdwn",
                    "text": "image, config  |  by ann@laptop  |  <https://ci/job/7?a=1&amp;b=2|build>"}]},
            ], "channel": "#deploys"})
        );
    }

    #[test]
    fn cases_are_named_and_nobody_is_mentioned() {
        let cases = vec!["greets: <!channel> & all".to_owned()];
        let note = Note { why: Some("1 of 2 cases failed".into()), cases, ..note(Kind::TestsFailed) };
        let text = told(&[note], None)["blocks"][0]["text"]["text"].clone();
        assert_eq!(
            text,
            ":x: *webapp 0.1.0 -&gt; 0.2.0: tests failed in dev*\n1 of 2 cases failed\n\u{2022} greets: &lt;!channel&gt; &amp; all"
        );
    }

    #[test]
    fn many_services_are_one_message_that_slack_takes() {
        let notes: Vec<Note> =
            (0..200).map(|n| Note { service: format!("service-{n}"), ..note(Kind::Shipped) }).collect();
        let message = told(&notes, None);
        assert!(message["blocks"].as_array().unwrap().len() <= 50);
        assert!(message["text"].as_str().unwrap().chars().count() <= 3000);
    }
}
