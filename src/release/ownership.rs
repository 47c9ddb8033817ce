//! Who owns which field, by managedFields. Pure.
//!
//! A server-side apply removes a field that is gone from the manifest only if our apply owned it. On an object that others made
//! (`kubectl create`, `kubectl apply`, Helm), or after a put-back of ours (an Update is another owner than an Apply), such a
//! field would stay for ever, and a dry run would not show it. So ownership is moved to our apply first: in the metadata alone, or
//! where fields go, together with the whole outcome in one write, since an apply leaves what the server put beside ours.

use serde_json::{Map, Value, json};

use super::diff::{self, identity};
use super::equivalent;
use super::fields::{Key, Path, at, child, key, remove};
use crate::kubectl::{FIELD_MANAGER, MARKER};
use crate::yaml::Object;

/// What must be known about the owners of a live object before something is applied to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Takeover {
    /// The managedFields that the object gets before the apply.
    pub managed_fields: Value,
    /// Who owned the fields that are taken over.
    pub from: Vec<String>,
    /// The fields that the apply will then remove, as paths for [`without`].
    strays: Vec<Path>,
}

/// A field that is to go; shared, if somebody else keeps a part of it.
pub struct Stray {
    pub path: Path,
    shared: bool,
}

/// Whether fields must be taken over before `desired` is applied onto `live`; `now` is the time for the entry (RFC 3339).
pub fn takeover(live: &Object, desired: &Object, now: &str) -> Option<Takeover> {
    let entries = live.list("/metadata/managedFields");
    let ours = |entry: &&Value| manager(entry) == FIELD_MANAGER && operation(entry) == "Apply" && !is_status(entry);
    let applied = entries.iter().find(ours);
    let movable = |entry: &&Value| !is_status(entry) && !ours(entry) && is_movable(manager(entry), applied.is_some());
    let moved: Vec<&Value> = entries.iter().filter(movable).collect();
    let mut kept = Value::Object(Map::new());
    for entry in entries.iter().filter(|entry| !movable(entry) && !ours(entry)) {
        union(&mut kept, &entry["fieldsV1"]);
    }
    let collect = |entry: &Value| {
        let mut found = Vec::new();
        collect_strays(&unmarked(entry), desired.json(), &kept, &mut Vec::new(), &mut found);
        found
    };
    let mut strays: Vec<Path> = moved.iter().flat_map(|entry| collect(entry)).map(|stray| stray.path).collect();
    // What our own apply owns, the next one removes by itself; but of a struct it leaves what the server put there (a probe keeps
    // its `scheme`), and of a list item what somebody else holds (a container without an image), which is valid no more.
    let stays = |stray: &Stray| {
        let is_struct = matches!(stray.path.last(), Some(Key::Field(_)))
            && at(live.json(), &stray.path).is_some_and(Value::is_object);
        stray.shared || (is_struct && stray.path.first() == Some(&Key::Field("spec".into())))
    };
    let own = applied.map(collect).unwrap_or_default();
    rivals(&live.json()["spec"], &desired.json()["spec"], "spec", &mut vec![Key::Field("spec".into())], &mut strays);
    // All or nothing: what is left for the apply behind it would make a second pod template.
    if !strays.is_empty() || own.iter().any(stays) {
        strays.extend(own.into_iter().map(|stray| stray.path));
    }
    // Once our apply is among the owners, a leftover Update of ours matters only where it would hold a field back.
    if strays.is_empty() && (moved.is_empty() || applied.is_some()) {
        return None;
    }
    let mut fields = applied.map_or_else(|| json!({}), |entry| entry["fieldsV1"].clone());
    for entry in &moved {
        union(&mut fields, &unmarked(entry));
    }
    if let Some(map) = fields.as_object_mut() {
        map.retain(|name, _| !is_servers(live.kind(), name));
    }
    if strays.is_empty() && fields.as_object().is_some_and(Map::is_empty) {
        return None;
    }
    if let Some(spec) = fields.get_mut("f:spec").and_then(Value::as_object_mut) {
        spec.retain(|name, _| !is_fixed(live.kind(), name));
    }
    let mut managed: Vec<Value> = entries.iter().filter(|entry| !movable(entry) && !ours(entry)).cloned().collect();
    managed.push(json!({
        "manager": FIELD_MANAGER, "operation": "Apply", "apiVersion": live.api_version(), "time": now,
        "fieldsType": "FieldsV1", "fieldsV1": fields}));
    let mut from: Vec<String> = moved.iter().map(|entry| manager(entry).to_owned()).collect();
    from.sort();
    from.dedup();
    Some(Takeover { managed_fields: Value::Array(managed), from, strays })
}

