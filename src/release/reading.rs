//! Everything that is read from the cluster before a release, side by side: a kubectl start is the dear part. For one service or many
//! at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{ScopedJoinHandle, scope};
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::foresight::{Foresight, Word, foresee};
use super::history::History;
use super::permissions::{Permission, permissions};
use super::preflight::{Finding, Where, asked, immutable, missing, progress, references};
use super::rejection::outside;
use super::removal;
use super::retirement::is_end;
use super::version::{main_object, version_of};
use crate::error::{Failure, join_and};
use crate::kubectl::{Kubectl, KubectlError, Partial, Reason, Records};
use crate::threads;
use crate::yaml::Object;

/// After how long without any answer the API server is asked whether it is there at all.
const DOUBT: Duration = Duration::from_secs(1);

/// What a service is to become.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The service.
    pub service: &'a str,
    /// Its objects, as they were rendered.
    pub objects: &'a [Object],
    /// Whether they are to be applied; else only their live ones are looked at.
    pub is_applied: bool,
}

/// What was read of a service.
#[derive(Debug)]
pub struct Reading {
    /// The live ones of the wanted objects.
    pub live: Vec<Object>,
    /// What will be made of each.
    pub expected: Vec<Object>,
    /// Whose word that is.
    pub word: Word,
    /// Whether the API server would not take them.
    pub is_rejected: bool,
    /// The releases so far.
    pub history: History,
    /// Why the releases are not known, if they may not be read.
    pub no_history: Option<String>,
    /// The namespace's quotas, limit ranges and autoscalers.
    pub limits: Partial,
    /// The live objects that the release which runs brought, and this one does not have any more.
    pub left_over: Vec<Object>,
    /// What the look found.
    pub findings: Vec<Finding>,
}

