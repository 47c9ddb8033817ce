//! The last words of a container.

use super::Finding;
use crate::kubectl::Kubectl;

/// How many last lines of a log are shown.
const LINES: usize = 20;

/// The log of the run that crashed: the last one, or if a new run has begun and said nothing yet, the one before.
pub fn last_words(kubectl: &Kubectl<'_>, finding: &Finding) -> Option<String> {
    let log = |previous| {
        kubectl.logs(&finding.pod, &finding.container, LINES, previous).ok().filter(|log| {
            // kubelet says this on the log's own channel, and kubectl that all went well.
            !log.trim().is_empty() && !log.starts_with("unable to retrieve container logs for ")
        })
    };
    log(false).or_else(|| if ["crash", "job"].contains(&finding.reason) { log(true) } else { None })
}
