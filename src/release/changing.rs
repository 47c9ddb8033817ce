//! The change of a release: stage by stage, each watched until it is up.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::change::{self, Changed};
use super::gate::Pass;
use super::gone::await_gone;
use super::marks;
use super::request::Request;
use super::rollout::{Memory, Watch, has_no_node, is_on_delete, partition};
use super::step::{JobRun, Step};
use super::together::Together;
use super::trouble::Trouble;
use super::watching::{await_goals, goals};
use crate::kubectl::{Kubectl, Reason};
use crate::signal;
use crate::ui::{Tone, Ui};

/// How long new pods have the machine for themselves.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Makes the change stage by stage: what Jobs need, the Jobs to their end, the rest until it is up.
pub fn change_and_watch(
    kubectl: &Kubectl<'_>,
    request: &Request<'_>,
    number: u32,
    watch: &mut Watch<'_>,
    memory: &mut Memory,
    changed: &mut Vec<Changed>,
    ui: &Ui,
) -> Option<Trouble> {
    let mut watched = false;
    for stage in request.plan.stages() {
        if let Some(signal) = signal::received() {
            return Some(Trouble::Interrupted(signal));
        }
        if let Some(why) = request.together.and_then(Together::failed) {
            return Some(Trouble::Abandoned(why));
        }
        kubectl.at_step("applies");
        if stage.iter().any(|step| matches!(step.job, Some(JobRun::Again(_)))) {
            // Its pods may take a minute to go.
            request.pass.into_iter().for_each(Pass::leave);
        }
        if let Some(trouble) = clear_failed(kubectl, &stage, request.timeout, watch, ui) {
            return Some(trouble);
        }
        let (made, result) = change::make(kubectl, &request.plan, &stage, (&request.body, number));
        request.pass.into_iter().for_each(Pass::leave);
        let goals = goals(&request.plan, &made);
        let unmarked = marks::unmarked(&stage, &made, &request.plan.road, &request.body, number);
        changed.extend(made);
        if let Err(error) = result {
            return Some(Trouble::Change(error));
        }
        for step in stage.iter().filter(|step| is_on_delete(&step.desired)) {
            ui.say(
                Tone::Plain,
                format!(
                    "  {} is applied, and takes it on where its pods are deleted (OnDelete): not watched",
                    step.desired
                ),
            );
        }
        for line in stage.iter().filter_map(|step| kept(step)) {
            ui.say(Tone::Plain, line);
        }
        watched |= !goals.is_empty();
        // Side by side with the watch, since nothing waits for it; and a moment later, since a start of kubectl costs what new pods need to
        // start themselves. Of what goes back nobody needs to know whose it was.
        let ((done, is_good), unmarked) = (channel(), &unmarked);
        let trouble = std::thread::scope(|scope| {
            scope.spawn(move || {
                if is_good.recv_timeout(A_MOMENT) == Ok(false) {
                    return;
                }
                if let Err(error) = marks::mark(kubectl, unmarked, &request.body, number) {
                    ui.say(Tone::Dim, format!("  what changed does not say which release it is of: {}", error.said));
                }
            });
            let trouble = await_goals(watch, request, &goals, memory, ui);
            // Who has waited for long enough listens no more.
            let _ = done.send(trouble.is_none());
            trouble
        });
        if trouble.is_some() {
            return trouble;
        }
        for set in goals.iter().filter_map(|goal| watch.picture().workload(goal)).filter(|set| has_no_node(set)) {
            ui.say(Tone::Warn, format!("  {set}: no node takes a pod of it (nodeSelector, affinity, taints)"));
        }
    }
    if !watched && !request.plan.steps.is_empty() && request.plan.workloads().next().is_none() {
        ui.say(Tone::Plain, "  applied; nothing of it has a rollout to watch");
    }
    None
}

/// What is said of a StatefulSet of which some pods stay as they are.
fn kept(step: &Step) -> Option<String> {
    let set = &step.expected;
    // The first time all of them are made.
    let is_rolled = set.kind() == "StatefulSet" && step.replaces_pods() && !is_on_delete(set);
    let partition = partition(set);
    (is_rolled && partition > 0 && set.number("/spec/replicas") != Some(0))
        .then(|| format!("  {set}: pods below partition {partition} stay as they are"))
}

/// Deletes the Jobs that gave up some time ago and are to run again.
fn clear_failed(
    kubectl: &Kubectl<'_>,
    stage: &[&Step],
    patience: Duration,
    watch: &mut Watch<'_>,
    ui: &Ui,
) -> Option<Trouble> {
    let mut going = Vec::new();
    for step in stage {
        let Some(JobRun::Again(failed)) = &step.job else { continue };
        match kubectl.delete(failed) {
            Err(error) if error.reason != Reason::NotFound => return Some(Trouble::Change(error)),
            _ => going.push((**failed).clone()),
        }
    }
    for failed in &going {
        // Its streams may still speak of it when the next one is there.
        watch.bury(failed);
    }
    // Its pods must be gone as well: a migration that still runs is no company for the next one.
    let interrupted = || signal::received().is_some();
    match going.is_empty() || await_gone(kubectl, going, patience, interrupted, ui).is_ok() {
        true => None,
        false => Some(match signal::received() {
            Some(signal) => Trouble::Interrupted(signal),
            None => Trouble::Blind("a Job that failed before is being deleted and not gone yet".into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Object;
    use serde_json::json;

    #[test]
    fn what_stays_below_a_partition_is_told_where_pods_are_replaced() {
        let set = |image: &str, partition: u32| {
            let template = json!({"spec": {"containers": [{"name": "db", "image": image}]}});
            let strategy = json!({"rollingUpdate": {"partition": partition}});
            let spec = json!({"replicas": 2, "updateStrategy": strategy, "template": template});
            Object::new(
                json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}),
            )
            .unwrap()
        };
        let step = |before: Option<Object>, after: Object| Step {
            desired: after.clone(),
            before,
            expected: after,
            takeover: None,
            job: None,
            restart: None,
        };
        let said = "  StatefulSet/db: pods below partition 1 stay as they are";
        assert_eq!(kept(&step(Some(set("db:1", 1)), set("db:2", 1))).as_deref(), Some(said));
        assert_eq!(kept(&step(Some(set("db:1", 0)), set("db:2", 0))), None);
        assert_eq!(kept(&step(Some(set("db:1", 1)), set("db:1", 1))), None, "no pod is replaced");
        assert_eq!(kept(&step(None, set("db:1", 1))), None, "all of them are made");
    }
}