impl Reading {
    /// Reads what releases of several services need; the readings are in their order.
    ///
    /// # Errors
    /// If the cluster does not answer, or may not be read at all. Nothing was changed.
    pub fn take_all(kubectl: &Kubectl<'_>, wanted: &[Wanted<'_>]) -> anyhow::Result<Vec<Self>> {
        let all: Vec<Object> = wanted.iter().flat_map(|wanted| wanted.objects.iter().cloned()).collect();
        if let Some(refusal) = outside(&all, crate::kubectl::is_cluster_scoped) {
            bail!(refusal);
        }
        let applied: Vec<Object> = wanted
            .iter()
            .filter(|wanted| wanted.is_applied)
            .flat_map(|wanted| wanted.objects.iter().cloned())
            .collect();
        let services: Vec<&str> = wanted.iter().map(|wanted| wanted.service).collect();
        let cancel = AtomicBool::new(false);
        let permissions = permissions(&all, kubectl.records());
        let names = asked(&references(&applied), &applied);
        let (heard, first) = channel();
        let (probe, live, dry_run, histories, limits, referred, forbidden) = scope(|scope| {
            let live = scope.spawn(heard_of(&heard, || kubectl.live(&all, &cancel)));
            let dry_run = scope.spawn(|| match applied.is_empty() {
                true => Ok(Vec::new()),
                false => kubectl.dry_run(&applied, &cancel),
            });
            let histories = scope.spawn(|| History::read_all(kubectl, &services, &cancel));
            let limits = scope.spawn(heard_of(&heard, || kubectl.limits(&cancel)));
            let referred = scope.spawn(|| kubectl.referred(&names, &cancel));
            let forbidden = scope.spawn(heard_of(&heard, || kubectl.forbidden(&permissions, &cancel)));
            // Only where there is doubt: one answer is as good as any.
            let probe = match first.recv_timeout(DOUBT) {
                Ok(true) => Ok(()),
                _ => kubectl.probe(),
            };
            if probe.is_err() {
                // The others would find out as well, only later.
                cancel.store(true, Ordering::Relaxed);
            }
            (
                probe,
                joined(live),
                joined(dry_run),
                joined(histories),
                joined(limits),
                joined(referred),
                joined(forbidden),
            )
        });
        // A server that answers `/version` to nobody is there all the same; whoever may not ask finds out below.
        if let Err(error) = probe
            && !matches!(error.reason, Reason::Forbidden)
        {
            bail!(error.refused(&format!("the cluster of context `{}` does not answer", kubectl.context())));
        }
        let forbidden = forbidden?;
        let live = live?;
        if let Err(error) = &live
            && error.reason == Reason::Forbidden
            && let Ok(forbidden) = &forbidden
            && let Some(finding) = not_permitted(kubectl, forbidden)
        {
            bail!(Failure::refused(finding.what).hint(finding.todo));
        }
        let live = live.map_err(|error| error.refused("cannot read the live objects"))?;
        let mut histories = histories??;
        let limits = limits?.map_err(|error| error.refused("cannot read the quotas and autoscalers"))?;
        let referred = referred?.map_err(|error| error.refused("cannot read what the objects refer to"))?;
        let place = Where { context: kubectl.context(), namespace: kubectl.namespace() };
        let candidates = removal::candidates(wanted, &histories.read);
        let (left_over, unremovable) = match candidates.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => {
                let none = AtomicBool::new(false);
                let deletions: Vec<Permission> = candidates.iter().map(deletion).collect();
                let (live, denied) = scope(|scope| {
                    let denied = scope.spawn(|| kubectl.forbidden(&deletions, &none));
                    (kubectl.live(&candidates, &none), joined(denied))
                });
                let live = live.map_err(|error| error.refused("cannot read the live objects"))?;
                // Who may not ask is told so already.
                (live, denied?.unwrap_or_default())
            }
        };
        let dry_runs = each_dry_run(kubectl, wanted, dry_run?);
        let items: Vec<_> = wanted.iter().zip(dry_runs).collect();
        let readings = threads::each(&items, |(wanted, dry_run)| {
            let own: Vec<Object> = wanted.objects.iter().filter_map(|object| object.among(&live).cloned()).collect();
            let foresight = match wanted.is_applied {
                true => foresee(kubectl, wanted.objects, &own, dry_run.clone()),
                false => Foresight { expected: own.clone(), word: Word::Server, rejection: None },
            };
            (own, foresight)
        });
        let mut taken = Vec::new();
        for (wanted, (live, foresight)) in wanted.iter().zip(readings) {
            let mut findings = Vec::new();
            let history = histories.read.remove(wanted.service).unwrap_or_default();
            let going = removal::left_over(wanted, &history, &left_over);
            match &forbidden {
                Ok(list) => {
                    let own = super::permissions::permissions(wanted.objects, kubectl.records());
                    let mut list: Vec<_> = list.iter().filter(|one| own.contains(one)).cloned().collect();
                    list.extend(going.iter().map(deletion).filter(|one| unremovable.contains(one)));
                    findings.extend(not_permitted(kubectl, &list));
                }
                Err(error) => {
                    let failure = error.refused("cannot ask what you may do in the cluster");
                    findings.push(Finding::refusal(failure.message, failure.hints.join("; ")));
                }
            }
            findings.extend(told_to_everybody(kubectl, wanted.objects));
            let is_rejected = foresight.rejection.is_some();
            let fixed = match foresight.word {
                Word::Own => immutable(&live, wanted.objects, place),
                Word::Server => Vec::new(),
            };
            findings.extend(progress(&live, place));
            if wanted.is_applied {
                findings.extend(missing(&references(wanted.objects), wanted.objects, &referred, place));
            }
            if !fixed.is_empty() {
                // It says what the API server says, in words that say what to do.
                findings.extend(fixed);
            } else if let Some(refusal) = foresight.rejection {
                findings.push(Finding::refusal(refusal.message, refusal.hints.join("; ")));
            }
            // The server says of every kind, also of one that it alone knows, whether it is in a namespace.
            if foresight.word == Word::Server
                && let Some(refusal) =
                    outside(&foresight.expected, |object| object.text("/metadata/namespace").is_empty())
            {
                findings.push(Finding::refusal(refusal.message, refusal.hints.join("; ")));
            }
            taken.push(Self {
                live,
                expected: foresight.expected,
                word: foresight.word,
                is_rejected,
                history,
                no_history: histories.refused.clone(),
                limits: limits.clone(),
                left_over: going,
                findings,
            });
        }
        Ok(taken)
    }
}

/// A Secret of the render's own, where the record that holds it is a ConfigMap.
fn told_to_everybody(kubectl: &Kubectl<'_>, objects: &[Object]) -> Option<Finding> {
    if kubectl.records() == Records::Secrets {
        return None;
    }
    let is_secret = |object: &&Object| object.kind() == "Secret" && object.group().is_empty();
    let names: Vec<String> = objects.iter().filter(is_secret).map(ToString::to_string).collect();
    let what = format!(
        "the environment says `records: configmap`, and what {} holds would be for everybody to read in the release record",
        join_and(&names)
    );
    let todo = "keep Secrets apart from what is shipped, or let the environment record releases in Secrets";
    (!names.is_empty()).then(|| Finding::refusal(what, todo))
}

/// The permission to delete an object.
pub fn deletion(object: &Object) -> Permission {
    ("delete".into(), object.group().to_owned(), crate::kubectl::resource(object.kind()))
}

