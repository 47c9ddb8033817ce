//! The watch of a rollout: three streams, one picture, a verdict after each change and each second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::{Finding, Goal, Limits, Memory, Picture, Verdict, judge};
use crate::kubectl::{Kubectl, Watched};
use crate::process::{Stream, StreamEvent};
use crate::signal;
use crate::ui::Ui;

const ALL: [Watched; 3] = [Watched::Deployment, Watched::ReplicaSets, Watched::Pods];

/// How a watch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It worked.
    Good,
    /// It will not work.
    Doomed(Vec<Finding>),
    /// The time is over; what was in trouble then.
    Late(Vec<Finding>),
    /// Somebody else has been at work.
    Superseded(String),
    /// A signal came.
    Interrupted(u8),
    /// Nothing could be seen any more.
    Blind(String),
}

type Told = (Watched, StreamEvent);

/// Streams that run, and what they told so far.
#[derive(Debug)]
pub struct Watch<'a> {
    kubectl: &'a Kubectl<'a>,
    name: String,
    selector: String,
    streams: Vec<(Watched, Stream)>,
    sender: Sender<Told>,
    receiver: Receiver<Told>,
    again: Vec<(Watched, Instant)>,
    failures: u32,
    last_words: String,
    picture: Picture,
}

impl<'a> Watch<'a> {
    /// Starts the streams. Started before the change, they are warm when it comes.
    ///
    /// # Errors
    /// If kubectl cannot be started.
    pub fn start(kubectl: &'a Kubectl<'a>, name: &str, selector: &str) -> Result<Self, crate::process::Broken> {
        let (sender, receiver) = channel();
        let mut watch = Self {
            kubectl,
            name: name.to_owned(),
            selector: selector.to_owned(),
            streams: Vec::new(),
            sender,
            receiver,
            again: Vec::new(),
            failures: 0,
            last_words: String::new(),
            picture: Picture::default(),
        };
        for what in ALL {
            watch.stream(what)?;
        }
        Ok(watch)
    }

    fn stream(&mut self, what: Watched) -> Result<(), crate::process::Broken> {
        let stream =
            self.kubectl.watch(what, &self.name, &self.selector, self.sender.clone(), move |event| (what, event))?;
        self.streams.retain(|(other, _)| *other != what);
        self.streams.push((what, stream));
        Ok(())
    }

    /// Takes in what has been told so far, waiting no longer than `patience` for the first word.
    pub fn catch_up(&mut self, patience: Duration) {
        let end = Instant::now() + patience;
        while let Ok(told) = self.receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.take(told);
            while let Ok(told) = self.receiver.try_recv() {
                self.take(told);
            }
            if self.picture.deployment.is_some() && self.picture.pods().next().is_some() {
                return;
            }
        }
    }

    /// The latest picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    fn take(&mut self, (what, event): Told) {
        match event {
            StreamEvent::Document(document) => {
                self.failures = 0;
                self.picture.take(what, document);
            }
            // Every watch ends some time: by the API server's own limit, or because it is away. It is begun again.
            StreamEvent::Ended(words) => {
                self.last_words = words;
                self.failures += 1;
                let pause = Duration::from_millis(250 * u64::from(self.failures.min(8)));
                self.again.push((what, Instant::now() + pause));
            }
        }
    }

    fn restart_ended(&mut self) -> Result<(), crate::process::Broken> {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.again).into_iter().partition(|(_, at)| *at <= now);
        self.again = later;
        for (what, _) in due as Vec<(Watched, Instant)> {
            self.picture.forget(what);
            self.stream(what)?;
        }
        Ok(())
    }

    /// Watches until the goal is reached, missed, or the time is over. `interruptible` says whether a signal ends it.
    pub fn until(
        &mut self,
        goal: &Goal,
        memory: &mut Memory,
        limits: &Limits,
        timeout: Duration,
        interruptible: bool,
        ui: &Ui,
    ) -> Ending {
        let started = Instant::now();
        let ending = loop {
            if interruptible && let Some(signal) = signal::received() {
                break Ending::Interrupted(signal);
            }
            if !interruptible && signal::insisted() {
                break Ending::Interrupted(signal::received().unwrap_or_default());
            }
            if let Err(broken) = self.restart_ended() {
                break Ending::Blind(broken.to_string());
            }
            let (line, findings) = if self.picture.deployment.is_none() && started.elapsed() < Duration::from_secs(20) {
                ("waiting for the Deployment to show".to_owned(), Vec::new())
            } else {
                match judge(&self.picture, goal, memory, limits, Instant::now()) {
                    Verdict::Good => break Ending::Good,
                    Verdict::Doomed(findings) => break Ending::Doomed(findings),
                    Verdict::Superseded(why) => break Ending::Superseded(why),
                    Verdict::Waiting(line, findings) => (line, findings),
                }
            };
            if started.elapsed() >= timeout {
                break Ending::Late(findings);
            }
            // One end is in the nature of a watch; one after the other is trouble.
            let trouble =
                if self.failures > 4 { format!(" (cannot see it now: {})", self.last_words) } else { String::new() };
            ui.wait(started, &format!("{line}{trouble}"));
            match self.receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(told) => self.take(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Ending::Blind("the streams ended".into()),
            }
            // What came in one go is judged in one go.
            while let Ok(told) = self.receiver.try_recv() {
                self.take(told);
            }
        };
        ui.rest();
        ending
    }
}
