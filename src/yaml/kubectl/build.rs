//! The events of one YAML document put together to a JSON value by the rules of go-yaml v2.

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::scalar::{Scalar, resolve};
use super::source::Source;
use super::tagged::{Read, is_merge, read};
use super::{Document, Unreadable};

/// Deeper than any manifest, shallower than the stack; what `serde_json` allows.
const DEPTH: usize = 128;
/// What aliases may unfold to: more than in any manifest, less than in an alias bomb.
const UNFOLDED: usize = 200_000;

/// So many spaces are put before a line that is not indented enough for our parser, where kubectl does not mind.
const PAD: usize = 256;

/// The one document of a text that begins on the given line, or none where there is only a null or nothing.
///
/// go-yaml does not care how far the lines between brackets and quotes are indented, and spaces there mean nothing. Our parser
/// wants them deeper than the key, and says on which line it is not so: there, spaces are added.
pub fn document(text: &str, first: usize) -> Result<Option<Document>, Unreadable> {
    let mut padded: BTreeSet<usize> = BTreeSet::new();
    let mut owned: Option<String> = None;
    loop {
        let mut build = Build::new(owned.as_deref().unwrap_or(text), first);
        let error = match build.document() {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        let line = match build.shallow {
            Some(line) => (line..).find(|line| !padded.contains(line)),
            None => None,
        };
        match line.and_then(|line| text.lines().nth(line - 1).map(|content| (line, content))) {
            Some((line, content)) if !content.starts_with("...") => {
                padded.insert(line);
                let pad = |number| if padded.contains(&number) { PAD } else { 0 };
                let lines = (1..).zip(text.lines());
                owned = Some(lines.map(|(number, line)| format!("{:1$}{line}\n", "", pad(number))).collect());
            }
            _ => {
                let pad = if padded.contains(&(error.line + 1 - first)) { PAD } else { 0 };
                return Err(Unreadable { column: error.column.saturating_sub(pad).max(1), ..error });
            }
        }
    }
}

struct Build<'a> {
    source: Source<'a>,
    parser: Parser<'a, StrInput<'a>>,
    first: usize,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    unfolded: usize,
    /// After an error, the line in brackets or quotes that is not indented enough.
    shallow: Option<usize>,
}

struct Anchor {
    value: Value,
    /// What it is as a key, where it can be one.
    key: Option<String>,
    nodes: usize,
}

impl<'a> Build<'a> {
    fn new(text: &'a str, first: usize) -> Self {
        Self {
            source: Source::new(text),
            parser: Parser::new_from_str(text),
            first,
            anchors: HashMap::new(),
            nodes: 0,
            unfolded: 0,
            shallow: None,
        }
    }

