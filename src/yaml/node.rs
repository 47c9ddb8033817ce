//! A YAML document as a tree in which everything knows its place.

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::error::{FileId, Place, Problem};

/// Deeper than any manifest, shallower than the stack.
const DEPTH: usize = 64;
/// More than any manifest, less than what an alias bomb unfolds to.
const NODES: usize = 200_000;

#[derive(Debug, Clone)]
pub struct Node {
    pub kind: Kind,
    pub place: Place,
    size: usize,
}

#[derive(Debug, Clone)]
pub enum Kind {
    /// A scalar as it stands there; plain means without quotes, so that it may be a number, a truth or a null.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// A map without entries.
    pub fn empty(place: Place) -> Self {
        Self::new(Kind::Map(Vec::new()), place)
    }

    pub(super) fn new(kind: Kind, place: Place) -> Self {
        let size = 1 + match &kind {
            Kind::Scalar { .. } => 0,
            Kind::Seq(items) => items.iter().map(|node| node.size).sum(),
            Kind::Map(entries) => entries.iter().map(|(key, value)| key.size + value.size).sum(),
        };
        Self { kind, place, size }
    }

    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar; nothing else has one.
    pub fn text(&self) -> &str {
        match &self.kind {
            Kind::Scalar { text, .. } => text,
            _ => "",
        }
    }

    /// Whether it is a plain whole number. Only decimals: what `0123`, `0x1f` or `1_000` are is a matter of the YAML version.
    pub fn is_whole(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if {
            let digits = text.strip_prefix('-').unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))
        })
    }

    /// Whether some YAML parser would take it for a number (YAML 1.2's core schema, chapter 10.3.2).
    pub fn is_number(&self) -> bool {
        let Kind::Scalar { text, plain: true } = &self.kind else { return false };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && unsigned.bytes().any(|b| b.is_ascii_digit())
            && unsigned.parse::<f64>().is_ok();
        let hex =
            text.strip_prefix("0x").is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let octal = text
            .strip_prefix("0o")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| matches!(b, b'0'..=b'7')));
        decimal
            || hex
            || octal
            || matches!(unsigned, ".inf" | ".Inf" | ".INF")
            || matches!(text.as_str(), ".nan" | ".NaN" | ".NAN")
    }

    /// Whether it is a plain `true` or `false`.
    pub fn is_flag(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "True" | "TRUE" | "false" | "False" | "FALSE"))
    }

    /// The permission bits of a file, if it says such: decimal, or octal with a leading zero.
    pub fn mode(&self) -> Option<u32> {
        let Kind::Scalar { text, plain: true } = &self.kind else { return None };
        let mode = match text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => {
                u32::from_str_radix(octal.strip_prefix('o').unwrap_or(octal), 8).ok()?
            }
            _ if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            _ => return None,
        };
        (mode <= 0o777).then_some(mode)
    }

    /// The value of a key, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(found, _)| found.text() == key).map(|(_, value)| value)
    }

    /// The entries, where this is a map.
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A map without the entries that are not wanted.
    pub fn filtered(&self, wanted: impl Fn(&str, &Self) -> bool) -> Self {
        let entries = self.entries().iter().filter(|(key, value)| wanted(key.text(), value)).cloned().collect();
        match &self.kind {
            Kind::Map(_) => Self::new(Kind::Map(entries), self.place),
            _ => self.clone(),
        }
    }

    /// The same without what stands at these places, and without the entries whose keys do.
    pub fn without(&self, wrong: &BTreeSet<Place>) -> Self {
        let kind = match &self.kind {
            Kind::Map(entries) => {
                let good =
                    entries.iter().filter(|(key, value)| !wrong.contains(&key.place) && !wrong.contains(&value.place));
                Kind::Map(good.map(|(key, value)| (key.clone(), value.without(wrong))).collect())
            }
            Kind::Seq(items) => Kind::Seq(
                items.iter().filter(|item| !wrong.contains(&item.place)).map(|item| item.without(wrong)).collect(),
            ),
            other => other.clone(),
        };
        Self::new(kind, self.place)
    }

    /// The key of the map's entry in which a place is, where this is a map in whose file the place is.
    pub fn key_around(&self, place: Place) -> Option<&str> {
        let before = self.entries().iter().filter(|(key, _)| key.place.file == place.file && key.place <= place);
        before.max_by_key(|(key, _)| key.place).map(|(key, _)| key.text())
    }

    /// The same without nulls in its maps, at any depth.
    pub fn without_nulls(&self) -> Self {
        let kind = match &self.kind {
            Kind::Map(entries) => {
                let kept = entries.iter().filter(|(_, value)| !value.is_null());
                Kind::Map(kept.map(|(key, value)| (key.clone(), value.without_nulls())).collect())
            }
            other => other.clone(),
        };
        Self::new(kind, self.place)
    }

    /// Changes the value of a key, where this is a map that has it.
    pub fn edit(&mut self, key: &str, change: impl Fn(&Self) -> Self) {
        if let Kind::Map(entries) = &mut self.kind
            && let Some((_, value)) = entries.iter_mut().find(|(found, _)| found.text() == key)
        {
            *value = change(value);
        }
    }

    /// Whether it is a list of nothing.
    pub fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Seq(items) if items.is_empty())
    }

    /// The items, where this is a list.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Seq(items) => items,
            _ => &[],
        }
    }

    /// The place of what a path of keys and list indices leads to, or of as much of the path as there is.
    pub fn place_of(&self, path: &[&str]) -> Place {
        let Some((first, rest)) = path.split_first() else { return self.place };
        let next = match &self.kind {
            Kind::Map(_) => self.get(first),
            Kind::Seq(items) => first.parse::<usize>().ok().and_then(|index| items.get(index)),
            Kind::Scalar { .. } => None,
        };
        next.map_or(self.place, |next| next.place_of(rest))
    }

    /// What it is, in words.
    pub fn found(&self) -> String {
        match &self.kind {
            _ if self.is_null() => "nothing".into(),
            Kind::Scalar { text, plain: true } => format!("`{}`", shorten(text)),
            Kind::Scalar { text, plain: false } => format!("the text \"{}\"", shorten(text)),
            Kind::Seq(_) => "a list".into(),
            Kind::Map(_) => "a map".into(),
        }
    }
}