/// Whether nobody but us has ever written a field of it (status and the system's controllers aside): then it was our apply that
/// created it, since any other creator would be among the owners.
pub fn is_ours_alone(object: &Object) -> bool {
    let entries = object.list("/metadata/managedFields");
    let others = |entry: &Value| !is_status(entry) && !is_us(entry) && !is_controller(manager(entry));
    !entries.is_empty() && !entries.iter().any(others) && entries.iter().any(|entry| manager(entry) == FIELD_MANAGER)
}

/// Whether a field, given by its steps in managedFields, is held by somebody's configuration, not only by a controller: it is lost when
/// that drops it.
pub fn is_configured(object: &Object, field: &[&str]) -> bool {
    let holds = |entry: &Value| field.iter().try_fold(&entry["fieldsV1"], |value, step| value.get(step)).is_some();
    let entries = object.list("/metadata/managedFields").iter();
    entries.filter(|entry| !is_status(entry) && !is_controller(manager(entry))).any(holds)
}

/// Whether an object has nothing but its name, so that no apply owns a field of it and nobody's making can be told from ours.
pub fn is_bare(object: &Object) -> bool {
    let own = ["apiVersion", "kind", "metadata"];
    let metadata = object.json()["metadata"].as_object();
    object.json().as_object().is_some_and(|map| map.keys().all(|key| own.contains(&key.as_str())))
        && metadata
            .is_some_and(|map| ["labels", "annotations", "managedFields"].iter().all(|key| !map.contains_key(*key)))
}

/// What the apply will make of an object that a dry run made `expected`, once the strays are owned by it and go.
fn without(expected: &Object, takeover: &Takeover) -> Object {
    let mut object = expected.clone();
    for path in &takeover.strays {
        remove(object.json_mut(), path);
    }
    object
}

/// What the apply will be asked to make of a live object once its fields are taken over: the object without the strays, and what
/// is wanted over it. For a dry run, which cannot take over first.
pub fn applied(live: &Object, takeover: &Takeover, desired: &Object) -> Object {
    let mut object = without(live, takeover);
    overlay(object.json_mut(), desired.json());
    object
}

/// What an apply would make of a live object, by its managedFields: without what our last apply had and this one has not, or what is
/// taken over and goes, and with what is wanted. For those who may not ask the server: what is written in another way than the
/// server stores it (`1000m` for `1`) is taken for the same.
pub fn imagined(live: &Object, takeover: Option<&Takeover>, desired: &Object) -> Object {
    let mut object = live.clone();
    let mut strays: Vec<Path> = takeover.map(|takeover| takeover.strays.clone()).unwrap_or_default();
    let entries = live.list("/metadata/managedFields");
    let ours = |entry: &&Value| manager(entry) == FIELD_MANAGER && operation(entry) == "Apply" && !is_status(entry);
    let mut kept = Value::Object(Map::new());
    for entry in entries.iter().filter(|entry| !ours(entry)) {
        union(&mut kept, &entry["fieldsV1"]);
    }
    if let Some(applied) = entries.iter().find(ours) {
        let mut found = Vec::new();
        collect_strays(&applied["fieldsV1"], desired.json(), &kept, &mut Vec::new(), &mut found);
        strays.extend(found.into_iter().map(|stray| stray.path));
    }
    for path in &strays {
        remove(object.json_mut(), path);
    }
    let before = object.clone();
    overlay(object.json_mut(), desired.json());
    equivalent::settle(before.json(), object.json_mut());
    object
}

impl Takeover {
    /// Whether the apply will remove fields, which a plain dry run does not show.
    pub fn removes(&self) -> bool {
        !self.strays.is_empty()
    }
}

