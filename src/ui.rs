//! What people see. stdout carries the product, stderr the story: live on a terminal, plain lines elsewhere, with a sign of
//! life in every wait. No write here can fail a ship: a closed stderr stops nothing. Nothing leaves without its secret values masked.
//! May import `origin`, `process`, `redact` and `error`.

mod block;
mod screen;
mod story;
mod told;

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::origin;
use crate::process::MASKED;
use crate::redact;
use anstyle::{AnsiColor, Style};
pub use block::{Block, Pods, Progress};
use screen::Screen;
pub use story::Story;
use told::Told;

/// What a line is about, which gives its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The story.
    Plain,
    /// A heading, or a detail that steps back.
    Dim,
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// It needs a look.
    Warn,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Dim => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Warn => AnsiColor::Yellow.on_default(),
        }
    }
}

/// The one way out to the terminal.
#[derive(Debug)]
pub struct Ui {
    /// The foot of the terminal, if stderr is one that can move its cursor.
    screen: Option<Arc<Mutex<Screen>>>,
    is_coloured: bool,
    verbose: bool,
    /// Where all that is told is kept, if somebody wants it afterwards.
    story: Option<Story>,
    told: Mutex<Told>,
    /// What is told while Secrets are being read: it goes out when it is known what to mask.
    held: Arc<Mutex<Vec<(Tone, String)>>>,
    /// What stands in front of each line, where several tell their stories at once.
    name: String,
}

/// How long the end of the process waits for the Secrets.
const PATIENCE: Duration = Duration::from_secs(5);

impl Ui {
    /// Live if stderr is a terminal that can move its cursor, and somebody may sit at it: some CI systems have terminals, too.
    pub fn new(verbose: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let live = std::io::stderr().is_terminal() && !dumb && !origin::in_ci();
        let is_coloured = !dumb && anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        Self {
            screen: live.then(|| Arc::new(Mutex::new(Screen::new(is_coloured)))),
            is_coloured,
            verbose,
            story: None,
            told: Mutex::new(Told::new(Instant::now())),
            held: Arc::default(),
            name: String::new(),
        }
    }

    /// The same, and keeps what it tells in a story.
    pub fn keeping(mut self, story: &Story) -> Self {
        self.story = Some(story.clone());
        self
    }

    /// The same way out for one of several that tell their stories at once: its name, `width` wide, stands in front of each line.
    pub fn one_of(&self, name: &str, width: usize) -> Self {
        Self {
            screen: self.screen.clone(),
            is_coloured: self.is_coloured,
            verbose: self.verbose,
            story: self.story.clone(),
            told: Mutex::new(Told::new(Instant::now())),
            held: Arc::clone(&self.held),
            name: format!("{name:width$} | "),
        }
    }

    /// A line of the story.
    pub fn say(&self, tone: Tone, line: impl AsRef<str>) {
        let named = self.named(line.as_ref());
        if redact::is_reading() {
            if let Ok(mut held) = self.held.lock() {
                held.push((tone, named.into_owned()));
            }
            return;
        }
        self.release();
        self.print(tone, &named);
    }

