//! How a change is said: the field as people know it, from what, to what. Pure.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::error::count;
use crate::release::{Change, Nature, What};

/// What one line says of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `Deployment/webapp`.
    pub object: String,
    /// Of what nature.
    pub nature: Nature,
    /// The field and its values: `env LOG_LEVEL "info" -> "debug"`; empty for an object as a whole.
    pub detail: String,
    /// Of a text of several lines, those that go and come, with `-` and `+`.
    pub lines: Vec<String>,
}

/// How long a value may be before it is cut.
const VALUE: usize = 70;
/// How many lines of a text are shown.
const LINES: usize = 10;

/// Says changes, one a line: what is the same of several containers once, and what belongs to one variable in one.
pub fn said(changes: &[Change]) -> Vec<Said> {
    let mut found: Vec<Said> = Vec::new();
    let mut i = 0;
    while let Some(change) = changes.get(i) {
        let variable = variable(change);
        let same = |other: &Change| other.object == change.object && self::variable(other) == variable;
        let n = if variable.is_some() { changes[i..].iter().take_while(|other| same(other)).count() } else { 1 };
        let one = match (n, variable) {
            // From a value to a reference, or the other way round.
            (2.., Some(variable)) => Said {
                object: change.object.clone(),
                nature: change.nature,
                detail: format!("{variable} comes from elsewhere: {}", parts(&changes[i..i + n])),
                lines: Vec::new(),
            },
            _ => say(change),
        };
        if !found.contains(&one) {
            found.push(one);
        }
        i += n;
    }
    found
}

fn parts(changes: &[Change]) -> String {
    let all: Vec<String> = changes
        .iter()
        .filter_map(|change| {
            let What::Field(difference) = &change.what else { return None };
            let path = difference.path.short();
            let last = path.rsplit_once("].").map_or(path.as_str(), |(_, last)| last).to_owned();
            Some(match (&difference.from, &difference.to) {
                (Some(from), None) => format!("{last} {} removed", value(from)),
                (None, Some(to)) => format!("{last} {} added", value(to)),
                (Some(from), Some(to)) => format!("{last} {} -> {}", value(from), value(to)),
                (None, None) => last,
            })
        })
        .collect();
    all.join(", ")
}

fn say(change: &Change) -> Said {
    let (detail, lines) = match &change.what {
        What::Object => (String::new(), Vec::new()),
        What::File { key, from, to } => file(key, from.as_deref(), to.as_deref()),
        What::Field(difference) => {
            let name = field(&change.object, &difference.path.short());
            let detail = match (&difference.from, &difference.to) {
                (Some(Value::String(from)), Some(Value::String(to))) if change.nature == Nature::Image => {
                    image(&change.object, &difference.path.short(), from, to)
                }
                (Some(from), Some(to)) => format!("{name} {} -> {}", value(from), value(to)),
                (Some(from), None) => format!("{name} {} removed", brief(&name, from)),
                (None, Some(to)) => format!("{name} {} added", brief(&name, to)),
                (None, None) => name,
            };
            (detail, Vec::new())
        }
    };
    Said { object: change.object.clone(), nature: change.nature, detail, lines }
}

/// The variable that a change is within: `env LOG_LEVEL`.
fn variable(change: &Change) -> Option<String> {
    let What::Field(difference) = &change.what else { return None };
    let path = difference.path.short();
    let (before, rest) = path.split_once(".env[")?;
    let (name, below) = rest.split_once(']')?;
    let is_source = below.starts_with(".value");
    is_source.then(|| field(&change.object, &format!("{before}.env[{name}].value")))
}

/// A field as people know it: of the only container, or the one that is named like the object, without its name.
pub fn field(object: &str, path: &str) -> String {
    let name = object.split_once('/').map_or(object, |(_, name)| name);
    let own = path.strip_prefix(&format!("containers[{name}]."));
    let Some(field) = own else { return variable_of(path) };
    variable_of(field)
}

fn variable_of(path: &str) -> String {
    let (before, rest) = match path.split_once("env[") {
        Some((before, rest)) if before.is_empty() || before.ends_with('.') => (before, rest),
        _ => return path.to_owned(),
    };
    let Some((name, below)) = rest.split_once(']') else { return path.to_owned() };
    let below = below.strip_prefix(".value").filter(|rest| rest.is_empty()).unwrap_or(below);
    let of = before.trim_end_matches('.');
    let of = if of.is_empty() { String::new() } else { format!("{of} ") };
    format!("{of}env {name}{below}")
}

/// From one image to another; of the same repository the second one's version only.
fn image(object: &str, path: &str, from: &str, to: &str) -> String {
    let repository = |image: &str| match image.split_once('@') {
        Some((repository, _)) => repository.to_owned(),
        None => {
            let slash = image.rfind('/').map_or(0, |at| at + 1);
            let colon = image[slash..].find(':').map_or(image.len(), |at| slash + at);
            image[..colon].to_owned()
        }
    };
    let rest = to.strip_prefix(&repository(to)).and_then(|rest| rest.strip_prefix([':', '@']));
    let to = match rest {
        Some(version) if repository(from) == repository(to) => version,
        _ => to,
    };
    let name = object.split_once('/').map_or(object, |(_, name)| name);
    let container = path.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(name, _)| name);
    // What a sidecar has is said to be its own; an init container's is mostly the same, and then told once.
    if path.starts_with("containers[") && container != name {
        format!("{container}: {from} -> {to}")
    } else {
        format!("{from} -> {to}")
    }
}