/// `over` over `value`, as an apply merges: maps by key, lists by the identity of their items, and where they have none, whole.
fn overlay(value: &mut Value, over: &Value) {
    match (value, over) {
        (Value::Object(map), Value::Object(over)) => {
            for (key, over) in over {
                overlay(map.entry(key.clone()).or_insert(Value::Null), over);
            }
        }
        (Value::Array(items), Value::Array(over)) if identity(&[&*items, over]).is_some() => {
            let key = identity(&[&*items, over]).unwrap_or_default();
            for wanted in over {
                match items.iter_mut().find(|item| item.get(key) == wanted.get(key)) {
                    Some(item) => overlay(item, wanted),
                    None => items.push(wanted.clone()),
                }
            }
        }
        (value, over) => *value = over.clone(),
    }
}

pub fn manager(entry: &Value) -> &str {
    entry["manager"].as_str().unwrap_or_default()
}

/// Whether it is ours: of the configuration, or of what is written beside it.
pub fn is_us(entry: &Value) -> bool {
    [FIELD_MANAGER, MARKER].contains(&manager(entry))
}

fn operation(entry: &Value) -> &str {
    entry["operation"].as_str().unwrap_or_default()
}

/// Status, by the subresource (1.22 and later) or by what the entry owns (before).
pub fn is_status(entry: &Value) -> bool {
    let subresource = entry["subresource"].as_str().is_some_and(|name| !name.is_empty());
    let fields = entry["fieldsV1"].as_object();
    subresource || fields.is_some_and(|fields| !fields.is_empty() && fields.keys().all(|key| key == "f:status"))
}

/// Whether a manager is one of the system's own.
pub fn is_controller(manager: &str) -> bool {
    let own = ["kube-controller-manager", "kubelet", "kube-scheduler", "kube-apiserver", "cloud-controller-manager"];
    own.contains(&manager)
}

/// Who, other than we, wrote the field at a path last.
pub fn holder(object: &Object, path: &diff::Path) -> Option<String> {
    let holds = |entry: &&Value| {
        let step = |owned: &Value, step: &diff::Step| -> Option<Value> {
            let map = owned.as_object()?;
            match step {
                diff::Step::Key(key) => map.get(&format!("f:{key}")).cloned(),
                diff::Step::Item(name) => {
                    map.iter().find(|(own, _)| is_named(own, name)).map(|(_, below)| below.clone())
                }
            }
        };
        let mut owned = entry["fieldsV1"].clone();
        for one in path.steps() {
            match step(&owned, one) {
                Some(below) => owned = below,
                // A struct or list that is owned as a whole has nothing below.
                None => return owned.as_object().is_some_and(Map::is_empty),
            }
        }
        true
    };
    let entries = object.list("/metadata/managedFields").iter();
    let others = entries.filter(|entry| !is_us(entry) && !is_status(entry)).filter(holds);
    others.max_by_key(|entry| entry["time"].as_str().unwrap_or_default()).map(|entry| manager(entry).to_owned())
}

/// Whether a list item, as managedFields name it, has this value among its keys.
fn is_named(own: &str, name: &str) -> bool {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match key(own) {
        Some(Key::Item(keys)) => keys.values().any(|value| plain(value) == name),
        Some(Key::Value(value)) => plain(&value) == name,
        _ => false,
    }
}

/// The tools by which people write configuration. A controller's or an operator's fields are left to it. Where our apply is
/// among the owners already, what somebody wrote by hand since is his and stays; only our own updates are folded in.
fn is_movable(manager: &str, applied_before: bool) -> bool {
    let tools = ["helm", "before-first-apply", "OpenAPI-Generator", "Swagger-Codegen", "HashiCorp", "Terraform"];
    manager == FIELD_MANAGER || (!applied_before && (manager.starts_with("kubectl") || tools.contains(&manager)))
}

fn union(into: &mut Value, from: &Value) {
    if let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) {
        for (key, value) in from {
            union(into.entry(key.clone()).or_insert_with(|| json!({})), value);
        }
    }
}

/// What a Service cannot change any more: it is left as it is, and not taken over.
fn is_fixed(kind: &str, field: &str) -> bool {
    kind == "Service"
        && ["f:clusterIP", "f:clusterIPs", "f:ipFamilies", "f:ipFamilyPolicy", "f:ipFamily"].contains(&field)
}

/// What the system writes beside us at the top of an object: the status, and the tokens of a ServiceAccount (until 1.24), which an
/// apply that owned them would take away.
fn is_servers(kind: &str, field: &str) -> bool {
    field == "f:status" || (kind == "ServiceAccount" && field == "f:secrets")
}

