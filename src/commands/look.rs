//! A look at a service before anything is changed: what a release would change, what somebody else has changed, and whether it may go
//! out. `diff` tells it; `ship`, `update` and `rollback` go by it.

use jiff::Timestamp;

use super::order::Order;
use super::words;
use crate::kubectl::Kubectl;
use crate::release::{
    self, Drift, Fate, Finding, History, Outcome, Plan, Reach, Reading, Road, Stranded, Weight, Word, files,
};
use crate::yaml::Object;

/// What was seen.
#[derive(Debug)]
pub struct Look {
    /// What is to be released.
    pub order: Order,
    /// What is applied: the order's objects, with the numbers of pods that are left to autoscalers; of a release of images alone, what
    /// runs with those images.
    pub wanted: Vec<Object>,
    /// What was read.
    pub reading: Reading,
    /// What would be changed.
    pub plan: Plan,
    /// What somebody changed by hand since the release that runs.
    pub drift: Vec<Drift>,
    /// What others wrote and no manifest has: the object, who, the fields.
    pub unmanaged: Vec<(String, String, Vec<String>)>,
    /// The workloads whose number of pods is left to an autoscaler.
    pub autoscaled: Vec<String>,
    /// What stands in the way, and what is worth knowing.
    pub findings: Vec<Finding>,
    /// What was another tool's and is taken over for good, now or before.
    pub adopted: Vec<String>,
}

impl Look {
    /// Puts together what an order would do to what was read.
    pub fn new(order: Order, mut reading: Reading, kubectl: &Kubectl<'_>, adopt: bool) -> Self {
        let mut findings = std::mem::take(&mut reading.findings);
        let mut adopted = reading.history.running().map(|running| running.body.adopted.clone()).unwrap_or_default();
        findings.extend(release::foreign(&reading.live, adopt, &adopted));
        if adopt {
            adopted.extend(release::adoptable(&reading.live));
            adopted.sort();
            adopted.dedup();
        }
        findings.extend(unfinished(kubectl, &reading.history));
        let now = Timestamp::now().to_string();
        let answers = reading.history.running().map(release::Release::answers).unwrap_or_default();
        let (wanted, mut plan, autoscaled) = if order.images_only {
            let recorded = reading.history.running().map(|running| running.objects());
            let moved = release::images(&order.objects, &reading.live, recorded.as_deref());
            reading.left_over = Vec::new();
            let plan = Plan::of_images(&moved.jobs, &reading.live, &moved.expected);
            let plan = plan.restarting(order.restart.as_deref());
            (moved.objects, plan, Vec::new())
        } else {
            let mut wanted = order.objects.clone();
            // An autoscaler that goes has nothing to say any more.
            let mut autoscalers = reading.limits.of("HorizontalPodAutoscaler");
            autoscalers.retain(|one| one.among(&reading.left_over).is_none());
            findings.extend(release::scaling(&wanted, &autoscalers));
            let left = release::leave_autoscaled(&mut wanted, &mut reading.expected, &reading.live, &autoscalers);
            let plan = Plan::new(&wanted, &reading.live, &reading.expected, &now).removing(&reading.left_over);
            let plan = plan.restarting(order.restart.as_deref());
            (wanted, plan, left)
        };
        findings.extend(quota(&plan, &reading, kubectl));
        // What a release that is under way has changed, or one whose run died, nobody changed by hand.
        let is_open = reading.history.newest().is_some_and(|newest| newest.outcome == Outcome::Pending);
        let drift = match order.images_only || is_open {
            true => Vec::new(),
            false => {
                let left = reading.history.broken().map(release::Release::expected).unwrap_or_default();
                release::drift(&mut plan, &answers, &left, &autoscaled)
            }
        };
        let mut former = files::former(&reading.history);
        let unknown = files::unknown(&plan, &former);
        if !unknown.is_empty() {
            // What cannot be read is told by its name.
            let names = unknown.into_iter().map(|name| ("configmaps", name)).collect();
            former.extend(kubectl.referred(&names, &false.into()).map(|found| found.objects).unwrap_or_default());
        }
        files::fold(&mut plan, &former, &order.service);
        // What matters most comes first.
        plan.changes.sort_by_key(|change| change.nature);
        let unmanaged = unmanaged(&plan, &drift);
        Self { order, wanted, reading, plan, drift, unmanaged, autoscaled, findings, adopted }
    }

