//! A YAML document as a tree in which everything knows its place.

use std::collections::HashMap;

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
    fn new(kind: Kind, place: Place) -> Self {
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

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 40 || line.len() < text.len() {
        format!("{}...", line.chars().take(40).collect::<String>())
    } else {
        line.to_owned()
    }
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
        Err(problem) => {
            builder.problems.push(problem);
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
