//! What the server added to an object, taken away: what is left is what somebody asked for.

use serde_json::{Map, Value};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotations that controllers write for themselves.
const ANNOTATIONS: [&str; 15] = [
    LAST_APPLIED,
    "deployment.kubernetes.io/revision",
    // Ours, of the release that changed it last.
    "shipcat.dev/release",
    "shipcat.dev/version",
    "shipcat.dev/revision",
    "kubernetes.io/change-cause",
    "deprecated.daemonset.template.generation",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "control-plane.alpha.kubernetes.io/leader",
];
/// What the server gives a Service that does not ask for it.
const ALLOCATED: [&str; 5] = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"];

/// An object without what the server added to it.
pub struct Cleaned {
    /// The object.
    pub object: Value,
    /// What `kubectl apply` was given, if it made the object.
    pub applied: Option<Value>,
}

/// Takes away what the server added. The namespace is the environment's matter, so it goes as well.
pub fn clean(mut object: Value) -> Cleaned {
    let metadata = object["metadata"].as_object().cloned().unwrap_or_default();
    let live = ["uid", "resourceVersion"].iter().any(|key| metadata.contains_key(*key));
    let applied: Option<Value> =
        metadata.get("annotations").and_then(|all| serde_json::from_str(all[LAST_APPLIED].as_str()?).ok());
    let asked = |pointer: &str| applied.as_ref().is_some_and(|applied| applied.pointer(pointer).is_some());
    let bound = metadata.get("annotations").is_some_and(|all| all["pv.kubernetes.io/bound-by-controller"] == "yes");
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();

    let mut kept = Map::new();
    for key in ["name", "labels", "annotations", "finalizers"] {
        let mut value = metadata.get(key).cloned().unwrap_or_default();
        if key == "annotations" {
            remove(&mut value, &ANNOTATIONS);
        }
        if let Some(list) = value.as_array_mut() {
            list.retain(|own| !own.as_str().is_some_and(|own| own.starts_with("kubernetes.io/")));
        }
        let empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !empty {
            kept.insert(key.into(), value);
        }
    }
    object["metadata"] = kept.into();
    remove(&mut object, &["status"]);
    match kind.as_str() {
        "Service" if live => {
            let headless = object["spec"]["clusterIP"] == "None";
            for key in ALLOCATED {
                if !(asked(&format!("/spec/{key}")) || headless && key == "clusterIP") {
                    remove(&mut object["spec"], &[key]);
                }
            }
        }
        "PersistentVolumeClaim" if live && bound && !asked("/spec/volumeName") => {
            remove(&mut object["spec"], &["volumeName"]);
        }
        "ServiceAccount" if live && !asked("/secrets") => remove(&mut object, &["secrets"]),
        _ => {}
    }
    Cleaned { object, applied }
}

/// Takes keys of a map away.
pub fn remove(value: &mut Value, keys: &[&str]) {
    if let Some(map) = value.as_object_mut() {
        for key in keys {
            map.shift_remove(*key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_that_somebody_asked_for_stays() {
        let service = |metadata: Value| {
            clean(json!({"kind": "Service", "metadata": metadata, "spec": {"clusterIP": "10.0.0.1"}, "status": {}}))
                .object
        };
        let asked = json!({"spec": {"clusterIP": "10.0.0.1"}}).to_string();
        let kept = json!({"kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": "10.0.0.1"}});
        assert_eq!(service(json!({"name": "a"})), kept);
        assert_eq!(service(json!({"name": "a", "uid": "1", "annotations": {LAST_APPLIED: asked}})), kept);
        assert_eq!(service(json!({"name": "a", "uid": "1", "namespace": "x"}))["spec"], json!({}));
    }
}
