//! Paths into objects as managedFields spell them (structured-merge-diff's FieldsV1): `f:` a field, `k:` a list item by its keys,
//! `v:` an item of a set. Pure.

use serde_json::{Map, Value};

/// A path from an object's root.
pub type Path = Vec<Key>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// `f:name`.
    Field(String),
    /// `k:{...}`.
    Item(Map<String, Value>),
    /// `v:...`.
    Value(Value),
}

/// The value at a path.
pub fn at<'a>(value: &'a Value, path: &[Key]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| child(value, key))
}

/// A path as people know it: `containers[webapp].env[EXTRA]`.
pub fn spelled(path: &[Key]) -> String {
    let mut text = String::new();
    for key in path {
        match key {
            Key::Field(name) if text.is_empty() => text.clone_from(name),
            Key::Field(name) if name.contains(['.', '/']) => text += &format!("[{name}]"),
            Key::Field(name) => text += &format!(".{name}"),
            Key::Item(keys) => {
                let keys: Vec<String> =
                    keys.values().map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)).collect();
                text += &format!("[{}]", keys.join(" "));
            }
            Key::Value(value) => text += &format!("[{value}]"),
        }
    }
    text.strip_prefix("spec.template.spec.").map(str::to_owned).unwrap_or(text)
}

/// A step as managedFields name it; `None` for forms that objects of ours do not have.
pub fn key(name: &str) -> Option<Key> {
    if let Some(field) = name.strip_prefix("f:") {
        return Some(Key::Field(field.to_owned()));
    }
    let (kind, json) = name.split_once(':')?;
    match (kind, serde_json::from_str(json).ok()?) {
        ("k", Value::Object(keys)) => Some(Key::Item(keys)),
        ("v", value) => Some(Key::Value(value)),
        _ => None,
    }
}

/// The value one step down.
pub fn child<'a>(value: &'a Value, key: &Key) -> Option<&'a Value> {
    match key {
        Key::Field(name) => value.get(name),
        Key::Item(_) | Key::Value(_) => value.as_array()?.iter().find(|item| is_item(item, key)),
    }
}

fn is_item(item: &Value, key: &Key) -> bool {
    match key {
        // A port's protocol is part of its key and has a default.
        Key::Item(keys) => keys.iter().all(|(name, value)| match item.get(name) {
            Some(own) => own == value,
            None => name == "protocol" && value == "TCP",
        }),
        Key::Value(value) => item == value,
        Key::Field(_) => false,
    }
}

/// Takes what is at a path out of a value.
pub fn remove(value: &mut Value, path: &[Key]) {
    match (path, value) {
        ([Key::Field(name)], Value::Object(map)) => {
            map.remove(name);
        }
        ([last], Value::Array(items)) => items.retain(|item| !is_item(item, last)),
        ([Key::Field(name), rest @ ..], Value::Object(map)) => {
            if let Some(child) = map.get_mut(name) {
                remove(child, rest);
            }
        }
        ([key, rest @ ..], Value::Array(items)) => {
            if let Some(child) = items.iter_mut().find(|item| is_item(item, key)) {
                remove(child, rest);
            }
        }
        _ => {}
    }
}
