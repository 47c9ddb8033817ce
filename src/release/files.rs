//! ConfigMaps that are named by their content: that one takes the other's place is a change of files, not an object more. Pure.

use super::history::History;
use super::nature::{Change, Nature, What, changes_of};
use super::plan::Plan;
use crate::yaml::Object;

/// A ConfigMap that a pod had and the one that it gets.
type Pair = (String, String);

/// Tells the change from one such ConfigMap to another as a change of its files, and leaves out what follows from it: the new name in the
/// pods' volumes. `former` are ConfigMaps that may be among the former ones. What is not there stays as it is told.
pub fn fold(plan: &mut Plan, former: &[Object], service: &str) {
    let mut folded: Vec<Pair> = Vec::new();
    let mut changes = Vec::new();
    for pair in pairs(plan) {
        let (old, new) = (find(former, &pair.0), plan.steps.iter().map(|step| &step.desired).find(|o| is(o, &pair.1)));
        let (Some(old), Some(new)) = (old, new) else { continue };
        if folded.contains(&pair) {
            continue;
        }
        let named = format!("ConfigMap/{service}");
        let files = changes_of(Some(old), new).into_iter().filter(|change| is_content(&change.what));
        changes.extend(files.map(|change| Change { object: named.clone(), ..change }));
        folded.push(pair);
    }
    let is_new = |change: &Change| {
        let name = change.object.strip_prefix("ConfigMap/");
        change.nature == Nature::New && folded.iter().any(|(_, new)| name == Some(new))
    };
    let follows = |change: &Change| reference(change).is_some_and(|pair| folded.contains(&pair));
    let at = plan.changes.iter().position(is_new).unwrap_or(plan.changes.len());
    let before = plan.changes[..at].iter().filter(|change| !is_new(change) && !follows(change)).cloned();
    let behind = plan.changes[at..].iter().filter(|change| !is_new(change) && !follows(change)).cloned();
    plan.changes = before.chain(changes).chain(behind).collect();
}

/// The ConfigMaps that a release brought: what a later one may stand in the place of.
pub fn former(history: &History) -> Vec<Object> {
    let objects = history.running().map(|running| running.objects()).unwrap_or_default();
    objects.into_iter().filter(|object| object.kind() == "ConfigMap" && object.is_immutable()).collect()
}

/// The names of the former ConfigMaps that are not among those known: who wants to tell their change has to read them.
pub fn unknown(plan: &Plan, known: &[Object]) -> Vec<String> {
    pairs(plan).into_iter().map(|(old, _)| old).filter(|old| find(known, old).is_none()).collect()
}

fn pairs(plan: &Plan) -> Vec<Pair> {
    let is_named_by_content = |name: &str| {
        plan.steps.iter().map(|step| &step.desired).any(|object| is(object, name) && object.is_immutable())
    };
    plan.changes.iter().filter_map(reference).filter(|(_, new)| is_named_by_content(new)).collect()
}

/// The two names, where a change is of the name of a ConfigMap.
fn reference(change: &Change) -> Option<Pair> {
    let What::Field(difference) = &change.what else { return None };
    let path = difference.path.to_string();
    if !path.ends_with(".configMap.name") && !path.ends_with(".configMapRef.name") {
        return None;
    }
    Some((difference.from.as_ref()?.as_str()?.to_owned(), difference.to.as_ref()?.as_str()?.to_owned()))
}

fn is(object: &Object, name: &str) -> bool {
    object.kind() == "ConfigMap" && object.group().is_empty() && object.name() == name
}

fn find<'a>(objects: &'a [Object], name: &str) -> Option<&'a Object> {
    objects.iter().find(|object| is(object, name))
}

fn is_content(what: &What) -> bool {
    match what {
        What::File { .. } => true,
        What::Field(difference) => difference.path.starts_with("data") || difference.path.starts_with("binaryData"),
        What::Object => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(name: &str, text: &str) -> Object {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "immutable": true, "data": {"a.conf": text}});
        Object::new(value).unwrap()
    }

    fn deployment(config: &str, image: &str) -> Object {
        let volumes = json!([{"name": "files", "configMap": {"name": config}}]);
        let pod = json!({"containers": [{"name": "w", "image": image}], "volumes": volumes});
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": {"template": {"spec": pod}}});
        Object::new(value).unwrap()
    }

    #[test]
    fn one_in_the_place_of_another_is_a_change_of_files() {
        let wanted = [map("w-2", "b\n"), deployment("w-2", "a:2")];
        let live = [deployment("w-1", "a:1")];
        let mut plan = Plan::new(&wanted, &live, &wanted, "now");
        assert_eq!((plan.changes.len(), unknown(&plan, &[])), (3, vec!["w-1".to_owned()]));
        fold(&mut plan, &[], "w");
        assert_eq!(plan.changes.len(), 3, "what it was is not known");
        fold(&mut plan, &[map("w-1", "a\n")], "w");
        let told: Vec<_> = plan.changes.iter().map(|change| (change.object.as_str(), change.nature.word())).collect();
        assert_eq!(told, [("ConfigMap/w", "config"), ("Deployment/w", "image")]);
    }
}
