//! What is referred to, is not there, and will not be made.

use std::collections::{BTreeMap, BTreeSet};

use super::references::{Reference, Target, is_maker};
use super::{Finding, Where};
use crate::error::{count, join_and};
use crate::kubectl::Partial;
use crate::process::quote;
use crate::yaml::Object;

/// The references of `wanted` that lead nowhere: neither to another of `wanted`, nor to what is `there`.
pub fn missing(references: &[Reference], wanted: &[Object], there: &Partial, place: Where<'_>) -> Vec<Finding> {
    let mut by_target: BTreeMap<(Target, &str), Vec<&Reference>> = BTreeMap::new();
    for reference in references {
        by_target.entry((reference.target, &reference.name)).or_default().push(reference);
    }
    let mut findings = Vec::new();
    let mut unknown: BTreeMap<Target, Vec<&str>> = BTreeMap::new();
    for ((target, name), references) in by_target {
        let is_it =
            |object: &&Object| object.kind() == target.kind() && object.group().is_empty() && object.name() == name;
        let rendered = wanted.iter().find(is_it);
        if wanted.iter().any(|object| is_maker(object, references[0])) {
            continue;
        }
        match rendered.or_else(|| there.objects.iter().find(is_it)) {
            Some(object) => findings.extend(keys(object, &references, rendered.is_some(), place)),
            None if there.forbidden.contains(target.resource()) => unknown.entry(target).or_default().push(name),
            None => findings.push(absent(target, name, &references, place)),
        }
    }
    for (target, names) in unknown {
        let names: Vec<String> = names.iter().map(|name| format!("{}/{name}", target.kind())).collect();
        let (verb, namespace) = (if names.len() == 1 { "is" } else { "are" }, place.namespace);
        let what =
            format!("whether {} {verb} there cannot be told: you may not read {}", join_and(&names), target.resource());
        findings
            .push(Finding::warning(what, format!("ask for `get` on {} in namespace {namespace}", target.resource())));
    }
    findings
}

fn by(references: &[&Reference]) -> String {
    let first = &references[0].by;
    match references.len() {
        1 => first.clone(),
        n => format!("{first} and {}", count(n - 1, "more place")),
    }
}

fn absent(target: Target, name: &str, references: &[&Reference], place: Where<'_>) -> Finding {
    let what =
        format!("{}/{name} is not there, and nothing of this service makes it: {}", target.kind(), by(references));
    let kubectl = place.kubectl();
    let keys: BTreeSet<&str> = references.iter().filter_map(|reference| reference.key.as_deref()).collect();
    let literals: String = keys.iter().map(|key| format!(" --from-literal={}=...", quote(key))).collect();
    let todo = match target {
        Target::Secret => format!("make it: {kubectl} create secret generic {name}{literals}"),
        Target::ConfigMap => format!("make it: {kubectl} create configmap {name}{literals}"),
        Target::ServiceAccount => {
            format!("make it: {kubectl} create serviceaccount {name}, or let the manifest make it: `serviceAccount`")
        }
        Target::Claim => "make the claim, or let the manifest make it: `volumes` with `claim`".to_owned(),
        Target::Service => format!("correct the name, or see to it that Service/{name} is made"),
    };
    if references.iter().all(|reference| reference.is_lenient) {
        Finding::warning(what, todo)
    } else {
        Finding::refusal(what, todo)
    }
}

/// The keys that are needed and not in it.
fn keys(object: &Object, references: &[&Reference], is_rendered: bool, place: Where<'_>) -> Option<Finding> {
    let fields = ["data", "binaryData", "stringData"];
    let has: BTreeSet<&str> = fields
        .iter()
        .filter_map(|field| object.json()[field].as_object())
        .flat_map(|map| map.keys().map(String::as_str))
        .collect();
    let lacking: Vec<&&Reference> =
        references.iter().filter(|reference| reference.key.as_deref().is_some_and(|key| !has.contains(key))).collect();
    let first = lacking.first()?;
    let needed: BTreeSet<String> =
        lacking.iter().filter_map(|reference| Some(format!("`{}`", reference.key.as_deref()?))).collect();
    let needed: Vec<String> = needed.into_iter().collect();
    let has: Vec<String> = has.iter().map(|key| format!("`{key}`")).collect();
    let has = if has.is_empty() { "nothing".to_owned() } else { join_and(&has) };
    let what = format!("{object} has no {}: {}; it has {has}", join_and(&needed), first.by);
    let todo = match is_rendered {
        true => "correct the key, or add it to the service's own template".to_owned(),
        false => format!("correct the key, or add it: {} edit {}", place.kubectl(), object.to_string().to_lowercase()),
    };
    Some(Finding::refusal(what, todo))
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, data: Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data})).unwrap()
    }

    fn reference(name: &str, key: &str) -> Reference {
        Reference {
            target: Target::Secret,
            name: name.into(),
            key: Some(key.into()),
            by: format!("env {key} of Deployment/w"),
            is_lenient: false,
        }
    }

    fn look(references: &[Reference], wanted: &[Object], there: Partial) -> Vec<Finding> {
        missing(references, wanted, &there, Where { context: "c", namespace: "n" })
    }

    #[test]
    fn what_is_not_there_is_told_once_with_what_it_needs() {
        let found = look(&[reference("db", "b"), reference("db", "a")], &[], Partial::default());
        assert_eq!(
            found,
            [Finding::refusal(
                "Secret/db is not there, and nothing of this service makes it: env b of Deployment/w and 1 more place",
                "make it: kubectl --context c -n n create secret generic db --from-literal=a=... --from-literal=b=...",
            )]
        );
    }

    #[test]
    fn a_key_that_is_not_in_it_is_told_with_those_that_are() {
        let there = Partial { objects: vec![object("Secret", "db", json!({"user": "eA=="}))], ..Partial::default() };
        let found = look(&[reference("db", "password"), reference("db", "user")], &[], there);
        assert_eq!(found[0].what, "Secret/db has no `password`: env password of Deployment/w; it has `user`");
        let wanted = [object("Secret", "db", json!({"password": "eA=="}))];
        assert_eq!(look(&[reference("db", "password")], &wanted, Partial::default()), []);
    }

    #[test]
    fn what_may_not_be_read_is_no_refusal() {
        let there = Partial { objects: Vec::new(), forbidden: ["secrets".to_owned()].into() };
        let found = look(&[reference("a", "x"), reference("b", "x")], &[], there);
        assert_eq!((found.len(), found[0].weight), (1, Weight::Warning));
        assert!(found[0].what.starts_with("whether Secret/a and Secret/b are there cannot be told"), "{found:?}");
    }
}
