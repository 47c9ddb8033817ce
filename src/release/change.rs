//! Making the change that a plan says, and remembering what is needed to take it back.

use jiff::Timestamp;

use super::diff::significant;
use super::marks;
use super::ownership;
use super::plan::{Images, Plan, Road, kubectl_name};
use super::record::Body;
use super::rollout::is_workload;
use super::step::Step;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// How often a write that lost a race is tried again. Controllers write statuses all the time.
pub const TRIES: u32 = 8;

/// One object that the change was about.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What was live before, if it was.
    pub before: Option<Object>,
    /// What our change made of it: the server's answer, or where there is none, what was expected of it.
    pub after: Object,
    /// Whether `after` is the server's own word.
    pub answered: bool,
}

/// Makes the change, as far as these steps of the plan go; the workloads then say that it is the release with this body and number. The
/// objects come back in any case: after an error, with what is known of each.
pub fn make(
    kubectl: &Kubectl<'_>,
    plan: &Plan,
    steps: &[&Step],
    (body, number): (&Body, u32),
) -> (Vec<Changed>, Result<(), KubectlError>) {
    let changed = |answers: &[Object]| steps.iter().map(|step| changed(step, answers)).collect();
    match attempt(kubectl, plan, steps, |step| marks::marked(step, body, number)) {
        Ok(answers) => (changed(&answers), Ok(())),
        Err(error) => (changed(&[]), Err(error)),
    }
}

/// Takes in the server's answers to a later apply of the same objects.
pub fn update(changed: &mut [Changed], answers: &[Object]) {
    for change in changed {
        if let Some(answer) = change.after.among(answers) {
            change.after = answer.clone();
            change.answered = true;
        }
    }
}

/// Expects the number of pods that a later apply asked for, where its answer was lost.
pub fn expect_count(changed: &mut [Changed], asked: &[Object]) {
    for change in changed.iter_mut().filter(|change| is_workload(&change.after)) {
        if let Some(count) = change.after.among(asked).and_then(|asked| asked.number("/spec/replicas")) {
            change.after.json_mut()["spec"]["replicas"] = count.into();
        }
    }
}

fn changed(step: &Step, answers: &[Object]) -> Changed {
    let answer = step.desired.among(answers);
    Changed { before: step.before.clone(), after: answer.unwrap_or(&step.expected).clone(), answered: answer.is_some() }
}

fn attempt(
    kubectl: &Kubectl<'_>,
    plan: &Plan,
    steps: &[&Step],
    marked: impl Fn(&Step) -> Object,
) -> Result<Vec<Object>, KubectlError> {
    let mut answers = match &plan.road {
        Road::Nothing | Road::Restart => Vec::new(),
        Road::SetImage(all) => {
            let jobs: Vec<Object> =
                steps.iter().filter(|step| step.is_job_due()).map(|step| step.desired.clone()).collect();
            let mut answers = if jobs.is_empty() { jobs } else { kubectl.apply(&jobs)? };
            for Images { object, images } in all {
                let is_it = |step: &&&Step| *object == kubectl_name(&step.desired);
                if steps.iter().any(|step| is_it(&step)) {
                    answers.extend(kubectl.set_image(object, images)?);
                }
            }
            answers
        }
        Road::Apply => {
            let applied: Vec<&&Step> = steps.iter().filter(|step| step.is_applied()).collect();
            for step in &applied {
                take_over(kubectl, step)?;
            }
            let applied: Vec<Object> = applied.iter().map(|step| marked(step)).collect();
            if applied.is_empty() { applied } else { kubectl.apply(&applied)? }
        }
    };
    for step in steps {
        if let Some(at) = &step.restart {
            let answer = kubectl.restart(&kubectl_name(&step.desired), at)?;
            answers.retain(|answer| !answer.is(&step.desired));
            answers.extend(answer);
        }
    }
    // The others are as they were.
    let others = steps.iter().filter(|step| plan.road != Road::Apply || !step.is_applied());
    let others = others.filter_map(|step| step.before.clone()).filter(|before| before.among(&answers).is_none());
    let others: Vec<Object> = others.collect();
    answers.extend(others);
    Ok(answers)
}

/// Moves the ownership of fields to our apply.
fn take_over(kubectl: &Kubectl<'_>, step: &Step) -> Result<(), KubectlError> {
    let (Some(before), Some(_)) = (&step.before, &step.takeover) else { return Ok(()) };
    let mut live = before.clone();
    for _ in 0..TRIES {
        let Some(takeover) = ownership::takeover(&live, &step.desired, &Timestamp::now().to_string()) else {
            return Ok(());
        };
        // Where fields go, everything goes in this one write, so that there is one new pod template: a server-side apply alone does
        // not remove what the server itself or another manager put beside ours. The apply behind it then has nothing left to change.
        let mut moved =
            if takeover.removes() { ownership::applied(&live, &takeover, &step.desired) } else { live.clone() };
        moved.json_mut()["metadata"]["managedFields"] = takeover.managed_fields;
        match kubectl.put(&moved) {
            Err(error) if error.reason == Reason::Conflict => {
                let now = kubectl.live(std::slice::from_ref(&step.desired), &false.into())?.into_iter().next();
                // A status that moved is no reason to stop; content that moved is, since the plan was made for another.
                match now {
                    Some(now) if significant(now.json()) == significant(before.json()) => live = now,
                    // The answer was lost, and it was tried again.
                    Some(now) if significant(now.json()) == significant(moved.json()) => return Ok(()),
                    _ => return Err(error),
                }
            }
            other => return other.map(drop),
        }
    }
    Err(KubectlError {
        line: "kubectl replace".into(),
        reason: Reason::Conflict,
        said: format!("{before} changes all the time"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::diff::restore;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lost_answer_to_the_last_step_is_taken_back_whichever_way_it_went() {
        let deployment = |replicas: u32| {
            let spec = json!({"replicas": replicas});
            let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": spec});
            Object::new(value).unwrap()
        };
        let mut changed = [Changed { before: Some(deployment(4)), after: deployment(4), answered: true }];
        expect_count(&mut changed, &[deployment(1)]);
        for now in [deployment(1), deployment(4)] {
            let mut foreign = Vec::new();
            let back = restore(deployment(4).json(), changed[0].after.json(), now.json(), &mut foreign);
            assert_eq!((back["spec"]["replicas"].as_u64(), foreign.len()), (Some(4), 0));
        }
    }
}
