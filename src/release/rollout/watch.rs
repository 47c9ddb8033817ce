//! The watch of a rollout: some streams, one picture, a verdict after each change and each second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::together::Together;
use super::feed::{Feed, Reader, Told};
use super::kind::Kind;
use super::late::late;
use super::moment::Moment;
use super::near::{Near, near};
use super::progress::progress;
use super::short::{nodes_come, refusal};
use super::stuck::in_the_way;
use super::words::Listener;
use super::{Finding, Goal, Limits, Memory, Picture, Verdict, judge};
use crate::kubectl::{Kubectl, Reason};
use crate::process::{Broken, Cmd};
use crate::signal;
use crate::ui::{Progress, Tone, Ui};
use crate::yaml::Object;

/// How long a workload may take to show after it was applied, by the word of its stream.
const SHOW: Duration = Duration::from_secs(20);
/// For how long that is not worth a word: the streams begin with the wait.
const QUIET: Duration = Duration::from_secs(1);
/// How often events are asked for, where they are.
const ASK: Duration = Duration::from_secs(10);

/// How long those are waited for that were asked for their last words, when it has ended.
const LAST_WORDS: Duration = Duration::from_secs(3);

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
    /// The lock is lost: what comes of it is not ours any more.
    Lockless(String),
    /// A signal came.
    Interrupted(u8),
    /// It is of no use any more: another release failed that it stands or falls with.
    Abandoned(String),
    /// Nothing could be seen any more.
    Blind(String),
}

/// A look at what some streams tell.
#[derive(Debug)]
pub struct Watch<'a> {
    kubectl: &'a Kubectl<'a>,
    feed: Arc<Feed<'a>>,
    /// What the streams tell, once it is asked for.
    told: Option<Reader>,
    picture: Picture,
    /// When events were last asked for.
    asked: Option<Instant>,
    /// What was waited for last.
    goals: Vec<Goal>,
    /// The pods that were taken out of the way, by uid.
    cleared: Vec<String>,
    /// The releases that it stands or falls with.
    together: Option<&'a Together>,
    /// What is started ahead where the end is near.
    ahead: Vec<Cmd>,
}

impl<'a> Watch<'a> {
    /// Of what these streams tell. They are started when something is waited for, or by [`Watch::catch_up`].
    pub fn of(kubectl: &'a Kubectl<'a>, feed: Arc<Feed<'a>>) -> Self {
        Self {
            kubectl,
            feed,
            told: None,
            picture: Picture::default(),
            asked: None,
            goals: Vec::new(),
            cleared: Vec::new(),
            together: None,
            ahead: Vec::new(),
        }
    }

    /// Watches with others, with whom it stands or falls.
    pub fn beside(&mut self, together: Option<&'a Together>) {
        self.together = together;
    }

    /// What comes next if it ends well: it is started a moment before.
    pub fn starts_ahead(&mut self, cmds: Vec<Cmd>) {
        self.ahead = cmds;
    }

    /// Takes in what has been told so far, until all of these and a pod of each that wants some are there, no longer than `patience`.
    pub fn catch_up(&mut self, objects: &[&Object], patience: Duration) {
        let end = Instant::now() + patience;
        while self.hear(end.saturating_duration_since(Instant::now())).is_ok_and(|heard| heard) {
            let wants_none = |live: &Object| {
                let count =
                    if live.kind() == "DaemonSet" { "/status/desiredNumberScheduled" } else { "/spec/replicas" };
                live.number(count) == Some(0) || Kind::of(live) == Some(Kind::Job)
            };
            let told = |object: &&Object| {
                self.picture.same(object).is_some_and(|live| wants_none(live) || self.picture.has_pods(live))
            };
            if objects.iter().all(told) {
                return;
            }
        }
    }

    /// Looks no more until something is waited for again. The picture stays as it is.
    pub fn sleep(&mut self) {
        self.told = None;
        self.feed.rest();
    }

    /// Forgets an object that was seen to be gone.
    pub fn bury(&mut self, object: &Object) {
        self.picture.bury(object);
    }

    /// The latest picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Waits for something to be told, and takes in all that is: what came in one go is judged in one go. Whether anything was.
    fn hear(&mut self, patience: Duration) -> Result<bool, Broken> {
        if self.told.is_none() {
            (0..self.feed.count()).for_each(|number| self.picture.forget(number));
            self.told = Some(self.feed.read()?);
        }
        self.feed.tend()?;
        let Some(told) = &self.told else { return Ok(false) };
        let Ok(first) = told.events.recv_timeout(patience) else { return Ok(false) };
        for told in std::iter::once(first).chain(told.events.try_iter()) {
            match told {
                Told::Event(number, event) => self.picture.take(number, &event),
                Told::Again(number) => self.picture.forget(number),
            }
        }
        Ok(true)
    }

    /// Says to those who wait for the lock what is waited for now.
    pub fn at_step(&self, goals: &[Goal]) {
        let is_jobs = goals.iter().all(|goal| goal.kind == Kind::Job);
        self.kubectl.at_step(if is_jobs { "waits for its jobs" } else { "watches the rollout" });
    }

