//! Everything that is read from the cluster before a release, side by side: a kubectl start is the dear part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{ScopedJoinHandle, scope};

use anyhow::{anyhow, bail};
use jiff::Timestamp;

use super::ownership::{self, Takeover};
use super::record::History;
use crate::error::{Failure, join_and};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// The live ones of the wanted objects.
    pub live: Vec<Object>,
    /// What the server would make of each.
    pub expected: Vec<Object>,
    /// The releases so far.
    pub history: History,
    /// The namespace's autoscalers.
    pub autoscalers: Vec<Object>,
}

impl Reading {
    /// Reads, and checks that the user may do all that a release does.
    ///
    /// # Errors
    /// If the cluster does not answer, something is not permitted, or the server would not take the objects. Nothing was changed.
    pub fn take(kubectl: &Kubectl<'_>, service: &str, wanted: &[Object]) -> anyhow::Result<Self> {
        let cancel = AtomicBool::new(false);
        let permissions = permissions(wanted);
        let (probe, live, expected, history, autoscalers, forbidden) = scope(|scope| {
            let live = scope.spawn(|| kubectl.live(wanted, &cancel));
            let expected = scope.spawn(|| kubectl.dry_run(wanted, &cancel));
            let history = scope.spawn(|| History::read(kubectl, service, &cancel));
            let autoscalers = scope.spawn(|| kubectl.autoscalers(&cancel));
            let forbidden = scope.spawn(|| kubectl.forbidden(&permissions, &cancel));
            let probe = kubectl.probe();
            if probe.is_err() {
                // The others would find out as well, only later.
                cancel.store(true, Ordering::Relaxed);
            }
            (probe, joined(live), joined(expected), joined(history), joined(autoscalers), joined(forbidden))
        });
        let context = kubectl.context();
        // A server that answers `/version` to nobody is there all the same; whoever may not ask finds out below.
        if let Err(error) = probe
            && !matches!(error.reason, Reason::Forbidden)
        {
            bail!(error.refused(&format!("the cluster of context `{context}` does not answer")));
        }
        match forbidden? {
            Ok(missing) if !missing.is_empty() => {
                let hint = "ask for a Role with these verbs, or use a context that has them";
                let message = format!(
                    "you may not do all that a ship does in namespace `{}`: {}",
                    kubectl.namespace(),
                    join_and(&missing)
                );
                bail!(Failure::refused(message).hint(hint));
            }
            Ok(_) => {}
            Err(error) => bail!(error.refused("cannot ask what you may do in the cluster")),
        }
        let live = live?.map_err(|error| error.refused("cannot read the live objects"))?;
        if let Some(going) = live.iter().find(|object| !object.text("/metadata/deletionTimestamp").is_empty()) {
            // An apply onto it would succeed, and it would be gone all the same.
            let finalizers: Vec<&str> = going.list("/metadata/finalizers").iter().filter_map(|f| f.as_str()).collect();
            let why =
                if finalizers.is_empty() { String::new() } else { format!(", held by {}", join_and(&finalizers)) };
            bail!(
                Failure::refused(format!(
                    "{going} is being deleted since {}{why}",
                    going.text("/metadata/deletionTimestamp")
                ))
                .hint("wait until it is gone, then ship again")
            );
        }
        let expected = foresee(kubectl, wanted, &live, expected?).map_err(|error| rejected(kubectl, &error))?;
        let autoscalers = autoscalers?.map_err(|error| error.refused("cannot read the autoscalers"))?;
        Ok(Self { live, expected, history: history??, autoscalers })
    }
}

/// What the server will make of each object. Where fields are taken over from others and go, a dry run of the apply cannot show
/// it, or fails for what would be gone by then; the outcome is put together and tried as a whole.
fn foresee(
    kubectl: &Kubectl<'_>,
    wanted: &[Object],
    live: &[Object],
    dry_run: Result<Vec<Object>, KubectlError>,
) -> Result<Vec<Object>, KubectlError> {
    let now = Timestamp::now().to_string();
    let takeover = |object: &Object| {
        let live = object.among(live)?;
        let takeover = ownership::takeover(live, object, &now).filter(Takeover::removes)?;
        Some(ownership::applied(live, &takeover, object))
    };
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for object in wanted {
        match takeover(object) {
            Some(applied) => taken.push(applied),
            None => rest.push(object.clone()),
        }
    }
    if taken.is_empty() {
        return dry_run;
    }
    let mut expected = match dry_run {
        Ok(mut expected) => {
            expected.retain(|object| object.among(&taken).is_none());
            expected
        }
        Err(_) if rest.is_empty() => Vec::new(),
        Err(_) => kubectl.dry_run(&rest, &AtomicBool::new(false))?,
    };
    for object in &taken {
        expected.push(kubectl.dry_put(object)?);
    }
    Ok(expected)
}

