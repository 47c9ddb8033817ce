//! The pod of a part: our short forms as Kubernetes spells them, and what is plain Kubernetes as it stands.

use serde_json::{Map, Value, json};

use super::config::Config;
use super::context::Ground;
use super::variables;
use crate::error::Problem;
use crate::manifest::keys::{container, pod, volume as volumes_of, workload};
use crate::manifest::{Part, Role};
use crate::yaml::{Field, Node};

/// The name of the pod volume that holds `files`.
const FILES_VOLUME: &str = "shipcat-files";

/// The pod template of a part.
pub fn template(part: &Part, ground: &mut Ground<'_>, config: Option<&Config>, problems: &mut Vec<Problem>) -> Value {
    let value = &part.value;
    let mut spec = Map::new();
    copy(value, &pod::PLAIN, &mut spec);
    if let Some(account) = ground.service_account(part) {
        spec.insert("serviceAccountName".into(), account.into());
    }
    if let Some(secrets) = value["imagePullSecrets"].as_array() {
        spec.insert("imagePullSecrets".into(), pull_secrets(secrets));
    }
    for (from, to) in
        [("podSecurityContext", "securityContext"), ("topologySpreadConstraints", "topologySpreadConstraints")]
    {
        if !value[from].is_null() {
            spec.insert(to.into(), value[from].clone());
        }
    }
    if matches!(part.role, Role::Job | Role::CronJob) {
        spec.insert("restartPolicy".into(), value["restartPolicy"].as_str().unwrap_or("Never").into());
    }
    let init = others(part, "initContainers", ground, problems);
    if !init.is_empty() {
        spec.insert("initContainers".into(), init.into());
    }
    let (mounts, volumes) = volumes(part, config);
    let mut containers = vec![main(part, ground, mounts, problems)];
    containers.extend(others(part, "sidecars", ground, problems));
    spec.insert("containers".into(), containers.into());
    if !volumes.is_empty() {
        spec.insert("volumes".into(), volumes.into());
    }
    let mut metadata = Map::new();
    metadata.insert("labels".into(), ground.pod_labels(part).into());
    if let Some(annotations) = value["podAnnotations"].as_object().filter(|map| !map.is_empty()) {
        metadata.insert("annotations".into(), annotations.clone().into());
    }
    json!({"metadata": metadata, "spec": spec})
}

/// Secrets with which images are pulled, as Kubernetes spells them.
pub fn pull_secrets(secrets: &[Value]) -> Value {
    secrets.iter().map(|secret| if secret.is_string() { json!({"name": secret}) } else { secret.clone() }).collect()
}

/// The fields of a group that are there, as they stand.
fn copy(value: &Value, group: &[Field], out: &mut Map<String, Value>) {
    for field in group {
        if let Some(found) = value.get(field.key) {
            out.insert(field.key.into(), found.clone());
        }
    }
}

fn main(part: &Part, ground: &mut Ground<'_>, mounts: Vec<Value>, problems: &mut Vec<Problem>) -> Value {
    let value = &part.value;
    let mut main = Map::new();
    main.insert("name".into(), part.container.as_str().into());
    main.insert("image".into(), ground.image(part).into());
    for key in ["command", "args"] {
        if let Some(list) = value.get(key) {
            main.insert(key.into(), list.clone());
        }
    }
    let ports = container_ports(value);
    if !ports.is_empty() {
        main.insert("ports".into(), ports.into());
    }
    if let Some(env) = part.tree.get("env") {
        let mut list = variables::rendered(env, "env", ground.texts(), problems);
        // A list is Kubernetes' own spelling, and taken as Kubernetes takes it.
        list.extend(value["env"].as_array().into_iter().flatten().cloned());
        if !list.is_empty() {
            main.insert("env".into(), list.into());
        }
    }
    if let Some(from) = value.get("envFrom") {
        main.insert("envFrom".into(), from.clone());
    }
    let port = first_port(value);
    for (key, name) in [
        ("health", "readinessProbe"),
        ("readinessProbe", "readinessProbe"),
        ("livenessProbe", "livenessProbe"),
        ("startupProbe", "startupProbe"),
    ] {
        if let Some(found) = value.get(key) {
            main.insert(name.into(), probe(found, name, &port));
        }
    }
    copy(value, &container::PLAIN, &mut main);
    copy(value, &container::SECURITY_FIELD, &mut main);
    if !mounts.is_empty() {
        main.insert("volumeMounts".into(), mounts.into());
    }
    main.into()
}

