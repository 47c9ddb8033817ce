//! A problem of an input file: where, what, and a hint; rendered with the line itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Failure, join_and};

/// One of the files in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(usize);

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
/// A copy shares the files and can be added to by itself.
#[derive(Debug, Default, Clone)]
pub struct Sources {
    files: Vec<Arc<(PathBuf, String)>>,
}

impl Sources {
    /// Remembers a file under the path that people are to see.
    pub fn add(&mut self, path: &Path, text: String) -> FileId {
        self.files.push(Arc::new((path.to_owned(), text)));
        FileId(self.files.len() - 1)
    }

    /// The file's text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |file| &file.1)
    }

    /// The file's path as people are to see it.
    pub fn path(&self, file: FileId) -> &Path {
        self.files.get(file.0).map_or(Path::new("?"), |file| &file.0)
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
    fn render(&self, word: &str, sources: &Sources) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{word}: {}", self.message);
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
        out
    }
}

/// A problem that has been rendered. The order is that of the places, one message for one mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rendered {
    /// The file; empty if it is in none.
    pub path: PathBuf,
    /// The line, from 1; 0 if it is in no file.
    pub line: usize,
    /// The column in characters, from 1; 0 if it is in no file.
    pub column: usize,
    /// All of it, for people.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The environments in which it is one; none where it is one in all that were looked at.
    pub environments: Vec<String>,
}

/// All the problems that were found in one go: an error by itself, already rendered.
#[derive(Debug, Default)]
pub struct Problems {
    list: BTreeSet<Rendered>,
}

impl Problems {
    /// Renders problems, each as `error: MESSAGE` with its place. `None` if there are none.
    pub fn new(list: Vec<Problem>, sources: &Sources) -> Option<Self> {
        let mut problems = Self::default();
        problems.add("error", &list, sources);
        (!problems.is_empty()).then_some(problems)
    }

    /// Adds problems under another word, such as "warning".
    pub fn add(&mut self, word: &str, list: &[Problem], sources: &Sources) {
        for problem in list {
            let (path, line, column) = match problem.place {
                Some(place) => (sources.path(place.file).to_owned(), place.line, place.column),
                None => (PathBuf::new(), 0, 0),
            };
            self.list.insert(Rendered {
                path,
                line,
                column,
                text: problem.render(word, sources),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
                environments: Vec::new(),
            });
        }
    }

    /// Takes in an error, which may be a list of problems itself.
    pub fn add_error(&mut self, error: anyhow::Error) {
        match error.downcast::<Self>() {
            Ok(problems) => self.list.extend(problems.list),
            Err(error) => {
                let (message, hints) = match error.downcast_ref::<Failure>() {
                    Some(failure) => (failure.to_string(), failure.hints.as_slice()),
                    None => (format!("{error:#}"), [].as_slice()),
                };
                let told: String = hints.iter().map(|hint| format!("\nhint: {hint}")).collect();
                self.list.insert(Rendered {
                    path: PathBuf::new(),
                    line: 0,
                    column: 0,
                    text: format!("error: {message}{told}\n"),
                    message,
                    hint: (!hints.is_empty()).then(|| hints.join("; ")),
                    environments: Vec::new(),
                });
            }
        }
    }

    /// The problems of several environments in one: one that is not in all of them says in which it is.
    pub fn by_environment(lists: Vec<(String, Self)>) -> Self {
        let environments = lists.len();
        let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for (environment, problems) in lists {
            for problem in problems.list {
                found.entry(problem).or_default().push(environment.clone());
            }
        }
        let told = found.into_iter().map(|(problem, inside)| {
            if inside.len() == environments {
                return problem;
            }
            let names: Vec<String> = inside.iter().map(|name| format!("`{name}`")).collect();
            let text = format!("{}note: in {}\n", problem.text, join_and(&names));
            Rendered { text, environments: inside, ..problem }
        });
        Self { list: told.collect() }
    }

    /// Takes in others.
    pub fn append(&mut self, other: Self) {
        self.list.extend(other.list);
    }

    /// Each with its file and its line, where it has them: the line is 0 where it has none.
    pub fn each(&self) -> impl Iterator<Item = (&Path, usize, &str)> {
        self.list.iter().map(|one| (one.path.as_path(), one.line, one.text.as_str()))
    }

    /// All of them, in the order of their places.
    pub fn all(&self) -> impl Iterator<Item = &Rendered> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.list.iter().map(|one| one.text.trim_end()).collect();
        f.write_str(&texts.join("\n\n"))
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
