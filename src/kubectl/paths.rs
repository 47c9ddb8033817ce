//! Where an object is on the API server. kubectl's raw calls want the path.

use crate::yaml::Object;

/// The resource of each kind that we may have to name by its path.
const RESOURCES: [(&str, &str); 13] = [
    ("ConfigMap", "configmaps"),
    ("CronJob", "cronjobs"),
    ("DaemonSet", "daemonsets"),
    ("Deployment", "deployments"),
    ("HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("Ingress", "ingresses"),
    ("Job", "jobs"),
    ("NetworkPolicy", "networkpolicies"),
    ("PodDisruptionBudget", "poddisruptionbudgets"),
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
                Some(stem) => format!("{stem}ies"),
                None if lower.ends_with(['s', 'x']) => format!("{lower}es"),
                None => format!("{lower}s"),
            }
        }
    }
}

/// The path of an object in a namespace.
pub fn path(object: &Object, namespace: &str) -> String {
    let api = object.api_version();
    let root = if api.contains('/') { "apis" } else { "api" };
    format!("/{root}/{api}/namespaces/{namespace}/{}/{}", resource(object.kind()), object.name())
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
        assert_eq!(resource("NetworkPolicy"), "networkpolicies");
        assert_eq!(resource("Gateway"), "gatewaies");
    }
}
