//! What is left of the namespace's quotas, against what a rollout needs at its peak.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::equivalent::nano;
use super::super::rollout::{Kind, template_path};
use super::super::step::Step;
use super::{Finding, Where};
use crate::error::join_and;
use crate::yaml::Object;

/// One object of a release: what is live of it, what it becomes, whether its pods are replaced, whether it runs to its end first.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// What is live, if it is.
    pub before: Option<&'a Object>,
    /// What it becomes.
    pub expected: &'a Object,
    /// Whether its pods are replaced.
    pub replaces_pods: bool,
    /// Whether it is left as it is.
    pub is_idle: bool,
}

impl<'a> Load<'a> {
    /// That of a step of a plan.
    pub fn of(step: &'a Step) -> Self {
        let is_idle = !step.is_applied();
        Self { before: step.before.as_ref(), expected: &step.expected, replaces_pods: step.replaces_pods(), is_idle }
    }
}

/// Amounts by the quota's own names (`pods`, `requests.cpu`, `count/deployments.apps`), in billionths.
type Amounts = BTreeMap<String, i128>;

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// What does not fit: refused where not even one pod more can be made, else a warning, since a rollout may go on as old pods leave. Quotas
/// with scopes are left out: which pods they count is not told by the objects alone.
pub fn quota(quotas: &[Object], ranges: Option<&[Object]>, loads: &[Load<'_>], place: Where<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_scopes = |quota: &&Object| {
        quota.list("/spec/scopes").is_empty() && quota.json().pointer("/spec/scopeSelector").is_none()
    };
    for quota in quotas.iter().filter(has_scopes) {
        let left = left(quota);
        findings.extend(objects(quota, &left, loads, place));
        for load in loads.iter().filter(|load| !load.is_idle) {
            findings.extend(pods(quota, &left, load, ranges, place));
        }
    }
    findings
}

/// What is left of each of a quota's amounts.
fn left(quota: &Object) -> Amounts {
    let amounts = |field: &str| -> Amounts {
        let map = quota.json()["status"][field].as_object().or(quota.json()["spec"][field].as_object());
        let one = |(name, value): (&String, &Value)| Some((name.clone(), nano(value.as_str()?)?));
        map.into_iter().flatten().filter_map(one).collect()
    };
    let used = amounts("used");
    amounts("hard")
        .into_iter()
        .map(|(name, hard)| (name.clone(), hard - used.get(&name).copied().unwrap_or_default()))
        .collect()
}

