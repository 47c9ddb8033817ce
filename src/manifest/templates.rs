//! The templates of a repo and of a service: where they are, and which names they may have.

use std::path::Path;

use super::Template;
use crate::error::{Place, Problem, Sources};

/// The endings of a template that makes objects.
const ENDINGS: [&str; 3] = [".yml.j2", ".yaml.j2", ".json.j2"];

/// Reads the templates of a folder, in the order of their names. A name that starts with `_` makes no objects by itself: others
/// include it.
pub fn read(
    root: &Path,
    folder: &Path,
    own: bool,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) -> Vec<Template> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let mut templates: Vec<Template> = Vec::new();
    for file in names {
        let path = folder.join(&file);
        if file.starts_with('.') || root.join(&path).is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&path));
        let id = sources.add(&path, text.as_deref().unwrap_or_default().to_owned());
        let mut wrong = |message: String, hint: &str| {
            problems.push(Problem::at(Place { file: id, line: 1, column: 1 }, message).hint(hint));
        };
        let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending));
        match (stem, text) {
            (None, _) if !file.starts_with('_') => wrong(
                format!("`{}` is not read by anybody", path.display()),
                "a template is named as in `networkpolicy.yml.j2`; one that others include starts with `_`",
            ),
            (_, Err(error)) => wrong(format!("cannot read `{}`: {error}", path.display()), "a template is UTF-8 text"),
            (stem, Ok(_)) => {
                let name = stem.unwrap_or(&file).to_owned();
                if templates.iter().any(|other| other.name == name) {
                    wrong(format!("two templates are named `{name}`"), "rename one of them");
                }
                templates.push(Template { name, file: id, own });
            }
        }
    }
    templates
}
