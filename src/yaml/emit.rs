//! JSON as YAML for people, as `kubectl get -o yaml` shows it, which every YAML 1.1 and 1.2 parser reads as the same JSON.

use std::fmt::Write as _;

use serde_json::Value;

use super::safe;

/// Parsers look for the `:` behind a key on 1024 characters, and without a `?` no further; escapes make six of one.
const LONG_KEY: usize = 128;

/// Block-style YAML that ends with a line feed: two spaces of indentation, list items at the indentation of their key, keys in the
/// order of the map. Text is plain where no parser takes it for something else, a block where it has several tame lines, and
/// in double quotes everywhere else. Fractions without a fraction (`1.0`) and integers above an `i64` are written as they are, but
/// kubectl reads them as it does in JSON: `1`, and an `f64`.
pub fn emit(value: &Value) -> String {
    // More than most objects need; doubling does the rest.
    let mut out = String::with_capacity(2048);
    match value {
        Value::Object(map) if !map.is_empty() => entries(&mut out, map, 0),
        Value::Array(list) if !list.is_empty() => items(&mut out, list, 0),
        // A block at the top would be at the mercy of what surrounds the document.
        Value::String(text) => {
            text_in_line(&mut out, text);
            out.push('\n');
        }
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

/// The lines of a map, where the first is already indented.
fn entries(out: &mut String, map: &serde_json::Map<String, Value>, indent: usize) {
    for (number, (key, value)) in map.iter().enumerate() {
        if number > 0 {
            pad(out, indent);
        }
        let long = key.len() > LONG_KEY;
        if long {
            out.push_str("? ");
        }
        text_in_line(out, key);
        if long {
            out.push('\n');
            pad(out, indent);
        }
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                pad(out, indent + 2);
                entries(out, map, indent + 2);
            }
            Value::Array(list) if !list.is_empty() => {
                out.push('\n');
                pad(out, indent);
                items(out, list, indent);
            }
            value => {
                out.push(' ');
                scalar(out, value, indent);
                end_line(out);
            }
        }
    }
}

/// The lines of a list, where the first is already indented.
fn items(out: &mut String, list: &[Value], indent: usize) {
    for (number, value) in list.iter().enumerate() {
        if number > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        match value {
            Value::Object(map) if !map.is_empty() => entries(out, map, indent + 2),
            Value::Array(list) if !list.is_empty() => items(out, list, indent + 2),
            value => {
                scalar(out, value, indent);
                end_line(out);
            }
        }
    }
}

/// A value without parts, without the line feed behind it; a block ends with one.
fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => number_in_line(out, number),
        Value::String(text) if is_tame(text) => block(out, text, indent + 2),
        Value::String(text) => text_in_line(out, text),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// A block ends with its own line feed, everything else needs one.
fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn pad(out: &mut String, indent: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = indent;
    while left > 0 {
        let step = left.min(SPACES.len());
        out.push_str(&SPACES[..step]);
        left -= step;
    }
}

/// The number as JSON has it: YAML 1.1 wants a dot and a signed exponent to know a fraction, and JSON takes both.
fn number_in_line(out: &mut String, number: &serde_json::Number) {
    let start = out.len();
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
    if !number.is_f64() {
        return;
    }
    if let Some(exponent) = out[start..].find('e').map(|at| start + at) {
        if !out[exponent + 1..].starts_with(['-', '+']) {
            out.insert(exponent + 1, '+');
        }
        if !out[start..exponent].contains('.') {
            out.insert_str(exponent, ".0");
        }
    }
}

/// Whether a text has lines, and is safe and readable as a literal block, whatever parser reads it. What starts with white space
/// would need an indentation indicator.
fn is_tame(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'\n') || matches!(bytes[0], b' ' | b'\t' | b'\n') {
        return false;
    }
    let mut last = b'\n';
    for &byte in bytes {
        match (last, byte) {
            // White space at the end of a line is not seen, and a tab in front of one is none of YAML's indentation.
            (b' ' | b'\t', b'\n') | (b'\n', b'\t') => return false,
            (_, b'\n' | b'\t' | b' '..=b'~' | 0x80..) => {}
            _ => return false,
        }
        last = byte;
    }
    !matches!(last, b' ' | b'\t') && (text.is_ascii() || text.chars().all(is_ordinary))
}

/// Printable in YAML 1.1 and 1.2, and no line break or byte order mark in either.
fn is_ordinary(c: char) -> bool {
    matches!(c, '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn block(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    out.push_str(match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
    // At least one, even where the text has none: it ends the line.
    out.push('\n');
    out.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
}

/// A text on one line: plain or in double quotes.
fn text_in_line(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        quote(out, text);
    }
}

fn quote(out: &mut String, text: &str) {
    let simple = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(simple) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&safe(&Value::from(text).to_string()));
    }
}

/// Words that mean something, in lower case; and `=` and `<<`, which YAML 1.1 knows.
const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

/// Whether a text is text, and this text, to every parser without quotes.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    // Numbers, times and versions begin with a digit, a sign or a dot; the rest are indicators.
    if first.is_ascii_digit() {
        return is_quantity(text);
    }
    if !(first.is_ascii_alphabetic() || matches!(first, b'/' | b'_' | b'$' | b'(')) || matches!(last, b':' | b' ') {
        return false;
    }
    let mut before = first;
    for &byte in bytes {
        match byte {
            b'#' if before == b' ' => return false,
            b' ' if before == b':' => return false,
            b' '..=b'~' => {}
            _ => return false,
        }
        before = byte;
    }
    bytes.len() > 5 || !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `100m`, `64Mi`, `30s`: what in Kubernetes begins with a digit and is a number nowhere.
fn is_quantity(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(unit, "m" | "s" | "h" | "Ki" | "Mi" | "Gi" | "Ti")
}

#[cfg(test)]
#[path = "emit_tests.rs"]
mod tests;
