//! From a file's bytes to its cases. A file is somebody else's: entities of its own are refused (so that none can unfold to gigabytes), and
//! nothing of it names a path.

use std::borrow::Cow;

use roxmltree::{Document, ParsingOptions};

use super::case::Case;

/// More elements and texts than any report, less than what a machine cannot hold.
const NODES: u32 = 5_000_000;

/// What a file says.
#[derive(Debug)]
pub enum Said {
    /// These are its cases.
    Cases(Vec<Case>),
    /// It is XML of another kind, such as a coverage report.
    Foreign(String),
    /// It cannot be read, and why.
    Broken(String),
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Said {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Said::Broken("is empty".into());
    }
    let text = decoded(bytes);
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(text.trim_start_matches('\u{feff}'), options) {
        Ok(document) => document,
        Err(roxmltree::Error::DtdDetected) => return Said::Broken("has a DTD, which is refused".into()),
        Err(roxmltree::Error::NodesLimitReached) => return Said::Broken("has more than 5 million elements".into()),
        Err(error) => return Said::Broken(format!("is no well-formed XML: {error}")),
    };
    let root = document.root_element();
    if !root.has_tag_name("testsuites") && !root.has_tag_name("testsuite") {
        return Said::Foreign(root.tag_name().name().to_owned());
    }
    let mut cases = Vec::new();
    for element in root.descendants() {
        if element.has_tag_name("testcase") {
            let suite = element.parent_element().and_then(|suite| suite.attribute("name")).unwrap_or_default();
            cases.push(Case::of(element, suite));
        } else if element.has_tag_name("testsuite") || element.has_tag_name("testsuites") {
            cases.extend(Case::of_suite(element));
        }
    }
    Said::Cases(cases)
}

/// As text: UTF-8, or what its first two bytes say. What is neither is read as far as it goes: names of cases may be in any encoding, and
/// the elements are ASCII in all of them.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes).into(),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes).into(),
        _ => String::from_utf8_lossy(bytes),
    }
}
