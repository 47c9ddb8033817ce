//! A look, for people.

use jiff::Timestamp;

use super::super::look::Look;
use super::super::{Context, story, words};
use crate::error::count;
use crate::kubectl::Kubectl;
use crate::release::{Fate, Nature, Outcome, Weight, is_end, main_object, version_of};
use crate::ui::ago;

/// Tells looks one behind the other; with `check`, only whether each may ship.
pub fn all(looks: &[Look], check: bool, context: &Context, kubectl: &Kubectl<'_>) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let several = looks.len() > 1;
    for look in looks {
        let heading = heading(look, context, kubectl);
        let mut text = String::new();
        if check {
            text += &format!("{}: {}", look.order.service, can_ship(look));
        } else if several && !look.differs() && look.drift.is_empty() && look.may_ship() {
            // Of many, those that are as they should be are a line each.
            text += &format!("{heading}   {}\n", Nature::none());
            match blocks.last_mut() {
                Some(last) if last.ends_with(&format!("{}\n", Nature::none())) => last.push_str(&text),
                _ => blocks.push(text),
            }
            continue;
        } else {
            text += &format!("{heading}\n\n{}{}", body(look), can_ship(look));
        }
        blocks.push(text);
    }
    let mut text = blocks.join(if check { "" } else { "\n" });
    if several && !check {
        let differ = looks.iter().filter(|look| look.differs()).count();
        let stuck = looks.iter().filter(|look| !look.may_ship()).count();
        text += &format!("\n{differ} of {} differ", count(looks.len(), "service"));
        text += &if stuck == 0 { "\n".to_owned() } else { format!(", {stuck} of them cannot ship\n") };
    }
    text
}

/// `webapp in dev (context dev, namespace dev)   running 1.4.1, release 12 by ann, 2 h ago, manifests 3f2c1a9`.
fn heading(look: &Look, context: &Context, kubectl: &Kubectl<'_>) -> String {
    let place = format!(
        "{} in {} (context {}, namespace {})",
        look.order.service,
        context.environment.name,
        kubectl.context(),
        kubectl.namespace()
    );
    format!("{place}   {}", running(look))
}

/// What runs now.
fn running(look: &Look) -> String {
    let live = main_object(&look.reading.live, &look.order.service);
    let live = live.and_then(|main| version_of(main, &look.order.service));
    let Some(release) = look.reading.history.running() else {
        let unknown = look.reading.no_history.as_ref().map(|_| ", its release is not known: you may not read Secrets");
        return match live {
            Some(version) => format!("running {version}{}", unknown.unwrap_or(", not shipped by shipcat")),
            None if look.reading.live.is_empty() => "not deployed yet".into(),
            None => format!("there{}", unknown.unwrap_or(", not shipped by shipcat")),
        };
    };
    let body = &release.body;
    if is_end(release) {
        return format!("removed by release {} of {}", release.number, body.who);
    }
    let newest = look.reading.history.newest().filter(|newest| newest.outcome == Outcome::Pending);
    let age = ago(std::time::Duration::try_from(Timestamp::now().duration_since(body.started)).unwrap_or_default());
    let git = body.git.as_ref().map(|git| format!(", manifests {}", git.short())).unwrap_or_default();
    let left = look.reading.history.broken().filter(|left| live.as_ref() == Some(&left.body.version));
    let by_hand = match &live {
        Some(live) if newest.is_some_and(|newest| newest.body.version == *live) => {
            " (by a release that has not ended)".into()
        }
        Some(live) if *live != body.version && left.is_some() => {
            let number = left.map(|left| left.number).unwrap_or_default();
            format!(" (left by release {number}, which failed; before it was {})", body.version)
        }
        Some(live) if *live != body.version => format!(" (set by hand; the release brought {})", body.version),
        None if main_object(&release.objects(), &look.order.service).is_some() => " (gone)".to_owned(),
        _ => String::new(),
    };
    let version = live.unwrap_or_else(|| body.version.clone());
    format!("running {version}{by_hand}, release {} by {}, {age}{git}", release.number, body.who)
}

fn body(look: &Look) -> String {
    let mut text = String::new();
    let said = words::said(&look.plan.changes);
    for (line, said) in story::lines(&said).iter().zip(&said) {
        text += &format!("{line}\n");
        for line in &said.lines {
            text += &format!("      {line}\n");
        }
    }
    let drift = story::drift(&look.drift);
    if !drift.is_empty() {
        let since = look.reading.history.running().map_or(0, |running| running.number);
        text += if text.is_empty() { "" } else { "\n" };
        text += &format!("  changed by hand since release {since}:\n");
        text.extend(drift.iter().map(|line| format!("  {line}\n")));
    }
    if !look.unmanaged.is_empty() {
        text += if text.is_empty() { "" } else { "\n" };
        text += "  in no manifest, and left alone:\n";
        for (object, manager, paths) in &look.unmanaged {
            text += &format!("    {object} {}, written by `{manager}`\n", paths.join(", "));
        }
    }
    for workload in &look.autoscaled {
        text += &format!("  {workload}: the number of pods is an autoscaler's, and left to it\n");
    }
    if look.is_unasked() {
        text += "  compared with the live objects: you may not ask the API server for a dry run\n";
    }
    text += if text.is_empty() { "" } else { "\n" };
    text + &summary(look) + "\n"
}

/// `1 image, 2 configuration changes, 1 object removed; 2 pods restart`.
pub fn summary(look: &Look) -> String {
    let said = words::said(&look.plan.changes);
    let of = |nature: Nature| said.iter().filter(|said| said.nature == nature).count();
    let mut parts = Vec::new();
    for (nature, one, many) in [
        (Nature::New, "new object", "new objects"),
        (Nature::Image, "image", "images"),
        (Nature::Config, "configuration change", "configuration changes"),
        (Nature::Scale, "scale change", "scale changes"),
        (Nature::Removed, "object removed", "objects removed"),
        (Nature::Restart, "restart", "restarts"),
    ] {
        match of(nature) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {many}")),
        }
    }
    match look.drift.iter().filter(|drift| drift.fate != Fate::Stays).count() {
        0 => {}
        1 => parts.push("1 change by hand undone".into()),
        n => parts.push(format!("{n} changes by hand undone")),
    }
    if parts.is_empty() {
        return Nature::none().to_owned();
    }
    let text = parts.join(", ");
    match look.restarts() {
        0 => text,
        1 => format!("{text}; 1 pod restarts"),
        n => format!("{text}; {n} pods restart"),
    }
}

/// `can ship: yes`, or why not, and what is worth knowing.
fn can_ship(look: &Look) -> String {
    let mut text = format!("can ship: {}\n", if look.may_ship() { "yes" } else { "no" });
    let mut findings: Vec<_> = look.findings.iter().collect();
    findings.sort_by_key(|finding| finding.weight);
    for finding in findings {
        let mark = match finding.weight {
            Weight::Refusal => "no: ",
            Weight::Warning => "warning: ",
            Weight::Note => "",
        };
        let what: Vec<&str> = finding.what.lines().collect();
        text += &format!("  {mark}{}\n", what.join("\n    "));
        if !finding.todo.is_empty() {
            text += &format!("    {}\n", finding.todo);
        }
    }
    text
}
