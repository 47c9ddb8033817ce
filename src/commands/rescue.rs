//! A release whose run died: the next `ship`, `update` or `rollback` of its service brings it to one of its ends first, under the lock.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use super::locked::interrupted;
use super::notify::Notes;
use super::options::Patience;
use super::{Context, consent};
use crate::error::{Exit, Failure, join_and};
use crate::kubectl::Kubectl;
use crate::release::{self, Choice, Ended, History, Means, Outcome, Reach, Stranded, Together, Turns};
use crate::ui::{Tone, Ui};

/// What becomes of a release whose run died.
#[derive(Debug, clap::Args)]
pub struct Rescue {
    /// Complete a release whose run died, or leave it as it is
    #[arg(long, conflicts_with = "take_back")]
    resume: bool,
    /// Take a release whose run died back, also if it went well since
    #[arg(long)]
    take_back: bool,
}

impl Rescue {
    fn choice(&self) -> Choice {
        match (self.resume, self.take_back) {
            (true, _) => Choice::Resume,
            (_, true) => Choice::TakeBack,
            _ => Choice::Fitting,
        }
    }
}

/// What came of looking for releases whose runs died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescued {
    /// There was none.
    Nothing,
    /// It came to one of its ends.
    Done,
    /// The command ends with it.
    Ends(Exit),
}

/// A release whose run died, and what is to become of it.
struct Case<'a> {
    service: &'a str,
    history: &'a History,
    stranded: Stranded<'a>,
    choice: Choice,
    ui: Ui,
}

impl Case<'_> {
    /// What is to be done about it, in words; nothing where nobody is asked.
    fn act(&self) -> Option<String> {
        let number = self.stranded.number();
        match (&self.stranded.reach, self.choice) {
            (Reach::Nothing, _) | (Reach::Foreign(_), Choice::Fitting | Choice::Resume) => None,
            (Reach::All, Choice::Fitting | Choice::Resume) => {
                Some(format!("completing release {number} of {}", self.service))
            }
            _ => Some(format!("taking release {number} of {} back", self.service)),
        }
    }

    fn is_foreign(&self) -> bool {
        matches!(self.stranded.reach, Reach::Foreign(_))
    }
}

/// Recovers the newest releases of these services whose run died, with those that they stand or fall with. Gives how the command ends, where
/// it cannot go on behind that.
///
/// # Errors
/// If it cannot be told how far a release came, or nobody could be asked; nothing was changed then.
pub fn rescue(
    context: &Context,
    kubectl: &Kubectl<'_>,
    services: &[&str],
    (patience, notes): (&Patience, &Notes),
) -> Result<Rescued> {
    let wanted = patience.rescue.choice();
    let mut histories = History::read_all(kubectl, services, &false.into())?.permitted()?;
    let groups: BTreeSet<String> = histories.values().filter_map(|history| group(history).map(str::to_owned)).collect();
    if !groups.is_empty() {
        // The others may be of services that nobody named.
        histories = History::read_everything(kubectl)?.permitted()?;
    }
    let is_meant = |(service, history): &(&String, &History)| {
        services.contains(&service.as_str()) || group(history).is_some_and(|group| groups.contains(group))
    };
    let mut cases = Vec::new();
    for (service, history) in histories.iter().filter(is_meant) {
        let Some(stranded) = Stranded::find(kubectl, history)? else { continue };
        cases.push(Case { service, history, stranded, choice: wanted, ui: context.ui.one_of(service, 0) });
    }
    let finished = finish_forward(context, kubectl, services, &histories)?;
    if cases.is_empty() {
        return Ok(if finished { Rescued::Done } else { Rescued::Nothing });
    }
    for case in &cases {
        case.ui.say(Tone::Warn, case.stranded.told());
    }
    if wanted == Choice::Fitting {
        for id in &groups {
            fit(id, &mut cases, &histories);
        }
    }
    let acts: Vec<String> = cases.iter().filter_map(Case::act).collect();
    if !acts.is_empty() && wanted == Choice::Fitting {
        // That somebody says yes to a release says nothing of what an earlier one left.
        let act = join_and(&acts);
        let asked = consent::ask(&context.environment, &act, false, &context.ui).map_err(|_| {
            Failure::refused(format!("{} is protected: {act} is not done unasked", context.environment.name))
                .hint("`--resume` completes it, `--take-back` takes it back; `shipcat diff` shows what is live")
        });
        if let Some(signal) = asked? {
            return Ok(Rescued::Ends(interrupted(signal, &context.ui)));
        }
    }
    kubectl.stoppable(false);
    kubectl.at_step("recovers a release that died");
    let all = recover(context, kubectl, &cases, patience)?;
    let exits: Vec<Exit> = all.iter().map(|ended| ended.exit).collect();
    for (case, ended) in cases.iter().zip(all) {
        let body = case.stranded.body();
        let why = (ended.exit != Exit::Done).then(|| format!("the run of release {} died", case.stranded.number()));
        notes.released(context.environment.name.as_ref(), body, &Ended { why, ..Ended::at(ended.exit) });
        context.report.recovered(case.service, &body.version, ended);
    }
    kubectl.stoppable(true);
    Ok(match Exit::worst(exits) {
        Exit::Done | Exit::AsBefore => Rescued::Done,
        other => Rescued::Ends(other),
    })
}

