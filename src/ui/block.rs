//! What stands at the foot of a terminal while somebody waits, as lines. Pure.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use console::{measure_text_width, truncate_str};

use super::{Tone, printable, seconds};

/// How many cells a bar has at most.
const BAR: usize = 24;
/// What turns as long as it goes on.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// How long each of these stands.
const TURN: u128 = 100;

/// The pods of one workload, by how they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pods {
    /// Of the wanted revision, and ready.
    pub ready: usize,
    /// Of the wanted revision, and on their way.
    pub starting: usize,
    /// Of the wanted revision, and in trouble.
    pub failing: usize,
    /// Of another revision.
    pub old: usize,
    /// Wanted, and not made yet.
    pub missing: usize,
}

impl Pods {
    fn shares(self) -> [(usize, char, Style); 5] {
        let step_back = Style::new().dimmed();
        [
            (self.ready, '█', AnsiColor::Green.on_default()),
            (self.starting, '▒', AnsiColor::Yellow.on_default()),
            (self.failing, '×', AnsiColor::Red.on_default().bold()),
            (self.old, '░', step_back),
            (self.missing, '·', step_back),
        ]
    }

    fn total(self) -> usize {
        self.shares().iter().map(|(count, ..)| count).sum()
    }
}

/// How far one workload is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// What it is.
    pub name: String,
    /// Its pods.
    pub pods: Pods,
    /// The same in words.
    pub text: String,
    /// What is in trouble, a line each.
    pub troubles: Vec<String>,
    /// Whether it is where it should be.
    pub is_up: bool,
}

/// What one of those who wait waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// In a line.
    pub headline: String,
    /// For how long already.
    pub elapsed: Duration,
    /// For how long at most, where there is an end to it.
    pub deadline: Option<Duration>,
    /// What it consists of.
    pub parts: Vec<Progress>,
}

/// A terminal, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// In columns.
    pub width: usize,
    /// In lines.
    pub height: usize,
    /// Whether it may be coloured.
    pub is_coloured: bool,
}

/// A line, and whether there may be too little room for it: what is good news goes first.
struct Line {
    text: String,
    is_part: bool,
    weight: u8,
}

/// The lines of some blocks by their names, which are empty where there is only one; never more nor longer than the paper.
pub fn lines<'a>(blocks: impl Iterator<Item = (&'a str, &'a Block)> + Clone, paper: Paper) -> Vec<String> {
    // The last column stays free: some terminals begin a new line there, some do not.
    let width = paper.width.saturating_sub(1);
    let parts = || blocks.clone().flat_map(|(_, block)| &block.parts);
    let bar = parts().map(|part| part.pods.total()).max().unwrap_or_default().min(BAR).min(width / 4);
    let name = parts().map(|part| measure_text_width(&part.name)).max().unwrap_or_default().min(width / 2);
    let title = blocks.clone().map(|(name, _)| measure_text_width(name)).max().unwrap_or_default().min(width / 2);
    let mut found = Vec::new();
    for (n, (service, block)) in blocks.enumerate() {
        let line = |text, is_part, weight| Line { text, is_part, weight };
        let turn = usize::try_from(block.elapsed.as_millis() / TURN).unwrap_or_default() % SPINNER.len();
        let spinner = if n == 0 { SPINNER[turn] } else { " " };
        let service = if title == 0 { String::new() } else { format!("{}  ", padded(service, title)) };
        let time = match block.deadline {
            Some(deadline) => format!("{} of {}", seconds(block.elapsed), seconds(deadline)),
            None => seconds(block.elapsed),
        };
        found.push(line(cut(&format!("{spinner} {service}{} ({time})", block.headline), width), false, 0));
        for part in &block.parts {
            let rest = cut(&format!("{}  {}", padded(&part.name, name), part.text), width.saturating_sub(bar + 4));
            let bar = drawn(part.pods, bar, paper.is_coloured);
            let weight = if !part.troubles.is_empty() { 1 } else { 2 + u8::from(part.is_up) };
            found.push(line(format!("  {bar}  {rest}"), true, weight));
            for text in part.troubles.iter().flat_map(|trouble| broken(trouble, width)) {
                found.push(line(warned(&text, paper.is_coloured), false, 1));
            }
        }
    }
    folded(found, paper.height.saturating_sub(1).max(1), width)
}

/// As many of the lines as there is room for, those that matter most, in their order.
fn folded(lines: Vec<Line>, room: usize, width: usize) -> Vec<String> {
    if lines.len() <= room {
        return lines.into_iter().map(|line| line.text).collect();
    }
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|n| lines[*n].weight);
    let left: Vec<usize> = order.split_off(room.saturating_sub(1));
    let hidden = left.iter().filter(|n| lines[**n].is_part).count();
    order.sort_unstable();
    let mut kept: Vec<String> = order.iter().map(|n| lines[*n].text.clone()).collect();
    let more = if hidden > 0 { format!("  … and {hidden} more") } else { "  …".to_owned() };
    kept.push(cut(&more, width));
    kept
}

/// A bar of so many cells: a cell a pod where there is room, and else never none for some.
fn drawn(pods: Pods, cells: usize, is_coloured: bool) -> String {
    let total = pods.total();
    let mut bar = String::new();
    let (mut count, mut drawn) = (0, 0);
    for (share, glyph, style) in pods.shares() {
        count += share;
        let end = if total <= cells { count } else { count * cells / total };
        let wide = if share > 0 { end.saturating_sub(drawn).max(1).min(cells - drawn) } else { 0 };
        drawn += wide;
        let text = glyph.to_string().repeat(wide);
        if is_coloured && wide > 0 {
            bar += &format!("{style}{text}{style:#}");
        } else {
            bar += &text;
        }
    }
    bar + &" ".repeat(cells - drawn)
}

