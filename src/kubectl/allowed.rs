//! What the user may do in the namespace.

use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::{Kubectl, Reason, Result, UNCHECKED, documents};
use crate::threads;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

/// How many reviews one kubectl makes: a start is as dear as some round trips.
const AT_ONCE: usize = 10;

/// A verb on a resource, which may have a subresource behind a slash: verb, group, resource.
type Asked = (String, String, String);

impl Kubectl<'_> {
    /// Which of these (verb, group, resource) the user may not do. One call where the API server can name all that they may do (with RBAC it
    /// can, with a webhook that decides it cannot); else some more. That they may not do a thing is never said but by a review of that very thing.
    ///
    /// # Errors
    /// As kubectl fails; not even asking may be allowed.
    pub fn forbidden(&self, wanted: &[Asked], cancel: &AtomicBool) -> Result<Vec<Asked>> {
        let rules = self.rules(cancel)?;
        let open: Vec<&Asked> = wanted.iter().filter(|asked| !rules.iter().any(|rule| allows(rule, asked))).collect();
        match open.is_empty() {
            true => Ok(Vec::new()),
            false => self.reviewed(&open, cancel),
        }
    }

    /// All that the user may do, if the API server knows that it is all; else nothing.
    ///
    /// A review of a single permission is a round trip, and kubectl makes one behind the other: thirty of them, to a cluster that is 40 ms
    /// away, are more than a second.
    fn rules(&self, cancel: &AtomicBool) -> Result<Vec<Value>> {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": self.namespace}});
        let cmd = self.cmd(&["create", "--raw", REVIEWS, "-f", "-"]).stdin(review.to_string());
        match self.run_unless(&cmd, cancel) {
            Ok(answer) => Ok(documents(&answer.stdout).first().map(complete).unwrap_or_default()),
            Err(error) if error.reason == Reason::Unreachable => Err(error),
            // Who may not ask for all may still ask for one.
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The same by a review of each. Several kubectls, since one takes a round trip for each.
    fn reviewed(&self, wanted: &[&Asked], cancel: &AtomicBool) -> Result<Vec<Asked>> {
        let chunks: Vec<&[&Asked]> = wanted.chunks(AT_ONCE).collect();
        let answers = threads::waiting(&chunks, |wanted| {
            let items: Vec<Value> = wanted.iter().map(|asked| review(asked, &self.namespace)).collect();
            let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
            // Reviews are created and stored nowhere.
            let cmd = self.cmd(&["create", UNCHECKED, "-f", "-", "-o", "json"]).stdin(list);
            Ok(documents(&self.run_unless(&cmd, cancel)?.stdout))
        });
        let mut denied = Vec::new();
        for answers in answers {
            denied.extend(answers?.iter().filter_map(denial));
        }
        denied.sort();
        denied.dedup();
        Ok(denied)
    }
}

fn review((verb, group, resource): &Asked, namespace: &str) -> Value {
    let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
    json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": sub}}})
}

/// What a review was about, if it does not say that it is allowed.
fn denial(review: &Value) -> Option<Asked> {
    if review.pointer("/status/allowed").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let part = |key: &str| {
        let attributes = review.pointer("/spec/resourceAttributes");
        attributes.and_then(|a| a.get(key)).and_then(Value::as_str).unwrap_or_default()
    };
    let resource = [part("resource"), part("subresource")].join("/");
    Some((part("verb").to_owned(), part("group").to_owned(), resource.trim_end_matches('/').to_owned()))
}

/// The rules of a review that says that there are no others. It says `incomplete` where an authorizer cannot name its rules, and has an
/// `evaluationError` where one could not find them all.
fn complete(review: &Value) -> Vec<Value> {
    let whole = review.pointer("/status/incomplete").and_then(Value::as_bool) == Some(false);
    let sound = review.pointer("/status/evaluationError").and_then(Value::as_str).is_none_or(str::is_empty);
    let rules = review.pointer("/status/resourceRules").and_then(Value::as_array);
    rules.filter(|_| whole && sound).cloned().unwrap_or_default()
}

/// Whether a rule allows it, for objects of any name. As RBAC reads its rules: `*` is everything, `*/scale` that subresource of everything.
fn allows(rule: &Value, (verb, group, resource): &Asked) -> bool {
    let list = |key: &str| rule.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let has = |key: &str, one: &str| list(key).iter().any(|value| value == "*" || value == one);
    let of_all = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    let is_meant = has("resources", resource) || of_all.is_some_and(|of_all| has("resources", &of_all));
    list("resourceNames").is_empty() && has("verbs", verb) && has("apiGroups", group) && is_meant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(verb: &str, group: &str, resource: &str) -> Asked {
        (verb.into(), group.into(), resource.into())
    }

    #[test]
    fn a_rule_is_read_as_rbac_reads_it() {
        let rule = |groups: &[&str], resources: &[&str]| json!({"verbs": ["get", "list"], "apiGroups": groups, "resources": resources});
        let log = asked("get", "", "pods/log");
        assert!(allows(&rule(&[""], &["pods/log"]), &log));
        assert!(allows(&rule(&["*"], &["*"]), &log));
        assert!(allows(&rule(&[""], &["secrets", "*/log"]), &log));
        // A resource is not its subresources, and a group not another one.
        assert!(!allows(&rule(&[""], &["pods", "*/exec"]), &log));
        assert!(!allows(&rule(&[""], &["pods/log"]), &asked("get", "", "pods")));
        assert!(!allows(&rule(&["apps"], &["pods/log"]), &log));
        assert!(!allows(&rule(&[""], &["pods/log"]), &asked("delete", "", "pods/log")));
        assert!(allows(&json!({"verbs": ["*"], "apiGroups": [""], "resources": ["pods/log"]}), &log));
    }

    #[test]
    fn a_rule_for_some_names_says_nothing_of_the_others() {
        let of_one = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"]});
        assert!(!allows(&of_one, &asked("get", "", "secrets")));
        assert!(!allows(&json!({"verbs": ["get"]}), &asked("get", "", "secrets")));
    }

    #[test]
    fn rules_count_only_where_there_are_no_others() {
        let rule = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
        let review = |status: Value| complete(&json!({"kind": "SelfSubjectRulesReview", "status": status})).len();
        assert_eq!(review(json!({"incomplete": false, "resourceRules": [rule]})), 1);
        assert_eq!(review(json!({"incomplete": true, "resourceRules": [rule]})), 0);
        assert_eq!(review(json!({"incomplete": false, "evaluationError": "no such role", "resourceRules": [rule]})), 0);
        assert_eq!(review(json!({"resourceRules": [rule]})), 0);
    }
}
