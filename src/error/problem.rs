//! A problem of an input file: where, what, and a hint; rendered with the line itself.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Failure;

/// One of the files in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(usize);

impl FileId {
    /// The number under which the file was added, for carrying it through serde.
    pub fn number(self) -> usize {
        self.0
    }

    /// The inverse of [`FileId::number`].
    pub fn from_number(number: usize) -> Self {
        Self(number)
    }
}

/// A place in an input file. Line and column count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// Every input file that was read, so that a problem can show its line.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<(PathBuf, String)>,
}

impl Sources {
    /// Remembers a file under the path that people are to see.
    pub fn add(&mut self, path: &Path, text: String) -> FileId {
        self.files.push((path.to_owned(), text));
        FileId(self.files.len() - 1)
    }

    /// The file's text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |(_, text)| text)
    }

    /// The file's path as people are to see it.
    pub fn path(&self, file: FileId) -> &Path {
        self.files.get(file.0).map_or(Path::new("?"), |(path, _)| path)
    }

    fn line(&self, place: Place) -> Option<&str> {
        self.text(place.file).lines().nth(place.line.checked_sub(1)?)
    }
}

/// One mistake in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it is in a file at all.
    pub place: Option<Place>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), message: message.into(), hint: None }
    }

    /// A problem that is in no file, such as a file that is missing.
    pub fn nowhere(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), hint: None }
    }

    /// The same problem with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `path:line:column: message`, the line, a caret, the hint.
    fn render(&self, sources: &Sources, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "error: {}", self.message);
        if let Some(place) = self.place {
            let path = sources.path(place.file).display();
            let _ = writeln!(out, "  --> {path}:{}:{}", place.line, place.column);
            if let Some(line) = sources.line(place) {
                let number = place.line.to_string();
                // A line of a megabyte helps nobody: what is around the place does.
                let from = place.column.saturating_sub(60);
                let shown: String =
                    line.chars().skip(from).take(120).map(|c| if c.is_control() { ' ' } else { c }).collect();
                let pad = " ".repeat(number.len());
                let caret = " ".repeat(place.column.saturating_sub(1).saturating_sub(from));
                let _ = writeln!(out, "{pad} |\n{number} | {}\n{pad} | {caret}^", shown.trim_end());
            }
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "hint: {hint}");
        }
    }
}

/// All the problems that were found in one go: an error by itself, already rendered.
#[derive(Debug)]
pub struct Problems {
    text: String,
}

impl Problems {
    /// Renders the problems in the order of their places, one message for one mistake. `None` if there are none.
    pub fn new(mut list: Vec<Problem>, sources: &Sources) -> Option<Self> {
        list.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.message.cmp(&b.message)));
        list.dedup();
        if list.is_empty() {
            return None;
        }
        let mut text = String::new();
        for (i, problem) in list.iter().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            problem.render(sources, &mut text);
        }
        Some(Self { text })
    }
}

impl Problems {
    /// Several errors, which may be lists of problems themselves, as one.
    pub fn of(errors: &[anyhow::Error]) -> Self {
        let text = |error: &anyhow::Error| match (error.downcast_ref::<Self>(), error.downcast_ref::<Failure>()) {
            (Some(problems), _) => problems.to_string(),
            (_, Some(failure)) => {
                let hints = failure.hints.iter().map(|hint| format!("\nhint: {hint}")).collect::<String>();
                format!("error: {failure}{hints}")
            }
            _ => format!("error: {error:#}"),
        };
        Self { text: errors.iter().map(text).collect::<Vec<_>>().join("\n\n") }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for Problems {}

/// The candidate that was probably meant, for "did you mean".
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        // One slip in three letters is a slip; more is another word.
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line() {
        let mut sources = Sources::default();
        let file = sources.add(Path::new("a/b.yml"), "x: 1\n  ünï: 2\n".into());
        let place = Place { file, line: 2, column: 8 };
        let problems = Problems::new(vec![Problem::at(place, "bad number").hint("use a good one")], &sources).unwrap();
        assert_eq!(
            problems.to_string(),
            "error: bad number\n  --> a/b.yml:2:8\n  |\n2 |   ünï: 2\n  |        ^\nhint: use a good one"
        );
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(closest("replica", ["replicas", "port"]), Some("replicas"));
        assert_eq!(closest("evn", ["env", "port"]), Some("env"));
        assert_eq!(closest("banana", ["env", "port"]), None);
    }
}
