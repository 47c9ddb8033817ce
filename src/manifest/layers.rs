//! Reading one file of a repo as a tree that has passed its shape.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::{Place, Problem, Sources};
use crate::yaml::{self, Mode, Node, Shape};

/// One file's word on a service.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Whose word it is, for people: "the defaults of `shipcat.yml`".
    pub what: String,
    /// What it says.
    pub tree: Node,
    /// Whether it speaks of many services at once.
    pub is_default: bool,
}

/// Reads a file; `None` if there is no such file, or if it cannot be read as YAML. What is wrong with it is among the problems, and is
/// not in the first tree, so that the rest of it can be looked at all the same; the second one is all of it.
pub fn file(
    root: &Path,
    path: &Path,
    shape: &'static Shape,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) -> Option<(Node, Node)> {
    let bytes = match std::fs::read(root.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            let file = sources.add(path, String::new());
            let place = Place { file, line: 1, column: 1 };
            problems.push(Problem::at(place, format!("cannot read `{}`: {error}", path.display())));
            return None;
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let (line, column) =
                (good.matches('\n').count() + 1, good.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
            let file = sources.add(path, good);
            problems.push(Problem::at(Place { file, line, column }, "not UTF-8 text"));
            return None;
        }
    };
    let file = sources.add(path, text);
    match yaml::parse(sources.text(file), file) {
        Ok(tree) => {
            let before = problems.len();
            yaml::check(&tree, shape, Mode::Layer, problems);
            let wrong: BTreeSet<Place> = problems[before..].iter().filter_map(|problem| problem.place).collect();
            Some((tree.without(&wrong), tree))
        }
        Err(broken) => {
            problems.extend(broken);
            None
        }
    }
}