/// A probe as Kubernetes spells it. A path alone is asked at the first port; it asks every second whether a pod is ready or has
/// started, since Kubernetes' own ten make a rollout wait for nothing.
fn probe(probe: &Value, name: &str, port: &Value) -> Value {
    let Some(path) = probe.as_str() else { return probe.clone() };
    let mut full = json!({"httpGet": {"path": path, "port": port}, "timeoutSeconds": 2});
    if name != "livenessProbe" {
        full["periodSeconds"] = 1.into();
    }
    if name == "startupProbe" {
        full["failureThreshold"] = 60.into();
    }
    full
}

/// The port that a short form means: the service's first one, by its name where it has one.
pub fn first_port(value: &Value) -> Value {
    match container_ports(value).first() {
        Some(port) => port.get("name").or_else(|| port.get("containerPort")).cloned().unwrap_or_default(),
        None => Value::Null,
    }
}

/// The container's ports, as Kubernetes spells them.
pub fn container_ports(value: &Value) -> Vec<Value> {
    let mut ports = Vec::new();
    for (name, form) in named_ports(value) {
        let mut port = Map::new();
        port.insert("name".into(), name.into());
        port.insert("containerPort".into(), form.as_u64().map_or_else(|| form["container"].clone(), Value::from));
        port.insert("protocol".into(), form["protocol"].as_str().unwrap_or("TCP").into());
        if let Some(host) = form.get("hostPort") {
            port.insert("hostPort".into(), host.clone());
        }
        ports.push(port.into());
    }
    ports.extend(with_protocol(&value["ports"]));
    ports
}

/// A list of ports, each with its protocol: a server-side apply tells ports apart by it, and older API servers fill nothing in.
pub fn with_protocol(ports: &Value) -> Vec<Value> {
    let mut ports = ports.as_array().cloned().unwrap_or_default();
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        port.entry("protocol").or_insert_with(|| "TCP".into());
    }
    ports
}

/// The ports that have a name of ours: `port`, and those of `ports` where that is a map.
pub fn named_ports(value: &Value) -> Vec<(String, Value)> {
    let short = value.get("port").map(|port| ("http".to_owned(), port.clone()));
    let long = value["ports"].as_object().into_iter().flatten().map(|(name, port)| (name.clone(), port.clone()));
    short.into_iter().chain(long).collect()
}

/// Init containers or sidecars.
fn others(part: &Part, key: &str, ground: &mut Ground<'_>, problems: &mut Vec<Problem>) -> Vec<Value> {
    let trees = part.tree.get(key).map_or(&[][..], Node::items);
    let values = part.value[key].as_array().map_or(&[][..], Vec::as_slice);
    let port = first_port(&part.value);
    trees
        .iter()
        .zip(values)
        .map(|(tree, value)| {
            let mut out = Map::new();
            out.insert("name".into(), value["name"].clone());
            let image = value["image"].as_str().map(|own| ground.other_image(part, own, value["version"].as_str()));
            out.insert("image".into(), image.unwrap_or_else(|| ground.image(part)).into());
            for key in ["command", "args", "restartPolicy"] {
                copy_one(value, key, &mut out);
            }
            if let Some(ports) = value.get("ports") {
                out.insert("ports".into(), with_protocol(ports).into());
            }
            match tree.get("env") {
                Some(env) if !env.entries().is_empty() => {
                    let what = format!("{key}.{}.env", value["name"].as_str().unwrap_or_default());
                    out.insert("env".into(), variables::rendered(env, &what, ground.texts(), problems).into());
                }
                // A list is Kubernetes' own spelling, and taken as Kubernetes takes it.
                _ => copy_one(value, "env", &mut out),
            }
            copy_one(value, "envFrom", &mut out);
            for name in ["readinessProbe", "livenessProbe", "startupProbe"] {
                if let Some(found) = value.get(name) {
                    let own = value["ports"][0].get("name").or_else(|| value["ports"][0].get("containerPort"));
                    out.insert(name.into(), probe(found, name, own.unwrap_or(&port)));
                }
            }
            copy(value, &container::PLAIN, &mut out);
            copy(value, &container::SECURITY_FIELD, &mut out);
            copy_one(value, "volumeMounts", &mut out);
            out.into()
        })
        .collect()
}

fn copy_one(value: &Value, key: &str, out: &mut Map<String, Value>) {
    if let Some(found) = value.get(key) {
        out.insert(key.into(), found.clone());
    }
}

