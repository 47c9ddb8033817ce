//! What a run that was killed left behind: how far it came, and the way to one of its ends (DESIGN section 4, last part). Under the lock,
//! so that it is known to be dead.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::change::Changed;
use super::ended::Ended;
use super::ending::Run;
use super::history::History;
use super::marks;
use super::plan::{Plan, Road};
use super::reach::{Reach, named, reach, target};
use super::record::{Body, Outcome, Release};
use super::request::Request;
use super::rollout::{Ending, Goal, Kind, Limits, Memory, Watch, is_complete};
use super::step::{JobRun, Step};
use super::store::Record;
use super::tested::test;
use super::together::{Together, Word};
use super::trouble::Trouble;
use super::turns::Place;
use super::watching::watch;
use crate::error::{Exit, Failure};
use crate::kubectl::{Kubectl, KubectlError};
use crate::signal;
use crate::ui::{Tone, Ui, ago, seconds};
use crate::yaml::Object;

/// A release whose run died, with what is live of it.
#[derive(Debug)]
pub struct Stranded<'a> {
    release: &'a Release,
    live: Vec<Object>,
    /// How far it came.
    pub reach: Reach,
}

/// What is to become of it, where somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// What fits.
    Fitting,
    /// It is completed, or left.
    Resume,
    /// It is taken back, also if it went well.
    TakeBack,
}

/// How long what a release changed is watched at least, when it is recovered.
const A_LOOK: Duration = Duration::from_secs(20);

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// With the rollout.
    pub timeout: Duration,
    /// With the way back.
    pub rollback_timeout: Duration,
    /// With what goes wrong.
    pub limits: Limits,
}

/// What a recovery needs to know beside the release.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// The environment's name, for people.
    pub environment: &'a str,
    /// The service's releases.
    pub history: &'a History,
    /// How patient to be.
    pub patience: Patience,
    /// Others that it stands or falls with.
    pub together: Option<&'a Together>,
    /// Its place among those that are tested in the same run.
    pub place: Option<&'a Place<'a>>,
}

impl<'a> Stranded<'a> {
    /// Looks at the newest release of a service, if that never said how it ended.
    ///
    /// # Errors
    /// If the live objects cannot be read.
    pub fn find(kubectl: &Kubectl<'_>, history: &'a History) -> Result<Option<Self>> {
        let Some(release) = history.newest().filter(|release| release.outcome == Outcome::Pending) else {
            return Ok(None);
        };
        let live = kubectl
            .live(&release.objects(), &false.into())
            .map_err(|error| error.refused("cannot read what a release that died has left"))?;
        let reach = reach(&release.body, &live);
        Ok(Some(Self { release, live, reach }))
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.release.number
    }

    /// What it is.
    pub fn body(&self) -> &Body {
        &self.release.body
    }

    /// Who made it, and when, in a line.
    pub fn told(&self) -> String {
        let Body { who, started, version, command, .. } = &self.release.body;
        let age = jiff::Timestamp::now().duration_since(*started);
        let age = ago(Duration::try_from(age).unwrap_or_default());
        format!(
            "release {} ({command}, version {version}) by {who}, {age}, never said how it ended: its run died",
            self.number()
        )
    }

