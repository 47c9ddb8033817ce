//! Where an object is on the API server. kubectl's raw calls want the path.

use crate::yaml::Object;

/// The resource of each kind that we may have to name by its path.
const RESOURCES: [(&str, &str); 17] = [
    ("ConfigMap", "configmaps"),
    ("CronJob", "cronjobs"),
    ("DaemonSet", "daemonsets"),
    ("Deployment", "deployments"),
    ("Endpoints", "endpoints"),
    ("HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("Ingress", "ingresses"),
    ("Job", "jobs"),
    ("NetworkPolicy", "networkpolicies"),
    ("PersistentVolumeClaim", "persistentvolumeclaims"),
    ("Pod", "pods"),
    ("PodDisruptionBudget", "poddisruptionbudgets"),
    ("Role", "roles"),
    ("Secret", "secrets"),
    ("Service", "services"),
    ("ServiceAccount", "serviceaccounts"),
    ("StatefulSet", "statefulsets"),
];

/// The resource of a kind: `Deployment` is `deployments`. For a kind that is not in the table, by the rule that all of
/// Kubernetes' own and nearly all custom kinds follow.
pub fn resource(kind: &str) -> String {
    match RESOURCES.iter().find(|(known, _)| *known == kind) {
        Some((_, resource)) => (*resource).to_owned(),
        None => {
            let lower = kind.to_lowercase();
            match lower.strip_suffix('y') {
                // `gateways`: as English has it behind a vowel, and as those who name custom kinds do.
                Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
                _ if lower.ends_with(['s', 'x']) => format!("{lower}es"),
                _ => format!("{lower}s"),
            }
        }
    }
}

/// Kubernetes' own kinds that live in no namespace (`kubectl api-resources --namespaced=false`, 1.20 to 1.36).
const CLUSTER_SCOPED: [&str; 24] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Whether an object lives in no namespace, as far as its kind says it. Of a custom kind only the server knows.
pub fn is_cluster_scoped(object: &Object) -> bool {
    let group = object.group();
    let own = !group.contains('.') || group.ends_with(".k8s.io");
    own && CLUSTER_SCOPED.contains(&object.kind())
}

/// The path of an object in a namespace.
pub fn path(object: &Object, namespace: &str) -> String {
    let api = object.api_version();
    let root = if api.contains('/') { "apis" } else { "api" };
    format!("/{root}/{api}/namespaces/{namespace}/{}/{}", resource(object.kind()), object.name())
}

/// The path of all objects of its kind in a namespace: where it is created.
pub fn collection(object: &Object, namespace: &str) -> String {
    let path = path(object, namespace);
    path.rsplit_once('/').map_or(path.clone(), |(collection, _)| collection.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_those_of_the_api_server() {
        let object = |api: &str, kind: &str| {
            Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}})).unwrap()
        };
        assert_eq!(path(&object("v1", "ConfigMap"), "dev"), "/api/v1/namespaces/dev/configmaps/w");
        assert_eq!(path(&object("apps/v1", "Deployment"), "dev"), "/apis/apps/v1/namespaces/dev/deployments/w");
        assert_eq!(collection(&object("v1", "Secret"), "dev"), "/api/v1/namespaces/dev/secrets");
        assert_eq!(resource("NetworkPolicy"), "networkpolicies");
        assert_eq!(resource("Gateway"), "gateways");
        assert_eq!(resource("ServiceMonitor"), "servicemonitors");
    }

    #[test]
    fn what_lives_in_no_namespace_is_known() {
        let is = |api: &str, kind: &str| {
            let object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}});
            is_cluster_scoped(&Object::new(object).unwrap())
        };
        assert!(is("v1", "PersistentVolume") && is("rbac.authorization.k8s.io/v1", "ClusterRole"));
        assert!(!is("v1", "PersistentVolumeClaim") && !is("example.com/v1", "Node"));
    }
}
