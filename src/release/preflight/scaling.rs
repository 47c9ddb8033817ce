//! Autoscalers against the numbers that manifests say.

use super::Finding;
use crate::error::join_and;
use crate::yaml::Object;

/// What is to be known of the autoscalers, live or rendered, of the rendered workloads.
pub fn scaling(wanted: &[Object], autoscalers: &[Object]) -> Vec<Finding> {
    let is_autoscaler = |object: &&Object| object.kind() == "HorizontalPodAutoscaler";
    let ours: Vec<&Object> = wanted.iter().filter(is_autoscaler).collect();
    let theirs: Vec<&Object> = autoscalers.iter().filter(|live| !ours.iter().any(|own| own.is(live))).collect();
    let mut findings = Vec::new();
    for workload in wanted.iter().filter(|object| !is_autoscaler(object)) {
        let scales = |one: &&&Object| {
            one.text("/spec/scaleTargetRef/kind") == workload.kind()
                && one.text("/spec/scaleTargetRef/name") == workload.name()
        };
        let own: Vec<&&Object> = ours.iter().filter(scales).collect();
        let other: Vec<&&Object> = theirs.iter().filter(scales).collect();
        let names: Vec<String> = own.iter().chain(&other).map(ToString::to_string).collect();
        if names.len() > 1 {
            let what = format!("{workload} has more than one autoscaler: {}", join_and(&names));
            findings.push(Finding::refusal(what, "leave it one: they would work against each other"));
            continue;
        }
        let (Some(name), Some(said)) = (names.first(), workload.number("/spec/replicas")) else { continue };
        let what = format!("the manifest says {said} pods of {workload}, and {name} has the say over their number");
        findings.push(Finding::warning(what, "take `replicas` out of the manifest, or the autoscaler away"));
    }
    for one in &ours {
        let (kind, name) = (one.text("/spec/scaleTargetRef/kind"), one.text("/spec/scaleTargetRef/name"));
        if !wanted.iter().any(|object| object.kind() == kind && object.name() == name) {
            let what = format!("{one} scales {kind}/{name}, which is not of this service");
            findings.push(Finding::warning(what, "correct its `scaleTargetRef`"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use serde_json::json;

    fn autoscaler(name: &str) -> Object {
        let target = json!({"kind": "Deployment", "name": "w"});
        let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5});
        Object::new(json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec}))
            .unwrap()
    }

    fn deployment(replicas: Option<u32>) -> Object {
        let spec = replicas.map_or(json!({}), |count| json!({"replicas": count}));
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn one_has_the_say() {
        assert_eq!(scaling(&[deployment(Some(2))], &[]), []);
        assert_eq!(scaling(&[deployment(None), autoscaler("w")], &[autoscaler("w")]), []);
        let found = scaling(&[deployment(Some(2))], &[autoscaler("other")]);
        assert_eq!((found.len(), found[0].weight), (1, Weight::Warning));
        let found = scaling(&[deployment(None), autoscaler("w")], &[autoscaler("other")]);
        assert_eq!((found.len(), found[0].weight), (1, Weight::Refusal));
        let found = scaling(&[autoscaler("w")], &[]);
        assert!(found[0].what.contains("scales Deployment/w, which is not of this service"));
    }
}
