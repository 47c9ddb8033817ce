//! What others wrote into an object and the manifest does not have: it stays, and is told. Pure.

use serde_json::{Value, json};

use super::diff::identity;
use super::fields::{at, spelled};
use super::ownership::{collect_strays, is_controller, is_status, is_us, manager};
use crate::yaml::Object;

/// What others than we and the system's controllers wrote into an object and the manifest does not have, by who wrote it: it stays.
pub fn unmanaged(live: &Object, desired: &Object) -> Vec<(String, Vec<String>)> {
    let entries = live.list("/metadata/managedFields");
    let others = entries.iter().filter(|entry| !is_us(entry) && !is_status(entry) && !is_controller(manager(entry)));
    let mut found = Vec::new();
    let mut desired = desired.json().clone();
    hollow(&mut desired, live.json());
    for entry in others {
        let mut strays = Vec::new();
        collect_strays(&entry["fieldsV1"], &desired, &json!({}), &mut Vec::new(), &mut strays);
        let paths: Vec<String> = strays
            .iter()
            .filter(|stray| at(live.json(), &stray.path).is_some())
            .map(|stray| spelled(&stray.path))
            .collect();
        if !paths.is_empty() {
            found.push((manager(entry).to_owned(), paths));
        }
    }
    found
}

/// Gives an object empty lists, labels and annotations where another has some: each item is told by itself, also where the manifest
/// has none at all.
fn hollow(desired: &mut Value, live: &Value) {
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => {
            for (key, live) in live {
                let empty = match live {
                    Value::Array(items) if items.iter().all(Value::is_object) => json!([]),
                    Value::Object(_) if key == "labels" || key == "annotations" => json!({}),
                    _ => Value::Null,
                };
                if let Some(desired) = desired.get_mut(key) {
                    hollow(desired, live);
                } else if !empty.is_null() {
                    desired.insert(key.clone(), empty);
                }
            }
        }
        (Value::Array(desired), Value::Array(live)) => {
            let Some(key) = identity(&[&*desired, live]) else { return };
            for desired in desired {
                if let Some(live) = live.iter().find(|item| item.get(key) == desired.get(key)) {
                    hollow(desired, live);
                }
            }
        }
        _ => {}
    }
}
