//! The page that people read where the build's log is too long: what became of each service, what went wrong, what changed, the tests, and
//! the story. Pure.

use super::super::diff::Seen;
use super::super::several::{Outcome, word};
use super::super::test::Verdict;
use super::super::words;
use super::markdown::{folded, link, table, text, verbatim};
use super::{End, Recovered, Wrong};
use crate::bdd::Summary;
use crate::error::{Exit, count, join_and};
use crate::origin::Origin;
use crate::release::{Back, Change, Ended, Failing};
use crate::ui::seconds;

/// How many changes of a service are told.
const CHANGES: usize = 200;

/// All of it, to stand behind what is in the file already.
pub fn of(end: &End<'_>) -> String {
    let command = &end.wishes.command;
    let place = end.said.place.environment.as_ref().map(|name| format!(" in {}", text(name))).unwrap_or_default();
    let mut page = format!("### {} shipcat {}{place}: {}\n\n", sign(end), text(command), headline(end));
    if end.wishes.releases() || command == "test" {
        page += &by(end);
    }
    page += &outcomes(&end.said.outcomes, end.said.commands.is_some(), command);
    page += &end.said.recovered.iter().map(recovered).collect::<String>();
    page += &tested(&end.said.tested);
    page += &seen(&end.said.seen);
    if let Some(wrong) = end.wrong {
        page += &what_is_wrong(wrong);
    }
    if let Some(commands) = end.said.commands.as_ref().filter(|commands| !commands.is_empty()) {
        page += &folded("what would be run", &verbatim(commands.iter().map(|command| command.trim_end())));
    }
    page += &story(end);
    page
}

