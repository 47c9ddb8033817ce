//! The spellings in which others pass a value on: encoded, quoted, line by line.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::SHORTEST;

/// Every spelling in which a value may leave.
pub fn spellings(value: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // A value made by `echo` has a line's end that others leave out.
    let trimmed = value.trim_ascii();
    for bytes in [value, trimmed] {
        if bytes.len() < SHORTEST {
            continue;
        }
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            found.insert(engine.encode(bytes));
        }
    }
    if let Ok(text) = std::str::from_utf8(trimmed) {
        found.extend(spellings_of(text));
    }
    // Logs and files are told line by line.
    let text = String::from_utf8_lossy(trimmed);
    if text.contains('\n') {
        let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST);
        for line in lines.filter(|line| line.chars().any(char::is_alphanumeric) && !line.contains('\u{fffd}')) {
            found.extend(spellings_of(line));
        }
    }
    found
}

fn spellings_of(text: &str) -> BTreeSet<String> {
    // Kubernetes wants a dollar twice where it would read a reference, in a variable or an argument.
    let bases: BTreeSet<String> = [text.to_owned(), text.replace("$(", "$$("), text.replace('$', "$$")].into();
    bases.iter().flat_map(|base| encodings(base)).collect()
}

fn encodings(text: &str) -> BTreeSet<String> {
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    // Go's own JSON writes what could be HTML as numbers, and so two line ends of Unicode.
    let go = |text: &str| {
        let pairs =
            [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
        pairs.iter().fold(json(text), |text, (from, to)| text.replace(*from, to))
    };
    let shell = |text: &str| text.replace('\'', r"'\''");
    // Reports of tests are XML.
    let xml = |quotes: &[(char, &str)]| {
        let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")];
        pairs.iter().chain(quotes).fold(text.to_owned(), |text, (from, to)| text.replace(*from, to))
    };
    let mut found: BTreeSet<String> = [text.to_owned(), json(text), go(text), quoted(text)].into();
    // An annotation holds JSON, and is shown in JSON.
    found.extend([json(&json(text)), go(&go(text)), json(&go(text))]);
    found.extend([
        xml(&[]),
        xml(&[('"', "&quot;")]),
        xml(&[('"', "&quot;"), ('\'', "&apos;")]),
        xml(&[('"', "&#34;"), ('\'', "&#39;")]),
    ]);
    for plain in [" ", "+", "%20"] {
        for keep in ["-._~", "-._~/", "-_.!~*'()", "-._~!$&'()*+,;=:@/?"] {
            let encoded = percent(text, keep, plain);
            found.insert(encoded.clone());
            found.insert(lower_hex(&encoded));
        }
    }
    let shells: Vec<String> = found.iter().map(|text| shell(text)).collect();
    found.extend(shells);
    found.retain(|text| text.len() >= SHORTEST);
    found
}

/// As Go's `%q` writes a text.
fn quoted(text: &str) -> String {
    let one = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        c if (c as u32) < 0x20 || c as u32 == 0x7f => format!("\\x{:02x}", c as u32),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// URL encoding, but for letters, digits and `keep`; a space as `space`.
fn percent(text: &str, keep: &str, space: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c == ' ' {
            out.push_str(space);
        } else if c.is_ascii_alphanumeric() || (c.is_ascii() && keep.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The same with the numbers in small letters.
fn lower_hex(text: &str) -> String {
    let mut left = 0;
    let one = |c: char| {
        left = if c == '%' { 2 } else { i32::max(left - 1, -1) };
        if left >= 0 { c.to_ascii_lowercase() } else { c }
    };
    text.chars().map(one).collect()
}
