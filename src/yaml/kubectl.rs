//! YAML and JSON read as kubectl reads them: sigs.k8s.io/yaml over go-yaml v2, which is YAML 1.1 with habits of its own.
//!
//! The rules were found by asking kubectl 1.20 and 1.32; what they said stands in `kubectl_facts.json` (made by
//! tests/kubectl-facts.py), to which the tests hold this module. What this module returns is what kubectl would send. Where
//! kubectl is careless (a key twice, a document behind `...`), where the versions differ, or where our parser cannot tell
//! what go-yaml would see, the text is refused with a place rather than read in another way.

mod build;
mod scalar;
mod source;
mod strict;
mod tagged;

use std::borrow::Cow;

use serde_json::Value;

/// A document that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What kubectl reads.
    pub value: Value,
    /// The line on which its content starts, from 1.
    pub line: usize,
}

/// Why and where a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Lower case, no full stop.
    pub message: String,
}

impl Unreadable {
    fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into() }
    }

    /// At a byte of a text.
    fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self::new(before.matches('\n').count() + 1, before[start..].chars().count() + 1, message)
    }
}

/// The documents of a text, without the empty ones. A text that starts with `{` is JSON, one value after the other; every
/// other text is YAML, split at lines of `---` before the YAML is looked at.
///
/// # Errors
/// The first place that kubectl refuses, or that it might read in more than one way.
pub fn documents(text: &str) -> Result<Vec<Document>, Unreadable> {
    if text.trim_start().starts_with('{') {
        return strict::documents(text);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = lines_of_unix(text)?;
    printable(&text)?;
    let mut documents = Vec::new();
    let (mut from, mut first, mut at) = (0, 1, 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if let Some(rest) = line.strip_prefix("---") {
            // At the start of a document the line is left to the YAML parser, which may know better what it is.
            // With a comment behind it, kubectl 1.20 silently drops what follows; no author means that, so the newer one's reading counts.
            let comment = rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
            if (rest.trim().is_empty() || comment) && at > from {
                read(&text[from..at], first, &mut documents)?;
                (from, first) = (at + line.len(), number + 1);
            } else if at > from || rest.trim_start().starts_with('#') && !rest.starts_with([' ', '\t']) {
                let message =
                    "kubectl takes `---` with something behind it in different ways, depending on its version";
                return Err(Unreadable::new(number, 1, message));
            }
        }
        at += line.len();
    }
    read(&text[from..], first, &mut documents)?;
    Ok(documents)
}

fn read(text: &str, line: usize, documents: &mut Vec<Document>) -> Result<(), Unreadable> {
    // kubectl ends every line before it gives the text to the YAML parser; at the end of a block scalar it shows.
    let text =
        if text.is_empty() || text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
    documents.extend(build::document(&text, line)?);
    Ok(())
}

/// Line ends as kubectl makes them.
fn lines_of_unix(text: &str) -> Result<Cow<'_, str>, Unreadable> {
    if !text.contains('\r') {
        return Ok(Cow::Borrowed(text));
    }
    match text.match_indices('\r').find(|(at, _)| !text[at + 1..].starts_with('\n')) {
        Some((at, _)) => Err(Unreadable::at(text, at, "a carriage return without a line feed")),
        None => Ok(Cow::Owned(text.replace("\r\n", "\n"))),
    }
}

/// Refuses what go-yaml refuses or takes for a line break, and byte order marks, which the parsers treat differently.
fn printable(text: &str) -> Result<(), Unreadable> {
    // Nearly every text is ASCII, for which one look at the bytes is enough.
    let odd = |byte: &u8| (*byte < b' ' && *byte != b'\n' && *byte != b'\t') || *byte > b'~';
    let Some(start) = text.as_bytes().iter().position(odd) else { return Ok(()) };
    for (at, c) in text[start..].char_indices() {
        let message = match c {
            '\u{85}' | '\u{2028}' | '\u{2029}' => "a character that kubectl takes for a line break",
            '\u{feff}' => "a byte order mark in the middle of the text",
            '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                "a control character"
            }
            _ => continue,
        };
        let message = format!("{message}: U+{:04X}; write it as an escape in double quotes", u32::from(c));
        return Err(Unreadable::at(text, start + at, message));
    }
    Ok(())
}

#[cfg(test)]
#[path = "kubectl_tests.rs"]
mod tests;
