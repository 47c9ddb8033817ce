//! What runs: workloads with what is around them, and jobs.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::context::{Ground, object};
use super::network::set_service;
use super::objects::{Item, item};
use super::pod;
use crate::manifest::{Part, Role};

/// The Deployment, StatefulSet or DaemonSet of a part.
pub fn workload(ground: &Ground<'_>, part: &Part, pod: Value) -> Item {
    let value = &part.value;
    let kind = if part.role == Role::Main { value["kind"].as_str().unwrap_or("Deployment") } else { "Deployment" };
    let mut annotations = object(&value["annotations"]);
    if part.role == Role::Main {
        if let Some(owner) = value["owner"].as_str() {
            annotations.insert("shipcat.dev/owner".into(), owner.into());
        }
        for (how, address) in value["contacts"].as_object().into_iter().flatten() {
            annotations.insert(format!("shipcat.dev/contact-{how}"), address.clone());
        }
    }
    let mut context = Map::new();
    context.insert("metadata".into(), ground.metadata(&part.name, object_labels(ground, part), &annotations.into()));
    context.insert("selector".into(), ground.selector(part).into());
    context.insert("part".into(), part.value.clone());
    pod::rollout(value, &mut context);
    match value.get("autoscaling") {
        None if kind != "DaemonSet" => drop(context.entry("replicas").or_insert_with(|| 1.into())),
        // An autoscaler's count is left to it.
        Some(Value::Object(own)) => {
            drop(own.get("replicas").map(|count| context.insert("replicas".into(), count.clone())))
        }
        _ => {}
    }
    // One that nothing probes counts as ready at once, and with it the pod: Kubernetes would take the old one away.
    let probed =
        pod["spec"]["containers"].as_array().into_iter().flatten().all(|one| one.get("readinessProbe").is_some());
    // A StatefulSet knows it from 1.22 on; before, the rollout is watched for as long.
    let knows = kind != "StatefulSet" || ground.manifest.kubernetes >= 22;
    if !probed && knows {
        context.entry("min_ready_seconds").or_insert_with(|| 5.into());
    }
    if !knows && value["minReadySeconds"] == 0 {
        context.remove("min_ready_seconds");
    }
    context.entry("revision_history_limit").or_insert_with(|| 10.into());
    if kind == "Deployment" {
        let strategy = value.get("strategy").cloned();
        context.insert(
            "strategy".into(),
            strategy.unwrap_or_else(
                || json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}),
            ),
        );
    } else if let Some(strategy) = value.get("updateStrategy") {
        context.insert("strategy".into(), strategy.clone());
    }
    context.insert("pod".into(), pod);
    if kind == "StatefulSet" {
        context.insert("service_name".into(), set_service(part).into());
        for (key, name) in [
            ("podManagementPolicy", "pod_management_policy"),
            ("persistentVolumeClaimRetentionPolicy", "claim_retention"),
            ("ordinals", "ordinals"),
        ] {
            if let Some(found) = value.get(key) {
                context.insert(name.into(), found.clone());
            }
        }
        let claims = pod::claims(part).into_iter().map(|(volume, _, spec, claim)| {
            let mut metadata = json!({"name": volume});
            for key in ["labels", "annotations"] {
                if let Some(found) = claim.get(key) {
                    metadata[key] = found.clone();
                }
            }
            json!({"metadata": metadata, "spec": spec})
        });
        context.insert("claims".into(), claims.collect());
    }
    let template = match kind {
        "StatefulSet" => "statefulset",
        "DaemonSet" => "daemonset",
        _ => "deployment",
    };
    Item { template, context }
}

/// The labels of the object that runs a part.
fn object_labels(ground: &Ground<'_>, part: &Part) -> Map<String, Value> {
    let mut labels = object(&part.value["objectLabels"]);
    labels.extend(ground.labels(Some(part)));
    labels
}

fn target(part: &Part) -> Value {
    let kind = if part.role == Role::Main { part.value["kind"].as_str().unwrap_or("Deployment") } else { "Deployment" };
    json!({"apiVersion": "apps/v1", "kind": kind, "name": part.name})
}

