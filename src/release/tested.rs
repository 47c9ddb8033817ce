//! What the tests say of a release that is up, between its rollout and its commit.

use std::time::{Duration, Instant};

use super::request::Request;
use super::rollout::{Finding, Goal, Memory, Verdict, Watch, judge};
use super::store::Record;
use super::testing::{Subject, Tested};
use super::trouble::Trouble;
use crate::bdd::Going;
use crate::kubectl::Kubectl;
use crate::ui::Ui;

/// Runs the tests of what is up, if there are any. What ran them may still be going where they were stopped.
pub fn test(
    kubectl: &Kubectl<'_>,
    request: &Request<'_>,
    record: &mut Record,
    (watch, goals): (&mut Watch<'_>, &[Goal]),
    ui: &Ui,
) -> (Option<Trouble>, Option<Going>) {
    let Some(suite) = &request.body.tests else { return (None, None) };
    if request.place.is_some() {
        // Many may have to wait for long.
        watch.sleep();
    }
    let subject = Subject {
        suite,
        workloads: request.plan.steps.iter().map(|step| step.desired.clone()).collect(),
        keep: request.junit.map(|dir| dir.join(&request.body.service)),
        place: request.place,
        together: request.together,
    };
    let (tested, going) = subject.test(kubectl, ui);
    let trouble = match tested {
        Tested::Judged(summary) => {
            record.tests = Some(summary.clone());
            (!summary.passed).then(|| Trouble::Tests(summary, in_trouble(request, watch, goals)))
        }
        Tested::Void(why) => Some(Trouble::Void(why)),
        Tested::Interrupted(signal) => Some(Trouble::Interrupted(signal)),
        Tested::Lockless(why) => Some(Trouble::Lockless(why)),
        Tested::Abandoned(why) => Some(Trouble::Abandoned(why)),
        Tested::NotRun(why) => Some(Trouble::Untested(why)),
    };
    (trouble, going)
}

/// What is in trouble by what was seen while the tests ran: it may be why they failed.
fn in_trouble(request: &Request<'_>, watch: &mut Watch<'_>, goals: &[Goal]) -> Vec<Finding> {
    // Who slept has to look anew.
    let patience = if request.place.is_some() { Duration::from_secs(2) } else { Duration::ZERO };
    let watched = request.plan.watched();
    watch.catch_up(&watched.iter().map(|step| &step.desired).collect::<Vec<_>>(), patience);
    let picture = watch.picture();
    match judge(picture, goals, &mut Memory::baseline(picture, true), &request.limits, Instant::now()) {
        Verdict::Doomed(findings) => findings,
        _ => Vec::new(),
    }
}
