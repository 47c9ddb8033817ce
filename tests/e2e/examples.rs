//! Every service of this repo's `manifests/`, in every environment, shipped to a real cluster and read back: each field that the
//! manifest set is what the API server stored.

use crate::common::world::World;
use serde_json::Value;

/// Where what was set is not what is stored: `path: set, stored`.
fn differences(set: &Value, stored: &Value, path: &str, found: &mut Vec<String>) {
    match (set, stored) {
        (Value::Object(set), Value::Object(stored)) => {
            for (key, value) in set {
                differences(value, stored.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"), found);
            }
        }
        (Value::Array(set), Value::Array(stored)) if set.len() == stored.len() => {
            for (i, (set, stored)) in set.iter().zip(stored).enumerate() {
                differences(set, stored, &format!("{path}[{i}]"), found);
            }
        }
        // The server does not store what is empty.
        (Value::Object(map), Value::Null) if map.is_empty() => {}
        (Value::Array(items), Value::Null) if items.is_empty() => {}
        (set, stored) if set == stored => {}
        (set, stored) => found.push(format!("{path}: {set}, {stored}")),
    }
}

#[track_caller]
fn is_stored(world: &World, service: &str) {
    let rendered = world.shipcat(&["generate", service]).ends(0).stdout;
    let rendered =
        world.kubectl_with(&["annotate", "--local", "-f", "-", "--overwrite", "x=y", "-o", "json"], &rendered);
    let objects = serde_json::Deserializer::from_str(&rendered).into_iter::<Value>().map(Result::unwrap);
    let mut looked_at = 0;
    for mut object in objects {
        let annotations = object["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove("x");
        let (kind, name, version) =
            (object["kind"].clone(), object["metadata"]["name"].clone(), object["apiVersion"].clone());
        let (kind, name) = (kind.as_str().unwrap(), name.as_str().unwrap());
        let group = version
            .as_str()
            .unwrap()
            .split_once('/')
            .map_or(String::new(), |(group, version)| format!(".{version}.{group}"));
        let stored = world.get(&[&format!("{}{group}", kind.to_lowercase()), name]);
        let mut found = Vec::new();
        differences(&object, &stored, "", &mut found);
        assert!(found.is_empty(), "{kind}/{name} of {service}: {found:#?}");
        looked_at += 1;
    }
    assert!(looked_at > 0);
}

fn every_example(environment: &'static str, services: &[&str]) {
    let world = World::of_this_repo(environment);
    let told = world.shipcat(&["validate", "--server"]).ends(0).stderr;
    assert_eq!(told, format!("{} services in 1 environment: nothing wrong\n", services.len()));
    for service in services {
        world.shipcat(&["ship", service]).ends(0);
        is_stored(&world, service);
        world.shipcat(&["diff", service]).ends(0);
        let again = world.shipcat(&["ship", service]).ends(0);
        assert!(again.stderr.contains("nothing to do") || again.stderr.contains("already"), "{}", again.stderr);
    }
    // By now the controllers have done their part, too.
    let told = world.shipcat(&["diff", "--all"]).ends(0).stdout;
    assert!(told.ends_with(&format!("0 of {} services differ\n", services.len())), "{told}");
    assert!(!told.contains("by hand") && !told.contains("in no manifest"), "{told}");
}

#[test]
fn every_example_in_dev() {
    every_example("dev", &["agent", "gateway", "heartbeat", "mirror", "reports", "shop", "store", "webapp"]);
}

#[test]
fn every_example_in_global() {
    every_example("global", &["agent", "gateway", "heartbeat", "mirror", "shop", "store", "webapp"]);
}

#[test]
fn what_only_the_server_knows_is_told_with_its_service() {
    let world = World::new("server");
    world.file(
        "manifest.yml",
        "version: 0.1.0\nport: 8080\nsecurityContext: {privileged: true, allowPrivilegeEscalation: false}\n",
    );
    world.shipcat(&["validate"]).ends(0);
    let run = world.shipcat(&["validate", "--server"]).ends(1);
    assert!(run.stderr.contains("error: the API server would not take `webapp`: "), "{}", run.stderr);
    assert!(run.stderr.contains("allowPrivilegeEscalation"), "{}", run.stderr);
    assert!(run.stderr.contains("--> manifests/webapp/manifest.yml:1:1"), "{}", run.stderr);
    assert_eq!(world.items(&["deployments,services"]).len(), 0);
}
