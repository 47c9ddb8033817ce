//! An object as a template of the service's own: what a manifest has no word for stays as it is.

use serde_json::{Map, Value};

use super::image;
use super::pod::Image;
use super::read::Original;
use super::roles::{Role, Way};
use super::write::{EXPRESSION, MARKS, Style, write};
use crate::manifest::keys::rules;

/// Kinds that move from one API version to another: a template asks which one the environment serves.
const MOVED: [&str; 3] = ["HorizontalPodAutoscaler", "PodDisruptionBudget", "CronJob"];

/// The template's text.
pub fn text(original: &Original, known: &Image) -> String {
    let mut value = original.value.clone();
    if let Some(full) = full_image(known) {
        follow(&mut value, original, &full);
    }
    if original.known && MOVED.contains(&original.kind.as_str()) {
        value["apiVersion"] = format!("{EXPRESSION}api.{}", original.kind).into();
    }
    if original.known {
        protocols(&mut value);
    }
    let value = ordered(&value);
    let head = format!("{{# {}: {}. #}}\n", original.shown(), without_marks(&original.why));
    let plain = write(&value, Style::Plain, &|_| String::new()).text;
    let expressions = value_has(&Value::from(value.clone()), &|text| text.starts_with(EXPRESSION));
    let marked = value_has(&Value::from(value.clone()), &|text| MARKS.iter().any(|mark| text.contains(mark)));
    if !marked && original.way == Way::Template {
        return head + &plain;
    }
    if expressions || plain.contains("endraw") || original.way == Way::Escaped {
        return head + &write(&value, Style::Escaped, &|_| String::new()).text;
    }
    format!("{head}{{% raw %}}\n{plain}{{% endraw %}}\n")
}

fn full_image(known: &Image) -> Option<String> {
    let (name, version) = known.as_ref()?;
    let separator = if rules::VERSION.holds(version) && version.contains(':') { '@' } else { ':' };
    Some(format!("{name}{separator}{version}"))
}

/// Containers with the service's image get it from the manifest, so that a ship of another version reaches them.
fn follow(value: &mut Value, original: &Original, full: &str) {
    let runs = original.known && image::main(original).is_some();
    if !runs && original.role == Role::None {
        return;
    }
    let pointer =
        if original.kind == "CronJob" { "/spec/jobTemplate/spec/template/spec" } else { "/spec/template/spec" };
    let Some(spec) = value.pointer_mut(pointer) else { return };
    for key in ["initContainers", "containers"] {
        for own in spec.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if own["image"] == full {
                own["image"] = format!("{EXPRESSION}image | json").into();
            }
        }
    }
}

/// A server-side apply tells ports apart by their protocol as well, and older API servers fill nothing in.
fn protocols(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                for port in value.as_array_mut().filter(|_| key == "ports").into_iter().flatten() {
                    if let Some(port) = port.as_object_mut() {
                        port.entry("protocol").or_insert_with(|| "TCP".into());
                    }
                }
                protocols(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(protocols),
        _ => {}
    }
}

/// `apiVersion`, `kind`, `metadata` first, as people write them.
fn ordered(value: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    for key in ["apiVersion", "kind", "metadata"] {
        out.insert(key.into(), value[key].clone());
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        out.entry(key.clone()).or_insert_with(|| value.clone());
    }
    out
}

fn without_marks(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.replace(['{', '}', '#', '%'], "")
}

fn value_has(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(items) => items.iter().any(|item| value_has(item, wanted)),
        Value::Object(map) => map.iter().any(|(key, value)| wanted(key) || value_has(value, wanted)),
        _ => false,
    }
}