/// The main container's mounts, and the pod's volumes.
fn volumes(part: &Part, config: Option<&Config>) -> (Vec<Value>, Vec<Value>) {
    let value = &part.value;
    let (mut mounts, mut volumes) = (Vec::new(), Vec::new());
    if let Some(config) = config {
        let mode = value.get("filesMode");
        let source = |items: Option<Value>| {
            let mut source = json!({"name": config.name});
            if let Some(mode) = mode {
                source["defaultMode"] = mode.clone();
            }
            if let Some(items) = items {
                source["items"] = items;
            }
            source
        };
        let single: Vec<_> = config.mounts.iter().filter(|mount| mount.folder.is_none()).collect();
        for mount in &single {
            mounts.push(json!({"name": FILES_VOLUME, "mountPath": mount.path, "subPath": mount.key, "readOnly": true}));
        }
        if !single.is_empty() {
            volumes.push(json!({"name": FILES_VOLUME, "configMap": source(None)}));
        }
        let mut folders: Vec<&str> = config.mounts.iter().filter_map(|mount| mount.folder.as_deref()).collect();
        folders.dedup();
        for (i, folder) in folders.into_iter().enumerate() {
            let name = format!("{FILES_VOLUME}-{}", i + 1);
            let inside = config.mounts.iter().filter(|mount| mount.folder.as_deref() == Some(folder));
            let items = inside.map(|mount| json!({"key": mount.key, "path": mount.path.rsplit('/').next()})).collect();
            mounts.push(json!({"name": name, "mountPath": folder, "readOnly": true}));
            volumes.push(json!({"name": name, "configMap": source(Some(items))}));
        }
    }
    mounts.extend(value["volumeMounts"].as_array().into_iter().flatten().cloned());
    volumes.extend(value["volumes"].as_array().into_iter().flatten().cloned());
    for (name, volume) in value["volumes"].as_object().into_iter().flatten() {
        if let Some(path) = volume.get("mountPath") {
            let mut mount = json!({"name": name, "mountPath": path}).as_object().cloned().unwrap_or_default();
            copy(volume, &container::MOUNT_FIELDS, &mut mount);
            mounts.push(mount.into());
        }
        let mut out = json!({"name": name}).as_object().cloned().unwrap_or_default();
        copy(volume, &volumes_of::SOURCES, &mut out);
        if volume.get("claim").is_some() {
            if is_set(part) {
                // Its claims come from the StatefulSet, under the volume's name.
                continue;
            }
            out.insert("persistentVolumeClaim".into(), json!({"claimName": claim_name(part, name, volume)}));
        }
        volumes.push(out.into());
    }
    (mounts, volumes)
}

/// Whether the part is a StatefulSet, which makes its claims itself.
pub fn is_set(part: &Part) -> bool {
    part.role == Role::Main && part.value["kind"] == "StatefulSet"
}

/// The name of the claim of a volume.
pub fn claim_name(part: &Part, volume: &str, value: &Value) -> String {
    value["claim"]["name"].as_str().map_or_else(|| format!("{}-{volume}", part.name), str::to_owned)
}

/// The claims of a part's volumes: the volume's name, the claim's own name, its `spec`, and the claim as the manifest has it.
pub fn claims(part: &Part) -> Vec<(String, String, Value, Value)> {
    let volumes = part.value["volumes"].as_object();
    let claims = volumes.into_iter().flatten().filter_map(|(name, volume)| {
        let claim = volume.get("claim")?;
        let mut spec = Map::new();
        spec.insert(
            "accessModes".into(),
            claim.get("accessModes").cloned().unwrap_or_else(|| json!(["ReadWriteOnce"])),
        );
        spec.insert("resources".into(), json!({"requests": {"storage": claim["storage"]}}));
        copy(claim, &volumes_of::CLAIM_FIELDS, &mut spec);
        Some((name.clone(), claim_name(part, name, volume), spec.into(), claim.clone()))
    });
    claims.collect()
}

/// The fields of a rollout that are there, under the names that templates know them by.
pub fn rollout(value: &Value, context: &mut Map<String, Value>) {
    for field in &workload::ROLLOUT {
        let name = match field.key {
            "minReadySeconds" => "min_ready_seconds",
            "progressDeadlineSeconds" => "progress_deadline_seconds",
            "revisionHistoryLimit" => "revision_history_limit",
            other => other,
        };
        if let Some(found) = value.get(field.key) {
            context.insert(name.into(), found.clone());
        }
    }
}
