//! Live objects that another tool keeps: whoever ships over them and the tool would undo each other's work.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Finding;
use crate::error::join_and;
use crate::yaml::Object;

/// Who keeps an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Keeper {
    Helm(String),
    Argo(String),
    Flux(String),
    Fleet(String),
    Kapp(String),
    /// An object that made it, as `Kind/name`.
    Owner(String),
}

/// What of the live objects somebody else keeps; with `adopt` that is taken over, but for what has an owner. What was `adopted` by a release
/// before is: some of the marks stay.
pub fn foreign(live: &[Object], adopt: bool, adopted: &[String]) -> Vec<Finding> {
    let mut by_keeper: BTreeMap<(Keeper, bool), Vec<String>> = BTreeMap::new();
    for object in live {
        if let Some(keeper) = keeper(object) {
            let name = object.to_string();
            by_keeper.entry((keeper, adopt || adopted.contains(&name))).or_default().push(name);
        }
    }
    let told = by_keeper.iter();
    told.map(|((keeper, adopt), objects)| finding(keeper, &join_and(objects), objects.len() == 1, *adopt)).collect()
}

/// The live objects that a release with `--adopt` takes over.
pub fn adoptable(live: &[Object]) -> Vec<String> {
    let is_kept = |object: &&Object| keeper(object).is_some_and(|keeper| !matches!(keeper, Keeper::Owner(_)));
    live.iter().filter(is_kept).map(ToString::to_string).collect()
}

fn finding(keeper: &Keeper, objects: &str, is_one: bool, adopt: bool) -> Finding {
    let (verb, it) = if is_one { ("belongs", "it") } else { ("belong", "them") };
    let who = match keeper {
        Keeper::Helm(name) => format!("the Helm release `{name}`"),
        Keeper::Argo(name) => format!("the Argo CD application `{name}`"),
        Keeper::Flux(name) => format!("`{name}` of Flux"),
        Keeper::Fleet(name) => format!("`{name}` of Fleet"),
        Keeper::Kapp(name) => format!("the kapp application `{name}`"),
        Keeper::Owner(name) => {
            let what = format!("{objects} {verb} to {name}, whose controller would put {it} back");
            return Finding::refusal(what, format!("change {name} instead, or give the manifest another name"));
        }
    };
    let what = format!("{objects} {verb} to {who}");
    let remove = match keeper {
        Keeper::Helm(_) => format!("take {it} out of the chart with `helm.sh/resource-policy: keep`"),
        Keeper::Argo(_) => format!("take {it} out of the application without pruning"),
        Keeper::Flux(_) => format!("take {it} out of Flux with `kustomize.toolkit.fluxcd.io/prune: disabled`"),
        Keeper::Fleet(_) | Keeper::Kapp(_) | Keeper::Owner(_) => format!("take {it} out of there"),
    };
    if adopt {
        let what = format!("{what}, and {} taken over (`--adopt`)", if is_one { "is" } else { "are" });
        Finding::warning(what, format!("{remove}, or the next run there undoes this one"))
    } else {
        Finding::refusal(what, format!("{remove}, then take {it} over for good with `--adopt`"))
    }
}

/// Who keeps it, by the marks that each tool leaves (Helm 3, Argo CD 2, Flux 2, Fleet, kapp; each one's own documentation). The label
/// `app.kubernetes.io/instance`, which Argo CD may use, proves nothing: many write it by hand.
fn keeper(object: &Object) -> Option<Keeper> {
    let metadata = &object.json()["metadata"];
    let mark = |field: &str, key: &str| metadata[field].get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(owner) = object.list("/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true) {
        let part = |key: &str| owner[key].as_str().unwrap_or_default();
        return Some(Keeper::Owner(format!("{}/{}", part("kind"), part("name"))));
    }
    if let Some(release) = mark("annotations", "meta.helm.sh/release-name") {
        return Some(Keeper::Helm(release));
    }
    if mark("labels", "app.kubernetes.io/managed-by").as_deref() == Some("Helm") {
        return Some(Keeper::Helm(mark("labels", "app.kubernetes.io/instance").unwrap_or_else(|| "?".into())));
    }
    let argo = mark("annotations", "argocd.argoproj.io/tracking-id");
    if let Some(id) = argo.map(|id| id.split(':').next().unwrap_or_default().to_owned()) {
        return Some(Keeper::Argo(id));
    }
    mark("labels", "argocd.argoproj.io/instance")
        .map(Keeper::Argo)
        .or_else(|| mark("labels", "kustomize.toolkit.fluxcd.io/name").map(Keeper::Flux))
        .or_else(|| mark("labels", "helm.toolkit.fluxcd.io/name").map(Keeper::Flux))
        .or_else(|| mark("annotations", "objectset.rio.cattle.io/id").map(Keeper::Fleet))
        .or_else(|| mark("labels", "kapp.k14s.io/app").map(Keeper::Kapp))
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use serde_json::json;

    fn object(kind: &str, metadata: &Value) -> Object {
        let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata});
        value["metadata"]["name"] = "w".into();
        Object::new(value).unwrap()
    }

    #[test]
    fn each_keeper_is_known_by_its_mark() {
        for (metadata, who) in [
            (json!({"annotations": {"meta.helm.sh/release-name": "r"}}), "the Helm release `r`"),
            (json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}}), "the Helm release `?`"),
            (
                json!({"annotations": {"argocd.argoproj.io/tracking-id": "a:apps/Deployment:n/w"}}),
                "the Argo CD application `a`",
            ),
            (json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "f"}}), "`f` of Flux"),
            (json!({"ownerReferences": [{"kind": "Web", "name": "x", "controller": true}]}), "Web/x"),
        ] {
            let found = foreign(&[object("Service", &metadata)], false, &[]);
            assert!(found[0].what.starts_with(&format!("Service/w belongs to {who}")), "{found:?}");
            assert_eq!(found[0].weight, Weight::Refusal);
        }
        let own = json!({"labels": {"app.kubernetes.io/instance": "w", "app.kubernetes.io/managed-by": "shipcat"}});
        assert_eq!(foreign(&[object("Service", &own)], false, &[]), []);
    }

    #[test]
    fn what_is_adopted_is_no_refusal() {
        let helm = json!({"annotations": {"meta.helm.sh/release-name": "r"}});
        let live = [object("Service", &helm), object("ConfigMap", &helm)];
        let found = foreign(&live, true, &[]);
        assert_eq!((found.len(), found[0].weight), (1, Weight::Warning));
        assert!(found[0].what.contains("Service/w and ConfigMap/w belong to the Helm release `r`, and are taken over"));
        let again = foreign(&live, false, &["Service/w".into()]);
        let weights: Vec<Weight> = again.iter().map(|finding| finding.weight).collect();
        assert_eq!(weights, [Weight::Refusal, Weight::Warning], "each object for itself");
        let owned = json!({"ownerReferences": [{"kind": "Web", "name": "x", "controller": true}]});
        assert_eq!(foreign(&[object("Service", &owned)], true, &[])[0].weight, Weight::Refusal);
    }
}
