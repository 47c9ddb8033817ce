//! An object without what Kubernetes fills in by itself. Two objects are the same to the API server if they are the same here: so this
//! is both how objects are compared and what a manifest is written from.
//!
//! (Source of the defaults: the API reference of Kubernetes 1.20 to 1.36, and `zz_generated.defaults.go` of its API groups.)

use serde_json::{Map, Value, json};

use super::bare_pod::pod;
use super::clean::remove;
use super::versions::{convert, utilization};

/// Maps that are the same empty as not there.
const MAPS: [&str; 14] = [
    "annotations",
    "binaryData",
    "data",
    "labels",
    "limits",
    "matchLabels",
    "metadata",
    "nodeSelector",
    "requests",
    "resources",
    "rollingUpdate",
    "strategy",
    "updateStrategy",
    "volumeAttributes",
];

/// The object as it is compared; `None` if it is of no kind that is known here, and so is compared as it stands.
pub fn bare(object: &Value) -> Option<Value> {
    let mut object = object.clone();
    if !convert(&mut object) {
        return None;
    }
    remove(&mut object["metadata"], &["namespace"]);
    tidy(&mut object);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(spec) = object.get_mut("spec") {
        match kind.as_str() {
            "Deployment" => deployment(spec),
            "StatefulSet" => stateful_set(spec),
            "DaemonSet" => daemon_set(spec),
            "CronJob" => cron_job(spec),
            "Service" => service(spec),
            "HorizontalPodAutoscaler" => autoscaler(spec),
            "PersistentVolumeClaim" => claim(spec),
            _ => {}
        }
    }
    tidy(&mut object);
    Some(object)
}

