//! Holds a tree to a shape: every mistake with its place, one message for one mistake.

use super::node::{Kind, Node};
use super::shape::{Choice, Forms, Rule, Shape, Struct};
use crate::error::{Problem, closest, join_and};

/// How much of a thing must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One layer of several: fields may be missing, and `null` takes a key away.
    Layer,
    /// All there is to say.
    Whole,
}

/// Checks a tree.
pub fn check(node: &Node, shape: &Shape, mode: Mode, problems: &mut Vec<Problem>) {
    let mut log = Log::default();
    inner(node, shape, mode, &mut log);
    // What is missing in one place and unknown in another slipped from one to the other.
    let Log { problems: found, strange, missing } = log;
    problems.extend(found);
    let slipped = |keys: &[&str]| keys.iter().any(|key| strange.iter().any(|found| found == key));
    problems.extend(missing.into_iter().filter(|(keys, _)| !slipped(keys)).map(|(_, problem)| problem));
}

/// What was found so far.
#[derive(Default)]
struct Log {
    problems: Vec<Problem>,
    /// Keys that nobody knows where they stand.
    strange: Vec<String>,
    /// What is missing: any of these keys.
    missing: Vec<(Vec<&'static str>, Problem)>,
}

impl Log {
    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

fn inner(node: &Node, shape: &Shape, mode: Mode, problems: &mut Log) {
    match (shape, &node.kind) {
        (Shape::Free, _) => {}
        (Shape::Never(hint), _) => problems.push(Problem::at(node.place, "this has no place here").hint(*hint)),
        (Shape::Text, Kind::Scalar { .. }) if !node.is_null() => {}
        (Shape::Word(rule), Kind::Scalar { .. }) if !node.is_null() => word(node, rule, problems),
        (Shape::Whole(min, max), Kind::Scalar { text, plain: true }) if node.is_whole() => {
            if !text.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number)) {
                problems.push(out_of_range(node, text, *min, *max));
            }
        }
        (Shape::Mode, Kind::Scalar { plain: true, .. }) if node.mode().is_some() => {}
        (Shape::Flag, Kind::Scalar { text, plain: true }) if matches!(text.as_str(), "true" | "false") => {}
        (Shape::OneOf(words), Kind::Scalar { text, .. }) if !node.is_null() => {
            if !words.contains(&text.as_str()) || node.is_number() || node.is_flag() {
                let problem =
                    Problem::at(node.place, format!("expected one of {}, found {}", join_and(words), node.found()));
                problems.push(match closest(text, words.iter().copied()) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem,
                });
            }
        }
        (Shape::List(item), Kind::Seq(items)) => {
            for node in items {
                inner(node, item, Mode::Whole, problems);
            }
        }
        (Shape::Map(rule, value), Kind::Map(entries)) => map(entries, rule, value, mode, problems),
        (Shape::Struct(shape), Kind::Map(_)) if shape.heir && mode == Mode::Whole => {
            let bare = node.without_nulls();
            fields(&bare, bare.entries(), shape, mode, problems);
        }
        (Shape::Struct(shape), Kind::Map(entries)) => fields(node, entries, shape, mode, problems),
        (Shape::Forms(forms), _) => match forms.pick(node) {
            Some(shape) => inner(node, shape, mode, problems),
            None => problems.push(wrong(node, forms.what)),
        },
        _ => problems.push(wrong(node, &shape.expected())),
    }
}

/// A value in a map: `null` is a word of its own there.
fn entry(node: &Node, shape: &Shape, mode: Mode, problems: &mut Log) {
    if !(mode == Mode::Layer && node.is_null()) {
        inner(node, shape, mode, problems);
    }
}