/// A value in short: of a variable what it is, of anything else its JSON.
fn brief(name: &str, given: &Value) -> String {
    let is_variable = name.starts_with("env ") || name.contains(" env ");
    let reference = |kind: &str| {
        let from = given.get("valueFrom")?.get(kind)?;
        Some(format!("{}/{}", from.get("name")?.as_str()?, from.get("key")?.as_str()?))
    };
    if is_variable {
        match (given.get("value"), reference("secretKeyRef"), reference("configMapKeyRef")) {
            (Some(text), ..) => return value(text),
            (_, Some(secret), _) => return format!("from Secret {secret}"),
            (.., Some(map)) => return format!("from ConfigMap {map}"),
            _ if given.as_object().is_some_and(|map| map.len() == 1) => return "\"\"".into(),
            _ => {}
        }
    }
    value(given)
}

/// A value as JSON, cut where it is long.
pub fn value(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > VALUE { format!("{}...", text.chars().take(VALUE - 3).collect::<String>()) } else { text }
}

/// `nginx.conf, 3 lines`, and the lines.
fn file(key: &str, from: Option<&str>, to: Option<&str>) -> (String, Vec<String>) {
    let (Some(from), Some(to)) = (from, to) else {
        let text = from.or(to).unwrap_or_default();
        let verb = if to.is_some() { "added" } else { "removed" };
        return (format!("{key} {verb}, {}", count(text.lines().count(), "line")), Vec::new());
    };
    if !from.trim_end().contains('\n') && !to.trim_end().contains('\n') && from.len().max(to.len()) <= VALUE {
        return (format!("{key} {} -> {}", value(&from.into()), value(&to.into())), Vec::new());
    }
    let diff = TextDiff::from_lines(from, to);
    let (mut gone, mut come, mut changed) = (0, 0, 0);
    let mut lines = Vec::new();
    for change in diff.iter_all_changes() {
        let mark = match change.tag() {
            ChangeTag::Equal => {
                changed += std::cmp::max(gone, come);
                (gone, come) = (0, 0);
                continue;
            }
            ChangeTag::Delete => {
                gone += 1;
                '-'
            }
            ChangeTag::Insert => {
                come += 1;
                '+'
            }
        };
        let text = change.value().trim_end_matches('\n');
        let text: String = text.chars().take(100).collect();
        lines.push(format!("{mark} {text}"));
    }
    changed += std::cmp::max(gone, come);
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("  and {}", count(more, "more line")));
    }
    (format!("{key}, {}", count(changed, "line")), lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_people_know_them() {
        for (object, path, name) in [
            ("Deployment/web", "containers[web].env[LOG_LEVEL].value", "env LOG_LEVEL"),
            ("Deployment/web", "containers[web].env[LOG_LEVEL]", "env LOG_LEVEL"),
            ("Deployment/web", "containers[side].env[A].value", "containers[side] env A"),
            ("Deployment/web", "containers[web].resources.limits.cpu", "resources.limits.cpu"),
            ("Deployment/web", "spec.replicas", "spec.replicas"),
            ("Service/web", "spec.ports[80].targetPort", "spec.ports[80].targetPort"),
        ] {
            assert_eq!(field(object, path), name);
        }
    }

    #[test]
    fn images_of_one_repository_are_told_by_their_versions() {
        let path = "containers[w].image";
        assert_eq!(image("Deployment/w", path, "r:5000/a/w:1", "r:5000/a/w:2"), "r:5000/a/w:1 -> 2");
        assert_eq!(image("Deployment/w", path, "r/w:1", "q/w:2"), "r/w:1 -> q/w:2");
        assert_eq!(image("Deployment/w", path, "r/w:1", "r/w@sha256:ab"), "r/w:1 -> sha256:ab");
        assert_eq!(image("Deployment/w", "containers[side].image", "r/s:1", "r/s:2"), "side: r/s:1 -> 2");
    }

    #[test]
    fn a_file_is_told_by_the_lines_that_change() {
        assert_eq!(file("a", Some("x\n"), Some("y\n")), ("a \"x\\n\" -> \"y\\n\"".into(), vec![]));
        let (told, lines) = file("a", Some("1\n2\n3\n4\n"), Some("1\nzwei\n3\n4\n5\n"));
        assert_eq!((told.as_str(), lines.join("|").as_str()), ("a, 2 lines", "- 2|+ zwei|+ 5"));
        assert_eq!(file("a", None, Some("1\n2\n")).0, "a added, 2 lines");
        let long: String = (0..50).map(|n| format!("{n}\n")).collect();
        assert_eq!(file("a", Some("x\ny\n"), Some(&long)).1.last().unwrap(), "  and 42 more lines");
    }
}
