//! One test case, as its element says it. There is no standard: the elements are those of Ant's junit task, which all share, and of
//! Maven Surefire (maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd) for what is run again.

use roxmltree::Node;

/// How much of a message is kept, in characters.
const MESSAGE: usize = 300;
/// How much of a name is kept, in characters.
const NAME: usize = 200;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It passed when it was run again.
    Flaky,
    /// It was not run.
    Skipped,
    /// What it checks does not hold: the message, which may be empty.
    Failed(String),
    /// It came to no end by itself: the message, which may be empty.
    Errored(String),
}

/// A test case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its class, feature or suite, and its own name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, in seconds; zero where the file does not say.
    pub seconds: f64,
}

impl Case {
    /// Of a `testcase` element.
    pub fn of(element: Node<'_, '_>, suite: &str) -> Self {
        let class = element.attribute("classname").filter(|class| !class.trim().is_empty()).unwrap_or(suite);
        Self {
            name: named(class, element.attribute("name").unwrap_or_default()),
            outcome: outcome(element),
            seconds: seconds(element),
        }
    }

    /// Of a suite that failed as a whole, outside all of its cases (`error` or `failure` right below `testsuite`).
    pub fn of_suite(suite: Node<'_, '_>) -> Option<Self> {
        let outcome = bad(suite)?;
        Some(Self { name: named("", suite.attribute("name").unwrap_or("a suite")), outcome, seconds: 0.0 })
    }
}

fn named(class: &str, name: &str) -> String {
    let (class, name) = (class.trim(), name.trim());
    let whole = match (class, name) {
        ("", "") => "a case without a name".to_owned(),
        ("", name) => name.to_owned(),
        (class, "") => class.to_owned(),
        (class, name) => format!("{class}: {name}"),
    };
    shortened(&whole, NAME)
}

/// What failed counts, also where it was skipped or retried as well.
fn outcome(element: Node<'_, '_>) -> Outcome {
    let has = |name: &str| element.children().any(|child| child.has_tag_name(name));
    if let Some(bad) = bad(element) {
        return bad;
    }
    // GoogleTest says it in an attribute.
    let unrun = ["notrun", "disabled", "skipped"];
    if has("skipped") || has("disabled") || element.attribute("status").is_some_and(|status| unrun.contains(&status)) {
        return Outcome::Skipped;
    }
    // A `rerunFailure` stands beside the `failure` of a case that never passed; alone, the runner tells of no success either.
    if let Some(again) = child(element, &["rerunFailure", "rerunError"]) {
        return Outcome::Failed(message(again));
    }
    if has("flakyFailure") || has("flakyError") { Outcome::Flaky } else { Outcome::Passed }
}

fn bad(element: Node<'_, '_>) -> Option<Outcome> {
    let error = child(element, &["error"]).map(|error| Outcome::Errored(message(error)));
    let failure = child(element, &["failure"]).map(|failure| Outcome::Failed(message(failure)));
    failure.or(error)
}

fn child<'a, 'b>(element: Node<'a, 'b>, names: &[&str]) -> Option<Node<'a, 'b>> {
    element.children().find(|child| child.is_element() && names.contains(&child.tag_name().name()))
}

/// The message, or the first line of the text, or the kind of it.
fn message(element: Node<'_, '_>) -> String {
    let line = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let said = element.attribute("message").and_then(line);
    let text = || element.children().filter_map(|child| child.text()).find_map(line);
    let kind = || element.attribute("type").and_then(line);
    shortened(&said.or_else(text).or_else(kind).unwrap_or_default(), MESSAGE)
}

fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        short.push('\u{2026}');
    }
    short
}

/// Some write thousands with a comma.
fn seconds(element: Node<'_, '_>) -> f64 {
    let time = element.attribute("time").unwrap_or_default().replace(',', "");
    time.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0).unwrap_or_default()
}