/// Takes away what says nothing: nulls, empty lists, and maps that are the same empty as not there.
pub fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (_, value) in map.iter_mut() {
                tidy(value);
            }
            map.retain(|key, value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(inner) => !(inner.is_empty() && MAPS.contains(&key.as_str())),
                _ => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// Takes a key away if it has the value that it has anyhow.
pub fn unless(value: &mut Value, key: &str, default: &Value) {
    if value.get(key) == Some(default) {
        remove(value, &[key]);
    }
}

/// Likewise for several.
pub fn defaults(value: &mut Value, list: &Value) {
    for (key, default) in list.as_object().into_iter().flatten() {
        unless(value, key, default);
    }
}

/// Quantities are texts, however they were written.
pub fn quantities(value: &mut Value, keys: &[&str]) {
    for key in keys {
        for (_, quantity) in value.get_mut(*key).and_then(Value::as_object_mut).into_iter().flatten() {
            if quantity.is_number() {
                *quantity = quantity.to_string().into();
            }
        }
    }
}

fn deployment(spec: &mut Value) {
    defaults(
        spec,
        &json!({"replicas": 1, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, "minReadySeconds": 0, "paused": false}),
    );
    if let Some(strategy) = spec.get_mut("strategy") {
        unless(strategy, "type", &json!("RollingUpdate"));
        if let Some(rolling) = strategy.get_mut("rollingUpdate") {
            defaults(rolling, &json!({"maxUnavailable": "25%", "maxSurge": "25%"}));
        }
        tidy(strategy);
    }
    pod(&mut spec["template"], true);
}

fn stateful_set(spec: &mut Value) {
    defaults(
        spec,
        &json!({
            "replicas": 1, "revisionHistoryLimit": 10, "minReadySeconds": 0, "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        }),
    );
    if let Some(strategy) = spec.get_mut("updateStrategy") {
        unless(strategy, "type", &json!("RollingUpdate"));
        if let Some(rolling) = strategy.get_mut("rollingUpdate") {
            defaults(rolling, &json!({"partition": 0}));
        }
        tidy(strategy);
    }
    for template in spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        remove(template, &["apiVersion", "kind", "status"]);
        claim(&mut template["spec"]);
    }
    pod(&mut spec["template"], true);
}

fn daemon_set(spec: &mut Value) {
    defaults(spec, &json!({"revisionHistoryLimit": 10, "minReadySeconds": 0}));
    if let Some(strategy) = spec.get_mut("updateStrategy") {
        unless(strategy, "type", &json!("RollingUpdate"));
        if let Some(rolling) = strategy.get_mut("rollingUpdate") {
            defaults(rolling, &json!({"maxUnavailable": 1, "maxSurge": 0}));
        }
        tidy(strategy);
    }
    pod(&mut spec["template"], true);
}

fn cron_job(spec: &mut Value) {
    defaults(
        spec,
        &json!({"concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}),
    );
    pod(&mut spec["jobTemplate"]["spec"]["template"], false);
}

fn service(spec: &mut Value) {
    let outside = matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer"));
    if outside {
        unless(spec, "externalTrafficPolicy", &json!("Cluster"));
    }
    defaults(
        spec,
        &json!({
            "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "clusterIP": "",
            "allocateLoadBalancerNodePorts": true, "publishNotReadyAddresses": false, "selector": {},
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
        }),
    );
    if spec["clusterIPs"] == json!([spec["clusterIP"]]) {
        remove(spec, &["clusterIPs"]);
    }
    if let Some(ports) = spec.get_mut("ports") {
        protocols(ports);
        for port in ports.as_array_mut().into_iter().flatten() {
            unless(port, "nodePort", &json!(0));
            let own = port["port"].clone();
            unless(port, "targetPort", &own);
        }
    }
}

/// TCP goes without saying, but not beside others: kubectl tells two ports of one number apart by what they say.
pub fn protocols(ports: &mut Value) {
    let list = ports.as_array_mut().map_or(&mut [][..], Vec::as_mut_slice);
    let mixed = list.iter().any(|port| port.get("protocol").is_some_and(|protocol| protocol != "TCP"));
    for port in list {
        if mixed && port.get("protocol").is_none() {
            port["protocol"] = "TCP".into();
        } else if !mixed {
            remove(port, &["protocol"]);
        }
    }
}

/// What a claim asks for.
pub fn claim(spec: &mut Value) {
    defaults(spec, &json!({"volumeMode": "Filesystem"}));
    if let Some(resources) = spec.get_mut("resources") {
        quantities(resources, &["requests", "limits"]);
    }
}

fn autoscaler(spec: &mut Value) {
    defaults(spec, &json!({"minReplicas": 1}));
    if spec.get("metrics").is_none() {
        spec["metrics"] = json!([utilization("cpu", &json!(80))]);
    }
    let Some(behavior) = spec.get_mut("behavior") else { return };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    if let Some(up) = behavior.get_mut("scaleUp") {
        defaults(up, &json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}));
        let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
        let both = [json!([pods, percent]), json!([percent, pods])];
        if both.contains(&up["policies"]) {
            remove(up, &["policies"]);
        }
    }
    if let Some(down) = behavior.get_mut("scaleDown") {
        defaults(down, &json!({"selectPolicy": "Max", "policies": [percent]}));
    }
    if let Some(map) = behavior.as_object_mut() {
        map.retain(|_, rules| rules.as_object().is_none_or(|rules| !rules.is_empty()));
    }
    let empty = behavior.as_object().is_some_and(Map::is_empty);
    if empty {
        remove(spec, &["behavior"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_fills_in_makes_no_difference() {
        let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 1}]}]}});
        let written = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}});
        let mut live = written.clone();
        live["spec"]["replicas"] = 1.into();
        live["spec"]["strategy"] =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
        live["spec"]["template"]["metadata"]["creationTimestamp"] = Value::Null;
        let spec = &mut live["spec"]["template"]["spec"];
        spec["restartPolicy"] = "Always".into();
        spec["securityContext"] = json!({});
        spec["terminationGracePeriodSeconds"] = 30.into();
        spec["containers"][0]["imagePullPolicy"] = "IfNotPresent".into();
        spec["containers"][0]["resources"] = json!({});
        spec["containers"][0]["ports"][0]["protocol"] = "TCP".into();
        assert_eq!(bare(&live), bare(&written));
        live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
        assert_ne!(bare(&live), bare(&written));
    }

    #[test]
    fn an_autoscaler_is_the_same_in_every_version() {
        let v1 = json!({
            "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "a", "annotations": {
                "autoscaling.alpha.kubernetes.io/metrics": "[{\"type\":\"Resource\",\"resource\":{\"name\":\"memory\",\"targetAverageUtilization\":70}}]",
                "autoscaling.alpha.kubernetes.io/behavior": "{\"ScaleUp\":{\"StabilizationWindowSeconds\":0,\"SelectPolicy\":\"Max\",\"Policies\":[{\"Type\":\"Pods\",\"Value\":4,\"PeriodSeconds\":15},{\"Type\":\"Percent\",\"Value\":100,\"PeriodSeconds\":15}]},\"ScaleDown\":{\"StabilizationWindowSeconds\":60,\"SelectPolicy\":\"Max\",\"Policies\":[{\"Type\":\"Percent\",\"Value\":100,\"PeriodSeconds\":15}]}}",
            }},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 60},
        });
        let v2 = json!({
            "apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}, "maxReplicas": 3,
                "metrics": [utilization("memory", &json!(70)), utilization("cpu", &json!(60))],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
            },
        });
        assert_eq!(bare(&v1), bare(&v2));
    }
}
