//! The files of a service's folder that its manifest names.

use std::collections::BTreeMap;
use std::path::Path;

use super::Part;
use crate::error::{FileId, Place, Problem, Sources};
use crate::yaml::Node;

/// What a config file holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// A template: its name ends in `.j2`.
    Template(FileId),
    /// Text that is taken as it is.
    Text(String),
    /// Bytes that are no UTF-8.
    Bytes(Vec<u8>),
}

/// A file of the service's and where the container finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFile {
    /// The path in the container.
    pub target: String,
    /// The folder that is mounted as a whole, if it is.
    pub folder: Option<String>,
    /// The file in the service's folder.
    pub source: String,
}

/// The files of a service's folder that were read: by their names in it.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    files: BTreeMap<String, Content>,
}

impl Folder {
    /// What a file holds.
    pub fn get(&self, source: &str) -> Option<&Content> {
        self.files.get(source)
    }

    /// The files that a part's container gets.
    pub fn of(&self, part: &Part) -> Vec<ConfigFile> {
        let mut found: Vec<ConfigFile> = part
            .tree
            .get("files")
            .map_or(&[][..], Node::entries)
            .iter()
            .flat_map(|(target, source)| self.mounted(target.text(), source))
            .collect();
        found.sort();
        found
    }

    fn mounted(&self, target: &str, source: &Node) -> Vec<ConfigFile> {
        let Some(folder) = target.strip_suffix('/') else {
            return vec![ConfigFile { target: target.into(), folder: None, source: source.text().into() }];
        };
        let file = |name: &str, source: &str| ConfigFile {
            target: format!("{folder}/{name}"),
            folder: Some(folder.to_owned()),
            source: source.to_owned(),
        };
        match source.text().trim_end_matches('/') {
            "" => source.entries().iter().map(|(name, source)| file(name.text(), source.text())).collect(),
            whole => {
                let inside = format!("{whole}/");
                let names = self.files.keys().filter_map(|name| Some((name, name.strip_prefix(&inside)?)));
                names.map(|(source, name)| file(name.strip_suffix(".j2").unwrap_or(name), source)).collect()
            }
        }
    }
}

/// Reads the files of one service.
pub struct Reader<'a> {
    pub root: &'a Path,
    pub folder: &'a Path,
    pub sources: &'a mut Sources,
    pub problems: &'a mut Vec<Problem>,
    pub read: Folder,
}

impl Reader<'_> {
    /// Reads what `files` of a part or of a ConfigMap names.
    pub fn files(&mut self, files: &Node, mounted: bool) {
        let targets: Vec<&str> = files.entries().iter().map(|(target, _)| target.text()).collect();
        for (target, source) in files.entries() {
            let path = target.text();
            if mounted && !path.ends_with('/') {
                let inside = format!("{path}/");
                if let Some(other) = targets.iter().find(|other| other.starts_with(&inside)) {
                    let problem =
                        Problem::at(source.place, format!("`{path}` cannot be a file, since `{other}` is in it"));
                    self.problems.push(problem.hint("give one of them another path"));
                    continue;
                }
                if !source.entries().is_empty() || source.text().ends_with('/') {
                    let problem = Problem::at(source.place, format!("`{path}` is a file, and here is a folder for it"));
                    self.problems.push(problem.hint(format!("write `{path}/` for a folder")));
                    continue;
                }
            }
            if !source.entries().is_empty() {
                for (_, source) in source.entries() {
                    self.file(source.text(), source.place);
                }
            } else if mounted && path.ends_with('/') {
                self.whole(source);
            } else {
                self.file(source.text(), source.place);
            }
        }
    }

    fn whole(&mut self, source: &Node) {
        let name = source.text().trim_end_matches('/');
        let shown = self.folder.join(name);
        let entries =
            match std::fs::read_dir(self.root.join(&shown)) {
                Ok(entries) => entries,
                Err(error) => {
                    let problem = Problem::at(
                        source.place,
                        format!("cannot read the folder `{}`: {}", shown.display(), plain(&error)),
                    );
                    self.problems.push(problem.hint(
                        "a path with a slash at its end is a folder of the service's, or a map of names and files",
                    ));
                    return;
                }
            };
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                entry.path().is_file().then(|| entry.file_name().into_string().ok())?
            })
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        if names.is_empty() {
            self.problems.push(Problem::at(source.place, format!("there is no file in `{}`", shown.display())));
        }
        for file in names {
            self.file(&format!("{name}/{file}"), source.place);
        }
    }

    fn file(&mut self, source: &str, place: Place) {
        if self.read.files.contains_key(source) {
            return;
        }
        let shown = self.folder.join(source);
        let content = match std::fs::read(self.root.join(&shown)) {
            Err(error) => {
                let problem = Problem::at(place, format!("cannot read `{}`: {}", shown.display(), plain(&error)));
                self.problems.push(problem.hint("name a file in the service's folder"));
                return;
            }
            Ok(bytes) => match (String::from_utf8(bytes), source.ends_with(".j2")) {
                (Ok(text), true) => Content::Template(self.sources.add(&shown, text)),
                (Ok(text), false) => Content::Text(text),
                (Err(error), false) => Content::Bytes(error.into_bytes()),
                (Err(_), true) => {
                    let problem = Problem::at(place, format!("the template `{}` is not UTF-8 text", shown.display()));
                    self.problems.push(problem.hint("a file whose name does not end in `.j2` is taken as it is"));
                    return;
                }
            },
        };
        self.read.files.insert(source.to_owned(), content);
    }
}

/// The operating system's words without its number.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}
