//! Differences between two states of an object, and the way back from one to the other. Pure.

use std::fmt;

use serde_json::{Map, Value};

/// Where in an object: `spec.template.spec.containers[webapp].image`.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A key of a map.
    Key(String),
    /// A list item, by what tells it from the others.
    Item(String),
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    fn item(&self, identity: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Item(identity.to_owned()));
        Self(steps)
    }
}

impl Path {
    /// Whether it leads through this key of the object.
    pub fn starts_with(&self, key: &str) -> bool {
        self.0.first() == Some(&Step::Key(key.to_owned()))
    }

    /// The key right below a key of the object, where the path ends there.
    pub fn key_below(&self, key: &str) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Key(first), Step::Key(second)] if first == key => Some(second),
            _ => None,
        }
    }

    /// Whether one of the two leads to or through where the other does.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one == other)
    }

    /// Its steps: keys of maps, and the identities of list items.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// As people know it: the pod's part of a workload without what leads there.
    pub fn short(&self) -> String {
        let path = self.to_string();
        let pods = ["spec.template.spec.", "spec.jobTemplate.spec.template.spec."];
        pods.iter().find_map(|start| path.strip_prefix(start)).map(str::to_owned).unwrap_or(path)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains('.') || key.contains('/') => write!(f, "[{key}]")?,
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(identity) => write!(f, "[{identity}]")?,
            }
        }
        Ok(())
    }
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// What it was, if it was.
    pub from: Option<Value>,
    /// What it is, if it is.
    pub to: Option<Value>,
}

/// What the server keeps for itself in an object's metadata.
pub const SERVERS: [&str; 8] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// What a workload says of the release that changed it last: of no diff's interest.
pub const MARKS: [&str; 4] =
    ["shipcat.dev/release", "shipcat.dev/version", "shipcat.dev/revision", "kubernetes.io/change-cause"];

/// The part of an object that people and tools decide about: without status and what the server keeps for itself.
pub fn significant(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in SERVERS {
                metadata.remove(key);
            }
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                // The Deployment controller's own, as are all under this name.
                annotations.remove("deployment.kubernetes.io/revision");
                // The DaemonSet controller's.
                annotations.remove("deprecated.daemonset.template.generation");
                MARKS.iter().for_each(|key| drop(annotations.remove(*key)));
                if annotations.is_empty() {
                    metadata.remove("annotations");
                }
            }
        }
    }
    object
}

/// Every field in which the significant parts differ; lists by the names of their items.
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(Some(&significant(from)), Some(&significant(to)), &Path::default(), &mut found);
    found
}

