//! Volumes and their mounts.

use std::collections::BTreeMap;

use super::{Check, ticked};
use crate::manifest::Part;
use crate::yaml::Node;

pub fn check(part: &Part, check: &mut Check<'_>) {
    let volumes = part.tree.get("volumes");
    let map = volumes.map_or(&[][..], Node::entries);
    let mut names: Vec<String> = map.iter().map(|(name, _)| name.text().to_owned()).collect();
    for volume in volumes.map_or(&[][..], Node::items) {
        let name = volume.get("name").map_or("", Node::text);
        if names.iter().any(|known| known == name) {
            check.wrong(
                volume.place_of(&["name"]),
                format!("two volumes are named `{name}`"),
                "give one of them another name",
            );
        }
        names.push(name.to_owned());
    }
    for (i, name) in names.iter().enumerate() {
        if name.starts_with("shipcat-files") {
            let place = part.tree.place_of(&["volumes", name]);
            let place = volumes.and_then(|volumes| volumes.items().get(i)).map_or(place, |volume| volume.place);
            check.wrong(place, format!("`{name}` is the name of the volume of `files`"), "give it another name");
        }
    }
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    let mut take = |node: &Node, path: &Node, by: &'static str, check: &mut Check<'_>| {
        let whole = path.text().trim_end_matches('/').to_owned();
        if let Some(other) = taken.insert(whole, by) {
            let and = if other == by { String::new() } else { format!(", by `{other}` and by `{by}`") };
            check.wrong(
                node.place,
                format!("two things are mounted at `{}`{and}", path.text()),
                "give one of them another path",
            );
        }
    };
    for (target, _) in part.tree.get("files").map_or(&[][..], Node::entries) {
        take(target, target, "files", check);
    }
    for mount in part.tree.get("volumeMounts").map_or(&[][..], Node::items) {
        known(mount, &names, check);
        if let Some(path) = mount.get("mountPath") {
            take(mount, path, "volumeMounts", check);
        }
    }
    for (_, volume) in map {
        match volume.get("mountPath") {
            Some(path) => take(path, path, "volumes", check),
            None => {
                for key in ["readOnly", "subPath", "subPathExpr", "mountPropagation"] {
                    if let Some(node) = volume.get(key) {
                        check.wrong(
                            node.place,
                            format!("`{key}` is of a mount, and this volume has no `mountPath`"),
                            "add `mountPath`",
                        );
                    }
                }
            }
        }
    }
    for key in ["initContainers", "sidecars"] {
        for container in part.tree.get(key).map_or(&[][..], Node::items) {
            let mut paths: Vec<&str> = Vec::new();
            for mount in container.get("volumeMounts").map_or(&[][..], Node::items) {
                known(mount, &names, check);
                let path = mount.get("mountPath").map_or("", Node::text);
                if paths.contains(&path) {
                    check.wrong(
                        mount.place,
                        format!("two things are mounted at `{path}`"),
                        "give one of them another path",
                    );
                }
                paths.push(path);
            }
        }
    }
}

/// A mount must be of a volume that is there.
fn known(mount: &Node, names: &[String], check: &mut Check<'_>) {
    let Some(name) = mount.get("name") else { return };
    if !names.iter().any(|known| known == name.text()) && !name.text().starts_with("shipcat-files") {
        let hint = if names.is_empty() {
            "add it to `volumes`".to_owned()
        } else {
            format!("the volumes are {}", ticked(names))
        };
        check.because(
            format!("volume {}", name.text()),
            name.place,
            format!("there is no volume `{}`", name.text()),
            hint,
        );
    }
}
