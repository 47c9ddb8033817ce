//! Imports go down only (the table is the house's plan, in the order of its floors).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each room of the crate and the rooms that it may import.
const MAY_IMPORT: [(&str, &[&str]); 20] = [
    ("clock", &[]),
    ("error", &[]),
    ("junit", &["error"]),
    ("origin", &[]),
    ("process", &[]),
    ("redact", &[]),
    ("signal", &[]),
    ("threads", &[]),
    ("ui", &["origin", "process", "redact", "error"]),
    ("yaml", &["error"]),
    ("git", &["process"]),
    ("manifest", &["yaml", "error"]),
    ("render", &["manifest", "yaml", "error"]),
    ("adopt", &["render", "manifest", "yaml", "error"]),
    ("kubectl", &["yaml", "process", "ui", "redact", "signal", "threads", "clock", "error"]),
    ("bdd", &["kubectl", "junit", "yaml", "process", "ui", "error"]),
    ("slack", &["redact", "error"]),
    ("release", &["kubectl", "git", "bdd", "yaml", "origin", "process", "ui", "signal", "threads", "clock", "error"]),
    (
        "commands",
        &[
            "release", "kubectl", "bdd", "slack", "adopt", "render", "manifest", "git", "yaml", "origin", "ui",
            "redact", "signal", "threads", "error",
        ],
    ),
    ("cli", &["commands"]),
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rooms that a source names as `crate::ROOM`.
fn imports(text: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    text.match_indices("crate::")
        .map(|(at, mark)| word(&text[at + mark.len()..]))
        .filter(|room| !room.is_empty())
        .collect()
}

#[test]
fn imports_go_down_only() {
    // Of this run, and not of the one that compiled it: checkouts may share a target folder.
    let src = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("src");
    let mut looked_at = 0;
    for path in sources(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "main" {
            continue;
        }
        let Some((_, may)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else {
            panic!("`{room}` is a new room: give it a place in this table")
        };
        for import in imports(&std::fs::read_to_string(&path).unwrap()) {
            looked_at += 1;
            assert!(
                import == room || may.contains(&import.as_str()),
                "{} must not import `{import}`",
                inside.display()
            );
        }
    }
    assert!(looked_at > 50, "only {looked_at} imports were seen: the test looks at nothing");
}
