//! What a file may say, as data: the same shapes check a file, turn it into JSON, merge its layers, and become its JSON Schema,
//! so that the four cannot drift apart.

use std::sync::OnceLock;

use regex_lite::Regex;

/// What may stand at a place of a file.
#[derive(Debug)]
pub enum Shape {
    /// Any text, number or truth: the very text that stands in the file.
    Text,
    /// A text by a rule.
    Word(&'static Rule),
    /// A whole number from one bound to the other, both included.
    Whole(i64, i64),
    /// The permission bits of a file: decimal, or octal with a leading zero, as kubectl takes it.
    Mode,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Whatever YAML can say.
    Free,
    /// Nothing: what has its place elsewhere, and where that is.
    Never(&'static str),
    /// A list. A later layer replaces it as a whole.
    List(&'static Self),
    /// A map with keys by a rule. Layers merge it key by key.
    Map(&'static Rule, &'static Self),
    /// A map with known keys. Layers merge it key by key.
    Struct(&'static Struct),
    /// One shape or another, by what kind of thing stands there.
    Forms(&'static Forms),
}

impl Shape {
    /// The struct that it is, or may be.
    pub fn as_struct(&self) -> Option<&'static Struct> {
        match self {
            Self::Struct(known) => Some(known),
            Self::Forms(forms) => forms.map?.as_struct(),
            _ => None,
        }
    }
}

/// A map with known keys.
#[derive(Debug)]
pub struct Struct {
    /// Its name in the JSON Schema; no two share one.
    pub name: &'static str,
    /// Its fields, in groups that several structs may share.
    pub fields: &'static [&'static [Field]],
    /// What must hold between its fields once all layers are in.
    pub choices: &'static [Choice],
    /// Whether a later layer replaces it as a whole: the parts of a reference belong together.
    pub atomic: bool,
    /// Whether it has from elsewhere what it does not say, so that `null` in it may take away what comes from there.
    pub heir: bool,
}

/// What must hold between fields.
#[derive(Debug)]
pub enum Choice {
    /// Exactly one of them.
    One(&'static [&'static str]),
    /// Not more than one of them.
    AtMostOne(&'static [&'static str]),
}

/// A known key.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// What its value may be.
    pub shape: &'static Shape,
    /// A line on what it means, for editors.
    pub doc: &'static str,
    /// Whether it must be there once all layers are in.
    pub required: bool,
    /// The minor version of Kubernetes 1 that brought it, where that is younger than 1.20.
    pub since: u32,
}

/// A field that may be left out.
pub const fn field(key: &'static str, shape: &'static Shape, doc: &'static str) -> Field {
    Field { key, shape, doc, required: false, since: 0 }
}

impl Field {
    /// The same field, which must be there.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same field, which Kubernetes knows from 1.`minor` on.
    pub const fn since(self, minor: u32) -> Self {
        Self { since: minor, ..self }
    }
}

impl Struct {
    /// A struct without rules between its fields.
    pub const fn new(name: &'static str, fields: &'static [&'static [Field]]) -> Self {
        Self { name, fields, choices: &[], atomic: false, heir: false }
    }

    /// The same, with rules between its fields.
    pub const fn choosing(self, choices: &'static [Choice]) -> Self {
        Self { choices, ..self }
    }

    /// The same, replaced as a whole by a later layer.
    pub const fn atomic(self) -> Self {
        Self { atomic: true, ..self }
    }

    /// The same, with what it does not say coming from elsewhere.
    pub const fn heir(self) -> Self {
        Self { heir: true, ..self }
    }

    /// Every field.
    pub fn all(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().copied().flatten()
    }

    /// The field of that key.
    pub fn get(&self, key: &str) -> Option<&'static Field> {
        self.all().find(|field| field.key == key)
    }
}

