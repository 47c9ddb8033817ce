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
    pub fn new(is_coloured: bool) -> Self {
        Self { blocks: BTreeMap::new(), drawn: None, is_coloured }
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
        let (height, width) = console::Term::stderr().size();
        let out = self.output(text, width.into(), height.into());
        if out.is_empty() {
            return;
        }
        // A picture that nobody can see any more is no reason to stop.
        let mut stderr = std::io::stderr().lock();
        drop(stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush()));
    }

    /// What goes to a terminal of that size.
    fn output(&mut self, text: &str, width: usize, height: usize) -> String {
        let picture = self.picture(Paper { width, height, is_coloured: self.is_coloured });
        // A picture is drawn over the one before, and what is left of that is wiped; lines of text are new.
        let out = match (self.drawn.is_some(), text.is_empty(), picture.is_empty()) {
            (false, true, true) => return String::new(),
            (_, true, false) => format!("\r{picture}"),
            (true, ..) => format!("{WIPE}{text}{picture}"),
            (false, ..) => format!("{text}{picture}"),
        };
        self.drawn = (!picture.is_empty()).then(Instant::now);
        out
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
    fn picture(&self, paper: Paper) -> String {
        if self.blocks.is_empty() {
            return String::new();
        }
        let lines = lines(self.blocks.iter().map(|(name, block)| (name.as_str(), block)), paper);
        let up = match lines.len() - 1 {
            0 => String::new(),
            n => format!("\x1b[{n}A"),
        };
        format!("{}\x1b[K\x1b[J{up}\r", lines.join("\x1b[K\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::Progress;
    use super::*;

    /// A terminal that knows what is sent here.
    struct Terminal {
        width: usize,
        height: usize,
        rows: Vec<Vec<char>>,
        at: (usize, usize),
    }

    impl Terminal {
        fn new(width: usize, height: usize) -> Self {
            Self { width, height, rows: vec![vec![' '; width]; height], at: (0, 0) }
        }

        fn take(&mut self, text: &str) {
            let mut rest = text.chars();
            while let Some(c) = rest.next() {
                match c {
                    '\r' => self.at.1 = 0,
                    '\n' => self.feed(),
                    '\x1b' => self.obey(&mut rest),
                    c => {
                        assert!(self.at.1 < self.width, "a line is longer than the terminal: {text:?}");
                        self.rows[self.at.0][self.at.1] = c;
                        self.at.1 += 1;
                    }
                }
            }
        }

        fn obey(&mut self, rest: &mut std::str::Chars<'_>) {
            assert_eq!(rest.next(), Some('['));
            let mut number = String::new();
            for c in rest {
                match c {
                    digit if digit.is_ascii_digit() => {
                        number.push(digit);
                        continue;
                    }
                    'A' => self.at.0 -= number.parse::<usize>().unwrap(),
                    'K' => self.rows[self.at.0][self.at.1..].fill(' '),
                    'J' => {
                        self.rows[self.at.0][self.at.1..].fill(' ');
                        self.rows[self.at.0 + 1..].iter_mut().for_each(|row| row.fill(' '));
                    }
                    other => panic!("what is {other:?}?"),
                }
                return;
            }
        }

        /// As a terminal's driver does it.
        fn feed(&mut self) {
            self.at = (self.at.0 + 1, 0);
            if self.at.0 == self.height {
                self.rows.remove(0);
                self.rows.push(vec![' '; self.width]);
                self.at.0 -= 1;
            }
        }

        fn shows(&self) -> Vec<String> {
            let rows = self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
            rows.filter(|row| !row.is_empty()).collect()
        }
    }

    fn block(headline: &str, parts: &[&str]) -> Block {
        let part = |name: &&str| Progress { name: (*name).to_owned(), ..Progress::default() };
        let parts = parts.iter().map(part).collect();
        Block { headline: headline.into(), elapsed: Duration::ZERO, deadline: None, parts }
    }

    #[test]
    fn the_story_stands_above_the_picture_and_nothing_is_left_of_it() {
        let mut terminal = Terminal::new(40, 6);
        let mut screen = Screen { blocks: BTreeMap::new(), drawn: None, is_coloured: false };
        let send =
            |screen: &mut Screen, terminal: &mut Terminal, text: &str| terminal.take(&screen.output(text, 40, 6));
        send(&mut screen, &mut terminal, "one\n");
        screen.blocks.insert(String::new(), block("waiting", &["Deployment/a", "Deployment/b"]));
        send(&mut screen, &mut terminal, "");
        assert_eq!(terminal.shows(), ["one", "⠋ waiting (0.0 s)", "    Deployment/a", "    Deployment/b"]);
        // The driver's own echo of an interrupt is drawn over.
        terminal.take("^C");
        send(&mut screen, &mut terminal, "");
        assert_eq!(terminal.shows(), ["one", "⠋ waiting (0.0 s)", "    Deployment/a", "    Deployment/b"]);
        terminal.take("^C");
        send(&mut screen, &mut terminal, "two\nthree\nfour\n");
        assert_eq!(
            terminal.shows()[1..],
            ["three", "four", "⠋ waiting (0.0 s)", "    Deployment/a", "    Deployment/b"]
        );
        // Less than before, and then nothing.
        screen.blocks.insert(String::new(), block("still", &[]));
        send(&mut screen, &mut terminal, "");
        assert_eq!(terminal.shows(), ["two", "three", "four", "⠋ still (0.0 s)"]);
        screen.blocks.clear();
        send(&mut screen, &mut terminal, "");
        send(&mut screen, &mut terminal, "five\n");
        assert_eq!(terminal.shows(), ["two", "three", "four", "five"]);
        // Where nothing is drawn, lines are just lines: what somebody types stays.
        terminal.take("type its name: ");
        send(&mut screen, &mut terminal, "six\n");
        assert_eq!(terminal.shows().last().unwrap(), "type its name: six");
    }
}
