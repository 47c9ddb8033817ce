//! Broken manifests, made from the good ones of this repo: none makes anything fall, each problem has its place, and one mistake is
//! told once.

use std::path::Path;

use super::*;
use crate::manifest::{Loading, Repo};

/// Numbers that look random and are the same each time (Knuth's MMIX multiplier).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// One mistake in a text.
fn broken(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = dice.below(lines.len());
    let line = lines[at].clone();
    let column = line.char_indices().nth(dice.below(line.chars().count().max(1))).map_or(0, |(at, _)| at);
    let junk = [
        "\t",
        "{",
        "]",
        "\"",
        ": ",
        "- ",
        "*x",
        "&",
        "{{ nope }}",
        "\u{7f}",
        "\u{1f600}",
        "0",
        "null",
        "!!int ",
        "\u{0}",
        "|",
        "%",
        "~",
    ];
    match dice.below(9) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, line),
        2 => lines[at].insert_str(column, junk[dice.below(junk.len())]),
        3 => lines[at].truncate(column),
        4 => lines[at] = format!(" {line}"),
        5 => lines[at] = line.trim_start().to_owned(),
        6 => {
            lines[at] = line.split_once(": ").map_or(line.clone(), |(key, _)| {
                format!("{key}: {}", ["x y", "-1", "[]", "{a: b}", "70000", "on", "~", "''"][dice.below(8)])
            })
        }
        7 => lines[at] = line.replacen(':', "x:", 1),
        _ => {
            let mut bytes = text.as_bytes().to_vec();
            let at = dice.below(bytes.len());
            bytes[at] = 0xff;
            return bytes;
        }
    }
    (lines.join("\n") + "\n").into_bytes()
}

#[test]
fn a_thousand_broken_manifests() {
    let dir = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&here.join("manifests"), &dir.path().join("manifests"));
    std::fs::copy(here.join("shipcat.yml"), dir.path().join("shipcat.yml")).unwrap();
    let repo = Repo::read(dir.path().to_owned()).unwrap();
    let templates = Templates::new(&repo.templates, &repo.sources).unwrap();
    let environment = repo.environment(Some("dev")).unwrap();
    let services = repo.services().unwrap();
    let mut dice = Dice(1);
    let (mut told, mut many) = (0, Vec::new());
    for round in 0..1200 {
        let service = &services[round % services.len()];
        let path = dir.path().join("manifests").join(service).join("manifest.yml");
        let good = std::fs::read_to_string(&path).unwrap();
        let bad = broken(&good, &mut dice);
        std::fs::write(&path, &bad).unwrap();
        let mut problems = Vec::new();
        match repo.load(service, &environment) {
            Loading::Here(manifest, _) => match version_from_files(&manifest, None) {
                Ok(version) => drop(make(&templates, &manifest, &version, &mut problems)),
                Err(error) => assert!(error.to_string().contains("has no version"), "{error}"),
            },
            Loading::Broken(broken) => problems = broken.problems,
            Loading::Elsewhere(_) => {}
        }
        let text = String::from_utf8_lossy(&bad).into_owned();
        problems.dedup();
        assert!(problems.iter().all(|problem| problem.place.is_some()), "{text}\n{problems:?}");
        told += usize::from(!problems.is_empty());
        // Where the line between two maps is gone, each of their keys that is in both is a mistake of its own.
        let is_merged = problems.iter().all(|problem| problem.message.ends_with(" is here twice"));
        if problems.len() > 1 && !is_merged {
            many.push((text, problems));
        }
        std::fs::write(&path, good).unwrap();
    }
    assert!(told > 500, "{told}");
    for (text, problems) in &many {
        eprintln!("----\n{text}");
        for problem in problems {
            eprintln!("  {:?} {}", problem.place.map(|p| (p.line, p.column)), problem.message);
        }
    }
    assert!(many.is_empty(), "{} of them were told more than once", many.len());
}