/// A trouble in at most two lines: what is wrong stands first, and why often last.
fn broken(text: &str, width: usize) -> Vec<String> {
    let text = printable(text).replace('\t', " ");
    let first = truncate_str(&text, width.saturating_sub(6), "");
    if first.len() == text.len() {
        return vec![cut(&format!("      {text}"), width)];
    }
    let at = first.rfind(' ').filter(|at| *at > 0).unwrap_or(first.len());
    let (first, rest) = text.split_at(at);
    vec![cut(&format!("      {first}"), width), cut(&format!("        {}", rest.trim_start()), width)]
}

fn warned(text: &str, is_coloured: bool) -> String {
    let style = Tone::Warn.style();
    if is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let pad = " ".repeat(width.saturating_sub(measure_text_width(&text)));
    text + &pad
}

fn cut(text: &str, width: usize) -> String {
    truncate_str(&printable(text).replace('\t', " "), width, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, pods: Pods, text: &str, troubles: &[&str]) -> Progress {
        let troubles = troubles.iter().map(ToString::to_string).collect();
        Progress {
            name: name.into(),
            pods,
            text: text.into(),
            troubles,
            is_up: pods.ready > 0 && pods.total() == pods.ready,
        }
    }

    fn block(headline: &str, parts: Vec<Progress>) -> Block {
        let deadline = (!parts.is_empty()).then_some(Duration::from_secs(300));
        Block { headline: headline.into(), elapsed: Duration::from_millis(7100), deadline, parts }
    }

    fn told(blocks: &[(&str, Block)], width: usize, height: usize) -> Vec<String> {
        let paper = Paper { width, height, is_coloured: false };
        lines(blocks.iter().map(|(name, block)| (*name, block)), paper)
    }

    const MIXED: Pods = Pods { ready: 1, starting: 1, failing: 1, old: 2, missing: 0 };
    const UP: Pods = Pods { ready: 2, starting: 0, failing: 0, old: 0, missing: 0 };

    #[test]
    fn a_workload_has_a_bar_and_its_trouble_under_it() {
        let parts = vec![
            part(
                "Deployment/webapp",
                MIXED,
                "1 of 3 ready, 2 old",
                &["container `webapp` of webapp-1 crashed: exit code 7"],
            ),
            part("Deployment/mail", UP, "2 of 2 ready", &[]),
        ];
        assert_eq!(
            told(&[("", block("watching the rollout", parts))], 80, 24),
            [
                "⠙ watching the rollout (7.1 s of 5 min)",
                "  █▒×░░  Deployment/webapp  1 of 3 ready, 2 old",
                "      container `webapp` of webapp-1 crashed: exit code 7",
                "  ██     Deployment/mail    2 of 2 ready",
            ]
        );
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_also_of_wide_characters() {
        let parts = vec![part(
            "Deployment/webapp",
            MIXED,
            "1 of 3 ready, 2 old",
            &["日本語の長いメッセージです、とても長い", "a\u{1b}[2Jb"],
        )];
        let lines = told(&[("", block("watching the rollout", parts))], 24, 24);
        assert!(lines.iter().all(|line| measure_text_width(line) <= 23), "{lines:?}");
        assert_eq!(lines[2..], ["      日本語の長いメッ", "        セージです、と…", "      a\u{fffd}[2Jb"]);
    }

    #[test]
    fn a_long_trouble_goes_on_in_a_second_line() {
        let why = "container `webapp` of webapp-1 runs and is not ready (readiness probe: GET /ready on port http)";
        let lines =
            told(&[("", block("watching the rollout", vec![part("Deployment/webapp", MIXED, "", &[why])]))], 64, 24);
        assert_eq!(
            lines[2..],
            [
                "      container `webapp` of webapp-1 runs and is not ready",
                "        (readiness probe: GET /ready on port http)",
            ]
        );
    }

    #[test]
    fn each_service_has_its_block_and_what_is_well_goes_first_where_room_is_scarce() {
        let bad = || part("Deployment/api", MIXED, "1 of 3 ready, 2 old", &["it crashed"]);
        let blocks = [
            ("api", block("watching the rollout", vec![bad(), part("Deployment/x", UP, "2 of 2 ready", &[])])),
            ("webapp", block("waiting for the lock", vec![])),
        ];
        assert_eq!(
            told(&blocks, 80, 24),
            [
                "⠙ api     watching the rollout (7.1 s of 5 min)",
                "  █▒×░░  Deployment/api  1 of 3 ready, 2 old",
                "      it crashed",
                "  ██     Deployment/x    2 of 2 ready",
                "  webapp  waiting for the lock (7.1 s)",
            ]
        );
        let short = told(&blocks, 80, 5);
        assert_eq!(short.len(), 4);
        assert_eq!(
            short[1..],
            [
                "  █▒×░░  Deployment/api  1 of 3 ready, 2 old",
                "  webapp  waiting for the lock (7.1 s)",
                "  … and 1 more"
            ]
        );
    }

    #[test]
    fn many_pods_share_the_cells_and_none_is_lost() {
        let pods = Pods { ready: 40, starting: 9, failing: 1, old: 50, missing: 0 };
        let bar = drawn(pods, 24, false);
        assert_eq!(bar, "█████████▒▒×░░░░░░░░░░░░");
        for cells in 0..30 {
            assert_eq!(drawn(pods, cells, false).chars().count(), cells);
        }
        assert!(drawn(pods, 24, true).contains("\u{1b}["));
    }
}
