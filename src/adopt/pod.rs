//! A pod template as the keys of a manifest, with short forms where they say the same.

use serde_json::{Map, Value, json};

use super::image;
use super::roles::Way;
use super::write::MARKS;
use crate::manifest::keys::{container, pod, volume};
use crate::yaml::Field;

/// The image of the service: its name and its version.
pub type Image = Option<(String, String)>;

/// What is known of the pod's surroundings.
pub struct Around<'a> {
    /// How far short forms may go.
    pub way: Way,
    /// The labels by which the pods are found, which they have anyhow.
    pub selector: &'a Map<String, Value>,
    /// The main container's name, if the manifest does not say another.
    pub container: &'a str,
    /// The image that is taken where nothing else is said.
    pub image: &'a Image,
    /// Claims by their volume: those of a StatefulSet, and those that stand for a volume's claim.
    pub claims: &'a [(String, Value)],
}

/// The keys of a pod; `ports` are not among them.
pub fn keys(template: &Value, around: &Around<'_>) -> Map<String, Value> {
    let spec = &template["spec"];
    let main = &spec["containers"][0];
    let mut keys = Map::new();
    if main["name"] != around.container {
        keys.insert("containerName".into(), main["name"].clone());
    }
    images(main, around.image, &mut keys);
    let port = first_port(main);
    copy(main, &["command", "args"], &mut keys);
    if let Some(env) = env(main, around.way) {
        keys.insert("env".into(), env);
    }
    copy(main, &["envFrom"], &mut keys);
    for name in ["readinessProbe", "livenessProbe", "startupProbe"] {
        match main.get(name).map(|probe| (short_probe(probe, name, &port), probe)) {
            Some((Some(path), _)) if name == "readinessProbe" => drop(keys.insert("health".into(), path)),
            Some((Some(path), _)) => drop(keys.insert(name.into(), path)),
            Some((None, probe)) => drop(keys.insert(name.into(), probe.clone())),
            None => {}
        }
    }
    fields(main, &container::PLAIN, &mut keys);
    copy(main, &["securityContext"], &mut keys);
    volumes(spec, main, around, &mut keys);
    for (key, containers) in
        [("initContainers", all(spec, "initContainers")), ("sidecars", &all(spec, "containers")[1..])]
    {
        let list: Vec<Value> = containers.iter().map(|own| other(own, main, around.way)).collect();
        if !list.is_empty() {
            keys.insert(key.into(), list.into());
        }
    }
    fields(spec, &pod::PLAIN, &mut keys);
    copy(spec, &["topologySpreadConstraints"], &mut keys);
    if let Some(context) = spec.get("securityContext") {
        keys.insert("podSecurityContext".into(), context.clone());
    }
    if let Some(secrets) = spec.get("imagePullSecrets") {
        keys.insert("imagePullSecrets".into(), pull_secrets(secrets));
    }
    let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.retain(|key, value| around.selector.get(key) != Some(value));
    if !labels.is_empty() {
        keys.insert("podLabels".into(), labels.into());
    }
    if let Some(annotations) = template["metadata"].get("annotations") {
        keys.insert("podAnnotations".into(), annotations.clone());
    }
    keys
}

/// Names of Secrets, where there is nothing but a name.
pub fn pull_secrets(secrets: &Value) -> Value {
    let short =
        |secret: &Value| secret.get("name").filter(|_| secret.as_object().is_some_and(|map| map.len() == 1)).cloned();
    secrets.as_array().into_iter().flatten().map(|secret| short(secret).unwrap_or_else(|| secret.clone())).collect()
}

fn all<'a>(spec: &'a Value, key: &str) -> &'a [Value] {
    match spec[key].as_array().map_or(&[][..], Vec::as_slice) {
        // A pod without containers is refused elsewhere.
        [] if key == "containers" => std::slice::from_ref(spec),
        list => list,
    }
}

/// Copies keys that are there.
pub fn copy(from: &Value, list: &[&str], keys: &mut Map<String, Value>) {
    for key in list {
        if let Some(found) = from.get(*key) {
            keys.insert((*key).into(), found.clone());
        }
    }
}

/// Copies the fields of a group that are there.
pub fn fields(from: &Value, group: &[Field], keys: &mut Map<String, Value>) {
    for field in group {
        copy(from, &[field.key], keys);
    }
}

fn images(own: &Value, known: &Image, keys: &mut Map<String, Value>) {
    let text = own["image"].as_str().unwrap_or_default();
    let split = image::split(text);
    if split.is_some() && split == *known {
        return;
    }
    match split {
        Some((name, version)) => {
            if known.as_ref().is_none_or(|(known, _)| *known != name) {
                keys.insert("image".into(), name.into());
            }
            keys.insert("version".into(), version.into());
        }
        None => drop(keys.insert("image".into(), text.into())),
    }
}

/// The port that a short form of a probe means.
fn first_port(main: &Value) -> Value {
    let first = &main["ports"][0];
    first.get("name").or_else(|| first.get("containerPort")).cloned().unwrap_or_default()
}

