//! Which API versions a Kubernetes serves. (Source: the deprecated API migration guide of kubernetes.io, and the API reference of
//! each version from 1.20 to 1.36.)

use serde_json::{Value, json};

/// API version, kind, the first minor that serves it (0 where that is before 1.20), and the first that no longer does (0 for none).
const SERVED: [(&str, &str, u32, u32); 32] = [
    ("extensions/v1beta1", "Ingress", 0, 22),
    ("networking.k8s.io/v1beta1", "Ingress", 0, 22),
    ("networking.k8s.io/v1beta1", "IngressClass", 0, 22),
    ("batch/v1", "CronJob", 21, 0),
    ("batch/v1beta1", "CronJob", 0, 25),
    ("policy/v1", "PodDisruptionBudget", 21, 0),
    ("policy/v1beta1", "PodDisruptionBudget", 0, 25),
    ("policy/v1beta1", "PodSecurityPolicy", 0, 25),
    ("autoscaling/v2", "HorizontalPodAutoscaler", 23, 0),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", 0, 25),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", 0, 26),
    ("discovery.k8s.io/v1", "EndpointSlice", 21, 0),
    ("discovery.k8s.io/v1beta1", "EndpointSlice", 0, 25),
    ("events.k8s.io/v1beta1", "Event", 0, 25),
    ("node.k8s.io/v1beta1", "RuntimeClass", 0, 25),
    ("rbac.authorization.k8s.io/v1beta1", "Role", 0, 22),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding", 0, 22),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole", 0, 22),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", 0, 22),
    ("coordination.k8s.io/v1beta1", "Lease", 0, 22),
    ("scheduling.k8s.io/v1beta1", "PriorityClass", 0, 22),
    ("storage.k8s.io/v1beta1", "StorageClass", 0, 22),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", 0, 27),
    ("apps/v1beta1", "Deployment", 99, 0),
    ("apps/v1beta1", "StatefulSet", 99, 0),
    ("apps/v1beta2", "Deployment", 99, 0),
    ("apps/v1beta2", "StatefulSet", 99, 0),
    ("apps/v1beta2", "DaemonSet", 99, 0),
    ("extensions/v1beta1", "Deployment", 99, 0),
    ("extensions/v1beta1", "DaemonSet", 99, 0),
    ("extensions/v1beta1", "NetworkPolicy", 99, 0),
    ("extensions/v1beta1", "ReplicaSet", 99, 0),
];

/// The API versions in which the kinds that moved are written for a Kubernetes of that minor version.
pub fn versions(minor: u32) -> Value {
    json!({
        "HorizontalPodAutoscaler": if minor >= 23 { "autoscaling/v2" } else { "autoscaling/v2beta2" },
        "PodDisruptionBudget": if minor >= 21 { "policy/v1" } else { "policy/v1beta1" },
        "CronJob": if minor >= 21 { "batch/v1" } else { "batch/v1beta1" },
        "Ingress": "networking.k8s.io/v1",
    })
}

/// Why a Kubernetes of that minor version does not serve such an object, if it is known not to, and what does.
pub fn unserved(api_version: &str, kind: &str, minor: u32) -> Option<(String, String)> {
    let is_served = |from: u32, until: u32| minor >= from && (until == 0 || minor < until);
    let (_, _, from, until) = SERVED
        .iter()
        .find(|(api, known, from, until)| *api == api_version && *known == kind && !is_served(*from, *until))?;
    let why = match (from, until) {
        (99, _) => "before 1.16".to_owned(),
        (_, 0) => format!("1.{from} and later"),
        (_, until) => format!("1.{} and earlier", until - 1),
    };
    let instead = SERVED
        .iter()
        .find(|(api, known, from, until)| *known == kind && *api != api_version && is_served(*from, *until))
        .map(|(api, ..)| (*api).to_owned())
        .or_else(|| stable(kind).map(str::to_owned));
    let hint = instead.map_or_else(
        || "see the deprecated API migration guide of Kubernetes".to_owned(),
        |api| format!("write `apiVersion: {api}`"),
    );
    Some((format!("Kubernetes 1.{minor} does not serve {kind} in {api_version}: that is for {why}"), hint))
}

fn stable(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => "apps/v1",
        "Ingress" | "IngressClass" | "NetworkPolicy" => "networking.k8s.io/v1",
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => "rbac.authorization.k8s.io/v1",
        "RuntimeClass" => "node.k8s.io/v1",
        "Lease" => "coordination.k8s.io/v1",
        "PriorityClass" => "scheduling.k8s.io/v1",
        "StorageClass" | "CSIStorageCapacity" => "storage.k8s.io/v1",
        "Event" => "events.k8s.io/v1",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_gets_what_it_serves() {
        for minor in 20..=36 {
            let versions = versions(minor);
            for (kind, api) in versions.as_object().unwrap() {
                assert_eq!(unserved(api.as_str().unwrap(), kind, minor), None, "{kind} on 1.{minor}");
            }
        }
        assert_eq!(versions(20)["CronJob"], "batch/v1beta1");
        assert_eq!(versions(22)["HorizontalPodAutoscaler"], "autoscaling/v2beta2");
    }

    #[test]
    fn what_is_not_served_is_told_with_what_is() {
        let (message, hint) = unserved("policy/v1beta1", "PodDisruptionBudget", 30).unwrap();
        assert_eq!(
            message,
            "Kubernetes 1.30 does not serve PodDisruptionBudget in policy/v1beta1: that is for 1.24 and earlier"
        );
        assert_eq!(hint, "write `apiVersion: policy/v1`");
        assert_eq!(unserved("batch/v1", "CronJob", 20).unwrap().1, "write `apiVersion: batch/v1beta1`");
        assert_eq!(unserved("extensions/v1beta1", "Deployment", 20).unwrap().1, "write `apiVersion: apps/v1`");
        assert_eq!(unserved("example.com/v1", "Anything", 20), None);
    }
}