/// The objects that are made, by the names that a quota counts them under; and one more Secret, the record.
fn objects(quota: &Object, left: &Amounts, loads: &[Load<'_>], place: Where<'_>) -> Vec<Finding> {
    let mut needed: Amounts = [("secrets".to_owned(), ONE), ("count/secrets".to_owned(), ONE)].into();
    for object in loads.iter().filter(|load| load.before.is_none()).map(|load| load.expected) {
        let resource = crate::kubectl::resource(object.kind());
        let group = if object.group().is_empty() { String::new() } else { format!(".{}", object.group()) };
        let mut add = |name: String, amount: i128| *needed.entry(name).or_default() += amount;
        add(format!("count/{resource}{group}"), ONE);
        let classic = ["configmaps", "secrets", "services", "persistentvolumeclaims"];
        if object.group().is_empty() && classic.contains(&resource.as_str()) {
            add(resource, ONE);
        }
        match (object.kind(), object.text("/spec/type")) {
            ("Service", "LoadBalancer") => add("services.loadbalancers".into(), ONE),
            ("Service", "NodePort") => add("services.nodeports".into(), ONE),
            ("PersistentVolumeClaim", _) => {
                add(
                    "requests.storage".into(),
                    nano(object.text("/spec/resources/requests/storage")).unwrap_or_default(),
                );
            }
            _ => {}
        }
    }
    let over = lacking(left, &needed);
    if over.is_empty() {
        return Vec::new();
    }
    let what = format!("quota `{}` has no room for the objects that are made: {}", quota.name(), join_and(&over));
    vec![Finding::refusal(what, todo(quota, place))]
}

/// The pods that one object needs at its peak.
fn pods(
    quota: &Object,
    left: &Amounts,
    load: &Load<'_>,
    ranges: Option<&[Object]>,
    place: Where<'_>,
) -> Option<Finding> {
    let (more, least) = more_pods(load);
    if more == 0 {
        return None;
    }
    let pod = load.expected.json().pointer(&format!("{}/spec", template_path(load.expected)))?;
    let each = of_pod(pod);
    let has_ranges = ranges.is_none_or(|ranges| !ranges.is_empty());
    let unsaid: Vec<String> = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory"]
        .iter()
        .filter(|name| left.contains_key(**name) && !says(pod, name))
        .map(|name| format!("`{name}`"))
        .collect();
    let object = load.expected;
    if !unsaid.is_empty() && !has_ranges {
        let what = format!(
            "quota `{}` limits {}, of which a container of {object} says nothing: its pods are refused",
            quota.name(),
            join_and(&unsaid)
        );
        return Some(Finding::refusal(what, "say it in the manifest: `resources`"));
    }
    let times = |n: i128| -> Amounts { each.iter().map(|(name, amount)| (name.clone(), amount * n)).collect() };
    // Where more is used than allowed by now, not one new pod is let in, whichever goes first.
    let is_over = |name: &String| left.get(name).is_some_and(|left| *left < 0);
    let least = if least == 0 && each.iter().any(|(name, amount)| *amount > 0 && is_over(name)) { 1 } else { least };
    let (least_over, over) = (lacking(left, &times(least)), lacking(left, &times(more)));
    let name = quota.name();
    if !least_over.is_empty() {
        let what = format!("quota `{name}` has no room for a pod more of {object}: {}", join_and(&least_over));
        Some(Finding::refusal(what, todo(quota, place)))
    } else if !over.is_empty() {
        let what = format!("quota `{name}` has no room for all pods that {object} needs at once: {}", join_and(&over));
        Some(Finding::warning(what, format!("it goes slower, or not to its end; {}", todo(quota, place))))
    } else {
        None
    }
}

fn todo(quota: &Object, place: Where<'_>) -> String {
    format!("make room, or ask for more: {} describe quota {}", place.kubectl(), quota.name())
}

/// How many pods more than run now there are at the peak of a rollout, and how many there must be for it to go on at all.
fn more_pods(load: &Load<'_>) -> (i128, i128) {
    let count = |object: &Object, path: &str, none: i64| i128::from(object.number(path).unwrap_or(none));
    let runs = load.before.map_or(0, |before| count(before, "/spec/replicas", 1));
    match Kind::of(load.expected) {
        Some(Kind::Deployment) => {
            let wanted = count(load.expected, "/spec/replicas", 1);
            let strategy = "/spec/strategy/rollingUpdate";
            let is_recreated = load.expected.text("/spec/strategy/type") == "Recreate";
            let surge = share(load.expected, &format!("{strategy}/maxSurge"), wanted, true, "25%");
            let unavailable = share(load.expected, &format!("{strategy}/maxUnavailable"), wanted, false, "25%");
            match (load.before.is_some() && load.replaces_pods && !is_recreated && wanted > 0, wanted - runs) {
                (true, grows) => {
                    let more = grows.max(0) + surge;
                    // Where old pods may go first, room comes of itself.
                    (more, if unavailable > 0 || grows < 0 { 0 } else { 1.min(more) })
                }
                (false, grows) => (grows.max(0), 1.min(grows.max(0))),
            }
        }
        Some(Kind::StatefulSet) => {
            let grows = (count(load.expected, "/spec/replicas", 1) - runs).max(0);
            (grows, 1.min(grows))
        }
        Some(Kind::Job) if load.before.is_none() => {
            let parallel = count(load.expected, "/spec/parallelism", 1);
            (parallel, 1.min(parallel))
        }
        // How many nodes there are is not known here.
        _ => (0, 0),
    }
}

/// A number or a share of pods, as Deployments have it: surge is rounded up, what may be missing is rounded down.
fn share(object: &Object, path: &str, of: i128, up: bool, none: &str) -> i128 {
    let value = object.json().pointer(path).cloned().unwrap_or_else(|| none.into());
    match &value {
        Value::Number(number) => i128::from(number.as_i64().unwrap_or_default()),
        Value::String(text) => match text.trim_end_matches('%').parse::<i128>() {
            Ok(percent) if text.ends_with('%') => (of * percent + if up { 99 } else { 0 }) / 100,
            Ok(number) => number,
            Err(_) => 0,
        },
        _ => 0,
    }
}

/// Whether every container of a pod says an amount.
fn says(pod: &Value, name: &str) -> bool {
    let (kind, resource) = name.split_once('.').unwrap_or(("requests", name));
    let containers = ["initContainers", "containers"].into_iter().filter_map(|list| pod[list].as_array()).flatten();
    // A limit stands for a request that is not said.
    let said = |container: &Value| {
        let resources = &container["resources"];
        !resources[kind][resource].is_null() || (kind == "requests" && !resources["limits"][resource].is_null())
    };
    containers.into_iter().all(said)
}

/// What a pod needs: the sum of its containers, or the largest of its init containers if that is more; those that stay (restartPolicy
/// `Always`) count with the others.
fn of_pod(pod: &Value) -> Amounts {
    let mut amounts: Amounts = [("pods".to_owned(), ONE), ("count/pods".to_owned(), ONE)].into();
    for (kind, prefixes) in [("requests", &["requests.", ""][..]), ("limits", &["limits."][..])] {
        for resource in ["cpu", "memory", "ephemeral-storage"] {
            let of = |container: &Value| -> i128 {
                let resources = &container["resources"];
                let said = resources[kind][resource]
                    .as_str()
                    .or_else(|| if kind == "requests" { resources["limits"][resource].as_str() } else { None });
                said.and_then(nano).unwrap_or_default()
            };
            let all = |list: &str| pod[list].as_array().cloned().unwrap_or_default();
            let stays = |container: &Value| container["restartPolicy"] == "Always";
            let main: i128 = all("containers").iter().map(of).sum();
            let beside: i128 = all("initContainers").iter().filter(|one| stays(one)).map(of).sum();
            let init = all("initContainers").iter().filter(|one| !stays(one)).map(of).max().unwrap_or_default();
            let amount = (main + beside).max(init + beside);
            if amount > 0 {
                amounts.extend(prefixes.iter().map(|prefix| (format!("{prefix}{resource}"), amount)));
            }
        }
    }
    amounts
}

/// What is needed and not left: `requests.cpu` 500m needed, 200m left.
fn lacking(left: &Amounts, needed: &Amounts) -> Vec<String> {
    let over = needed.iter().filter_map(|(name, needed)| Some((name, *needed, *left.get(name)?)));
    let over = over.filter(|(_, needed, left)| *needed > 0 && needed > left);
    over.map(|(name, needed, left)| format!("{} of `{name}` needed, {} left", amount(name, needed), amount(name, left)))
        .collect()
}

/// An amount as people write it.
fn amount(name: &str, value: i128) -> String {
    let is_bytes = name.ends_with("memory") || name.ends_with("storage");
    let mebi = 1024 * 1024 * ONE;
    if is_bytes && value.abs() >= mebi {
        format!("{}Mi", value / mebi)
    } else if value % ONE == 0 {
        (value / ONE).to_string()
    } else {
        format!("{}m", value / (ONE / 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use serde_json::json;

    fn of(hard: Value, used: Value) -> Object {
        let status = json!({"hard": hard, "used": used});
        Object::new(json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "status": status}))
            .unwrap()
    }

    fn deployment(replicas: u32, cpu: Option<&str>, strategy: Value) -> Object {
        let resources = cpu.map_or(json!({}), |cpu| json!({"requests": {"cpu": cpu}}));
        let pod = json!({"spec": {"containers": [{"name": "w", "resources": resources}]}});
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"},
            "spec": {"replicas": replicas, "strategy": strategy, "template": pod}}))
        .unwrap()
    }

    fn look(quota: &Object, before: Option<&Object>, expected: &Object, replaces_pods: bool) -> Vec<Finding> {
        let load = Load { before, expected, replaces_pods, is_idle: false };
        super::quota(std::slice::from_ref(quota), Some(&[]), &[load], Where { context: "c", namespace: "n" })
    }

    #[test]
    fn a_pod_that_does_not_fit_stands_in_the_way() {
        let fixed = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
        let quota = of(json!({"requests.cpu": "1", "pods": "10"}), json!({"requests.cpu": "800m", "pods": "2"}));
        let runs = deployment(2, Some("300m"), fixed.clone());
        let found = look(&quota, Some(&runs), &runs, true);
        assert_eq!(
            found[0].what,
            "quota `q` has no room for a pod more of Deployment/w: 300m of `requests.cpu` needed, 200m left"
        );
        assert_eq!(look(&quota, Some(&runs), &runs, false), [], "nothing of its pods changes");
        let small = deployment(2, Some("200m"), fixed);
        assert_eq!(look(&quota, Some(&small), &small, true), []);
        // Where old pods may go first, it goes on.
        let loose = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}});
        let loose = deployment(2, Some("300m"), loose);
        assert_eq!(look(&quota, Some(&loose), &loose, true)[0].weight, Weight::Warning);
        let over = of(json!({"requests.cpu": "1"}), json!({"requests.cpu": "1200m"}));
        assert_eq!(look(&over, Some(&loose), &loose, true)[0].weight, Weight::Refusal);
        let recreated = deployment(2, Some("300m"), json!({"type": "Recreate"}));
        assert_eq!(look(&quota, Some(&recreated), &recreated, true), []);
    }

    #[test]
    fn what_says_nothing_is_refused_where_nothing_says_it_for_it() {
        let quota = of(json!({"requests.cpu": "1"}), json!({"requests.cpu": "0"}));
        let new = deployment(1, None, json!({}));
        assert!(look(&quota, None, &new, false)[0].what.contains("says nothing"));
        let load = Load { before: None, expected: &new, replaces_pods: false, is_idle: false };
        let range = Object::new(json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}})).unwrap();
        let place = Where { context: "c", namespace: "n" };
        assert_eq!(super::quota(&[quota], Some(&[range]), &[load], place), []);
    }

    #[test]
    fn objects_are_counted_too() {
        let quota = of(
            json!({"count/deployments.apps": "1", "secrets": "5"}),
            json!({"count/deployments.apps": "1", "secrets": "5"}),
        );
        let found = look(&quota, None, &deployment(0, None, json!({})), false);
        assert!(
            found[0].what.contains("`count/deployments.apps` needed") && found[0].what.contains("`secrets` needed"),
            "{found:?}"
        );
    }
}