/// The path that stands for a probe, if it is just what a path means.
fn short_probe(probe: &Value, name: &str, port: &Value) -> Option<Value> {
    let path = probe["httpGet"]["path"].as_str()?;
    let mut full = json!({"httpGet": {"path": path, "port": port}, "timeoutSeconds": 2});
    if name != "livenessProbe" {
        full["periodSeconds"] = 1.into();
    }
    if name == "startupProbe" {
        full["failureThreshold"] = 60.into();
    }
    (*probe == full).then(|| path.into())
}

/// Variables: a map where each name is there once, else the list.
fn env(own: &Value, way: Way) -> Option<Value> {
    let list = own["env"].as_array().filter(|list| !list.is_empty())?;
    let mut map = Map::new();
    for variable in list {
        let name = variable["name"].as_str().unwrap_or_default();
        map.insert(name.to_owned(), variable_of(name, variable));
    }
    if way == Way::Short && map.len() == list.len() { Some(map.into()) } else { Some(list.clone().into()) }
}

fn variable_of(name: &str, variable: &Value) -> Value {
    let Some(from) = variable.get("valueFrom") else {
        let text = variable["value"].as_str().unwrap_or_default();
        // What tera or Kubernetes would read something into stays Kubernetes' matter.
        let meant = MARKS.iter().chain(&["$(", "$$"]).any(|mark| text.contains(mark));
        return if meant { json!({"value": text}) } else { text.into() };
    };
    for (key, short) in [("secretKeyRef", "secret"), ("configMapKeyRef", "configMap")] {
        let known =
            |map: &Map<String, Value>| map.keys().all(|key| ["name", "key", "optional"].contains(&key.as_str()));
        if let Some(reference) = from[key].as_object().filter(|map| known(map) && map.contains_key("name")) {
            let mut out = json!({short: reference["name"]});
            if reference.get("key").is_none_or(|key| key != name) {
                out["key"] = reference.get("key").cloned().unwrap_or_default();
            }
            if let Some(optional) = reference.get("optional") {
                out["optional"] = optional.clone();
            }
            return out;
        }
    }
    match from["fieldRef"].as_object() {
        Some(field) if field.len() == 1 => json!({"field": field.get("fieldPath")}),
        _ => json!({"valueFrom": from}),
    }
}

/// An init container or a sidecar.
fn other(own: &Value, main: &Value, way: Way) -> Value {
    let mut out = Map::new();
    copy(own, &["name"], &mut out);
    if own["image"] != main["image"] {
        images(own, &None, &mut out);
    }
    copy(own, &["command", "args", "ports"], &mut out);
    if let Some(env) = env(own, way) {
        out.insert("env".into(), env);
    }
    copy(own, &["envFrom", "readinessProbe", "livenessProbe", "startupProbe", "restartPolicy"], &mut out);
    fields(own, &container::PLAIN, &mut out);
    copy(own, &["securityContext", "volumeMounts"], &mut out);
    out.into()
}

