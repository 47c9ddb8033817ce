//! What goes with a workload, as the keys of a manifest: Services, ingress, autoscaler, budget, account, ConfigMaps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::files::Files;
use super::pod::{copy, fields, pull_secrets};
use super::read::Original;
use super::roles::Way;
use super::versions::utilization;
use super::write::MARKS;
use crate::manifest::keys::service::SERVICE_SPEC;

/// Longer texts become files.
const SHORT_TEXT: usize = 200;

/// Labels that are not among those which the object has anyhow, and annotations.
pub fn meta(original: &Original, inherited: &Map<String, Value>, keys: &mut Map<String, Value>) {
    let mut labels = original.map("/metadata/labels");
    labels.retain(|key, value| inherited.get(key) != Some(value));
    if !labels.is_empty() {
        keys.insert("labels".into(), labels.into());
    }
    copy(&original.value["metadata"], &["annotations"], keys);
}

/// A name, if it is not the one that the object gets anyhow.
pub fn name(original: &Original, usual: &str, keys: &mut Map<String, Value>) {
    if original.name != usual {
        let own = std::mem::take(keys);
        keys.insert("name".into(), original.name.clone().into());
        keys.extend(own);
    }
}

/// A Service; `with_ports` unless they come from `port` and `ports`.
pub fn service(original: &Original, selector: &Map<String, Value>, with_ports: bool) -> Map<String, Value> {
    let spec = &original.value["spec"];
    let mut keys = Map::new();
    fields(spec, &SERVICE_SPEC, &mut keys);
    if keys.get("selector").and_then(Value::as_object) == Some(selector) {
        keys.shift_remove("selector");
    } else if !keys.contains_key("selector") && spec["type"] != "ExternalName" {
        // One without a selector has its addresses from elsewhere.
        keys.insert("selector".into(), json!({}));
    }
    if with_ports {
        let none = json!([]);
        keys.insert("ports".into(), spec.get("ports").unwrap_or(&none).clone());
    }
    keys
}

/// An ingress by its hosts; certificates as Kubernetes spells them, unless they are one a host.
pub fn ingress(original: &Original, service: &str, way: Way) -> Map<String, Value> {
    let spec = &original.value["spec"];
    let mut keys = Map::new();
    if let Some(class) = spec.get("ingressClassName") {
        keys.insert("className".into(), class.clone());
    }
    let mut hosts = Map::new();
    for rule in spec["rules"].as_array().into_iter().flatten() {
        let mut paths = Map::new();
        for path in rule["http"]["paths"].as_array().into_iter().flatten() {
            let backend = &path["backend"]["service"];
            let port =
                backend["port"].get("number").or_else(|| backend["port"].get("name")).cloned().unwrap_or_default();
            let mut to = json!({"port": port});
            if backend["name"] != service {
                to["service"] = backend["name"].clone();
            }
            if path["pathType"] != "Prefix" {
                to["pathType"] = path["pathType"].clone();
            }
            let short = to.as_object().is_some_and(|to| to.len() == 1);
            paths.insert(path["path"].as_str().unwrap_or_default().to_owned(), if short { port } else { to });
        }
        let host = rule["host"].as_str().unwrap_or("*").to_owned();
        hosts.insert(host, json!({"paths": paths}));
    }
    if let Some(tls) = spec.get("tls") {
        let pairs =
            tls.as_array().into_iter().flatten().map(|entry| match entry["hosts"].as_array().map(Vec::as_slice) {
                Some([host]) => Some((host.as_str()?.to_owned(), entry.get("secretName")?.clone())),
                _ => None,
            });
        let pairs: Option<Vec<(String, Value)>> = pairs.collect();
        let each = pairs.filter(|pairs| pairs.iter().all(|(host, _)| hosts.contains_key(host)) && way == Way::Short);
        match each {
            Some(pairs) => {
                for (host, secret) in pairs {
                    hosts[&host]["tls"] = secret;
                }
            }
            None => drop(keys.insert("tls".into(), tls.clone())),
        }
    }
    keys.insert("hosts".into(), hosts.into());
    keys
}

/// An autoscaler; `asked` is what its workload asks for all the same.
pub fn autoscaler(original: &Original, asked: Option<i64>, way: Way) -> Map<String, Value> {
    let spec = &original.value["spec"];
    let mut keys = Map::new();
    copy(spec, &["minReplicas", "maxReplicas"], &mut keys);
    let mut metrics = spec["metrics"].as_array().cloned().unwrap_or_default();
    for resource in ["cpu", "memory"] {
        let percent = metrics.first().map(|first| first["resource"]["target"]["averageUtilization"].clone());
        if let Some(percent) = percent.filter(|_| way == Way::Short)
            && metrics.first() == Some(&utilization(resource, &percent))
        {
            keys.insert(resource.into(), percent);
            metrics.remove(0);
        }
    }
    if !metrics.is_empty() {
        keys.insert("metrics".into(), metrics.into());
    }
    copy(spec, &["behavior"], &mut keys);
    if let Some(asked) = asked {
        keys.insert("replicas".into(), asked.into());
    }
    keys
}

/// A disruption budget.
pub fn budget(original: &Original) -> Map<String, Value> {
    let mut keys = Map::new();
    copy(&original.value["spec"], &["minAvailable", "maxUnavailable", "unhealthyPodEvictionPolicy"], &mut keys);
    keys
}

/// A service account.
pub fn account(original: &Original) -> Map<String, Value> {
    let mut keys = Map::new();
    if let Some(secrets) = original.value.get("imagePullSecrets") {
        keys.insert("imagePullSecrets".into(), pull_secrets(secrets));
    }
    copy(&original.value, &["automountServiceAccountToken"], &mut keys);
    keys
}

/// A ConfigMap: short texts as they are, longer ones and bytes as files of the service's folder.
pub fn config_map(original: &Original, files: &mut Files) -> Map<String, Value> {
    let (mut data, mut named) = (Map::new(), Map::new());
    for (key, value) in original.map("/data") {
        let text = value.as_str().unwrap_or_default();
        let odd = text.contains('\n') || text.len() > SHORT_TEXT || text.contains("endraw");
        if odd {
            named.insert(key.clone(), files.add(&original.name, &key, text.as_bytes().to_vec()).into());
        } else if MARKS.iter().any(|mark| text.contains(mark)) {
            data.insert(key, format!("{{% raw %}}{text}{{% endraw %}}").into());
        } else {
            data.insert(key, text.into());
        }
    }
    for (key, value) in original.map("/binaryData") {
        let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        named.insert(key.clone(), files.add(&original.name, &key, bytes).into());
    }
    let mut keys = Map::new();
    if !data.is_empty() {
        keys.insert("data".into(), data.into());
    }
    if !named.is_empty() {
        keys.insert("files".into(), named.into());
    }
    copy(&original.value, &["immutable"], &mut keys);
    keys
}