fn walk(from: Option<&Value>, to: Option<&Value>, path: &Path, found: &mut Vec<Difference>) {
    if from == to {
        return;
    }
    match (from, to) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in keys(&[a, b]) {
                walk(a.get(&key), b.get(&key), &path.key(&key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if identity(&[a, b]).is_some() => {
            let identity = identity(&[a, b]).unwrap_or_default();
            for name in names(&[a, b], identity) {
                walk(item(a, identity, &name), item(b, identity, &name), &path.item(&name), found);
            }
        }
        // Of a list that comes or goes as a whole, each item by its name.
        (None, Some(Value::Array(items))) | (Some(Value::Array(items)), None) if is_named(items) => {
            let empty = Value::Array(Vec::new());
            walk(Some(from.unwrap_or(&empty)), Some(to.unwrap_or(&empty)), path, found);
        }
        _ => found.push(Difference { path: path.clone(), from: from.cloned(), to: to.cloned() }),
    }
}

fn is_named(items: &Vec<Value>) -> bool {
    !items.is_empty() && identity(&[items]).is_some()
}

/// The way back: `now`, with every field that went from `before` to `after` as it was before. A field that is neither any more
/// was changed by somebody else meanwhile; it stays as it is now, and its path goes to `foreign`.
pub fn restore(before: &Value, after: &Value, now: &Value, foreign: &mut Vec<Path>) -> Value {
    let back = back(Some(before), Some(after), Some(now), &Path::default(), foreign);
    back.unwrap_or_else(|| now.clone())
}

fn back(
    before: Option<&Value>,
    after: Option<&Value>,
    now: Option<&Value>,
    path: &Path,
    foreign: &mut Vec<Path>,
) -> Option<Value> {
    if before == after || now == before {
        return now.cloned();
    }
    if now == after {
        return before.cloned();
    }
    // `before` or `after` may lack the whole map: its fields are then compared with nothing.
    let empty = Map::new();
    let map = |value: Option<&'_ Value>| match value {
        None => Some(None),
        Some(Value::Object(map)) => Some(Some(map.clone())),
        Some(_) => None,
    };
    if let (Some(b), Some(a), Some(n)) = (map(before), map(after), map(now)) {
        let (bm, am, nm) = (b.as_ref().unwrap_or(&empty), a.as_ref().unwrap_or(&empty), n.as_ref().unwrap_or(&empty));
        let mut out = Map::new();
        for key in keys(&[bm, am, nm]) {
            if let Some(value) = back(bm.get(&key), am.get(&key), nm.get(&key), &path.key(&key), foreign) {
                out.insert(key, value);
            }
        }
        return (!(out.is_empty() && before.is_none())).then_some(Value::Object(out));
    }
    if let (Some(Value::Array(b)), Some(Value::Array(a)), Some(Value::Array(n))) = (before, after, now)
        && let Some(identity) = identity(&[b, a, n])
    {
        // In the order of before, and behind it what is only there now.
        let items = names(&[b, n, a], identity);
        let restored = items.iter().filter_map(|name| {
            back(item(b, identity, name), item(a, identity, name), item(n, identity, name), &path.item(name), foreign)
        });
        return Some(Value::Array(restored.collect()));
    }
    foreign.push(path.clone());
    now.cloned()
}

fn keys(maps: &[&Map<String, Value>]) -> Vec<String> {
    let mut keys: Vec<String> = maps.iter().flat_map(|map| map.keys().cloned()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The key by which the items of these lists are told apart, as the API's list-map keys do, if there is one.
pub fn identity(lists: &[&Vec<Value>]) -> Option<&'static str> {
    ["mountPath", "containerPort", "port", "name", "key", "topologyKey"].into_iter().find(|key| {
        lists.iter().all(|list| {
            let mut names: Vec<String> = list.iter().filter_map(|item| name(item, key)).collect();
            let complete = names.len() == list.len();
            names.sort();
            names.dedup();
            complete && names.len() == list.len()
        })
    })
}

fn name(item: &Value, key: &str) -> Option<String> {
    match item.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn names(lists: &[&Vec<Value>], identity: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in lists.iter().flat_map(|list| list.iter()) {
        if let Some(name) = name(item, identity)
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

fn item<'a>(list: &'a [Value], identity: &str, wanted: &str) -> Option<&'a Value> {
    list.iter().find(|item| name(item, identity).as_deref() == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(list: &[Difference]) -> Vec<String> {
        list.iter().map(|difference| difference.path.to_string()).collect()
    }

    #[test]
    fn an_inserted_variable_is_one_difference() {
        let a = json!({"spec": {"containers": [{"name": "w", "env": [{"name": "A", "value": "1"}, {"name": "C", "value": "3"}]}]}});
        let b = json!({"spec": {"containers": [{"name": "w", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "4"}]}]}});
        assert_eq!(paths(&differences(&a, &b)), ["spec.containers[w].env[C].value", "spec.containers[w].env[B]"]);
    }

    #[test]
    fn what_the_server_keeps_is_no_difference() {
        let a = json!({"metadata": {"resourceVersion": "1", "annotations": {"deployment.kubernetes.io/revision": "1"}}, "status": {"x": 1}});
        let b = json!({"metadata": {"resourceVersion": "2", "generation": 5}});
        assert_eq!(differences(&a, &b), []);
    }

    #[test]
    fn only_what_was_changed_goes_back() {
        let before = json!({"a": 1, "b": 1, "gone": {"x": 1}, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]});
        let after =
            json!({"a": 2, "b": 1, "new": 7, "env": [{"name": "A", "value": "9"}, {"name": "C", "value": "3"}]});
        // Meanwhile somebody scaled b, and added a variable.
        let mut now = after.clone();
        now["b"] = json!(5);
        now["env"].as_array_mut().unwrap().push(json!({"name": "D", "value": "4"}));
        let mut foreign = Vec::new();
        let back = restore(&before, &after, &now, &mut foreign);
        assert_eq!(
            back,
            json!({"a": 1, "b": 5, "gone": {"x": 1}, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "D", "value": "4"}]})
        );
        assert_eq!(foreign, []);
    }

    #[test]
    fn what_somebody_else_changed_stays_and_is_named() {
        let before = json!({"spec": {"replicas": 2, "image": "a"}});
        let after = json!({"spec": {"replicas": 3, "image": "b"}});
        let now = json!({"spec": {"replicas": 9, "image": "b"}});
        let mut foreign = Vec::new();
        assert_eq!(restore(&before, &after, &now, &mut foreign), json!({"spec": {"replicas": 9, "image": "a"}}));
        assert_eq!(foreign.iter().map(Path::to_string).collect::<Vec<_>>(), ["spec.replicas"]);
    }

    #[test]
    fn a_map_that_was_not_there_goes_again() {
        let before = json!({"metadata": {"name": "w"}});
        let after = json!({"metadata": {"name": "w", "labels": {"a": "1"}}});
        let mut foreign = Vec::new();
        assert_eq!(restore(&before, &after, &after, &mut foreign), before);
        let now = json!({"metadata": {"name": "w", "labels": {"a": "1", "theirs": "2"}}});
        assert_eq!(
            restore(&before, &after, &now, &mut foreign),
            json!({"metadata": {"name": "w", "labels": {"theirs": "2"}}})
        );
        assert_eq!(foreign, []);
    }
}