/// The verbs and resources that a user would need and has not, as a finding.
pub fn not_permitted(kubectl: &Kubectl<'_>, missing: &[(String, String, String)]) -> Option<Finding> {
    if missing.is_empty() {
        return None;
    }
    let mut by_resource: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (verb, group, resource) in missing {
        let group = if group.is_empty() { String::new() } else { format!(".{group}") };
        by_resource.entry(format!("{resource}{group}")).or_default().push(verb);
    }
    let list: Vec<String> =
        by_resource.into_iter().map(|(resource, verbs)| format!("{} {resource}", verbs.join("/"))).collect();
    let what =
        format!("you may not do all that a ship does in namespace `{}`: {}", kubectl.namespace(), join_and(&list));
    Some(Finding::refusal(what, "ask for the Role that `shipcat rbac` prints, or use a context that has these verbs"))
}

/// What the server said to all of the objects, for each service; where it would not take them, each is asked for alone.
fn each_dry_run(
    kubectl: &Kubectl<'_>,
    wanted: &[Wanted<'_>],
    all: Result<Vec<Object>, KubectlError>,
) -> Vec<Result<Vec<Object>, KubectlError>> {
    match all {
        Ok(expected) => {
            let own = |wanted: &Wanted<'_>| {
                wanted.objects.iter().filter_map(|object| object.among(&expected).cloned()).collect()
            };
            wanted.iter().map(|wanted| Ok(own(wanted))).collect()
        }
        Err(error) if wanted.len() == 1 => vec![Err(error)],
        Err(_) => threads::each(wanted, |wanted| kubectl.dry_run(wanted.objects, &AtomicBool::new(false))),
    }
}

/// Says to `heard`, once the answer to a question is there, whether the API server gave it.
fn heard_of<'a, T>(
    heard: &Sender<bool>,
    ask: impl FnOnce() -> Result<T, KubectlError> + Send + 'a,
) -> impl FnOnce() -> Result<T, KubectlError> + Send + 'a {
    let heard = heard.clone();
    move || {
        let answer = ask();
        let is_one = !matches!(&answer, Err(error) if error.reason == Reason::Unreachable);
        // Who has heard enough is no longer there.
        let _ = heard.send(is_one);
        answer
    }
}

fn joined<T>(handle: ScopedJoinHandle<'_, T>) -> anyhow::Result<T> {
    handle.join().map_err(|_| anyhow!("shipcat itself failed while it read from the cluster"))
}

/// What runs of a service.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Its releases.
    pub history: History,
    /// Why they are not known, if they may not be read.
    pub no_history: Option<String>,
    /// The version that is live: tag or digest.
    pub version: Option<String>,
}

/// What runs of each of several services. The version is read from what stands for the service in the release that runs; of a service
/// that shipcat never shipped, from the workload of its name. Of a service whose objects have no image, it is what the record says.
///
/// # Errors
/// If it cannot be read. Nothing was changed.
pub fn running(kubectl: &Kubectl<'_>, services: &[&str]) -> anyhow::Result<Vec<Running>> {
    let cancel = AtomicBool::new(false);
    let (histories, named) = scope(|scope| {
        // Nearly every service is a Deployment: it is read while it is not yet known.
        let named = scope.spawn(|| kubectl.all_named("deployment.apps", services));
        (History::read_all(kubectl, services, &cancel), joined(named))
    });
    let refused = |error: KubectlError| error.refused("cannot read what runs");
    let (mut histories, mut live) = (histories?, named?.map_err(refused)?);
    let recorded = |service: &str| {
        let running = histories.read.get(service)?.running()?;
        main_object(&running.objects(), service).cloned()
    };
    // What is not a Deployment of the service's name is asked for in a second call.
    let mains: Vec<Option<Object>> = services.iter().map(|service| recorded(service)).collect();
    let others: Vec<Object> = mains.iter().flatten().filter(|main| main.among(&live).is_none()).cloned().collect();
    if !others.is_empty() {
        live.extend(kubectl.live(&others, &cancel).map_err(refused)?);
    }
    let strange = |service: &&&str| {
        let is_recorded = histories.read.get(**service).is_some_and(|history| history.running().is_some());
        !is_recorded && !live.iter().any(|live| live.name() == **service)
    };
    let unknown: Vec<&str> = services.iter().filter(strange).copied().collect();
    if !unknown.is_empty() {
        live.extend(kubectl.all_named("statefulset.apps,daemonset.apps", &unknown).map_err(refused)?);
    }
    let mut found = Vec::new();
    for (service, main) in services.iter().zip(mains) {
        let history = histories.read.remove(*service).unwrap_or_default();
        let version = match (history.running(), main) {
            // Behind its end nothing runs of it.
            (Some(running), None) => (!is_end(running)).then(|| running.body.version.clone()),
            (Some(_), Some(main)) => main.among(&live).and_then(|live| version_of(live, service)),
            (None, _) => live.iter().find(|live| live.name() == *service).and_then(|live| version_of(live, service)),
        };
        found.push(Running { history, no_history: histories.refused.clone(), version });
    }
    Ok(found)
}
