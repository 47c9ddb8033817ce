//! The watch of what was put back: it must come up again, if it was up before.

use super::ending::Run;
use super::putback::PutBack;
use super::rollout::{Ending, Goal, Memory, Watch};
use crate::signal;
use crate::ui::Tone;
use crate::yaml::Object;

impl Run<'_> {
    /// Watches the restored workloads come up again; those that were well before must.
    pub fn watch_restored(&self, back: &PutBack, watch: &mut Watch<'_>) -> Result<(), String> {
        if !back.foreign.is_empty() {
            // What runs now is not ours to judge.
            return Ok(());
        }
        let was_healthy = |object: &&Object| {
            let before = self.changed.iter().find(|change| change.after.is(object));
            before.and_then(|change| change.before.as_ref()).is_some_and(is_healthy)
        };
        let (healthy, ill): (Vec<&Object>, Vec<&Object>) = back.restored.iter().partition(was_healthy);
        match self.restored(&healthy, watch) {
            Some(Ending::Doomed(findings) | Ending::Late(findings)) => {
                return Err(findings
                    .first()
                    .map_or("its pods are not all ready".into(), |finding| finding.message.clone()));
            }
            Some(Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) | Ending::Abandoned(why)) => {
                return Err(why);
            }
            Some(Ending::Interrupted(signal)) => {
                return Err(format!("{} came again before its pods were seen to be ready", signal::name(signal)));
            }
            Some(Ending::Good) | None => {}
        }
        match self.restored(&ill, watch) {
            Some(Ending::Doomed(_) | Ending::Late(_)) => {
                self.ui.say(Tone::Warn, "what runs again was not healthy before this release, and is not now");
                Ok(())
            }
            Some(Ending::Superseded(why) | Ending::Blind(why) | Ending::Lockless(why) | Ending::Abandoned(why)) => {
                Err(why)
            }
            Some(Ending::Interrupted(signal)) => {
                Err(format!("{} came again before its pods were seen to be ready", signal::name(signal)))
            }
            Some(Ending::Good) | None => Ok(()),
        }
    }

    fn restored(&self, objects: &[&Object], watch: &mut Watch<'_>) -> Option<Ending> {
        let goals: Vec<Goal> =
            objects.iter().filter_map(|object| Goal::of(object, Vec::new())).map(Goal::former).collect();
        if goals.is_empty() {
            return None;
        }
        let mut memory = Memory::baseline(watch.picture(), false);
        let patience = self.request.rollback_timeout;
        Some(watch.until(&goals, &mut memory, &self.request.limits, patience, false, self.ui))
    }
}

/// Whether a workload had all the pods that it wanted.
fn is_healthy(workload: &Object) -> bool {
    let (wanted, ready) = match workload.kind() {
        "DaemonSet" => ("/status/desiredNumberScheduled", "/status/numberAvailable"),
        "StatefulSet" => ("/spec/replicas", "/status/readyReplicas"),
        _ => ("/spec/replicas", "/status/availableReplicas"),
    };
    workload.number(ready).unwrap_or_default() >= workload.number(wanted).unwrap_or(1)
}
