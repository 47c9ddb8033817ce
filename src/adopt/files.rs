//! The files of a service's folder that hold what ConfigMaps hold.

use std::collections::{BTreeMap, BTreeSet};

/// Files of a service's folder.
#[derive(Debug, Default)]
pub struct Files {
    /// By their path in the folder.
    pub list: BTreeMap<String, Vec<u8>>,
    taken: BTreeSet<String>,
}

impl Files {
    /// Takes a file in under a good name: one that shipcat takes for nothing else, and that no other has on any file system.
    pub fn add(&mut self, folder: &str, key: &str, bytes: Vec<u8>) -> String {
        // A file in `.j2` would be a template, and a YAML file beside the manifest might be an environment's.
        let name = if key.ends_with(".j2") { format!("{key}.txt") } else { key.to_owned() };
        let lower = name.to_lowercase();
        let beside =
            !lower.ends_with(".yml") && !lower.ends_with(".yaml") && !name.starts_with('.') && lower != "templates";
        let folder = if folder == "templates" { "templates-files" } else { folder };
        let mut path = if beside { name.clone() } else { format!("{folder}/{name}") };
        if self.taken.contains(&path.to_lowercase()) {
            path = format!("{folder}/{name}");
        }
        while !self.taken.insert(path.to_lowercase()) {
            path.push('-');
        }
        self.list.insert(path.clone(), bytes);
        path
    }
}