/// The owned fields that `desired` does not have, nor anybody who keeps his.
pub fn collect_strays(owned: &Value, desired: &Value, kept: &Value, path: &mut Path, strays: &mut Vec<Stray>) {
    let kind = desired["kind"].as_str().unwrap_or_default().to_owned();
    for (name, below) in owned.as_object().into_iter().flatten() {
        if name == "." || (path.is_empty() && is_servers(&kind, name)) {
            continue;
        }
        let Some(key) = key(name) else { continue };
        // Neither a container nor a volume is anything without what we wrote in it.
        let whole = matches!(key, Key::Item(_))
            && matches!(path.last(), Some(Key::Field(list)) if WHOLE.contains(&list.as_str()));
        let child = child(desired, &key);
        path.push(key);
        let nothing = json!({});
        let others = kept.get(name);
        match child {
            Some(child) if path.len() == 1 && name == "f:spec" => {
                let mut below = below.clone();
                if let Some(map) = below.as_object_mut() {
                    map.retain(|name, _| !is_fixed(&kind, name));
                }
                collect_strays(&below, child, others.unwrap_or(&nothing), path, strays);
            }
            Some(child) => collect_strays(below, child, others.unwrap_or(&nothing), path, strays),
            None if others.is_none() || whole => strays.push(Stray { path: path.clone(), shared: others.is_some() }),
            // Somebody else keeps a part of it: only the rest goes.
            None => collect_strays(below, &Value::Null, others.unwrap_or(&nothing), path, strays),
        }
        path.pop();
    }
}

/// The fields that an entry owns, without those that say of which release an object is: they are written beside the configuration, and no
/// release's matter. A way back, which writes the whole object, owns them all the same.
fn unmarked(entry: &Value) -> Value {
    let mut fields = entry["fieldsV1"].clone();
    let is_empty = |value: &Value| value.as_object().is_some_and(|map| map.keys().all(|key| key == "."));
    if let Some(metadata) = fields.get_mut("f:metadata")
        && let Some(annotations) = metadata.get_mut("f:annotations")
        && let Some(map) = annotations.as_object_mut()
    {
        let before = map.len();
        map.retain(|name, _| !name.strip_prefix("f:").is_some_and(|name| diff::MARKS.contains(&name)));
        let had_some = map.len() < before;
        if had_some && is_empty(annotations) {
            remove_key(metadata, "f:annotations");
        }
        if had_some && is_empty(metadata) {
            remove_key(&mut fields, "f:metadata");
        }
    }
    fields
}

fn remove_key(value: &mut Value, key: &str) {
    drop(value.as_object_mut().and_then(|map| map.remove(key)));
}

/// Lists whose items stand or fall as a whole.
const WHOLE: [&str; 3] = ["containers", "initContainers", "volumes"];

/// The fields of which Kubernetes takes only one, where `desired` has another than is live: whoever wrote it, both cannot be.
/// (The probes' handlers, a variable's value, a volume's source: the one-of structs of core/v1.)
fn rivals(live: &Value, desired: &Value, field: &str, path: &mut Path, strays: &mut Vec<Path>) {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => {
            let one_of = |key: &str| match field {
                "env" => key == "value" || key == "valueFrom",
                "volumes" => key != "name",
                _ => field.ends_with("Probe") && ["httpGet", "tcpSocket", "exec", "grpc"].contains(&key),
            };
            if desired.keys().any(|key| one_of(key)) {
                for key in live.keys().filter(|key| one_of(key) && !desired.contains_key(*key)) {
                    strays.push([path.as_slice(), &[Key::Field(key.clone())]].concat());
                }
            }
            for (key, desired) in desired {
                if let Some(live) = live.get(key) {
                    path.push(Key::Field(key.clone()));
                    rivals(live, desired, key, path, strays);
                    path.pop();
                }
            }
        }
        (Value::Array(live), Value::Array(desired)) => {
            let Some(name) = identity(&[live, desired]) else { return };
            for desired in desired {
                if let Some(live) = live.iter().find(|item| item.get(name) == desired.get(name)) {
                    path.push(Key::Item([(name.to_owned(), desired[name].clone())].into_iter().collect()));
                    rivals(live, desired, field, path, strays);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "ownership_tests.rs"]
mod tests;
