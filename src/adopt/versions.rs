//! Kinds that moved from one API version to another, in the newest one.

use serde_json::{Map, Value, json};

use super::clean::remove;

/// The API version in which such a kind is compared and written, whatever version it came in.
pub fn newest(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        "PodDisruptionBudget" => "policy/v1",
        "CronJob" => "batch/v1",
        "Ingress" | "NetworkPolicy" => "networking.k8s.io/v1",
        "Service" | "ConfigMap" | "ServiceAccount" | "PersistentVolumeClaim" => "v1",
        _ => return None,
    })
}

/// The groups in which a kind of Kubernetes' own is found; other groups have kinds of the same names.
fn is_own(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    ["", "apps", "extensions", "autoscaling", "policy", "batch", "networking.k8s.io"].contains(&group)
}

/// Brings an object of a known kind into its newest version. Says whether it is of a known kind.
pub fn convert(object: &mut Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let from = object["apiVersion"].as_str().unwrap_or_default().to_owned();
    let Some(to) = newest(&kind).filter(|_| is_own(&from)) else { return false };
    object["apiVersion"] = to.into();
    match kind.as_str() {
        "Ingress" if from.ends_with("v1beta1") => ingress(&mut object["spec"]),
        "HorizontalPodAutoscaler" if from == "autoscaling/v1" => autoscaler(object),
        "HorizontalPodAutoscaler" if from == "autoscaling/v2beta1" => {
            let metrics = object["spec"]["metrics"].take();
            object["spec"]["metrics"] = metrics.as_array().into_iter().flatten().map(metric).collect();
        }
        "Deployment" | "DaemonSet" if from.starts_with("extensions/") && object["spec"]["selector"].is_null() => {
            let labels = object["spec"]["template"]["metadata"]["labels"].clone();
            object["spec"]["selector"] = json!({"matchLabels": labels});
        }
        _ => {}
    }
    true
}

fn ingress(spec: &mut Value) {
    let backend = |old: &Value| {
        if old["resource"].is_object() {
            return json!({"resource": old["resource"]});
        }
        let port = &old["servicePort"];
        let port = if port.is_number() { json!({"number": port}) } else { json!({"name": port}) };
        json!({"service": {"name": old["serviceName"], "port": port}})
    };
    if let Some(old) = spec.get("backend").cloned() {
        spec["defaultBackend"] = backend(&old);
        remove(spec, &["backend"]);
    }
    for rule in spec["rules"].as_array_mut().into_iter().flatten() {
        for path in rule["http"]["paths"].as_array_mut().into_iter().flatten() {
            if path["pathType"].is_null() {
                path["pathType"] = "ImplementationSpecific".into();
            }
            path["backend"] = backend(&path["backend"]);
        }
    }
}

/// `autoscaling/v1` has a CPU target, and everything else in annotations.
fn autoscaler(object: &mut Value) {
    let annotation = |object: &Value, name: &str| -> Option<Value> {
        serde_json::from_str(
            object["metadata"]["annotations"][format!("autoscaling.alpha.kubernetes.io/{name}")].as_str()?,
        )
        .ok()
    };
    let (metrics, behavior) = (annotation(object, "metrics"), annotation(object, "behavior"));
    remove(
        &mut object["metadata"]["annotations"],
        &["autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior"],
    );
    if object["metadata"]["annotations"].as_object().is_none_or(Map::is_empty) {
        remove(&mut object["metadata"], &["annotations"]);
    }
    let spec = &mut object["spec"];
    let mut all: Vec<Value> = metrics.as_ref().and_then(Value::as_array).into_iter().flatten().map(metric).collect();
    if let Some(percent) = spec.get("targetCPUUtilizationPercentage").filter(|percent| !percent.is_null()) {
        all.push(utilization("cpu", percent));
    }
    remove(spec, &["targetCPUUtilizationPercentage"]);
    if !all.is_empty() {
        spec["metrics"] = all.into();
    }
    if let Some(behavior) = behavior {
        spec["behavior"] = lowered(&behavior);
    }
}

/// A metric that aims at a share of what is requested.
pub fn utilization(resource: &str, percent: &Value) -> Value {
    json!({"type": "Resource", "resource": {"name": resource, "target": {"type": "Utilization", "averageUtilization": percent}}})
}

/// A metric as `autoscaling/v2beta1`, and the annotation of `autoscaling/v1`, have it.
fn metric(old: &Value) -> Value {
    let kind = old["type"].as_str().unwrap_or_default();
    let key = kind.get(..1).unwrap_or_default().to_lowercase() + kind.get(1..).unwrap_or_default();
    let from = &old[&key];
    let mut target = Map::new();
    for (old, new, kind) in [
        ("targetAverageUtilization", "averageUtilization", "Utilization"),
        ("targetValue", "value", "Value"),
        ("targetAverageValue", "averageValue", "AverageValue"),
        ("averageValue", "averageValue", "AverageValue"),
    ] {
        if let Some(value) = from.get(old).filter(|value| !value.is_null() && **value != "0") {
            target.insert("type".into(), kind.into());
            target.insert(new.into(), value.clone());
        }
    }
    let mut new = Map::new();
    for key in ["name", "container"] {
        if let Some(value) = from.get(key) {
            new.insert(key.into(), value.clone());
        }
    }
    if let Some(name) = from.get("metricName") {
        let mut id = json!({"name": name});
        if let Some(selector) = from.get("selector").or_else(|| from.get("metricSelector")) {
            id["selector"] = selector.clone();
        }
        new.insert("metric".into(), id);
    }
    if key == "object" {
        new.insert("describedObject".into(), from["target"].clone());
    }
    new.insert("target".into(), target.into());
    json!({"type": kind, key: new})
}

/// Keys with a small letter in front: the annotation has them as Go does.
fn lowered(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let key = key.get(..1).unwrap_or_default().to_lowercase() + key.get(1..).unwrap_or_default();
                (key, lowered(value))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(lowered).collect(),
        other => other.clone(),
    }
}