    /// Brings it to one of its ends: completed, taken back, or left as it is where somebody else has been at work.
    ///
    /// # Errors
    /// If nothing could be done; nothing was changed then.
    pub fn recover(&self, kubectl: &Kubectl<'_>, means: &Means<'_>, choice: Choice, ui: &Ui) -> Result<Ended> {
        let started = Instant::now();
        let number = self.number();
        let cannot = |error: KubectlError| error.refused("cannot recover a release that died");
        let mut record = Record::found(kubectl, self.release).map_err(cannot)?;
        match (&self.reach, choice) {
            (Reach::Nothing, _) => {
                let message = "its run died before it changed anything";
                record.finish(kubectl, Outcome::TakenBack, Some(message), None).map_err(cannot)?;
                ui.say(Tone::Plain, format!("release {number} had changed nothing: there is nothing to take back"));
                return Ok(self.ended(Exit::AsBefore, "died"));
            }
            (Reach::Foreign(fields), Choice::Fitting | Choice::Resume) => {
                return Ok(self.ended(self.leave(fields, ui), "died"));
            }
            (Reach::Half, Choice::Resume) => {
                return Err(Failure::refused(format!("release {number} came half way: it cannot be completed"))
                    .hint("`--take-back` takes it back")
                    .into());
            }
            _ => {}
        }
        let request = self.request(means);
        let mut watch = watch(kubectl, &request.plan, None);
        let mut trouble = Trouble::Died;
        if self.reach == Reach::All && choice != Choice::TakeBack {
            let left = seconds(self.left(request.timeout));
            // Who would rather ship what mends it need not wait for this.
            let instead = if choice == Choice::Fitting { "; `--take-back` takes it back instead" } else { "" };
            ui.say(
                Tone::Plain,
                format!(
                    "all that release {number} was to change is changed: completing it (up to {left} for its rollout{instead})"
                ),
            );
            let changed = self.changed(true);
            match self.complete(kubectl, &request, &mut record, (&changed, &mut watch), ui) {
                None => {
                    let steps: Vec<&Step> = request.plan.steps.iter().collect();
                    drop(marks::mark(kubectl, &steps, &request.body, number));
                    return Ok(
                        Run { kubectl, request: &request, record: &record, changed: &changed, started, ui }.commit()
                    );
                }
                // As before the attempt, with all that it stands or falls with: the next one finds it again. To take back what may run well for
                // days, because somebody would not wait to see it, were worse.
                Some(Trouble::Interrupted(_) | Trouble::Abandoned(_)) if signal::received().is_some() => {
                    return Ok(self.leave_to_the_next(means.environment, ui));
                }
                Some(Trouble::Blind(why)) => bail!(Failure::refused(format!("cannot see what runs: {why}"))),
                // Nor is it known to be bad.
                Some(Trouble::Untested(why)) => {
                    let what = format!("release {number} is not completed: its tests could not be run: {why}");
                    bail!(
                        Failure::refused(what).hint("run the same where they can be run; `--take-back` takes it back")
                    )
                }
                Some(other) => trouble = other,
            }
        }
        let changed = self.changed(false);
        let run = Run { kubectl, request: &request, record: &record, changed: &changed, started, ui };
        Ok(run.take_back(&trouble, &mut watch))
    }

    fn ended(&self, exit: Exit, reason: &'static str) -> Ended {
        Ended { number: Some(self.number()), ..Ended::at(exit).because(reason) }
    }

    /// What is left of the time that its rollout had; always a little, to see how it is.
    fn left(&self, timeout: Duration) -> Duration {
        let age = jiff::Timestamp::now().duration_since(self.release.body.started);
        // A clock that is ahead of ours gives it its whole time.
        timeout.saturating_sub(Duration::try_from(age).unwrap_or_default()).max(A_LOOK.min(timeout))
    }

    /// Watches what is changed already until it is up, and those that it stands or falls with are.
    fn complete<'b>(
        &self,
        kubectl: &Kubectl<'_>,
        request: &Request<'b>,
        record: &mut Record,
        (changed, watch): (&[Changed], &mut Watch<'b>),
        ui: &Ui,
    ) -> Option<Trouble> {
        watch.beside(request.together);
        watch.catch_up(&self.live.iter().collect::<Vec<_>>(), Duration::from_secs(2));
        let waited = changed.iter().filter(|change| !is_complete(&change.after));
        let goals: Vec<Goal> = waited.filter_map(|change| Goal::of(&change.after, Vec::new())).collect();
        // A container that is down is judged by its whole past: nothing is changed any more that could mend it.
        let mut memory = Memory::baseline(watch.picture(), true);
        match watch.until(&goals, &mut memory, &request.limits, self.left(request.timeout), true, ui) {
            Ending::Good => {
                let (trouble, going) = test(kubectl, request, record, (watch, &goals), ui);
                if let Some(going) = going {
                    // An interrupt leaves this release as it is: nothing is more urgent.
                    going.wait(signal::insisted, kubectl, ui);
                }
                if trouble.is_some() {
                    return trouble;
                }
                if request.together.is_some() {
                    request.place.into_iter().for_each(Place::done);
                }
                match request.together.map(|together| together.agree(|_| {})) {
                    None | Some(Word::Go) => None,
                    Some(Word::Back(why)) => Some(Trouble::Abandoned(why)),
                    Some(Word::Interrupted(signal)) => Some(Trouble::Interrupted(signal)),
                }
            }
            ending => Trouble::of(ending),
        }
    }

