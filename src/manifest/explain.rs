//! Which layer a value came from.

use std::fmt::Write as _;

use super::Manifest;
use super::keys::service::MANIFEST;
use crate::yaml::Node;

/// What the layers say of a key (`replicas`, `env.LOG_LEVEL`, `workers.mailer.command`): what holds, where it comes from, and what it
/// stands over. `None` if the format has no such key.
pub fn explain(manifest: &Manifest, path: &str) -> Option<String> {
    let keys: Vec<&str> = path.split('.').collect();
    let field = MANIFEST.get(keys.first()?)?;
    let mut out = String::new();
    // Keys of maps may have dots of their own, as labels and files do.
    let found = |tree: &Node| lookup(tree, &keys).cloned();
    // Writing to a String cannot fail.
    let at = |node: &Node| {
        let path = manifest.sources.path(node.place.file).display();
        format!("{path}:{}:{}", node.place.line, node.place.column)
    };
    match found(&manifest.tree) {
        Some(node) => {
            let _ = writeln!(out, "{path}: {}", shown(&node));
            leaves(&node, path, &mut |leaf, node| {
                let what = if leaf == path { String::new() } else { format!("{leaf}: {}  ", shown(node)) };
                let _ = writeln!(out, "  {what}from {}", at(node));
            });
        }
        None => {
            let _ = writeln!(out, "{path} is not set in {}: {}", manifest.environment, field.doc);
        }
    }
    for layer in manifest.layers.iter().rev() {
        if let Some(node) = found(&layer.tree)
            && found(&manifest.tree).is_none_or(|winner| winner.place != node.place)
        {
            let what = if node.is_null() { "taken away".into() } else { shown(&node) };
            let _ = writeln!(out, "  {} says {what}  {}", layer.what, at(&node));
        }
    }
    Some(out)
}

fn lookup<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    if keys.is_empty() {
        return Some(node);
    }
    (1..=keys.len()).find_map(|n| {
        let key = keys[..n].join(".");
        let next = node.get(&key).or_else(|| node.items().get(key.parse::<usize>().ok()?))?;
        lookup(next, &keys[n..])
    })
}

fn leaves(node: &Node, path: &str, tell: &mut dyn FnMut(&str, &Node)) {
    if node.entries().is_empty() {
        return tell(path, node);
    }
    for (key, value) in node.entries() {
        leaves(value, &format!("{path}.{}", key.text()), tell);
    }
}

fn shown(node: &Node) -> String {
    let value = crate::yaml::value(node, &crate::yaml::Shape::Free);
    match value {
        serde_json::Value::Object(map) => format!("a map of {}", map.len()),
        value => value.to_string(),
    }
}