    /// Lines with the name of who says them.
    fn named<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.name.is_empty() {
            return Cow::Borrowed(text);
        }
        let lines: Vec<String> = text.lines().map(|line| format!("{}{line}", self.name)).collect();
        Cow::Owned(lines.join("\n"))
    }

    /// Sees that everything that was told is out, before somebody is waited for.
    pub fn settle(&self) {
        redact::wait(PATIENCE);
        redact::end_if_reading();
        self.release();
    }

    /// Lets go what was held back.
    fn release(&self) {
        if let Some(unread) = redact::unread() {
            self.print(Tone::Dim, &format!("secret values in what others say cannot be masked: {unread}"));
        }
        let held = self.held.lock().map(|mut held| std::mem::take(&mut *held)).unwrap_or_default();
        for (tone, line) in held {
            self.print(tone, &line);
        }
    }

    fn print(&self, tone: Tone, text: &str) {
        let style = tone.style();
        let mut text = redact::cover(text);
        if let Cow::Owned(text) = &mut text
            && text.starts_with("$ ")
            && !text.ends_with(MASKED)
        {
            text.push_str(MASKED);
        }
        if let Some(story) = self.story.as_ref() {
            text.lines().for_each(|line| story.tell(printable(line)));
        }
        let coloured = |line: &str| format!("{style}{}{style:#}\n", printable(line));
        let line = |line: &str| if self.is_coloured { coloured(line) } else { printable(line) + "\n" };
        match self.screen() {
            Some(mut screen) => screen.print(&text.lines().map(line).collect::<String>()),
            None => {
                for text in text.lines() {
                    // A story that nobody can read any more is no reason to stop.
                    drop(std::io::stderr().write_all(line(text).as_bytes()));
                }
            }
        }
        if let Ok(mut told) = self.told.lock() {
            told.said(Instant::now());
        }
    }

    /// A command line, where `-v` asks for them.
    pub fn command(&self, line: impl std::fmt::Display) {
        if self.verbose {
            self.say(Tone::Dim, format!("$ {line}"));
        }
    }

    /// Whether commands are told.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    fn screen(&self) -> Option<MutexGuard<'_, Screen>> {
        // Whoever panicked while he drew has left nothing that the next picture does not set right.
        self.screen.as_ref().map(|screen| screen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is being waited for. On a terminal the line moves; elsewhere it is said when it changes, and every half minute.
    pub fn wait(&self, since: Instant, what: &str) {
        self.wait_with(since, what, "");
    }

    /// The same with more behind it that changes all the time, and is no reason to say it again.
    pub fn wait_with(&self, since: Instant, what: &str, more: &str) {
        let headline = || (format!("{what}{more}"), Vec::new());
        self.attend(since, None, what, more, headline);
    }

    /// The same of what has an end in time and parts that can be drawn: on a terminal these, with a headline; elsewhere it is `what`.
    pub fn watch(
        &self,
        since: Instant,
        deadline: Duration,
        what: &str,
        draw: impl FnOnce() -> (String, Vec<Progress>),
    ) {
        self.attend(since, Some(deadline), what, "", draw);
    }

    fn attend(
        &self,
        since: Instant,
        deadline: Option<Duration>,
        what: &str,
        more: &str,
        draw: impl FnOnce() -> (String, Vec<Progress>),
    ) {
        if redact::is_reading() {
            return;
        }
        self.release();
        if self.screen.is_some() {
            let (headline, mut parts) = draw();
            for text in parts.iter_mut().flat_map(|part| &mut part.troubles) {
                *text = redact::cover(text).into_owned();
            }
            let headline = redact::cover(&headline).into_owned();
            self.keep_wait(what, more, since);
            let block = Block { headline, elapsed: since.elapsed(), deadline, parts };
            if let Some(mut screen) = self.screen() {
                screen.show(self.short_name(), Some(block));
            }
            return;
        }
        let (what, more) = (&*redact::cover(what), &*redact::cover(more));
        if self.told.lock().is_ok_and(|mut told| told.is_due(what, Instant::now())) {
            self.say(Tone::Plain, format!("  {what}{more} ({})", seconds(since.elapsed())));
        }
    }

    /// What only moves on a terminal is told in the story as it would be elsewhere.
    fn keep_wait(&self, what: &str, more: &str, since: Instant) {
        let Some(story) = self.story.as_ref() else { return };
        let what = redact::cover(what);
        let now = Instant::now();
        let is_due = self.told.lock().is_ok_and(|mut told| {
            let is_due = told.is_due(&what, now);
            if is_due {
                told.said(now);
            }
            is_due
        });
        if is_due {
            let line = format!("  {what}{} ({})", redact::cover(more), seconds(since.elapsed()));
            line.lines().for_each(|line| story.tell(self.named(&printable(line)).into_owned()));
        }
    }

    /// Nothing is waited for any more.
    pub fn rest(&self) {
        if let Some(mut screen) = self.screen() {
            screen.show(self.short_name(), None);
        }
    }

    fn short_name(&self) -> &str {
        self.name.trim_end_matches(" | ").trim()
    }

    /// The product. A reader that went away (`| head`) is its own business.
    ///
    /// # Errors
    /// If stdout cannot be written for another reason, such as a full disk.
    pub fn product(&self, text: &str) -> std::io::Result<()> {
        redact::wait(PATIENCE);
        self.release();
        self.write(&redact::cover(text))
    }

    /// The product as JSON, its texts masked one by one, so that it stays JSON.
    ///
    /// # Errors
    /// As [`Ui::product`].
    pub fn json(&self, mut value: serde_json::Value) -> std::io::Result<()> {
        redact::wait(PATIENCE);
        self.release();
        redact::cover_json(&mut value);
        self.write(&format!("{value:#}\n"))
    }

    /// Writes a file for people to look at later, masked as everything that leaves.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, path: &Path, text: &str) -> std::io::Result<()> {
        redact::wait(PATIENCE);
        std::fs::write(path, redact::cover(text).as_bytes())
    }

    /// The product as it is, where that is what it is for: YAML that is to be applied.
    ///
    /// # Errors
    /// As [`Ui::product`].
    pub fn write(&self, text: &str) -> std::io::Result<()> {
        let write = || {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        };
        let written = match self.screen() {
            Some(mut screen) => screen.aside(write),
            None => write(),
        };
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

impl Drop for Ui {
    /// What is held back still goes out, and a terminal is left clean.
    fn drop(&mut self) {
        self.settle();
        self.rest();
    }
}

/// Text of somebody else's (a log line, a server's message) without control characters that would move a terminal's cursor.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A duration as people say it: `3.1 s`, `42 s`, `3 min 20 s`.
pub fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{whole} s"),
        _ if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        _ => format!("{} min {} s", whole / 60, whole % 60),
    }
}

/// How long ago, for people: the largest unit that fits.
pub fn ago(duration: Duration) -> String {
    let s = duration.as_secs();
    match s {
        0..60 => format!("{s} s ago"),
        60..3600 => format!("{} min ago", s / 60),
        3600..86_400 => format!("{} h ago", s / 3600),
        _ => format!("{} d ago", s / 86_400),
    }
}

/// Rows of cells as a table; the first row is the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    // What comes last may be as long as it is.
    let widths: Vec<usize> = (0..columns.saturating_sub(1)).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(at, cell): (usize, &String)| format!("{cell:0$}", widths.get(at).copied().unwrap_or_default());
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        text += cells.join("   ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(3140)), "3.1 s");
        assert_eq!(seconds(Duration::from_secs(42)), "42 s");
        assert_eq!(seconds(Duration::from_secs(300)), "5 min");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(ago(Duration::from_secs(7300)), "2 h ago");
    }

    #[test]
    fn a_log_line_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\tc"), "a\u{fffd}[2Jb\tc");
    }
}