/// What died behind its commit is finished: what a deployed release was to remove goes. Whether there was any.
fn finish_forward(
    context: &Context,
    kubectl: &Kubectl<'_>,
    services: &[&str],
    histories: &BTreeMap<String, History>,
) -> Result<bool> {
    let mut any = false;
    for service in services {
        let newest = histories.get(*service).and_then(History::newest);
        let Some(release) = newest.filter(|release| release.outcome == Outcome::Deployed) else { continue };
        let left = release::unremoved(kubectl, release)
            .map_err(|error| error.refused("cannot read what a release that died was to remove"))?;
        for object in left {
            let line = format!("{object} was to go with release {} of {service}, whose run died", release.number);
            kubectl.delete(&object).map_err(|error| error.refused(&format!("{line}; it cannot be removed")))?;
            context.ui.say(Tone::Warn, format!("{line}: removed"));
            any = true;
        }
    }
    Ok(any)
}

/// The group of a service's newest release, if that never said how it ended and has one.
fn group(history: &History) -> Option<&str> {
    history.newest().filter(|release| release.outcome == Outcome::Pending)?.body.together.as_deref()
}

/// What becomes of releases that stand or fall together: what became of the first of them, else forward if all of them came to their end,
/// else back.
fn fit(id: &str, cases: &mut [Case<'_>], histories: &BTreeMap<String, History>) {
    let releases = histories.values().flat_map(|history| &history.0);
    let ended: Vec<Outcome> = releases
        .filter(|release| release.body.together.as_deref() == Some(id) && release.outcome != Outcome::Pending)
        .map(|release| release.outcome)
        .collect();
    let is_member = |case: &Case<'_>| group(case.history) == Some(id);
    let members = || cases.iter().filter(|case| is_member(case));
    if members().any(Case::is_foreign) {
        return;
    }
    let is_back = match ended.first() {
        Some(_) if ended.contains(&Outcome::Deployed) => false,
        Some(_) => true,
        None => members().any(|case| case.stranded.reach != Reach::All),
    };
    if is_back {
        cases.iter_mut().filter(|case| is_member(case)).for_each(|case| case.choice = Choice::TakeBack);
    }
}

/// Recovers each: side by side, since some may stand or fall together.
fn recover(context: &Context, kubectl: &Kubectl<'_>, cases: &[Case<'_>], patience: &Patience) -> Result<Vec<Ended>> {
    let mut groups: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for case in cases {
        let Some(id) = group(case.history) else { continue };
        let (size, is_foreign) = groups.entry(id).or_default();
        *size += 1;
        *is_foreign |= case.is_foreign();
    }
    let together: BTreeMap<&str, (Together, bool)> = groups
        .into_iter()
        .map(|(id, (size, is_foreign))| (id, (Together::new(id.to_owned(), size), is_foreign)))
        .collect();
    let turns = Turns::new(cases.len(), cases.len());
    let one = |n: usize, case: &Case<'_>| -> Result<Ended> {
        let place = turns.place(n);
        place.begin();
        let with = group(case.history).and_then(|id| together.get(id));
        if with.is_some_and(|(_, is_foreign)| *is_foreign) && !case.is_foreign() {
            let number = case.stranded.number();
            case.ui.say(Tone::Plain, format!("release {number} is left as it is, with the ones that it goes with"));
            return Ok(Ended { number: Some(number), ..Ended::at(Exit::Person).because("together") });
        }
        let means = Means {
            environment: context.environment.name.as_ref(),
            history: case.history,
            patience: patience.limits(context),
            together: with.map(|(together, _)| together),
            place: (cases.len() > 1).then_some(&place),
        };
        let result = case.stranded.recover(kubectl, &means, case.choice, &case.ui);
        if let Some((together, _)) = with {
            // Behind a success nobody listens any more.
            together.fail(&format!("{} did not come up", case.service));
        }
        result
    };
    let results: Vec<Result<Ended>> = std::thread::scope(|scope| {
        let one = &one;
        let all: Vec<_> = cases.iter().enumerate().map(|(n, case)| scope.spawn(move || one(n, case))).collect();
        let failed = || anyhow!("shipcat itself failed while it recovered a release");
        all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(failed()))).collect()
    });
    results.into_iter().collect()
}
