//! How a manifest is laid out: the order of its keys, empty lines and comments between them, and which line stands for which object.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::write::{Style, Written, write};

/// The order of keys in groups; other keys come before the last two, of which the last is for what is taken away.
const ORDER: [&[&str]; 9] = [
    &["kind", "name", "containerName", "image", "registry", "version", "replicas", "autoscaling", "disruptionBudget"],
    &["port", "ports", "service", "services", "ingress"],
    &["health", "readinessProbe", "livenessProbe", "startupProbe", "lifecycle", "resources"],
    &["command", "args", "workingDir", "env", "envFrom"],
    &["configMaps", "volumes", "volumeMounts"],
    &["initContainers", "sidecars", "workers", "cronJobs"],
    &[],
    &["shipcatLabels", "selector", "labels", "objectLabels", "annotations", "podLabels", "podAnnotations", "templates"],
    &[],
];

fn group(key: &str, value: &Value) -> (usize, usize) {
    if value.is_null() {
        return (ORDER.len() - 1, 0);
    }
    let found = ORDER.iter().enumerate().find_map(|(i, keys)| Some((i, keys.iter().position(|own| *own == key)?)));
    found.unwrap_or((ORDER.len() - 3, 0))
}

/// Keys in the order in which people read them.
pub fn sorted(keys: Map<String, Value>) -> Map<String, Value> {
    let mut list: Vec<(String, Value)> = keys.into_iter().collect();
    list.sort_by_key(|(key, value)| group(key, value));
    list.into_iter().collect()
}

impl Draft {
    /// The manifest's text, and on which line each key starts.
    pub fn manifest(&self, head: &str) -> Written {
        let mut last = None;
        let groups: Vec<(String, bool)> = self
            .keys
            .iter()
            .map(|(key, value)| {
                let own = group(key, value).0;
                let new = last.replace(own).is_some_and(|last| last != own);
                (key.clone(), new)
            })
            .collect();
        let first_null = self.keys.iter().find(|(_, value)| value.is_null()).map(|(key, _)| key.clone());
        let above = |key: &str| {
            let new = groups.iter().any(|(own, new)| own == key && *new);
            let nulls = if first_null.as_deref() == Some(key) {
                "# `shipcat.yml` gives every service these, and the objects did not have them: `~` takes them away.\n"
            } else {
                ""
            };
            format!("{}{nulls}{}", if new { "\n" } else { "" }, comment(key, &self.keys))
        };
        let mut written = write(&self.keys, Style::Manifest, &above);
        let lines = head.matches('\n').count();
        written.text.insert_str(0, head);
        for (line, _) in &mut written.lines {
            *line += lines;
        }
        written
    }

    /// The object that a line of the manifest stands for.
    pub fn owner(&self, written: &Written, line: usize) -> Option<usize> {
        let (_, path) = written.lines.iter().rev().find(|(start, _)| *start <= line)?;
        (0..=path.len()).rev().find_map(|n| Some(self.owners.iter().find(|(own, _)| *own == path[..n])?.1))
    }
}

fn comment(key: &str, keys: &Map<String, Value>) -> String {
    match key {
        "shipcatLabels" => "\
# The objects keep the labels that they had. Take this line away, and each object and pod gets shipcat's labels as well, by which
# `kubectl get all -l shipcat.dev/service=NAME` finds them: the pods are replaced once for it.
"
        .into(),
        "templates" => "# These templates of the repo make objects that were not there.\n".into(),
        "autoscaling" if keys[key].get("replicas").is_some() => {
            "# `replicas` here is what the objects said beside their autoscaler; after the first ship it can go.\n".into()
        }
        _ => String::new(),
    }
}