fn joined<T>(handle: ScopedJoinHandle<'_, T>) -> anyhow::Result<T> {
    handle.join().map_err(|_| anyhow!("shipcat itself failed while it read from the cluster"))
}

fn rejected(kubectl: &Kubectl<'_>, error: &KubectlError) -> Failure {
    let namespace = kubectl.namespace();
    if error.reason == Reason::NotFound && error.said.contains(&format!("namespaces \"{namespace}\" not found")) {
        return Failure::refused(format!(
            "there is no namespace `{namespace}` in the cluster of context `{}`",
            kubectl.context()
        ))
        .hint(format!("make it first: kubectl --context {} create namespace {namespace}", kubectl.context()));
    }
    let failure = Failure::refused(format!("the API server would not take it: {}", error.said));
    if error.said.contains("field is immutable") {
        return failure.hint(
            "an immutable field differs from what runs: give the manifest the same (a Deployment's labels: `selector`), or remove the object first",
        );
    }
    match error.reason {
        Reason::Invalid => failure.hint("correct the manifest; `shipcat generate` shows what is sent"),
        _ => error.refused("the API server would not take it"),
    }
}

/// Every verb on every resource that a release, its watch, its report and its put-back use: verb, group, resource.
fn permissions(wanted: &[Object]) -> Vec<(String, String, String)> {
    let mut list: Vec<(&str, String, String)> = Vec::new();
    for object in wanted {
        let (group, resource) = (object.group().to_owned(), crate::kubectl::resource(object.kind()));
        for verb in ["get", "create", "patch", "update", "delete"] {
            list.push((verb, group.clone(), resource.clone()));
        }
    }
    for (resource, group) in [("deployments", "apps"), ("replicasets", "apps"), ("pods", "")] {
        for verb in ["list", "watch"] {
            list.push((verb, group.into(), resource.into()));
        }
    }
    list.push(("list", "autoscaling".into(), "horizontalpodautoscalers".into()));
    for (verb, resource) in [
        ("get", "pods/log"),
        ("list", "events"),
        ("list", "secrets"),
        ("create", "secrets"),
        ("get", "secrets"),
        ("patch", "secrets"),
    ] {
        list.push((verb, String::new(), resource.into()));
    }
    let mut list: Vec<_> = list.into_iter().map(|(verb, group, resource)| (verb.to_owned(), group, resource)).collect();
    list.sort();
    list.dedup();
    list
}

/// The tag or digest with which a service runs, by its live Deployment: that of the container with the service's name.
pub fn version_of(deployment: &Object, service: &str) -> Option<String> {
    let containers = deployment.list("/spec/template/spec/containers");
    let named = |container: &&serde_json::Value| container.get("name").and_then(|name| name.as_str()) == Some(service);
    let image = containers.iter().find(named).or(containers.first())?.get("image")?.as_str()?;
    match image.split_once('@') {
        Some((_, digest)) => Some(digest.to_owned()),
        None => image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_running_version_is_read_from_the_image() {
        let version = |image: &str| {
            let containers = json!([{"name": "side", "image": "x:9"}, {"name": "w", "image": image}]);
            let spec = json!({"template": {"spec": {"containers": containers}}});
            version_of(
                &Object::new(
                    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": spec}),
                )
                .unwrap(),
                "w",
            )
        };
        assert_eq!(version("r:5000/a/w:1.2").as_deref(), Some("1.2"));
        assert_eq!(version("r/w@sha256:ab").as_deref(), Some("sha256:ab"));
        assert_eq!(version("r:5000/w"), None);
    }

    #[test]
    fn permissions_are_asked_once_each() {
        let object =
            Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}})).unwrap();
        let list = permissions(&[object.clone(), object]);
        assert!(list.contains(&("patch".into(), "apps".into(), "deployments".into())));
        assert!(list.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