/// A part's HorizontalPodAutoscaler, if it has one.
pub fn autoscaler(ground: &Ground<'_>, part: &Part) -> Option<Item> {
    let own = part.value.get("autoscaling")?;
    let mut spec = json!({"scaleTargetRef": target(part), "minReplicas": own.get("minReplicas").cloned().unwrap_or_else(|| 1.into()), "maxReplicas": own["maxReplicas"]});
    let mut metrics = Vec::new();
    for name in ["cpu", "memory"] {
        if let Some(percent) = own.get(name) {
            metrics.push(json!({"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}}}));
        }
    }
    metrics.extend(own["metrics"].as_array().into_iter().flatten().cloned());
    if !metrics.is_empty() {
        spec["metrics"] = metrics.into();
    }
    if let Some(behavior) = own.get("behavior") {
        spec["behavior"] = behavior.clone();
    }
    let mut labels = ground.labels(Some(part));
    labels.extend(object(&own["labels"]));
    let metadata = ground.metadata(own["name"].as_str().unwrap_or(&part.name), labels, &own["annotations"]);
    Some(item("horizontalpodautoscaler", json!({"metadata": metadata, "spec": spec})))
}

/// A part's PodDisruptionBudget, if it has one.
pub fn budget(ground: &Ground<'_>, part: &Part) -> Option<Item> {
    let own = part.value.get("disruptionBudget")?;
    let mut spec = if own.is_object() { own.clone() } else { json!({"minAvailable": own}) };
    for key in ["name", "labels", "annotations"] {
        spec.as_object_mut().and_then(|spec| spec.shift_remove(key));
    }
    spec["selector"] = json!({"matchLabels": ground.selector(part)});
    let mut labels = ground.labels(Some(part));
    labels.extend(object(&own["labels"]));
    let metadata = ground.metadata(own["name"].as_str().unwrap_or(&part.name), labels, &own["annotations"]);
    Some(item("poddisruptionbudget", json!({"metadata": metadata, "spec": spec})))
}

const JOB_SPEC: [&str; 7] = [
    "parallelism",
    "completions",
    "completionMode",
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
    "podFailurePolicy",
];

fn job_spec(value: &Value, pod: Value) -> Value {
    let mut spec = Map::new();
    for key in JOB_SPEC {
        if let Some(found) = value.get(key) {
            spec.insert(key.into(), found.clone());
        }
    }
    spec.insert("template".into(), pod);
    spec.into()
}

/// A Job cannot be changed and does not run again: its name carries a hash of what it does.
pub fn job(ground: &Ground<'_>, part: &Part, pod: Value) -> Item {
    let spec = job_spec(&part.value, pod);
    let hash = Sha256::digest(spec.to_string());
    let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let mut annotations = object(&part.value["annotations"]);
    if let Some(reversible) = part.value["reversible"].as_bool() {
        annotations.insert("shipcat.dev/reversible".into(), reversible.to_string().into());
    }
    let metadata = ground.metadata(&format!("{}-{hash}", part.name), object_labels(ground, part), &annotations.into());
    item("job", json!({"metadata": metadata, "spec": spec, "part": part.value}))
}

/// A CronJob.
pub fn cron_job(ground: &Ground<'_>, part: &Part, pod: Value) -> Item {
    let mut spec = Map::new();
    for key in [
        "schedule",
        "timeZone",
        "concurrencyPolicy",
        "startingDeadlineSeconds",
        "suspend",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    ] {
        if let Some(found) = part.value.get(key) {
            spec.insert(key.into(), found.clone());
        }
    }
    let labels = ground.labels(Some(part));
    let mut template = json!({"spec": job_spec(&part.value, pod)});
    if !labels.is_empty() {
        template["metadata"] = json!({"labels": labels});
    }
    spec.insert("jobTemplate".into(), template);
    let metadata = ground.metadata(&part.name, object_labels(ground, part), &part.value["annotations"]);
    item("cronjob", json!({"metadata": metadata, "spec": spec, "part": part.value}))
}
