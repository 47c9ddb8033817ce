//! JSON that every YAML parser reads as the same JSON.

use std::fmt::Write as _;

/// JSON in which everything that a YAML parser might stumble over or fold is escaped: YAML 1.1 takes U+0085, U+2028 and U+2029
/// for line breaks and refuses what it calls not printable (YAML 1.1, section 5.1). Where JSON has such a character, it is
/// in a string, so that an escape is right.
pub fn safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let printable = matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        if printable {
            out.push(c);
        } else {
            // All of them are in the basic plane. Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out
}

/// The first character that does not survive a server-side apply, if there is one. The API server reads the body of an apply as
/// YAML, and kubectl writes these as they are: go-yaml refuses them, and takes U+0085 for a line break.
pub fn unappliable(text: &str) -> Option<char> {
    text.chars().find(|c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives_a_yaml_parser() {
        let text: String = (0..0x11_0000_u32).filter_map(char::from_u32).collect();
        let json = safe(&serde_json::to_string(&text).unwrap());
        assert!(!json.contains(['\u{7f}', '\u{85}', '\u{2028}', '\u{feff}', '\n']));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        for part in text.chars().collect::<Vec<_>>().chunks(4096) {
            let part: String = part.iter().collect();
            let yaml = format!("a: {}\n", safe(&serde_json::to_string(&part).unwrap()));
            let read: std::collections::BTreeMap<String, String> = serde_yaml::from_str(&yaml).unwrap();
            assert_eq!(read["a"], part);
        }
    }
}
