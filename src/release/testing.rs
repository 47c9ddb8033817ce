//! The tests of what runs: under the lock, and their verdict is void if somebody else changed it meanwhile (DESIGN section 6).

use std::path::PathBuf;
use std::time::Instant;

use super::diff::significant;
use super::rollout::is_workload;
use super::together::Together;
use super::turns::Place;
use crate::bdd::{self, Going, Means, Ran, Suite, Summary};
use crate::kubectl::{Kubectl, KubectlError};
use crate::signal;
use crate::ui::Ui;
use crate::yaml::Object;

/// What came of tests.
#[derive(Debug)]
pub enum Tested {
    /// They passed, or did not.
    Judged(Summary),
    /// Somebody else changed what was tested meanwhile: who passed or failed is not known.
    Void(String),
    /// A signal came.
    Interrupted(u8),
    /// The lock was lost.
    Lockless(String),
    /// Another release failed that this one stands or falls with.
    Abandoned(String),
    /// They could not be run.
    NotRun(String),
}

/// What is tested, and with whom.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The tests.
    pub suite: &'a Suite,
    /// The workloads that they are about.
    pub workloads: Vec<Object>,
    /// The folder in which the JUnit files are kept.
    pub keep: Option<PathBuf>,
    /// Others that are tested in the same run.
    pub place: Option<&'a Place<'a>>,
    /// Others that it stands or falls with.
    pub together: Option<&'a Together>,
}

impl Subject<'_> {
    /// Waits for its turn, runs the tests, and sees that what was tested is what is there behind them. What ran them may still be going
    /// where they were stopped: it is to be waited for behind what is more urgent.
    pub fn test(&self, kubectl: &Kubectl<'_>, ui: &Ui) -> (Tested, Option<Going>) {
        let mut going = None;
        (self.tested(&mut going, kubectl, ui), going)
    }

    fn tested(&self, going: &mut Option<Going>, kubectl: &Kubectl<'_>, ui: &Ui) -> Tested {
        let workloads: Vec<Object> = self.workloads.iter().filter(|object| is_workload(object)).cloned().collect();
        let live = || match workloads.is_empty() {
            true => Ok(Vec::new()),
            false => kubectl.live(&workloads, &false.into()),
        };
        let unseen = |error: KubectlError| Tested::NotRun(format!("what runs cannot be read: {}", error.said));
        let before = match live() {
            Ok(before) => before,
            Err(error) => return unseen(error),
        };
        if let Some(place) = self.place {
            kubectl.at_step("waits for its tests");
            let started = Instant::now();
            let wait = |open: usize| match open {
                0 => ui.wait(started, "up; waiting for the tests of another service"),
                n => {
                    ui.wait(started, &format!("up; waiting for {} before the tests", crate::error::count(n, "rollout")))
                }
            };
            let turn = place.test(|| self.reason(kubectl), wait);
            ui.rest();
            if let Err(reason) = turn {
                return reason;
            }
        }
        kubectl.at_step(&format!("runs the tests of {}", self.suite.service));
        let halted = || self.reason(kubectl).is_some();
        let ran;
        (ran, *going) = bdd::run(self.suite, &Means { kubectl, ui, halted: &halted, keep: self.keep.clone() });
        if let Some(reason) = self.reason(kubectl) {
            return reason;
        }
        match live() {
            Ok(after) => {
                if let Some(what) = changed(&before, &after) {
                    return Tested::Void(what);
                }
            }
            Err(error) => return unseen(error),
        }
        match ran {
            Ok(Ran::Judged(summary)) => Tested::Judged(summary),
            Ok(Ran::Halted) => self.reason(kubectl).unwrap_or_else(|| Tested::NotRun("they were stopped".into())),
            Err(why) => Tested::NotRun(why),
        }
    }

    /// Why going on is of no use, if it is.
    fn reason(&self, kubectl: &Kubectl<'_>) -> Option<Tested> {
        if let Some(why) = kubectl.lost() {
            return Some(Tested::Lockless(why));
        }
        if let Some(signal) = signal::received() {
            return Some(Tested::Interrupted(signal));
        }
        self.together.and_then(Together::failed).map(Tested::Abandoned)
    }
}

/// What somebody else did to workloads between two looks: numbers of pods are an autoscaler's to change, all but to none.
fn changed(before: &[Object], after: &[Object]) -> Option<String> {
    let spec = |object: &Object| {
        let mut spec = significant(object.json())["spec"].clone();
        if let Some(spec) = spec.as_object_mut() {
            spec.shift_remove("replicas");
        }
        spec
    };
    let runs = |object: &Object| object.number("/spec/replicas") != Some(0);
    before.iter().find_map(|was| match was.among(after) {
        None => Some(format!("{was} was deleted meanwhile")),
        Some(is) if is.uid() != was.uid() => Some(format!("{was} was deleted and made again meanwhile")),
        Some(is) if spec(is) != spec(was) => Some(format!("{was} was changed by somebody else meanwhile")),
        Some(is) if runs(was) && !runs(is) => Some(format!("{was} was scaled to no pods meanwhile")),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(uid: &str, image: &str, replicas: u32) -> Object {
        let template = json!({"spec": {"containers": [{"name": "w", "image": image}]}});
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "uid": uid, "generation": replicas},
            "spec": {"replicas": replicas, "template": template}, "status": {"replicas": replicas}});
        Object::new(value).unwrap()
    }

    #[test]
    fn what_an_autoscaler_does_voids_nothing_and_what_somebody_else_does_voids() {
        let before = [deployment("a", "w:1", 2)];
        let told = |after: Object| changed(&before, &[after]);
        assert_eq!(told(deployment("a", "w:1", 5)), None);
        assert_eq!(told(deployment("a", "w:1", 0)).unwrap(), "Deployment/w was scaled to no pods meanwhile");
        assert_eq!(told(deployment("a", "w:2", 2)).unwrap(), "Deployment/w was changed by somebody else meanwhile");
        assert_eq!(told(deployment("b", "w:1", 2)).unwrap(), "Deployment/w was deleted and made again meanwhile");
        assert_eq!(changed(&before, &[]).unwrap(), "Deployment/w was deleted meanwhile");
    }
}