    fn document(&mut self) -> Result<Option<Document>, Unreadable> {
        let mut found = None;
        let mut documents = 0;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let message = "kubectl does not see what stands here: a line `---` belongs before it";
                        return Err(self.wrong(at.start, message));
                    }
                    let (event, at) = self.next()?;
                    let value = self.node(event, at, 0)?;
                    if !value.is_null() {
                        found = Some(Document { value, line: self.line(at.start) });
                    }
                }
                _ => {}
            }
        }
        if let Some(line) = self.source.misplaced_tab() {
            return Err(Unreadable::new(line + self.first - 1, 1, "a tab where kubectl takes only spaces"));
        }
        if self.source.ends_nothing() {
            return Err(Unreadable::new(self.first, 1, "a `...` that ends nothing"));
        }
        Ok(found)
    }

    fn line(&self, at: Marker) -> usize {
        at.line().max(1) + self.first - 1
    }

    fn wrong(&self, at: Marker, message: impl Into<String>) -> Unreadable {
        Unreadable::new(self.line(at), at.col() + 1, message)
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Unreadable> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => match self.source.doubt(&event, span) {
                Some(message) => Err(self.wrong(span.start, message)),
                None => Ok((event, span)),
            },
            Some(Err(error)) => {
                let at = *error.marker();
                self.shallow = match error.info() {
                    // In blocks, such a line would have ended the block: these are about brackets only.
                    "invalid indentation" | "invalid indentation in flow construct" => Some(at.line()),
                    // At the opening quote.
                    "invalid indentation in quoted scalar" => Some(at.line() + 1),
                    _ => None,
                };
                Err(self.wrong(at, format!("not valid YAML: {}", error.info().to_lowercase())))
            }
            None => Ok((Event::StreamEnd, Span::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, Unreadable> {
        let at = span.start;
        self.nodes += 1;
        if depth > DEPTH {
            return Err(self.wrong(at, format!("nested deeper than {DEPTH} levels")));
        }
        let before = self.nodes;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), at)?;
                if anchor != 0 {
                    let value = self.value(&scalar, at)?;
                    self.anchors.insert(anchor, Anchor { value, key: scalar.key(), nodes: 1 });
                }
                // The text is moved where it can be: it is what most of a document consists of.
                let whole = matches!(&scalar, Read::Scalar(Scalar::Text(_)));
                return if whole { Ok(Value::String(text.into_owned())) } else { self.value(&scalar, at) };
            }
            Event::SequenceStart(anchor, _) => (Value::Array(self.items(depth)?), anchor),
            Event::MappingStart(anchor, _) => (Value::Object(self.entries(depth)?), anchor),
            Event::Alias(id) => return Ok(self.alias(id, at)?.value.clone()),
            other => return Err(self.wrong(at, format!("not valid YAML: unexpected {other:?}"))),
        };
        if anchor != 0 {
            let nodes = self.nodes - before + 1;
            self.anchors.insert(anchor, Anchor { value: value.clone(), key: None, nodes });
        }
        Ok(value)
    }

    fn alias(&mut self, id: usize, at: Marker) -> Result<&Anchor, Unreadable> {
        let Some(anchor) = self.anchors.get(&id) else { return Err(self.wrong(at, "an alias to itself")) };
        // Counted as nodes too, so that an anchor around aliases is as large as what it unfolds to.
        self.unfolded += anchor.nodes;
        self.nodes += anchor.nodes;
        if self.unfolded > UNFOLDED {
            return Err(self.wrong(at, "the aliases of this document unfold to too much"));
        }
        Ok(anchor)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Value>, Unreadable> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Map<String, Value>, Unreadable> {
        let mut map = Map::new();
        // The keys that came by `<<` and may be said otherwise; none where there was no `<<`.
        let mut merged: Option<Vec<String>> = None;
        loop {
            let (event, span) = self.next()?;
            let place = span.start;
            if !matches!(event, Event::MappingEnd)
                && let Some(message) = self.source.doubtful_key(span)
            {
                return Err(self.wrong(place, message));
            }
            let key = match event {
                Event::MappingEnd => return Ok(map),
                Event::Scalar(text, style, _, tag) if is_merge(&text, style, tag.as_deref()) => {
                    if merged.is_some() {
                        return Err(self.wrong(place, "the key `<<` is here twice"));
                    }
                    let more = self.merge(depth)?;
                    if let Some(key) = more.keys().find(|key| map.contains_key(*key)) {
                        let message = format!("`<<` replaces the key `{key}` for kubectl: put `<<` above it");
                        return Err(self.wrong(place, message));
                    }
                    merged = Some(more.keys().cloned().collect());
                    map.extend(more);
                    continue;
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.nodes += 1;
                    let scalar = self.scalar(&text, style, tag.as_deref(), place)?;
                    if anchor != 0 {
                        let value = self.value(&scalar, place)?;
                        self.anchors.insert(anchor, Anchor { value, key: scalar.key(), nodes: 1 });
                    }
                    let whole = matches!(&scalar, Read::Scalar(Scalar::Text(_)));
                    if whole { Some(text.into_owned()) } else { scalar.key() }
                }
                Event::Alias(id) => self.alias(id, place)?.key.clone(),
                _ => None,
            };
            let Some(key) = key else { return Err(self.wrong(place, "a key must be text: put it in quotes")) };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            match map.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    let keys = merged.get_or_insert_default();
                    let Some(position) = keys.iter().position(|key| key == entry.key()) else {
                        return Err(self.wrong(place, format!("the key `{}` is here twice", entry.key())));
                    };
                    if by_chance(entry.key()) {
                        return Err(self.wrong(place, BY_CHANCE));
                    }
                    keys.swap_remove(position);
                    entry.insert(value);
                }
            }
        }
    }

    /// What `<<` brings in: of several maps, the first that has a key gives the value.
    fn merge(&mut self, depth: usize) -> Result<Map<String, Value>, Unreadable> {
        let (event, at) = self.next()?;
        let listed = matches!(event, Event::SequenceStart(..));
        let value = self.node(event, at, depth + 1)?;
        let at = at.start;
        let parts = match value {
            Value::Object(map) => return Ok(map),
            // A list behind an alias is none to kubectl.
            Value::Array(parts) if listed => parts,
            _ => return Err(self.wrong(at, "`<<` takes a map or a list of maps")),
        };
        let mut merged = Map::new();
        for part in parts {
            let Value::Object(part) = part else { return Err(self.wrong(at, "`<<` takes a map or a list of maps")) };
            for (key, value) in part {
                if by_chance(&key) && merged.contains_key(&key) {
                    return Err(self.wrong(at, BY_CHANCE));
                }
                merged.entry(key).or_insert(value);
            }
        }
        Ok(merged)
    }

    fn scalar<'s>(
        &self,
        text: &'s str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: Marker,
    ) -> Result<Read<'s>, Unreadable> {
        read(text, style, tag).map_err(|message| self.wrong(at, message))
    }

    fn value(&self, scalar: &Read<'_>, at: Marker) -> Result<Value, Unreadable> {
        scalar.value().ok_or_else(|| self.wrong(at, "a number that JSON cannot hold: put it in quotes"))
    }
}

const BY_CHANCE: &str = "a key that may be text or not stands in both maps, and kubectl takes one by chance";

/// Whether a key may have been something else than text: go-yaml keeps `1` and `"1"` apart until the end.
fn by_chance(key: &str) -> bool {
    !matches!(resolve(key), Scalar::Text(_))
}