fn map(entries: &[(Node, Node)], rule: &Rule, shape: &Shape, mode: Mode, problems: &mut Log) {
    // Fields where names are to be: a level is missing, and each of them would be told for the same mistake.
    if let Some(known) = shape.as_struct()
        && let Some((key, _)) =
            entries.iter().find(|(key, node)| known.get(key.text()).is_some() && !fits(node, shape, mode))
    {
        let problem = Problem::at(
            key.place,
            format!("`{}` is a key of one of the things here, and this is the place of a name", key.text()),
        );
        return problems.push(problem.hint("look at the indentation: a name goes above it"));
    }
    let bad: Vec<&Node> = entries.iter().map(|(key, _)| key).filter(|key| !rule.holds(key.text())).collect();
    match bad.as_slice() {
        [] => {}
        [one] => word_text(one, rule, problems),
        [first, ..] => {
            let names: Vec<String> = bad.iter().map(|key| format!("`{}`", super::node::shorten(key.text()))).collect();
            problems.push(
                Problem::at(first.place, format!("{}: each is to be {}", join_and(&names), rule.what)).hint(rule.hint),
            );
        }
    }
    for (_, node) in entries.iter().filter(|(key, _)| rule.holds(key.text())) {
        entry(node, shape, mode, problems);
    }
}

fn fits(node: &Node, shape: &Shape, mode: Mode) -> bool {
    let mut log = Log::default();
    entry(node, shape, mode, &mut log);
    log.problems.is_empty() && log.missing.is_empty()
}

fn fields(node: &Node, entries: &[(Node, Node)], shape: &Struct, mode: Mode, problems: &mut Log) {
    let (mut strange, mut slips) = (Vec::new(), false);
    for (key, value) in entries {
        match shape.get(key.text()) {
            Some(field) => entry(value, field.shape, mode, problems),
            None => match closest(key.text(), shape.all().map(|field| field.key)) {
                Some(near) => {
                    slips = true;
                    problems.push(unknown(&[key]).hint(format!("did you mean `{near}`?")));
                }
                None => {
                    problems.strange.push(key.text().to_owned());
                    strange.push(key);
                }
            },
        }
    }
    // Several at once are mostly one mistake: they stand at the wrong depth.
    if !strange.is_empty() {
        let known: Vec<&str> = shape.all().map(|field| field.key).collect();
        problems.push(unknown(&strange).hint(match known.len() {
            0..=20 => format!("the keys here are {}", join_and(&known)),
            _ => "`shipcat schema` lists the keys that there are".into(),
        }));
    }
    // A key that is missing is mostly the one that was written wrong.
    if mode == Mode::Layer || slips || !strange.is_empty() {
        return;
    }
    let has = |key: &str| entries.iter().any(|(found, value)| found.text() == key && !value.is_null());
    // What is there and null was told above.
    let named = |key: &str| entries.iter().any(|(found, _)| found.text() == key);
    for field in shape.all().filter(|field| field.required && !named(field.key)) {
        let problem = Problem::at(node.place, format!("the key `{}` is missing", field.key)).hint(field.doc);
        problems.missing.push((vec![field.key], problem));
    }
    for choice in shape.choices {
        let (keys, one) = match choice {
            Choice::One(keys) => (keys, true),
            Choice::AtMostOne(keys) => (keys, false),
        };
        let found: Vec<String> = keys.iter().filter(|key| has(key)).map(|key| format!("`{key}`")).collect();
        let all: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let list = if all.len() > 12 {
            format!("{}, ... and {}", all[..8].join(", "), all[all.len() - 1])
        } else {
            join_and(&all)
        };
        match found.len() {
            0 if one => {
                let problem =
                    Problem::at(node.place, format!("one of {list} is missing")).hint("give it exactly one of them");
                problems.missing.push((keys.to_vec(), problem));
            }
            0 | 1 => {}
            _ => {
                let last = entries.iter().rfind(|(key, value)| keys.contains(&key.text()) && !value.is_null());
                let place = last.map_or(node.place, |(key, _)| key.place);
                let problem = Problem::at(place, format!("{} exclude each other", join_and(&found)));
                problems.push(problem.hint("take all but one away"));
            }
        }
    }
}

fn unknown(keys: &[&Node]) -> Problem {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", super::node::shorten(key.text()))).collect();
    let word = if keys.len() == 1 { "key" } else { "keys" };
    Problem::at(keys[0].place, format!("unknown {word} {}", join_and(&names)))
}