fn sign(end: &End<'_>) -> &'static str {
    match end.exit {
        Exit::Done => "\u{2705}",
        Exit::No if end.wishes.command == "diff" => "\u{1f4dd}",
        Exit::Locked | Exit::Interrupted(_) => "\u{26a0}\u{fe0f}",
        Exit::Person => "\u{1f6a8}",
        Exit::No | Exit::Refused | Exit::AsBefore => "\u{274c}",
    }
}

fn headline(end: &End<'_>) -> &'static str {
    let command = end.wishes.command.as_str();
    match (end.exit, command) {
        (Exit::Done, "diff") if end.said.seen.iter().all(|seen| seen.may_ship) => "nothing differs",
        (Exit::Done, "diff") => "nothing differs, and it cannot ship",
        (Exit::No, "diff") => "there are differences",
        (Exit::Done, "test") => "the tests passed",
        (Exit::No, "test") => "the tests did not pass",
        (Exit::Done, _) if end.said.commands.is_some() => "rehearsed, nothing was changed",
        (Exit::Done, _) if end.word() == "unchanged" => "nothing to do",
        (Exit::Done | Exit::No, _) => "done",
        (Exit::Refused, "diff") => "it could not be told",
        (Exit::Refused, _) => "refused, nothing was changed",
        (Exit::AsBefore, _) => "failed, and what ran before runs",
        (Exit::Locked, _) => "somebody else is at work, nothing was changed",
        (Exit::Person, _) => "a person is needed",
        (Exit::Interrupted(_), _) => "interrupted, and nothing is left to do",
    }
}

/// Who, from which build and state of the manifests, where, and for how long.
fn by(end: &End<'_>) -> String {
    let Origin { who, build } = Origin::here();
    let mut parts = vec![format!("by {}", text(&who))];
    parts.extend(build.map(|url| link("build", &url)));
    let git = end.said.outcomes.iter().find_map(|one| one.git.as_ref());
    parts.extend(git.map(|git| format!("manifests {}", text(&git.short()))));
    if let (Some(context), Some(namespace)) = (&end.said.place.context, &end.said.place.namespace) {
        parts.push(format!("context {}, namespace {}", text(context), text(namespace)));
    }
    parts.push(format!("after {}", seconds(end.story.elapsed())));
    format!("{}\n\n", parts.join(" \u{b7} "))
}

fn outcomes(outcomes: &[Outcome], is_rehearsal: bool, command: &str) -> String {
    let row = |one: &Outcome| {
        let ended = one.ended.as_ref();
        let what = match is_rehearsal && !one.was_nothing {
            true => "rehearsed",
            false => word(one),
        };
        let version = match (&one.former, command) {
            (Some(former), "remove") => text(former),
            (Some(former), _) if *former != one.version => format!("{} \u{2192} {}", text(former), text(&one.version)),
            _ => text(&one.version),
        };
        let took = one.took.filter(|_| !one.was_nothing).map(seconds).unwrap_or_default();
        let number = ended.and_then(|ended| ended.number).map(|number| number.to_string()).unwrap_or_default();
        vec![text(&one.service), version, what.to_owned() + one.state(), took, number, one.nature.join(", ")]
    };
    let rows: Vec<Vec<String>> = outcomes.iter().map(row).collect();
    let mut page = table(&["service", "version", "outcome", "after", "release", "changes"], &rows);
    for one in outcomes {
        if let Some(ended) = one.ended.as_ref().filter(|ended| ended.exit != Exit::Done) {
            page += &went_wrong(&format!("{} {}", one.service, one.version), ended, one.why());
        } else if let Some(wrong) = &one.error {
            page += &format!("**{}**: {}\n\n", text(&one.service), text(&wrong.message));
        }
        if let Some(tests) = one.ended.as_ref().and_then(|ended| ended.tests.as_ref()) {
            page += &tests_of(&one.service, tests);
        }
    }
    for one in outcomes {
        let what = format!("what changed in {}", one.service);
        page += &changes(if is_rehearsal { "what would change" } else { &what }, &one.changes, &one.drift);
    }
    page
}

/// Why a release failed, what was in trouble, what became of the way back, and where the evidence is.
fn went_wrong(what: &str, ended: &Ended, why: Option<&str>) -> String {
    let mut page = String::new();
    // Where the table of what was in trouble says it, it is said once.
    let why = why.filter(|why| ended.failing.iter().all(|one| one.message != *why));
    match why {
        Some(why) => page += &format!("**{}**: {}\n\n", text(what), text(why)),
        None if ended.failing.is_empty() => {}
        None => page += &format!("**{}**\n\n", text(what)),
    }
    page += &failing(&ended.failing);
    if let Some(back) = &ended.back {
        page += &put_back(back);
    }
    if let Some(folder) = &ended.evidence {
        page += &format!("evidence: {}\n\n", text(&folder.display().to_string()));
    }
    page
}

fn failing(failing: &[Failing]) -> String {
    let row = |one: &Failing| {
        vec![
            text(one.object.as_deref().unwrap_or_default()),
            text(one.container.as_deref().unwrap_or_default()),
            one.reason.to_owned(),
            one.exit_code.map(|code| code.to_string()).unwrap_or_default(),
            text(&one.message),
        ]
    };
    let rows: Vec<Vec<String>> = failing.iter().map(row).collect();
    let mut page = table(&["object", "container", "reason", "exit code", "what"], &rows);
    for one in failing {
        let name = one.container.as_deref().or(one.object.as_deref()).unwrap_or("it");
        if !one.log.is_empty() {
            page += &folded(&format!("the last words of {name}"), &verbatim(&one.log));
        }
        if !one.events.is_empty() {
            page += &folded(&format!("events of {name}"), &verbatim(&one.events));
        }
    }
    page
}

fn put_back(back: &Back) -> String {
    let fields =
        back.fields.iter().map(|(object, fields)| (object.as_str(), format!("put back: {}", join_and(fields))));
    let removed = back.removed.iter().map(|object| (object.as_str(), "removed".to_owned()));
    let whole = |line| ("", line);
    let kept = back.kept.iter().cloned().map(whole);
    let left = back.left.iter().map(|line| format!("not as before: {line}")).map(whole);
    let lines = fields.chain(removed).chain(kept).chain(left);
    let items: String =
        lines.map(|(object, what)| format!("- {}\n", text(format!("{object} {what}").trim()))).collect();
    if items.is_empty() { items } else { format!("{items}\n") }
}

fn recovered(one: &Recovered) -> String {
    let number = one.ended.number.map(|number| format!("release {number} of ")).unwrap_or_default();
    let what = match one.ended.exit {
        Exit::Done => "its run had died; it is completed",
        Exit::AsBefore => "its run had died; it is taken back",
        _ => "its run had died; a person is needed",
    };
    format!("{number}{} {}: {what}\n\n", text(&one.service), text(&one.version))
        + &went_wrong(&one.service, &one.ended, None)
}

fn changes(headline: &str, changes: &[Change], drift: &[String]) -> String {
    let said = words::said(changes);
    let row = |said: &words::Said| vec![text(&said.object), said.nature.word().to_owned(), text(&said.detail)];
    let rows: Vec<Vec<String>> = said.iter().take(CHANGES).map(row).collect();
    let mut inside = table(&["object", "change", "what"], &rows);
    let lines = said.iter().flat_map(|said| said.lines.iter().map(|line| format!("{}  {line}", said.object)));
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        inside += &verbatim(&lines);
    }
    if said.len() > CHANGES {
        inside += &format!("and {}\n\n", count(said.len() - CHANGES, "more change"));
    }
    if !drift.is_empty() {
        inside += &drift.iter().map(|line| format!("- {}\n", text(line))).collect::<String>();
        inside.push('\n');
    }
    if inside.is_empty() { inside } else { folded(&format!("{headline}: {}", count(said.len(), "change")), &inside) }
}

fn tests_of(service: &str, tests: &Summary) -> String {
    let line = format!("tests of {service}: {}", tests.line());
    let items: String = tests.named().iter().map(|case| format!("- {}\n", text(case))).collect();
    format!("{}\n\n{items}{}", text(&line), if items.is_empty() { "" } else { "\n" })
}

fn tested(all: &[Verdict]) -> String {
    let row = |one: &Verdict| {
        let number =
            |of: fn(&Summary) -> usize| one.tests.as_ref().map(|tests| of(tests).to_string()).unwrap_or_default();
        vec![
            text(&one.service),
            text(&one.version),
            one.verdict.to_owned(),
            number(|tests| tests.cases),
            number(|tests| tests.failed + tests.errored),
            number(|tests| tests.skipped),
            one.tests.as_ref().map(|tests| format!("{} s", tests.seconds)).unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let mut page = table(&["service", "version", "tests", "cases", "failed", "skipped", "after"], &rows);
    for one in all {
        if let Some(tests) = one.tests.as_ref().filter(|tests| !tests.passed) {
            page += &tests_of(&one.service, tests);
        } else if let Some(why) = &one.why {
            page += &format!("**{}**: {}\n\n", text(&one.service), text(why));
        }
    }
    page
}

fn seen(all: &[Seen]) -> String {
    let row = |one: &Seen| {
        vec![
            text(&one.service),
            text(one.running.as_deref().unwrap_or("-")),
            text(&one.version),
            text(&one.summary),
            if one.may_ship { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let mut page = table(&["service", "runs", "would be", "what differs", "can ship"], &rows);
    for one in all {
        let items: String = one.findings.iter().map(|line| format!("- {}\n", text(line))).collect();
        if !items.is_empty() {
            page += &format!("{}:\n\n{items}\n", text(&one.service));
        }
    }
    for one in all {
        page += &changes(&format!("what would change in {}", one.service), &one.changes, &one.drift);
    }
    page
}

fn what_is_wrong(wrong: &Wrong) -> String {
    if !wrong.problems.is_empty() {
        let lines: Vec<&str> = wrong.problems.iter().flat_map(|one| one.text.trim_end().lines().chain([""])).collect();
        return verbatim(&lines[..lines.len() - 1]);
    }
    let hints: String = wrong.hints.iter().map(|hint| format!("- {}\n", text(hint))).collect();
    format!("**error**: {}\n\n{hints}{}", text(&wrong.message), if hints.is_empty() { "" } else { "\n" })
}

fn story(end: &End<'_>) -> String {
    let lines = end.story.lines();
    // What an error says stands above.
    if lines.is_empty() || end.wishes.command == "diff" {
        return String::new();
    }
    let line = |(at, line): &(std::time::Duration, String)| format!("{:>7.1} s  {line}", at.as_secs_f64());
    folded("the story", &verbatim(lines.iter().map(line)))
}
