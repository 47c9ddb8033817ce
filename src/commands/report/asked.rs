//! How an answer is asked for on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// Whether a program reads the answer.
#[derive(Debug, clap::Args)]
pub struct Answer {
    /// As JSON: one object, whatever becomes of it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["json"])]
    output: Option<String>,
}

impl Answer {
    /// Whether it is to be JSON.
    pub fn is_json(&self) -> bool {
        self.output.is_some()
    }

    /// What is wished for of a command.
    pub fn of(&self, command: &str) -> Wishes {
        Wishes { command: command.to_owned(), is_json: self.is_json(), summary: None }
    }
}

/// The same of commands of which people want to read as well what became of them.
#[derive(Debug, clap::Args)]
pub struct Asked {
    #[command(flatten)]
    answer: Answer,
    /// Append a page in Markdown that says what became of it to a file, such as `$GITHUB_STEP_SUMMARY`
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

impl Asked {
    /// What is wished for of a command.
    pub fn of(&self, command: &str) -> Wishes {
        Wishes { summary: self.summary.clone(), ..self.answer.of(command) }
    }
}

/// What is wished for.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The command: `ship`, `lock acquire`.
    pub command: String,
    /// Whether a program reads stdout.
    pub is_json: bool,
    /// The file that the page is appended to.
    pub summary: Option<PathBuf>,
}

impl Wishes {
    /// Of a command that answers neither.
    pub fn none(command: &str) -> Self {
        Self { command: command.to_owned(), is_json: false, summary: None }
    }

    /// Of a command line that could not be read: as far as can be seen.
    pub fn guessed(words: impl Iterator<Item = OsString>) -> Self {
        let words: Vec<String> = words.skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let is_json = words.iter().any(|word| ["-ojson", "-o=json", "--output=json"].contains(&word.as_str()))
            || words.windows(2).any(|two| ["-o", "--output"].contains(&two[0].as_str()) && two[1] == "json");
        let named: Vec<String> = words.into_iter().filter(|word| !word.starts_with('-')).collect();
        // Of those that have commands of their own, both.
        let command = match named.as_slice() {
            [lock, verb, ..] if lock == "lock" => format!("{lock} {verb}"),
            [first, ..] => first.clone(),
            [] => String::new(),
        };
        Self { command, is_json, summary: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_still_says_how_to_answer() {
        let guessed = |line: &str| {
            let wishes = Wishes::guessed(line.split(' ').map(OsString::from));
            (wishes.command, wishes.is_json)
        };
        assert_eq!(guessed("shipcat ship --nope -o json"), ("ship".into(), true));
        assert_eq!(guessed("shipcat diff -ojson"), ("diff".into(), true));
        assert_eq!(guessed("shipcat lock show --output=json x"), ("lock show".into(), true));
        assert_eq!(guessed("shipcat -v status json"), ("status".into(), false));
    }
}
