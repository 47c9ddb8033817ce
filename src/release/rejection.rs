//! Why the API server would not take the objects, with what to do about it.

use crate::error::{Failure, join_and};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// The refusal of objects that are in no namespace, if `is_outside` says so of any.
pub fn outside(objects: &[Object], is_outside: impl Fn(&Object) -> bool) -> Option<Failure> {
    let names: Vec<String> = objects.iter().filter(|object| is_outside(object)).map(ToString::to_string).collect();
    if names.is_empty() {
        return None;
    }
    let verb = if names.len() == 1 { "is" } else { "are" };
    let message =
        format!("{} {verb} of a kind that lives in no namespace; shipcat ships what lives in one", join_and(&names));
    Some(
        Failure::refused(message)
            .hint("take it out of the service's templates, and let it be made by whoever runs the cluster"),
    )
}

/// Why the API server would not take the objects.
pub fn rejected(kubectl: &Kubectl<'_>, error: &KubectlError) -> Failure {
    let (context, namespace) = (kubectl.context(), kubectl.namespace());
    if error.reason == Reason::NotFound && error.said.contains(&format!("namespaces \"{namespace}\" not found")) {
        return Failure::refused(format!("there is no namespace `{namespace}` in the cluster of context `{context}`"))
            .hint(format!("make it first: kubectl --context {context} create namespace {namespace}"));
    }
    let said: Vec<String> = error.said.lines().map(without_dump).collect();
    let failure = Failure::refused(format!("the API server would not take it: {}", said.join("\n")));
    if let Some(hint) = immutable(&error.said, &format!("kubectl --context {context} -n {namespace}")) {
        return failure.hint(hint);
    }
    match error.reason {
        Reason::Invalid | Reason::Malformed => {
            failure.hint("correct the manifest; `shipcat generate` shows what is sent")
        }
        _ => error.refused("the API server would not take it"),
    }
}

/// What to do about a field that cannot be changed, in the words of the kinds' validations (k8s.io/kubernetes pkg/apis, 1.20 to 1.36).
fn immutable(said: &str, kubectl: &str) -> Option<String> {
    let fixed = said.contains("field is immutable") || said.contains("is immutable after creation");
    let named = |kind: &str| Some(said.split_once(&format!("The {kind} \""))?.1.split_once('"')?.0.to_owned());
    if fixed && let Some(job) = named("Job") {
        return Some(format!(
            "a Job cannot be changed: let its name change with what it does, or delete the one that is there: {kubectl} delete job {job}"
        ));
    }
    if said.contains("updates to statefulset spec") {
        let name = named("StatefulSet").unwrap_or_default();
        return Some(format!(
            "of a StatefulSet neither claims, `serviceName`, selector nor order can be changed: give the manifest what runs, or let go of \
             its pods, which stay, and ship again: {kubectl} delete statefulset {name} --cascade=orphan"
        ));
    }
    if fixed && let Some(claim) = named("PersistentVolumeClaim") {
        return Some(format!(
            "of the claim `{claim}` only the size can be changed: give the manifest what is there, or another name"
        ));
    }
    fixed.then(|| {
        "an immutable field differs from what runs: give the manifest the same (a Deployment's labels: `selector`), or remove the object first"
            .to_owned()
    })
}

/// A line without the dump of Go's that some validations put between what is wrong and why.
fn without_dump(line: &str) -> String {
    let (mark, why) = ("Invalid value: ", ": field is immutable");
    match (line.find(mark), line.rfind(why)) {
        (Some(from), Some(to)) if to > from + mark.len() + 200 => {
            format!("{}...{}", &line[..from + mark.len()], &line[to..])
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_cannot_be_changed_says_what_to_do() {
        let job = "The Job \"w-migrate\" is invalid: spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable";
        assert!(immutable(job, "kubectl").unwrap().ends_with("kubectl delete job w-migrate"));
        let set = "The StatefulSet \"w\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden";
        assert!(immutable(set, "kubectl").unwrap().ends_with("kubectl delete statefulset w --cascade=orphan"));
        let other = "The Deployment \"w\" is invalid: spec.selector: Invalid value: x: field is immutable";
        assert!(immutable(other, "kubectl").unwrap().contains("`selector`"));
        assert_eq!(immutable("spec.replicas: Invalid value: -1", "kubectl"), None);
    }

    #[test]
    fn gos_own_notation_is_left_out() {
        let line =
            format!("spec.template: Invalid value: core.PodTemplateSpec{{{}}}: field is immutable", "x".repeat(500));
        assert_eq!(without_dump(&line), "spec.template: Invalid value: ...: field is immutable");
        assert_eq!(
            without_dump("spec.x: Invalid value: 3: field is immutable"),
            "spec.x: Invalid value: 3: field is immutable"
        );
    }

    #[test]
    fn what_is_in_no_namespace_is_named() {
        let role =
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "w"}});
        let role = Object::new(role).unwrap();
        assert!(outside(&[role], |_| true).unwrap().message.starts_with("ClusterRole/w is of a kind"));
    }
}
