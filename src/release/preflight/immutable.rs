//! Fields that cannot be changed, by the kinds' validations (k8s.io/kubernetes pkg/apis, 1.20 to 1.36). The API server's dry run is the
//! judge; this says which field it is, with both values, also to those who may not ask for a dry run.

use serde_json::Value;

use super::super::equivalent::is_contained;
use super::{Finding, Where};
use crate::yaml::Object;

/// What `wanted` says otherwise than is live, of that which cannot be changed.
pub fn immutable(live: &[Object], wanted: &[Object], place: Where<'_>) -> Vec<Finding> {
    let of = |wanted: &Object| wanted.among(live).map(|live| fields(live, wanted, place)).unwrap_or_default();
    wanted.iter().flat_map(of).collect()
}

fn fields(live: &Object, wanted: &Object, place: Where<'_>) -> Vec<Finding> {
    let fixed: &[&str] = match (wanted.group(), wanted.kind()) {
        ("apps", "Deployment" | "DaemonSet") => &["/spec/selector"],
        ("apps", "StatefulSet") => {
            &["/spec/selector", "/spec/serviceName", "/spec/podManagementPolicy", "/spec/volumeClaimTemplates"]
        }
        ("", "Service") => &["/spec/clusterIP"],
        ("", "PersistentVolumeClaim") => &[
            "/spec/accessModes",
            "/spec/storageClassName",
            "/spec/volumeName",
            "/spec/volumeMode",
            "/spec/selector",
            "/spec/dataSource",
        ],
        ("", "ConfigMap" | "Secret") if live.is_immutable() => &["/data", "/binaryData", "/stringData"],
        _ => &[],
    };
    let pointer = |object: &Object, path: &str| object.json().pointer(path).cloned();
    let mut findings = Vec::new();
    for path in fixed {
        // What the manifest leaves open is the server's to fill in.
        let Some(said) = pointer(wanted, path) else { continue };
        let is = pointer(live, path).unwrap_or_default();
        // A service that has no address of its own cannot get one, nor the other way round; none yet is none.
        let is_fixed = !(*path == "/spec/clusterIP" && is.as_str().unwrap_or_default().is_empty());
        if is_fixed && !is_contained(&said, &is) {
            findings.push(finding(wanted, path, &is, &said, place));
        }
    }
    findings
}

fn finding(object: &Object, path: &str, is: &Value, said: &Value, place: Where<'_>) -> Finding {
    let field = path.trim_start_matches('/').replace('/', ".");
    let short = |value: &Value| {
        let text = value.to_string();
        if text.chars().count() > 80 { format!("{}...", text.chars().take(77).collect::<String>()) } else { text }
    };
    let what = if object.kind() == "Secret" || field.ends_with("ata") {
        format!("{object} is immutable, and its content differs from the manifest's")
    } else {
        format!("{object}: `{field}` is immutable; it is {}, and the manifest says {}", short(is), short(said))
    };
    let (kubectl, name) = (place.kubectl(), object.name());
    let todo = match object.kind() {
        "StatefulSet" => format!(
            "give the manifest what runs, or let go of its pods, which stay, and ship again: {kubectl} delete statefulset {name} --cascade=orphan"
        ),
        "Deployment" | "DaemonSet" => format!(
            "give the manifest the same labels (`selector`), or remove the object first, with its pods: {kubectl} delete {}/{name}",
            object.kind().to_lowercase()
        ),
        "PersistentVolumeClaim" => {
            "give the manifest what is there, or the claim another name: only its size can be changed".into()
        }
        _ => format!(
            "give the manifest what is there, or remove it first: {kubectl} delete {}/{name}",
            object.kind().to_lowercase()
        ),
    };
    Finding::refusal(what, todo)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api: &str, kind: &str, spec: Value) -> Object {
        Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}, "spec": spec})).unwrap()
    }

    fn look(live: Object, wanted: Object) -> Vec<String> {
        let place = Where { context: "c", namespace: "n" };
        immutable(&[live], &[wanted], place).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_selector_that_differs_is_told_with_both() {
        let of = |app: &str| {
            object("apps/v1", "Deployment", json!({"selector": {"matchLabels": {"app": app}}, "replicas": 1}))
        };
        assert_eq!(look(of("a"), of("a")), Vec::<String>::new());
        assert_eq!(
            look(of("a"), of("b")),
            [
                r#"Deployment/w: `spec.selector` is immutable; it is {"matchLabels":{"app":"a"}}, and the manifest says {"matchLabels":{"app":"b"}}"#
            ]
        );
    }

    #[test]
    fn what_the_server_filled_in_is_no_difference() {
        let claim = |more: Value| {
            let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([{"metadata": {"name": "data"}, "spec": spec}])
        };
        let live = object(
            "apps/v1",
            "StatefulSet",
            json!({"serviceName": "w", "volumeClaimTemplates": claim(json!({"volumeMode": "Filesystem"}))}),
        );
        let same =
            object("apps/v1", "StatefulSet", json!({"serviceName": "w", "volumeClaimTemplates": claim(json!({}))}));
        assert_eq!(look(live.clone(), same), Vec::<String>::new());
        let mut other = claim(json!({}));
        other[0]["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
        let other = object("apps/v1", "StatefulSet", json!({"serviceName": "w", "volumeClaimTemplates": other}));
        assert_eq!(look(live, other).len(), 1);
        let service = |ip: &str| object("v1", "Service", json!({"clusterIP": ip}));
        assert_eq!(look(service("10.0.0.1"), service("None")).len(), 1);
    }
}
