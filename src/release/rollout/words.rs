//! The last words of a container.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::{Finding, Memory};
use crate::kubectl::Kubectl;

/// How many last lines of a log are shown.
const LINES: usize = 20;

/// How many crashes of a rollout are listened to, and how many that are alike but for the pod: each is up to two kubectl starts.
const CRASHES: usize = 8;
const ALIKE: usize = 3;

/// Whether a log says something.
fn says(log: &str) -> bool {
    !log.trim().is_empty() && !is_missing(log)
}

/// Whether what was told as a log says only that there is none: kubelet says it on the log's own channel, and kubectl that all went well.
pub fn is_missing(log: &str) -> bool {
    let log = log.trim();
    log.starts_with("unable to retrieve container logs for ") && !log.contains('\n')
}

/// Which runs are asked for their log, the last one or the one before (`true`), the likelier first.
fn runs(finding: &Finding) -> &'static [bool] {
    match finding.reason {
        "crash" | "job" if finding.again => &[true, false],
        // Where a new run has begun and said nothing yet, it is the one before.
        "crash" | "job" => &[false, true],
        _ => &[false],
    }
}

/// The log of the run that crashed, or of the one that runs.
pub fn last_words(kubectl: &Kubectl<'_>, finding: &Finding) -> Option<String> {
    let log =
        |previous: &bool| kubectl.logs(&finding.pod, &finding.container, LINES, *previous).ok().filter(|log| says(log));
    runs(finding).iter().find_map(log)
}

/// Somebody's last words, and whose they are.
type Heard = (String, String, Option<String>);

/// Keeps the last words of containers when they are first seen to have crashed: later the pod may be gone, or have crashed again. Asked
/// for on threads of their own, so that the watch goes on.
#[derive(Debug)]
pub struct Listener {
    sender: Sender<Heard>,
    receiver: Receiver<Heard>,
    /// The crashes that were asked about: the pods, and how they crashed.
    known: Vec<(String, String)>,
    /// How many have not answered yet.
    open: usize,
}

impl Listener {
    /// Nothing has been heard yet.
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, known: Vec::new(), open: 0 }
    }

    /// Asks for the last words of those that were not known to have crashed; of pods that crashed alike a few speak for all.
    pub fn listen(&mut self, kubectl: &Kubectl<'_>, findings: &[Finding], memory: &mut Memory) {
        for finding in findings.iter().filter(|finding| finding.reason == "crash") {
            let alike = finding.message.replace(&finding.pod, "");
            let crash = (finding.pod.clone(), alike);
            let before = self.known.iter().filter(|(_, known)| *known == crash.1).count();
            if self.known.len() >= CRASHES || before >= ALIKE || self.known.contains(&crash) {
                continue;
            }
            self.known.push(crash);
            self.open += 1;
            let tries: Vec<_> = runs(finding)
                .iter()
                .map(|previous| kubectl.hearing(&finding.pod, &finding.container, LINES, *previous))
                .collect();
            let (sender, pod, container) = (self.sender.clone(), finding.pod.clone(), finding.container.clone());
            std::thread::spawn(move || {
                let words = tries.into_iter().find_map(|hear| hear().filter(|log| says(log)));
                // Whoever asked may have ended.
                drop(sender.send((pod, container, words)));
            });
        }
        while let Ok(heard) = self.receiver.try_recv() {
            self.keep(heard, memory);
        }
    }

    fn keep(&mut self, (pod, container, words): Heard, memory: &mut Memory) {
        self.open -= 1;
        if let Some(words) = words {
            memory.last_words.insert((pod, container), words);
        }
    }

    /// Gives what was heard to the findings, once those that were asked have answered, which is not waited for beyond `patience`.
    pub fn give(&mut self, findings: &mut [Finding], memory: &mut Memory, patience: Duration) {
        let end = Instant::now() + patience;
        while self.open > 0
            && let Ok(heard) = self.receiver.recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.keep(heard, memory);
        }
        for finding in findings.iter_mut().filter(|finding| finding.has_log && finding.log.is_none()) {
            finding.log = memory.words_of(&finding.pod, &finding.container).cloned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubelet_says_of_a_log_that_is_gone_is_no_log() {
        assert!(is_missing("unable to retrieve container logs for containerd://0a1b2c"));
        assert!(!is_missing("unable to retrieve container logs for the report\nthe archive is down\n"));
        assert!(!is_missing("") && !says("") && !says("unable to retrieve container logs for containerd://0a1b2c\n"));
    }
}
