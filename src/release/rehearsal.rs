//! A release that changes nothing, for the commands that it would run.

use super::change;
use super::marks;
use super::record::Outcome;
use super::request::{Request, answers, remember};
use super::step::JobRun;
use super::store::Record;
use crate::kubectl::{Kubectl, KubectlError};
use crate::process::Cmd;

/// Goes the way of [`super::run`] with a kubectl that only notes what it would change, and gives these commands in their order.
///
/// # Errors
/// As kubectl fails before the first change.
pub fn rehearse(kubectl: &Kubectl<'_>, mut request: Request<'_>) -> anyhow::Result<Vec<Cmd>> {
    remember(&mut request);
    let cannot = |error: KubectlError| error.refused("cannot rehearse it");
    let record = Record::begin(kubectl, request.history, &request.body).map_err(cannot)?;
    let mut changed = Vec::new();
    for stage in request.plan.stages() {
        for step in &stage {
            if let Some(JobRun::Again(failed)) = &step.job {
                kubectl.delete(failed).map_err(cannot)?;
            }
        }
        let (made, result) = change::make(kubectl, &request.plan, &stage, (&request.body, record.number));
        result.map_err(cannot)?;
        let unmarked = marks::unmarked(&stage, &made, &request.plan.road, &request.body, record.number);
        marks::mark(kubectl, &unmarked, &request.body, record.number).map_err(cannot)?;
        changed.extend(made);
    }
    if let Some(last) = &request.afterwards {
        kubectl
            .apply(&marks::with_those_of(&request.plan.steps, last, &request.body, record.number))
            .map_err(cannot)?;
    }
    let answer = answers(&request, &changed);
    record.finish(kubectl, Outcome::Deployed, None, Some(&answer)).map_err(cannot)?;
    for object in &request.plan.leftovers {
        kubectl.delete(object).map_err(cannot)?;
    }
    Ok(kubectl.rehearsed())
}
