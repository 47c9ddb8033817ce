//! How a service is reached: Services and the ingress.

use serde_json::{Map, Value, json};

use super::context::{Ground, object};
use super::objects::{Item, item};
use super::pod;
use crate::manifest::keys::service::SERVICE_SPEC;
use crate::manifest::{Part, Role};

/// The Service of a part that listens, and for a StatefulSet the one that gives its pods their names.
pub fn services(ground: &Ground<'_>, part: &Part) -> Vec<Item> {
    let value = &part.value;
    let mut items = Vec::new();
    let own = &ground.manifest.value["service"];
    let own = if part.role == Role::Main { own } else { &Value::Null };
    let ports = service_ports(value);
    if *own != false && (own.is_object() || !ports.is_empty()) {
        items.push(service(ground, &part.name, ports, ground.selector(part), own));
    }
    if pod::is_set(part) && value.get("serviceName").is_none() && own["clusterIP"] != "None" {
        let mut ports = service_ports(value);
        if ports.is_empty() {
            ports = pod::container_ports(value)
                .iter()
                .map(|port| json!({"name": port["name"], "port": port["containerPort"], "protocol": port["protocol"]}))
                .collect();
        }
        let headless = json!({"clusterIP": "None", "publishNotReadyAddresses": true, "name": set_service(part)});
        items.push(service(ground, &part.name, ports, ground.selector(part), &headless));
    }
    items
}

/// The Service of a StatefulSet's pods.
pub fn set_service(part: &Part) -> String {
    match part.value["serviceName"].as_str() {
        Some(name) => name.to_owned(),
        None if part.value["service"]["clusterIP"] == "None" => {
            part.value["service"]["name"].as_str().unwrap_or(&part.name).to_owned()
        }
        None => format!("{}-pods", part.name),
    }
}

/// A Service: what `own` says goes over what comes from the ports.
pub fn service(ground: &Ground<'_>, name: &str, ports: Vec<Value>, selector: Map<String, Value>, own: &Value) -> Item {
    let mut spec = Map::new();
    spec.insert("selector".into(), selector.into());
    for field in &SERVICE_SPEC {
        if let Some(found) = own.get(field.key) {
            spec.insert(field.key.into(), found.clone());
        }
    }
    if own["type"] == "ExternalName" && own.get("selector").is_none() {
        spec.shift_remove("selector");
    }
    let ports = if own["ports"].is_array() { pod::with_protocol(&own["ports"]) } else { ports };
    if !ports.is_empty() {
        spec.insert("ports".into(), ports.into());
    }
    let mut labels = ground.labels(None);
    labels.extend(object(&own["labels"]));
    let metadata = ground.metadata(own["name"].as_str().unwrap_or(name), labels, &own["annotations"]);
    item("service", json!({"metadata": metadata, "spec": spec}))
}

/// What a Service offers of a part's ports.
fn service_ports(value: &Value) -> Vec<Value> {
    let mut ports = Vec::new();
    for (name, form) in pod::named_ports(value) {
        let container = form.as_u64().map_or_else(|| form["container"].clone(), Value::from);
        let port = match &form["service"] {
            Value::Bool(false) => continue,
            Value::Number(port) => Value::Number(port.clone()),
            _ => container,
        };
        let mut out = json!({"name": name, "port": port, "targetPort": name, "protocol": form["protocol"].as_str().unwrap_or("TCP")});
        for key in ["nodePort", "appProtocol"] {
            if let Some(found) = form.get(key) {
                out[key] = found.clone();
            }
        }
        ports.push(out);
    }
    ports
}

/// The ingress, if the manifest has one.
pub fn ingress(ground: &Ground<'_>) -> Option<Item> {
    let own = ground.manifest.value.get("ingress")?;
    let service = ground.manifest.value["service"]["name"].as_str().unwrap_or(ground.name());
    let first = service_ports(&ground.manifest.value).first().map_or(Value::Null, |port| port["name"].clone());
    let short = json!({"hosts": {own.as_str().unwrap_or_default(): {}}});
    let own = if own.is_object() { own } else { &short };
    let (mut rules, mut tls) = (Vec::new(), own["tls"].as_array().cloned().unwrap_or_default());
    for (host, at) in own["hosts"].as_object().into_iter().flatten() {
        let paths: Vec<Value> = match at["paths"].as_object().filter(|paths| !paths.is_empty()) {
            Some(paths) => paths.iter().map(|(path, to)| ingress_path(path, to, service)).collect(),
            None => vec![ingress_path("/", &first, service)],
        };
        let mut rule = json!({"http": {"paths": paths}});
        if host != "*" {
            rule["host"] = host.as_str().into();
        }
        rules.push(rule);
        if let Some(secret) = at["tls"].as_str() {
            match tls.iter_mut().find(|known| known["secretName"] == secret) {
                Some(known) => {
                    if let Some(hosts) = known["hosts"].as_array_mut() {
                        hosts.push(host.as_str().into());
                    }
                }
                None => tls.push(json!({"hosts": [host], "secretName": secret})),
            }
        }
    }
    let mut spec = json!({});
    if let Some(class) = own.get("className") {
        spec["ingressClassName"] = class.clone();
    }
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    spec["rules"] = rules.into();
    let mut labels = ground.labels(None);
    labels.extend(object(&own["labels"]));
    let metadata = ground.metadata(own["name"].as_str().unwrap_or(ground.name()), labels, &own["annotations"]);
    Some(item("ingress", json!({"metadata": metadata, "spec": spec})))
}

fn ingress_path(path: &str, to: &Value, service: &str) -> Value {
    let port = if to.is_object() { &to["port"] } else { to };
    let port = if port.is_number() { json!({"number": port}) } else { json!({"name": port}) };
    let service = to["service"].as_str().unwrap_or(service);
    json!({
        "path": path,
        "pathType": to["pathType"].as_str().unwrap_or("Prefix"),
        "backend": {"service": {"name": service, "port": port}},
    })
}