fn word(node: &Node, rule: &Rule, problems: &mut Log) {
    if (node.is_number() && rule.numbers.is_none()) || (node.is_flag() && !rule.flags) {
        let problem = Problem::at(node.place, format!("expected {}, found {}", rule.what, node.found()));
        problems.push(problem.hint(if rule.holds(node.text()) { "put it in quotes" } else { rule.hint }));
    } else {
        word_text(node, rule, problems);
    }
}

fn word_text(node: &Node, rule: &Rule, problems: &mut Log) {
    let text = node.text();
    if !rule.holds(text) {
        let (message, hint) = rule.complaint(text);
        problems.push(Problem::at(node.place, message).hint(hint));
    }
}

fn out_of_range(node: &Node, text: &str, min: i64, max: i64) -> Problem {
    let problem = Problem::at(
        node.place,
        format!("`{text}` is too {} here", if text.starts_with('-') { "small" } else { "large or too small" }),
    );
    match (min, max) {
        (1, 65535) => Problem::at(node.place, format!("`{text}` is not a port")).hint("ports go from 1 to 65535"),
        (_, i64::MAX) | (_, 2_147_483_647) => problem.hint(format!("it must be {min} or more, and fit into 32 bits")),
        _ => problem.hint(format!("it goes from {min} to {max}")),
    }
}

fn wrong(node: &Node, expected: &str) -> Problem {
    let problem = Problem::at(node.place, format!("expected {expected}, found {}", node.found()));
    let bare = matches!(&node.kind, Kind::Scalar { text, plain: false }
        if (expected.contains("number") || expected.contains("port") || expected.contains("true")) && (text == "true" || text == "false" || text.parse::<i64>().is_ok()));
    if bare { problem.hint("take the quotes away") } else { problem }
}

impl Forms {
    /// The shape for what stands there.
    pub(super) fn pick(&self, node: &Node) -> Option<&'static Shape> {
        match &node.kind {
            Kind::Seq(_) => self.list,
            Kind::Map(_) => self.map,
            Kind::Scalar { .. } if node.is_null() => None,
            Kind::Scalar { .. } if node.is_whole() && self.number.is_some() => self.number,
            Kind::Scalar { .. } if node.is_flag() && self.flag.is_some() => self.flag,
            Kind::Scalar { .. } => self.text,
        }
    }
}

impl Shape {
    /// What it wants, in words.
    fn expected(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Word(rule) => rule.what.into(),
            Self::Whole(1, 65535) => "a port".into(),
            Self::Whole(..) => "a whole number".into(),
            Self::Mode => "a file's permissions, such as 0644".into(),
            Self::Flag => "true or false".into(),
            Self::OneOf(words) => format!("one of {}", join_and(words)),
            Self::Free => "anything".into(),
            Self::Never(_) => "nothing".into(),
            Self::List(_) => "a list".into(),
            Self::Map(..) | Self::Struct(_) => "a map".into(),
            Self::Forms(forms) => forms.what.into(),
        }
    }
}

/// Tells each field that a Kubernetes of this minor version does not know yet: its key, the minor that brought it, its place.
pub fn younger(node: &Node, shape: &Shape, minor: u32, tell: &mut dyn FnMut(&str, u32, crate::error::Place)) {
    match (shape, &node.kind) {
        (Shape::List(item), Kind::Seq(items)) => items.iter().for_each(|node| younger(node, item, minor, tell)),
        (Shape::Map(_, value), Kind::Map(entries)) => {
            entries.iter().for_each(|(_, node)| younger(node, value, minor, tell));
        }
        (Shape::Struct(known), Kind::Map(entries)) => {
            for (key, node) in entries {
                let Some(field) = known.get(key.text()) else { continue };
                if field.since > minor {
                    tell(field.key, field.since, key.place);
                } else {
                    younger(node, field.shape, minor, tell);
                }
            }
        }
        (Shape::Forms(forms), _) => {
            if let Some(shape) = forms.pick(node) {
                younger(node, shape, minor, tell);
            }
        }
        _ => {}
    }
}