/// Volumes by name with their mounts where one order fits both; else as Kubernetes spells them.
fn volumes(spec: &Value, main: &Value, around: &Around<'_>, keys: &mut Map<String, Value>) {
    let list = spec["volumes"].as_array().cloned().unwrap_or_default();
    let mounts = main["volumeMounts"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let set: Vec<&(String, Value)> =
        around.claims.iter().filter(|(name, _)| list.iter().all(|volume| text(volume) != *name)).collect();
    if list.is_empty() && set.is_empty() {
        return copy(main, &["volumeMounts"], keys);
    }
    let source = |name: &str| -> Map<String, Value> {
        if let Some((_, claim)) = around.claims.iter().find(|(own, _)| own == name) {
            return Map::from_iter([("claim".to_owned(), claim.clone())]);
        }
        let volume = list.iter().find(|volume| text(volume) == name);
        let mut source = volume.and_then(Value::as_object).cloned().unwrap_or_default();
        source.shift_remove("name");
        source
    };
    if let Some(order) = order(&list, &set, &mounts).filter(|_| around.way == Way::Short) {
        let entry = |name: String| {
            let mut entry = Map::new();
            if let Some(mount) = mounts.iter().find(|mount| text(mount) == name) {
                entry = mount.as_object().cloned().unwrap_or_default();
                entry.shift_remove("name");
            }
            entry.extend(source(&name));
            (name, Value::from(entry))
        };
        keys.insert("volumes".into(), order.into_iter().map(entry).collect::<Map<_, _>>().into());
        return;
    }
    copy(main, &["volumeMounts"], keys);
    if around.claims.is_empty() {
        keys.insert("volumes".into(), list.into());
    } else {
        let names = list.iter().map(text).chain(set.iter().map(|(name, _)| name.clone()));
        let map: Map<String, Value> = names.map(|name| (name.clone(), source(&name).into())).collect();
        keys.insert("volumes".into(), map.into());
    }
}

/// An order of names in which volumes, claims and mounts all come as they did, if there is one.
fn order(list: &[Value], set: &[&(String, Value)], mounts: &[Value]) -> Option<Vec<String>> {
    let names = |list: &[Value]| -> Vec<String> {
        list.iter().map(|own| own["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let (volumes, mounted) = (names(list), names(mounts));
    let claims: Vec<String> = set.iter().map(|(name, _)| name.clone()).collect();
    let mut order: Vec<String> = Vec::new();
    for name in &mounted {
        if order.contains(name) || !(volumes.contains(name) || claims.contains(name)) {
            return None;
        }
        // What is not mounted here keeps its place among the volumes.
        let before = volumes.iter().take_while(|other| *other != name).filter(|_| volumes.contains(name));
        let before: Vec<String> =
            before.filter(|other| !mounted.contains(other) && !order.contains(other)).cloned().collect();
        order.extend(before);
        order.push(name.clone());
    }
    let rest = volumes.iter().chain(&claims).filter(|name| !order.contains(name)).cloned().collect::<Vec<_>>();
    order.extend(rest);
    let among = |known: &[String]| order.iter().filter(|name| known.contains(name)).cloned().collect::<Vec<_>>();
    (among(&volumes) == volumes && among(&claims) == claims).then_some(order)
}

/// A claim as a manifest has it: what it asks for, from its `spec`.
pub fn claim(spec: &Value) -> Value {
    let mut out = Map::new();
    out.insert("storage".into(), spec["resources"]["requests"]["storage"].clone());
    if spec["accessModes"] != json!(["ReadWriteOnce"]) {
        copy(spec, &["accessModes"], &mut out);
    }
    fields(spec, &volume::CLAIM_FIELDS, &mut out);
    out.into()
}

/// The ports of the main container and of its Service under names, if short forms say just that: `port`, or `port` and `ports`.
pub fn short_ports(container: &Value, service: &Value) -> Option<Map<String, Value>> {
    let (container, service) = (container.as_array()?, service.as_array()?);
    let mut named = Map::new();
    let mut offered = service.iter().peekable();
    for port in container {
        let name = port["name"].as_str()?;
        let number = &port["containerPort"];
        let mut form = json!({"container": number});
        let mut known = vec!["name", "containerPort", "protocol", "hostPort"];
        for key in ["protocol", "hostPort"] {
            if let Some(found) = port.get(key) {
                form[key] = found.clone();
            }
        }
        if port.as_object()?.keys().any(|key| !known.contains(&key.as_str())) {
            return None;
        }
        match offered.next_if(|own| own["name"] == name) {
            Some(own) => {
                let same = |key: &str| own.get(key).unwrap_or(&Value::Null) == port.get(key).unwrap_or(&Value::Null);
                known = vec!["name", "port", "targetPort", "protocol", "nodePort", "appProtocol"];
                if own["targetPort"] != name
                    || !same("protocol")
                    || own.as_object()?.keys().any(|key| !known.contains(&key.as_str()))
                {
                    return None;
                }
                if own["port"] != *number {
                    form["service"] = own["port"].clone();
                }
                for key in ["nodePort", "appProtocol"] {
                    if let Some(found) = own.get(key) {
                        form[key] = found.clone();
                    }
                }
            }
            None => form["service"] = false.into(),
        }
        let short = form.as_object().is_some_and(|form| form.len() == 1);
        if named.insert(name.to_owned(), if short { number.clone() } else { form }).is_some() {
            return None;
        }
    }
    if offered.next().is_some() || named.is_empty() {
        return None;
    }
    let mut keys = Map::new();
    if container[0]["name"] == "http"
        && let Some(http) = named.shift_remove("http")
    {
        keys.insert("port".into(), http);
    }
    if !named.is_empty() {
        keys.insert("ports".into(), named.into());
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_get_their_short_form_only_where_it_says_the_same() {
        let container = json!([{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]);
        let service = json!([{"name": "http", "port": 80, "targetPort": "http"}]);
        assert_eq!(
            short_ports(&container, &service).map(Value::from),
            Some(
                json!({"port": {"container": 8080, "service": 80}, "ports": {"admin": {"container": 9090, "service": false}}})
            )
        );
        let by_number = json!([{"name": "http", "port": 80, "targetPort": 8080}]);
        assert_eq!(short_ports(&container, &by_number), None);
        assert_eq!(short_ports(&json!([{"containerPort": 1}]), &by_number), None);
        let other_order = json!([{"name": "admin", "port": 1, "targetPort": "admin"}, {"name": "http", "port": 80, "targetPort": "http"}]);
        assert_eq!(short_ports(&container, &other_order), None);
    }

    #[test]
    fn one_order_for_volumes_and_mounts() {
        let list = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
        let order_of = |mounts: Value| order(list.as_array().unwrap(), &[], mounts.as_array().unwrap());
        assert_eq!(order_of(json!([{"name": "a"}, {"name": "c"}])).unwrap(), ["a", "b", "c"]);
        assert_eq!(order_of(json!([{"name": "c"}, {"name": "a"}])), None);
        assert_eq!(order_of(json!([{"name": "a"}, {"name": "a"}])), None);
    }
}