    /// Watches until all goals are reached, one is missed, or the time is over. `interruptible` says whether a signal ends it.
    pub fn until(
        &mut self,
        goals: &[Goal],
        memory: &mut Memory,
        limits: &Limits,
        timeout: Duration,
        interruptible: bool,
        ui: &Ui,
    ) -> Ending {
        let started = Instant::now();
        let mut listener = Listener::new();
        self.goals = goals.to_vec();
        let mut last = Vec::new();
        let mut nearness = Near::Far;
        let mut ending = loop {
            if interruptible && let Some(signal) = signal::received() {
                break Ending::Interrupted(signal);
            }
            if interruptible && let Some(why) = self.together.and_then(Together::failed) {
                break Ending::Abandoned(why);
            }
            if !interruptible && signal::insisted() {
                break Ending::Interrupted(signal::received().unwrap_or_default());
            }
            if let Some(why) = self.kubectl.lost() {
                break Ending::Lockless(why);
            }
            let missing = goals.iter().find(|goal| self.picture.workload(goal).is_none());
            let (line, findings) = match missing {
                Some(goal) if started.elapsed() < SHOW => (format!("waiting for {goal} to show"), Vec::new()),
                _ => match judge(&self.picture, goals, memory, limits, Instant::now()) {
                    Verdict::Good => break Ending::Good,
                    Verdict::Doomed(findings) => break Ending::Doomed(findings),
                    Verdict::Superseded(why) => break Ending::Superseded(why),
                    Verdict::Waiting(line, findings) => (line, findings),
                },
            };
            nearness = self.start_ahead(nearness);
            listener.listen(self.kubectl, &findings, memory);
            if findings.iter().any(|finding| !finding.fresh) {
                last.clone_from(&findings);
            }
            self.ask(goals, memory);
            self.clear(goals, memory, limits, ui);
            if started.elapsed() >= timeout {
                break Ending::Late(late(findings, last, &line, goals, memory));
            }
            let trouble = self.feed.trouble().map(|words| format!(" (cannot see it now: {words})")).unwrap_or_default();
            if missing.is_none() || started.elapsed() >= QUIET {
                ui.watch(started, timeout, &format!("{line}{trouble}"), || {
                    let (headline, parts) = progress(&self.picture, goals, &findings, &line);
                    (headline + &trouble, parts)
                });
            }
            if let Err(broken) = self.hear(Duration::from_millis(100)) {
                break Ending::Blind(broken.to_string());
            }
        };
        if let Ending::Doomed(findings) | Ending::Late(findings) = &mut ending {
            listener.give(findings, memory, LAST_WORDS);
        }
        ui.rest();
        ending
    }

    /// Starts what comes next once the end is near, again if that was too early, and ends it where the end is far again.
    fn start_ahead(&self, before: Near) -> Near {
        let now = if self.ahead.is_empty() { Near::Far } else { near(&self.picture, &self.goals) };
        match now {
            Near::Far if before > now => self.kubectl.none_ahead(),
            Near::Runs | Near::Ready if before < now => self.kubectl.ahead(&self.ahead),
            _ => self.kubectl.tire_ahead(),
        }
        now
    }

    /// How far each of those came that were waited for last.
    pub fn progress(&self, findings: &[Finding]) -> Vec<Progress> {
        progress(&self.picture, &self.goals, findings, "").1
    }

    /// Tells each new picture, until `each` has no use for more or a signal comes.
    ///
    /// # Errors
    /// If kubectl cannot be started any more.
    pub fn follow(&mut self, mut each: impl FnMut(&Picture) -> bool) -> Result<(), Broken> {
        while signal::received().is_none() && each(&self.picture) {
            // Of nothing to watch nothing is told.
            self.hear(Duration::from_millis(200))?;
        }
        Ok(())
    }

    /// Asks the events why pods are not made, or whether a node comes for them, where that is waited for, every few seconds.
    fn ask(&mut self, goals: &[Goal], memory: &mut Memory) {
        if !std::mem::take(&mut memory.wants_events) || self.asked.is_some_and(|asked| asked.elapsed() < ASK) {
            return;
        }
        self.asked = Some(Instant::now());
        // Without an answer, the deadline decides.
        let events = self.kubectl.events().unwrap_or_default();
        memory.nodes_come.extend(nodes_come(&events));
        for goal in goals {
            memory.refusals.extend(refusal(&events, goal).map(|why| (goal.uid.clone(), why)));
        }
    }

    /// Deletes the pods that keep a StatefulSet from going on.
    fn clear(&mut self, goals: &[Goal], memory: &mut Memory, limits: &Limits, ui: &Ui) {
        let mut due: Vec<(Object, &Goal)> = Vec::new();
        for goal in goals {
            let at = Moment { picture: &self.picture, goal, limits, now: Instant::now() };
            due.extend(in_the_way(at, memory).into_iter().map(|pod| (pod.clone(), goal)));
        }
        for (pod, goal) in due {
            if self.cleared.iter().any(|uid| uid == pod.uid()) {
                continue;
            }
            self.cleared.push(pod.uid().to_owned());
            let whose = if goal.is_way_back() { "the failed version's" } else { "the old version's" };
            let line = format!("  {pod} is {whose} and keeps {goal} from going on: deleted");
            match self.kubectl.delete(&pod) {
                Ok(()) => ui.say(Tone::Plain, line),
                // Gone already is as good; what else fails, the deadline tells.
                Err(error) if error.reason == Reason::NotFound => {}
                Err(error) => ui.say(Tone::Warn, format!("warning: {pod} keeps {goal} from going on: {}", error.said)),
            }
        }
    }
}
