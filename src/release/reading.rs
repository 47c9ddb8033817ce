//! Everything that is read from the cluster before a release, side by side: a kubectl start is the dear part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{ScopedJoinHandle, scope};

use anyhow::{anyhow, bail};
use jiff::Timestamp;

use super::ownership::{self, Takeover};
use super::permissions::permissions;
use super::record::History;
use super::rejection::{outside, rejected};
use super::rollout::{Kind, is_failed};
use super::version::{main_object, version_of};
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
        if let Some(refusal) = outside(wanted, crate::kubectl::is_cluster_scoped) {
            bail!(refusal);
        }
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
        // The server says of every kind, also of one that it alone knows, whether it is in a namespace.
        if let Some(refusal) = outside(&expected, |object| object.text("/metadata/namespace").is_empty()) {
            bail!(refusal);
        }
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
        // A Job cannot be changed anyway.
        let live = object.among(live).filter(|live| Kind::of(live) != Some(Kind::Job))?;
        let takeover = ownership::takeover(live, object, &now).filter(Takeover::removes)?;
        Some(ownership::applied(live, &takeover, object))
    };
    // What is deleted and made again may differ from what is there as much as it likes.
    let again = |object: &Object| Kind::of(object) == Some(Kind::Job) && object.among(live).is_some_and(is_failed);
    let dry_run = match dry_run {
        Err(error) if error.reason == Reason::Invalid && wanted.iter().any(again) => {
            let rest: Vec<Object> = wanted.iter().filter(|object| !again(object)).cloned().collect();
            if rest.is_empty() { Ok(rest) } else { kubectl.dry_run(&rest, &AtomicBool::new(false)) }
        }
        other => other,
    };
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for object in wanted.iter().filter(|object| !again(object)) {
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

/// The version that runs, read from what stands for the service in the release that runs; of a service that shipcat never shipped, from
/// the workload of its name. Of a service whose objects have no image, it is what the record says.
///
/// # Errors
/// If it cannot be read. Nothing was changed.
pub fn running_version(kubectl: &Kubectl<'_>, service: &str) -> anyhow::Result<(History, Option<String>)> {
    let (history, deployment) = scope(|scope| {
        // Nearly every service is a Deployment: it is read while it is not yet known.
        let deployment = scope.spawn(|| kubectl.named("deployment.apps", service));
        (History::read(kubectl, service, &AtomicBool::new(false)), joined(deployment))
    });
    let refused = |error: KubectlError| error.refused("cannot read what runs");
    let (history, deployment) = (history?, deployment?.map_err(refused)?);
    let Some(running) = history.running() else {
        let live = match deployment {
            Some(live) => Some(live),
            None => kubectl.named("statefulset.apps,daemonset.apps", service).map_err(refused)?,
        };
        return Ok((history, live.and_then(|live| version_of(&live, service))));
    };
    let objects = running.objects();
    let version = match main_object(&objects, service) {
        None => Some(running.body.version.clone()),
        Some(main) if deployment.as_ref().is_some_and(|live| live.is(main)) => {
            deployment.and_then(|live| version_of(&live, service))
        }
        Some(main) => {
            let live = kubectl.live(std::slice::from_ref(main), &AtomicBool::new(false)).map_err(refused)?;
            live.first().and_then(|live| version_of(live, service))
        }
    };
    Ok((history, version))
}
