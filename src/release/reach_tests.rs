//! How far a release came whose run died, by what is live of it.

use super::super::record::Outcome;
use super::super::record::tests::release;
use super::*;
use serde_json::{Value, json};

fn deployment(image: &str, replicas: u32, level: &str) -> Value {
    let container = json!({"name": "w", "image": image, "env": [{"name": "LEVEL", "value": level}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "uid": "d"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [container]}}}})
}

fn map(manager: &str) -> Value {
    let managed = json!([{"manager": manager, "operation": "Apply", "fieldsV1": {"f:data": {}}}]);
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w", "uid": "c", "managedFields": managed}, "data": {"a": "b"}})
}

/// A new image and a new level for the Deployment, and a ConfigMap that is new.
fn body() -> Body {
    Body {
        objects: vec![map(""), deployment("w:2", 2, "new")],
        before: vec![deployment("w:1", 2, "old")],
        expected: vec![deployment("w:2", 2, "new")],
        ..release(3, Outcome::Pending, "x").body
    }
}

fn reached(body: &Body, live: &[Value]) -> Reach {
    let live: Vec<Object> = live.iter().map(|value| Object::new(value.clone()).unwrap()).collect();
    reach(body, &live)
}

#[test]
fn how_far_it_came_is_read_from_what_is_live() {
    let body = body();
    let old = deployment("w:1", 2, "old");
    assert_eq!(reached(&body, std::slice::from_ref(&old)), Reach::Nothing);
    assert_eq!(reached(&body, &[map("shipcat"), old.clone()]), Reach::Half);
    assert_eq!(reached(&body, &[map("shipcat"), deployment("w:2", 2, "old")]), Reach::Half);
    assert_eq!(reached(&body, &[map("shipcat"), deployment("w:2", 2, "new")]), Reach::All);
    // What the release does not change may be anything.
    assert_eq!(reached(&body, &[map("shipcat"), deployment("w:2", 7, "new")]), Reach::All);
}

#[test]
fn what_is_neither_is_somebody_elses() {
    let body = body();
    for (live, what) in [
        (vec![map("kubectl"), deployment("w:1", 2, "old")], "ConfigMap/w was made by somebody else meanwhile"),
        (vec![map("shipcat")], "Deployment/w was deleted by somebody else meanwhile"),
        (
            vec![map("shipcat"), deployment("w:3", 2, "new")],
            "Deployment/w containers[w].image is neither as it was nor as it was to be",
        ),
    ] {
        assert_eq!(reached(&body, &live), Reach::Foreign(vec![what.to_owned()]));
    }
}

#[test]
fn a_number_of_pods_that_is_set_last_is_waited_for() {
    let mut body = body();
    body.before = vec![deployment("w:1", 4, "old")];
    body.expected = vec![deployment("w:2", 4, "new")];
    body.counts = [("Deployment/w".to_owned(), 2)].into();
    assert_eq!(reached(&body, &[map("shipcat"), deployment("w:2", 4, "new")]), Reach::Half);
    assert_eq!(reached(&body, &[map("shipcat"), deployment("w:2", 2, "new")]), Reach::All);
    assert!(matches!(reached(&body, &[map("shipcat"), deployment("w:2", 3, "new")]), Reach::Foreign(_)));
}