    /// What stands in the way.
    pub fn refusals(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.weight == Weight::Refusal)
    }

    /// Whether it may go out.
    pub fn may_ship(&self) -> bool {
        self.refusals().next().is_none()
    }

    /// Whether what runs differs from what a release would bring.
    pub fn differs(&self) -> bool {
        !self.plan.changes.is_empty() || self.drift.iter().any(|drift| drift.fate != Fate::Stays)
    }

    /// How many of the pods that run now would be replaced.
    pub fn restarts(&self) -> i64 {
        let replaced = self.plan.steps.iter().filter(|step| step.replaces_pods());
        let pods = |live: &Object| match live.kind() {
            "DaemonSet" => live.number("/status/desiredNumberScheduled"),
            _ => live.number("/spec/replicas"),
        };
        replaced.filter_map(|step| step.before.as_ref()).map(|live| pods(live).unwrap_or(1)).sum()
    }

    /// Whether the API server was not asked because the user may not.
    pub fn is_unasked(&self) -> bool {
        self.reading.word == Word::Own && !self.reading.is_rejected
    }

    /// Whether a release would change nothing in the cluster.
    pub fn is_nothing(&self) -> bool {
        self.plan.road == Road::Nothing && self.plan.leftovers.is_empty()
    }
}

/// A release that never said how it ended.
fn unfinished(kubectl: &Kubectl<'_>, history: &History) -> Option<Finding> {
    let newest = history.newest().filter(|release| release.outcome == Outcome::Pending)?;
    if let Ok(Some(stranded)) = Stranded::find(kubectl, history)
        && let Reach::Foreign(fields) = &stranded.reach
    {
        let what = format!(
            "release {} by {} never said how it ended, and somebody else has been at work since: {}",
            newest.number,
            newest.body.who,
            fields.join(", ")
        );
        let todo = "a ship ends with code 5 unless that is as before the release, or as it was to be; `--take-back` leaves it and takes back the rest";
        return Some(Finding::warning(what, todo));
    }
    let what = format!(
        "release {} by {} never said how it ended: its run was killed, or is still at it",
        newest.number, newest.body.who
    );
    let todo = "wait if it is still at it; else the next ship, update or rollback of it completes it or takes it back";
    Some(Finding::warning(what, todo))
}

/// What of a plan does not fit into the namespace's quotas.
fn quota(plan: &Plan, reading: &Reading, kubectl: &Kubectl<'_>) -> Vec<Finding> {
    let quotas = reading.limits.of("ResourceQuota");
    let ranges = (!reading.limits.forbidden.contains("limitranges")).then(|| reading.limits.of("LimitRange"));
    let load = |step| release::Load::of(step);
    let loads: Vec<_> = plan.steps.iter().map(load).collect();
    let place = release::Where { context: kubectl.context(), namespace: kubectl.namespace() };
    release::quota(&quotas, ranges.as_deref(), &loads, place)
}

/// What others put into the objects and no manifest has, apart from what is told as changed by hand: it stays.
fn unmanaged(plan: &Plan, drift: &[Drift]) -> Vec<(String, String, Vec<String>)> {
    let mut found = Vec::new();
    for step in plan.steps.iter().filter(|step| step.takeover.is_none() && step.is_applied()) {
        let Some(before) = &step.before else { continue };
        let object = before.to_string();
        let is_told = |path: &String| {
            drift.iter().any(|drift| {
                let release::What::Field(difference) = &drift.change.what else { return false };
                drift.change.object == object && difference.path.short() == *path
            })
        };
        for (manager, paths) in release::unmanaged(before, &step.desired) {
            let paths = paths.into_iter().filter(|path| !is_told(path));
            let paths: Vec<String> = paths.map(|path| words::field(&object, &path)).collect();
            if !paths.is_empty() {
                found.push((object.clone(), manager, paths));
            }
        }
    }
    found
}