    /// What nobody waited for is as its dead run left it.
    fn leave_to_the_next(&self, environment: &str, ui: &Ui) -> Ended {
        let (number, service) = (self.number(), &self.body().service);
        let signal = signal::received().map_or("a signal", signal::name);
        let why =
            format!("{signal} came before it was known what becomes of release {number} of {service}, whose run died");
        ui.say(Tone::Bad, format!("error: {why}: it is as that run left it, a person is needed"));
        ui.say(
            Tone::Plain,
            format!(
                "hint: the next ship, update or rollback of it goes on with it, with `--take-back` back at once; `shipcat status -n {environment} {service}` tells how it is"
            ),
        );
        Ended { why: Some(why), ..self.ended(Exit::Person, "interrupted") }
    }

    /// What somebody else has been at is touched by nobody but a person.
    fn leave(&self, fields: &[String], ui: &Ui) -> Exit {
        let number = self.number();
        ui.say(Tone::Bad, format!("error: {}", self.told()));
        for field in fields {
            ui.say(Tone::Plain, format!("  {field}"));
        }
        ui.say(Tone::Plain, "nothing was touched: a person is needed");
        ui.say(
            Tone::Plain,
            format!("hint: give that the state from before release {number}, or the one that it was to bring, and run the same again; or with `--take-back`, which leaves it as it is and takes back the rest"),
        );
        Exit::Person
    }

    /// What the release changed, or may have: as it was, and as it is or was to be.
    fn changed(&self, as_it_is: bool) -> Vec<Changed> {
        let body = &self.release.body;
        let mut changed = Vec::new();
        for wanted in self.release.objects() {
            let live = wanted.among(&self.live);
            if body.unchanged.contains(&wanted.to_string()) {
                continue;
            }
            let before = named(&body.before, &wanted);
            if as_it_is && let Some(live) = live {
                changed.push(Changed { before, after: live.clone(), answered: true });
                continue;
            }
            let expected = target(body, &wanted, live).unwrap_or_else(|| wanted.clone());
            changed.push(Changed { before, after: expected, answered: false });
        }
        changed
    }

    fn request<'b>(&self, means: &Means<'b>) -> Request<'b> {
        let Means { environment, history, patience, together, place } = *means;
        let body = &self.release.body;
        let step = |wanted: Object| {
            let before = match body.unchanged.contains(&wanted.to_string()) {
                true => wanted.among(&self.live).cloned(),
                false => named(&body.before, &wanted),
            };
            let job = (Kind::of(&wanted) == Some(Kind::Job)).then_some(JobRun::Due);
            Step { expected: wanted.clone(), desired: wanted, before, takeover: None, job, restart: None }
        };
        let leftovers = body.leftovers.iter().filter_map(|value| Object::new(value.clone()).ok()).collect();
        Request {
            environment,
            body: body.clone(),
            plan: Plan {
                steps: self.release.objects().into_iter().map(step).collect(),
                changes: Vec::new(),
                road: Road::Apply,
                leftovers,
            },
            afterwards: None,
            images_only: body.command == "ship --image-only",
            history,
            timeout: patience.timeout,
            rollback_timeout: patience.rollback_timeout,
            limits: patience.limits,
            together,
            feed: None,
            told: Vec::new(),
            evidence: None,
            keeps_failures: false,
            junit: None,
            place,
            pass: None,
        }
    }
}
