//! The commands of a document, run in their order in one shell, exactly as they are written, and what they print held against what the document shows.
//!
//! A `sh` block is a script that must go well. A `console` block has commands behind `$ `, with what they print below, where `...` stands for any
//! lines. A command that fails must be followed by `$ echo $?`, which shows it, but for `diff`, whose answer that is.

use std::path::Path;
use std::process::{Command, Stdio};

use regex_lite::Regex;

/// One thing to run.
#[derive(Debug)]
struct Piece {
    command: String,
    /// What the document shows; nothing for a script.
    shows: Option<String>,
    line: usize,
}

/// The pieces of a document.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        match language {
            "sh" => pieces.push(Piece { command: body.join("\n"), shows: None, line: number + 2 }),
            "console" => {
                for (at, line) in body.iter().enumerate() {
                    match (line.strip_prefix("$ "), pieces.last_mut()) {
                        (Some(command), _) => pieces.push(Piece {
                            command: command.to_owned(),
                            shows: Some(String::new()),
                            line: number + 2 + at,
                        }),
                        (None, Some(Piece { shows: Some(shows), .. })) => {
                            shows.push_str(line);
                            shows.push('\n');
                        }
                        (None, _) => panic!("line {}: output without a command", number + 2 + at),
                    }
                }
            }
            // Files, and the words of other programs.
            "yaml" | "json" | "groovy" | "text" | "mermaid" => {}
            other => panic!("line {}: a block of `{other}`: say `sh`, `console`, or what it is", number + 1),
        }
    }
    pieces
}

/// What differs from run to run, made the same: times, names of pods and people, revisions, and the width of columns.
fn same(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, by) in [
        (r"[\w.-]+@[\w.-]+( in [\w-]+)?", "WHO"),
        (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?", "WHEN"),
        (r"\b\d+(\.\d+)? (s|min|h)\b", "TIME"),
        (r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b", "-POD"),
        (r"-[0-9a-f]{10}\b", "-HASH"),
        (r"\b[0-9a-f]{7}\b( and local changes)?", "REVISION"),
        (r"-{3,}", "---"),
        (r"[ \t]+", " "),
        (r" +\n", "\n"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
    }
    text.trim().to_owned()
}

/// Whether what was printed is what is shown: `...` on a line of its own stands for any lines, or none.
fn is_as_shown(printed: &str, shown: &str) -> bool {
    let parts: Vec<String> =
        format!("\n{shown}\n").split("\n...\n").map(|part| format!("\n{}\n", part.trim_matches('\n'))).collect();
    let printed = format!("\n{printed}\n");
    let (first, middle, last) = match parts.as_slice() {
        [first, middle @ .., last] => (first, middle, last),
        _ => return parts.first() == Some(&printed),
    };
    let blank = |part: &str| part.trim().is_empty();
    let mut rest = printed;
    if !blank(first) {
        let Some(behind) = rest.strip_prefix(first.as_str()) else { return false };
        rest = format!("\n{behind}");
    }
    for part in middle.iter().filter(|part| !blank(part)) {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = format!("\n{}", &rest[at + part.len()..]);
    }
    blank(last) || rest.ends_with(last.as_str())
}

/// Runs all of a document in a folder. `renamed` are names of the document's that are others here: of namespaces, registries.
#[track_caller]
pub fn run(path: &str, text: &str, folder: &Path, renamed: &[(&str, &str)], shell: &mut Command) {
    let here = |text: &str| renamed.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let pieces = pieces(text);
    assert!(!pieces.is_empty(), "{path} has no command");
    let mut script = "exec 2>&1\n".to_owned();
    for piece in &pieces {
        let command = here(&piece.command);
        // A failure of a script ends it all; the status of a command stays for the next one to see.
        script += &match piece.shows {
            None => format!("set -e\n{command}\nset +e\nprintf '\\001%s\\n' 0\n"),
            Some(_) => format!("(exit ${{_s-0}})\n{command}\n_s=$?; printf '\\001%s\\n' $_s\n"),
        };
    }
    let file = folder.join(".document.sh");
    std::fs::write(&file, script).unwrap();
    let output = shell.arg(&file).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut rest = printed.as_str();
    let mut failed: Option<&Piece> = None;
    for piece in &pieces {
        let Some((said, behind)) = rest.split_once('\u{1}') else {
            panic!("{path}:{}: it ended here\n$ {}\n{rest}", piece.line, piece.command)
        };
        let (code, behind) = behind.split_once('\n').unwrap();
        rest = behind;
        if let Some(failed) = failed.take() {
            assert_eq!(piece.command, "echo $?", "{path}:{}: `{}` failed\n{printed}", failed.line, failed.command);
        }
        if code != "0" && !(code == "1" && piece.command.contains("shipcat diff ")) {
            failed = Some(piece);
        }
        if let Some(shows) = piece.shows.as_ref().filter(|shows| !shows.is_empty()) {
            let (shown, said) = (same(&here(shows)), same(said));
            assert!(
                is_as_shown(&said, &shown),
                "{path}:{}: `{}` prints\n{said}\n--- and is shown with\n{shown}",
                piece.line,
                piece.command
            );
        }
    }
    if let Some(failed) = failed {
        panic!("{path}:{}: `{}` failed\n{printed}", failed.line, failed.command);
    }
}

#[test]
fn what_is_shown_may_leave_lines_out_and_nothing_else() {
    for (printed, shown) in [
        ("a\nb\nc", "a\nb\nc"),
        ("a\nb\nc", "a\n...\nc"),
        ("a\nc", "a\n...\nc"),
        ("a\nb", "..."),
        ("a\nb\nc\nd", "...\nb\n...\nd"),
        ("a\nb", "a\n..."),
    ] {
        assert!(is_as_shown(printed, shown), "{printed:?} {shown:?}");
    }
    for (printed, shown) in [
        ("a\nb\nc", "a\nc"),
        ("a\nb", "...\na"),
        ("a\nb", "b\n..."),
        ("a\nbc", "a\n...\nc"),
        ("a\nb\nc", "a\n...\nx\n...\nc"),
    ] {
        assert!(!is_as_shown(printed, shown), "{printed:?} {shown:?}");
    }
    assert_eq!(
        same("webapp-8d5d794b9-d6c6s  after 4.1 s by ann@laptop"),
        same("webapp-5c99bb95f8-c24gk after 12 s by root@vm")
    );
    assert_ne!(same("0.1.0 -> 0.2.0"), same("0.1.0 -> 0.3.0"));
}
