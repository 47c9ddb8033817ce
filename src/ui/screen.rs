//! The foot of a terminal, where it is drawn what is waited for, and the story above it.
//!
//! The cursor rests where the picture begins: what a terminal itself writes there (the `^C` of an interrupt) and what it wraps anew
//! when its size changes is all behind it, and wiped away with the next picture. Each picture goes out in one write, line over line, so that
//! nothing flickers.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::block::{Block, Paper, lines};

/// How often a picture is drawn at most.
const FRAME: Duration = Duration::from_millis(80);

/// Wipes all that is behind the cursor.
const WIPE: &str = "\r\x1b[J";

/// What is drawn.
#[derive(Debug)]
pub struct Screen {
    blocks: BTreeMap<String, Block>,
    drawn: Option<Instant>,
    is_coloured: bool,
}

impl Screen {
    pub fn new() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stderr());
        Self { blocks: BTreeMap::new(), drawn: None, is_coloured: choice != anstream::ColorChoice::Never }
    }

    /// Shows what somebody waits for, the one of that name or the only one; nothing any more where there is no block.
    pub fn show(&mut self, name: &str, block: Option<Block>) {
        let is_less = block.is_none();
        match block {
            Some(block) => drop(self.blocks.insert(name.to_owned(), block)),
            None if self.blocks.remove(name).is_none() => return,
            None => {}
        }
        if is_less || self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
            self.print("");
        }
    }

    /// Prints text above the picture: whole lines.
    pub fn print(&mut self, text: &str) {
        let picture = self.picture();
        // A picture is drawn over the one before, and what is left of that is wiped; lines of text are new.
        let out = match (self.drawn.is_some(), text.is_empty(), picture.is_empty()) {
            (false, true, true) => return,
            (_, true, false) => format!("\r{picture}"),
            (true, ..) => format!("{WIPE}{text}{picture}"),
            (false, ..) => format!("{text}{picture}"),
        };
        self.drawn = (!picture.is_empty()).then(Instant::now);
        // A picture that nobody can see any more is no reason to stop.
        let mut stderr = std::io::stderr().lock();
        drop(stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush()));
    }

    /// Takes the picture away for as long as something else writes to the terminal.
    pub fn aside<T>(&mut self, write: impl FnOnce() -> T) -> T {
        if self.drawn.take().is_some() {
            let mut stderr = std::io::stderr().lock();
            drop(stderr.write_all(WIPE.as_bytes()).and_then(|()| stderr.flush()));
        }
        write()
    }

    /// The picture, and the way back to where it begins.
    fn picture(&self) -> String {
        if self.blocks.is_empty() {
            return String::new();
        }
        let (height, width) = console::Term::stderr().size();
        let paper = Paper { width: width.into(), height: height.into(), is_coloured: self.is_coloured };
        let lines = lines(self.blocks.iter().map(|(name, block)| (name.as_str(), block)), paper);
        let up = match lines.len() - 1 {
            0 => String::new(),
            n => format!("\x1b[{n}A"),
        };
        format!("{}\x1b[K\x1b[J{up}\r", lines.join("\x1b[K\r\n"))
    }

    /// Whether text may be coloured.
    pub fn is_coloured(&self) -> bool {
        self.is_coloured
    }
}