/// Shapes by what kind of thing stands there; what has no shape here is refused.
#[derive(Debug)]
pub struct Forms {
    /// What it may be, in words: "a port, or a map with `container` and `service`".
    pub what: &'static str,
    /// For a plain whole number.
    pub number: Option<&'static Shape>,
    /// For `true` and `false`.
    pub flag: Option<&'static Shape>,
    /// For any other scalar.
    pub text: Option<&'static Shape>,
    /// For a list.
    pub list: Option<&'static Shape>,
    /// For a map.
    pub map: Option<&'static Shape>,
}

impl Forms {
    /// Forms that take nothing yet.
    pub const fn of(what: &'static str) -> Self {
        Self { what, number: None, flag: None, text: None, list: None, map: None }
    }
    /// And a number like this.
    pub const fn number(self, shape: &'static Shape) -> Self {
        Self { number: Some(shape), ..self }
    }
    /// And `true` or `false`.
    pub const fn flag(self, shape: &'static Shape) -> Self {
        Self { flag: Some(shape), ..self }
    }
    /// And a text like this.
    pub const fn text(self, shape: &'static Shape) -> Self {
        Self { text: Some(shape), ..self }
    }
    /// And a list like this.
    pub const fn list(self, shape: &'static Shape) -> Self {
        Self { list: Some(shape), ..self }
    }
    /// And a map like this.
    pub const fn map(self, shape: &'static Shape) -> Self {
        Self { map: Some(shape), ..self }
    }
}

/// A rule for a text. The pattern holds for the whole text, and is written so that JavaScript reads it alike.
#[derive(Debug)]
pub struct Rule {
    /// What a good one is, in words: "a label's value".
    pub what: &'static str,
    /// The pattern, anchored at both ends.
    pub pattern: &'static str,
    /// How many characters at most.
    pub max: usize,
    /// How to write it.
    pub hint: &'static str,
    /// Where a plain number may stand there, as in `version: 1.10`: what a JSON Schema can say of it. No rule that takes numbers takes
    /// a minus.
    pub numbers: Option<&'static str>,
    /// Whether a plain `true` or `false` may stand there.
    pub flags: bool,
    /// A better message, and its hint, for a mistake that is often made.
    pub explain: fn(&str) -> Option<(String, String)>,
    compiled: OnceLock<Option<Regex>>,
}

/// A rule that takes only what YAML takes for text.
pub const fn rule(what: &'static str, pattern: &'static str, max: usize, hint: &'static str) -> Rule {
    Rule { what, pattern, max, hint, numbers: None, flags: false, explain: |_| None, compiled: OnceLock::new() }
}

impl Rule {
    /// The same rule, for which numbers do as well, if this JSON Schema has them.
    pub const fn numbers(mut self, schema: &'static str) -> Self {
        self.numbers = Some(schema);
        self
    }

    /// The same rule, for which `true` and `false` do as well.
    pub const fn flags(mut self) -> Self {
        self.flags = true;
        self
    }

    /// The same rule, with a better message for some mistakes.
    pub const fn explain(mut self, explain: fn(&str) -> Option<(String, String)>) -> Self {
        self.explain = explain;
        self
    }

    /// Whether the text is a good one.
    pub fn holds(&self, text: &str) -> bool {
        let pattern = self.compiled.get_or_init(|| Regex::new(self.pattern).ok());
        // `$` must not forgive a line break at the end, as some engines do; regex-lite's does not.
        text.chars().count() <= self.max && pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    /// Checks a text.
    ///
    /// # Errors
    /// The message, and behind a line break the hint.
    pub fn check(&self, text: &str) -> Result<(), String> {
        if self.holds(text) {
            return Ok(());
        }
        let (message, hint) = self.complaint(text);
        Err(format!("{message}\n{hint}"))
    }

    /// What to say of a text for which it does not hold.
    pub fn complaint(&self, text: &str) -> (String, String) {
        (self.explain)(text)
            .unwrap_or_else(|| (format!("`{}` is not {}", super::node::shorten(text), self.what), self.hint.to_owned()))
    }
}
