//! Deployments, StatefulSets, DaemonSets and CronJobs as the keys of a manifest.

use serde_json::{Map, Value, json};

use super::pod::{self, Around, Image, copy};
use super::read::Original;

/// The main workload.
pub fn main(
    original: &Original,
    claims: &[(String, Value)],
    selector: &Map<String, Value>,
    service: &str,
    scaled: bool,
) -> Map<String, Value> {
    let spec = &original.value["spec"];
    let mut keys = Map::new();
    if original.kind != "Deployment" {
        keys.insert("kind".into(), original.kind.clone().into());
    }
    if original.name != service {
        keys.insert("name".into(), original.name.clone().into());
    }
    rollout(original, scaled, &mut keys);
    if original.kind == "StatefulSet" {
        copy(
            spec,
            &["serviceName", "podManagementPolicy", "persistentVolumeClaimRetentionPolicy", "ordinals"],
            &mut keys,
        );
    }
    let template = &spec["template"];
    copy(&template["spec"]["containers"][0], &["ports"], &mut keys);
    let around = Around { way: original.way, selector, container: &original.name, image: &None, claims };
    keys.extend(pod::keys(template, &around));
    copy(&original.value["metadata"], &["annotations"], &mut keys);
    keys
}

/// A Deployment beside the main one.
pub fn worker(
    original: &Original,
    selector: &Map<String, Value>,
    key: &str,
    image: &Image,
    scaled: bool,
) -> Map<String, Value> {
    let template = &original.value["spec"]["template"];
    let around = Around { way: original.way, selector, container: key, image, claims: &[] };
    let mut keys = Map::new();
    rollout(original, scaled, &mut keys);
    copy(&template["spec"]["containers"][0], &["ports"], &mut keys);
    keys.extend(pod::keys(template, &around));
    copy(&original.value["metadata"], &["annotations"], &mut keys);
    keys
}

/// A job by the clock.
pub fn cron_job(original: &Original, key: &str, image: &Image) -> Map<String, Value> {
    let spec = &original.value["spec"];
    let job = &spec["jobTemplate"]["spec"];
    let mut keys = Map::new();
    copy(
        spec,
        &[
            "schedule",
            "timeZone",
            "concurrencyPolicy",
            "startingDeadlineSeconds",
            "suspend",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
        ],
        &mut keys,
    );
    copy(
        job,
        &[
            "backoffLimit",
            "activeDeadlineSeconds",
            "ttlSecondsAfterFinished",
            "completions",
            "parallelism",
            "completionMode",
        ],
        &mut keys,
    );
    let pod = &job["template"]["spec"];
    if pod["restartPolicy"] != "Never" {
        copy(pod, &["restartPolicy"], &mut keys);
    }
    let none = Map::new();
    let around = Around { way: original.way, selector: &none, container: key, image, claims: &[] };
    keys.extend(pod::keys(&job["template"], &around));
    copy(&original.value["metadata"], &["annotations"], &mut keys);
    keys
}

/// How pods are replaced. Where shipcat's own defaults are others than those of Kubernetes, it is said.
fn rollout(original: &Original, scaled: bool, keys: &mut Map<String, Value>) {
    let spec = &original.value["spec"];
    if original.kind != "DaemonSet" && !scaled {
        keys.insert("replicas".into(), spec.get("replicas").cloned().unwrap_or_else(|| 1.into()));
    }
    if original.kind == "Deployment" {
        let own = spec.get("strategy").cloned().unwrap_or_else(|| json!({}));
        let mut strategy = own.clone();
        if own["type"] != "Recreate" {
            for (key, default) in [("maxUnavailable", "25%"), ("maxSurge", "25%")] {
                if own["rollingUpdate"].get(key).is_none() {
                    strategy["rollingUpdate"][key] = default.into();
                }
            }
        }
        if strategy != json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}) {
            keys.insert("strategy".into(), strategy);
        }
    } else {
        copy(spec, &["updateStrategy"], keys);
    }
    let probed = spec["template"]["spec"]["containers"][0].get("readinessProbe").is_some();
    if !probed {
        keys.insert("minReadySeconds".into(), 0.into());
    }
    copy(spec, &["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"], keys);
}