pub fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    // A character that cannot be seen would make a message of nothing.
    let seen = |c: char| if c.is_control() || c == '\u{feff}' { c.escape_unicode().to_string() } else { c.to_string() };
    short.chars().map(seen).collect::<String>() + more
}

/// Reads one document. Syntax errors and duplicate keys are problems; an empty file is an empty map.
pub fn parse(text: &str, file: FileId) -> Result<Node, Vec<Problem>> {
    let mut builder = Builder {
        parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        file,
        anchors: HashMap::new(),
        nodes: 0,
        problems: Vec::new(),
    };
    match builder.document() {
        Ok(node) if builder.problems.is_empty() => Ok(node),
        Ok(_) => Err(builder.problems),
        // What is here twice before a text that cannot be read on is mostly the same slip.
        Err(problem) => {
            builder.problems.push(problem);
            builder.problems.truncate(1);
            Err(builder.problems)
        }
    }
}

struct Builder<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    file: FileId,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    fn place(&self, marker: Marker) -> Place {
        Place { file: self.file, line: marker.line().max(1), column: marker.col() + 1 }
    }

    fn next(&mut self) -> Result<(Event<'a>, Place), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start))),
            Some(Err(error)) => Err(Problem::at(
                self.place(*error.marker()),
                format!("not valid YAML: {}", error.info().to_lowercase()),
            )),
            None => Ok((Event::StreamEnd, Place { file: self.file, line: 1, column: 1 })),
        }
    }

    fn document(&mut self) -> Result<Node, Problem> {
        let start = Place { file: self.file, line: 1, column: 1 };
        let mut root = Node::new(Kind::Map(Vec::new()), start);
        let mut documents = 0;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Problem::at(place, "a second document in one file").hint("take the `---` away"));
                    }
                    let (event, place) = self.next()?;
                    root = self.node(event, place, 0)?;
                    if root.is_null() {
                        root = Node::new(Kind::Map(Vec::new()), place);
                    }
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, place: Place, depth: usize) -> Result<Node, Problem> {
        self.nodes += 1;
        if depth > DEPTH {
            return Err(Problem::at(place, format!("nested deeper than {DEPTH} levels")));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix != "str");
                (Kind::Scalar { text: text.into_owned(), plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, place) => items.push(self.node(event, place, depth + 1)?),
                    }
                }
                (Kind::Seq(items), anchor)
            }
            Event::MappingStart(anchor, _) => (Kind::Map(self.entries(depth)?), anchor),
            Event::Alias(id) => {
                let mut node = self.anchors.get(&id).cloned().ok_or_else(|| Problem::at(place, "alias to itself"))?;
                self.nodes += node.size;
                if self.nodes > NODES {
                    return Err(Problem::at(place, "the aliases of this file unfold to too much"));
                }
                node.place = place;
                return Ok(node);
            }
            other => return Err(Problem::at(place, format!("not valid YAML: unexpected {other:?}"))),
        };
        let node = Node::new(kind, place);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Node, Node)>, Problem> {
        let mut entries = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, place) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries);
            }
            let key = self.node(event, place, depth + 1)?;
            let (event, place) = self.next()?;
            let value = self.node(event, place, depth + 1)?;
            let Kind::Scalar { text, .. } = &key.kind else {
                return Err(Problem::at(key.place, "a key must be text").hint("quote it if it starts with `{` or `[`"));
            };
            if let Some(line) = seen.insert(text.clone(), key.place.line) {
                let problem = Problem::at(key.place, format!("the key `{text}` is here twice"));
                self.problems.push(problem.hint(format!("take one away; the first is on line {line}")));
                continue;
            }
            entries.push((key, value));
        }
    }
}
