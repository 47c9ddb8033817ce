//! The whole objects, live and as they would be, as a unified diff of their YAML.

use serde_json::Value;
use similar::TextDiff;

use super::super::look::Look;
use crate::release::significant;
use crate::yaml::{self, Object};

/// Every object that differs.
pub fn all(looks: &[Look]) -> String {
    let mut text = String::new();
    for look in looks {
        for step in look.plan.steps.iter().filter(|step| step.is_applied()) {
            let after = step.before.is_none() || look.reading.live.iter().any(|live| live.is(&step.expected));
            text += &one(step.before.as_ref(), after.then_some(&step.expected));
        }
        for object in &look.plan.leftovers {
            text += &one(Some(object), None);
        }
    }
    text
}

fn one(before: Option<&Object>, after: Option<&Object>) -> String {
    let Some(object) = after.or(before) else { return String::new() };
    let (from, to) = (before.map(|object| significant(object.json())), after.map(|object| significant(object.json())));
    let (from, to) = if object.kind() == "Secret" { hidden(from, to) } else { (from, to) };
    if from == to {
        return String::new();
    }
    let text = |value: &Option<Value>| value.as_ref().map(|value| yaml::emit(&ordered(value))).unwrap_or_default();
    let name = |there: bool| if there { object.to_string() } else { "/dev/null".into() };
    let (old, new) = (text(&from), text(&to));
    let diff = TextDiff::from_lines(&old, &new);
    let (a, b) = (format!("live/{}", name(from.is_some())), format!("ship/{}", name(to.is_some())));
    let a = if from.is_some() { a } else { "/dev/null".into() };
    let b = if to.is_some() { b } else { "/dev/null".into() };
    diff.unified_diff().context_radius(3).header(&a, &b).to_string()
}

/// The same with the keys in one order: the server has them in different ones.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            Value::Object(keys.into_iter().map(|key| (key.clone(), ordered(&map[key]))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(ordered).collect()),
        other => other.clone(),
    }
}

/// The values of a Secret, hidden so that a change can still be seen.
fn hidden(from: Option<Value>, to: Option<Value>) -> (Option<Value>, Option<Value>) {
    let hide = |value: &Option<Value>, other: &Option<Value>, word: &str| -> Option<Value> {
        let mut value = value.clone()?;
        // `kubectl apply` keeps it all once more in an annotation.
        if let Some(annotations) = value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        for field in ["data", "stringData"] {
            let other = other.as_ref().map(|other| other[field].clone()).unwrap_or_default();
            for (key, own) in value.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
                let same = other.get(key) == Some(own);
                *own = if same { "***".into() } else { format!("*** ({word})").into() };
            }
        }
        Some(value)
    };
    (hide(&from, &to, "before"), hide(&to, &from, "after"))
}
