//! Jobs that cannot be undone: a way back past one of them wants a person's word.

use super::history::History;
use super::record::{Outcome, Release};
use super::rollout::{Kind, is_complete};
use crate::kubectl::{Kubectl, KubectlError};
use crate::yaml::Object;

/// What a manifest's `reversible` becomes on a Job.
const REVERSIBLE: &str = "shipcat.dev/reversible";

/// The Jobs that say `reversible: false` and ran in a release behind this one, with the number of that release. Those of a deployed release ran
/// to their end; of one that was taken back, those that are there and did.
///
/// # Errors
/// As kubectl fails.
pub fn irreversible_since(
    kubectl: &Kubectl<'_>,
    history: &History,
    target: &Release,
) -> Result<Vec<(String, u32)>, KubectlError> {
    let Ran { mut surely, maybe } = since(history, target);
    if !maybe.is_empty() {
        let jobs: Vec<Object> = maybe.iter().map(|(job, _)| job.clone()).collect();
        let live = kubectl.live(&jobs, &false.into())?;
        let done = |job: &Object| job.among(&live).is_some_and(is_complete);
        surely.extend(maybe.into_iter().filter(|(job, _)| done(job)));
    }
    surely.sort_by_key(|(_, number)| *number);
    Ok(surely.into_iter().map(|(job, number)| (job.to_string(), number)).collect())
}

/// Jobs, each with the number of its release.
#[derive(Debug, Default)]
struct Ran {
    surely: Vec<(Object, u32)>,
    maybe: Vec<(Object, u32)>,
}

fn since(history: &History, target: &Release) -> Ran {
    let before: Vec<Object> = target.objects();
    let mut ran = Ran::default();
    // The oldest first: that is the one in which it ran.
    for release in history.0.iter().rev().filter(|release| release.number > target.number) {
        let jobs = release.objects().into_iter().filter(|object| Kind::of(object) == Some(Kind::Job));
        for job in jobs.filter(|job| is_irreversible(job) && job.among(&before).is_none()) {
            let is_known = |list: &[(Object, u32)]| list.iter().any(|(known, _)| known.is(&job));
            if is_known(&ran.surely) {
                continue;
            }
            if release.outcome == Outcome::Deployed {
                ran.maybe.retain(|(known, _)| !known.is(&job));
                ran.surely.push((job, release.number));
            } else if !is_known(&ran.maybe) {
                ran.maybe.push((job, release.number));
            }
        }
    }
    ran
}

fn is_irreversible(job: &Object) -> bool {
    job.json()["metadata"]["annotations"][REVERSIBLE] == "false"
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::release;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_ran_behind_a_release_is_known_by_the_records() {
        let job = |name: &str, reversible: &str| -> Value {
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "annotations": {REVERSIBLE: reversible}}})
        };
        let mut history = History(vec![
            release(4, Outcome::TakenBack, "d"),
            release(3, Outcome::Deployed, "c"),
            release(2, Outcome::Deployed, "b"),
            release(1, Outcome::Deployed, "a"),
        ]);
        history.0[0].body.objects = vec![job("m-4", "false")];
        history.0[1].body.objects = vec![job("m-2", "false"), job("m-3", "true")];
        history.0[2].body.objects = vec![job("m-2", "false"), job("m-1", "false")];
        history.0[3].body.objects = vec![job("m-1", "false")];
        let ran = since(&history, &history.0[3]);
        let names =
            |list: &[(Object, u32)]| list.iter().map(|(job, n)| (job.name().to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(names(&ran.surely), [("m-2".to_owned(), 2)]);
        assert_eq!(names(&ran.maybe), [("m-4".to_owned(), 4)]);
        assert!(since(&history, &history.0[1]).surely.is_empty());
    }
}
