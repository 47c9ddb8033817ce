//! What go-yaml would have seen differently: the text under the events of our parser, which reads YAML 1.2.
//!
//! Every check refuses; none changes what is read. They are written down in the order in which the facts showed them.

use saphyr_parser::{Event, Marker, ScalarStyle, Span};

/// As much text as go-yaml takes for a key without `?`.
const KEY: usize = 1000;

/// The text of a document, walked along with the events.
pub struct Source<'a> {
    text: &'a str,
    /// A place that was looked at last, in characters and in bytes: the parser counts characters.
    chars: usize,
    bytes: usize,
    escaped_slash: bool,
    /// The collections that are open: whether they are in brackets, and the line on which they start.
    open: Vec<(bool, usize)>,
    /// For a text with tabs, the lines on whose beginning a tab is content or means nothing.
    tabs: Option<Vec<bool>>,
}

impl<'a> Source<'a> {
    pub fn new(text: &'a str) -> Self {
        let tabs = text.contains('\t').then(|| vec![false; text.lines().count() + 2]);
        Self { text, chars: 0, bytes: 0, escaped_slash: text.contains("\\/"), open: Vec::new(), tabs }
    }

    /// The text from a character on. Going on is quick, going back is not.
    fn from(&mut self, at: usize) -> &'a str {
        if at < self.chars {
            (self.chars, self.bytes) = (0, 0);
        }
        let rest = &self.text[self.bytes..];
        let step = rest.char_indices().nth(at - self.chars).map_or(rest.len(), |(byte, _)| byte);
        (self.chars, self.bytes) = (at, self.bytes + step);
        &self.text[self.bytes..]
    }

    fn in_brackets(&self) -> bool {
        self.open.last().is_some_and(|(brackets, _)| *brackets)
    }

    /// Why an event is not to be trusted.
    pub fn doubt(&mut self, event: &Event<'_>, span: Span) -> Option<&'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let brackets = self.in_brackets();
                if *anchor != 0 && !self.plain_anchor(span.start) {
                    return Some("the name of an anchor takes letters, digits, `-` and `_`");
                }
                if tag.as_ref().is_some_and(|tag| tag.suffix.contains('#')) {
                    return Some("a `#` in a tag");
                }
                match style {
                    ScalarStyle::Plain if brackets => {
                        if text.starts_with(['|', '>']) {
                            return Some("text between brackets cannot begin so: put it in quotes");
                        }
                        if tag.is_some() && text.is_empty() {
                            return Some("a tag without a value: put quotes behind it");
                        }
                        if text.contains('?') || text.starts_with(':') {
                            return Some(
                                "kubectl takes `?` and `:` between brackets for more than text: put it in quotes",
                            );
                        }
                        let mut next = self.from(span.end.index()).chars();
                        if next.next() == Some(':') && matches!(next.next(), Some(',' | '[' | ']' | '{' | '}')) {
                            return Some("a space belongs behind this `:`");
                        }
                    }
                    ScalarStyle::DoubleQuoted if self.escaped_slash => {
                        let length = span.end.index() - span.start.index();
                        let quoted: String = self.from(span.start.index()).chars().take(length).collect();
                        if quoted.replace("\\\\", "").contains("\\/") {
                            return Some("kubectl does not know the escape `\\/`");
                        }
                    }
                    _ => {}
                }
                if text.contains(|c| c != '\n') {
                    self.tabs_in_scalar(*style, span, *anchor != 0 || tag.is_some());
                }
            }
            Event::Alias(_) => {
                let length = span.end.index() - span.start.index();
                if !self.from(span.start.index()).chars().skip(1).take(length.max(2) - 1).all(of_name) {
                    return Some("the name of an alias takes letters, digits, `-` and `_`");
                }
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if *anchor != 0 && !self.plain_anchor(span.start) {
                    return Some("the name of an anchor takes letters, digits, `-` and `_`");
                }
                // In blocks, a start is empty where it has no anchor and no tag.
                let brackets = self.in_brackets()
                    || (span.end.index() > span.start.index() && bracket_first(self.from(span.start.index())));
                self.open.push((brackets, span.start.line()));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((true, line)) = self.open.pop() {
                    self.cover(line + 1, span.end.line());
                }
            }
            _ => {}
        }
        None
    }

    /// Why the event that was looked at last cannot be a key to kubectl.
    pub fn doubtful_key(&mut self, span: Span) -> Option<&'static str> {
        if !self.in_brackets() {
            return None;
        }
        let key = self.from(span.start.index());
        let behind = self.from(span.end.index());
        let key = &key[..key.len() - behind.len()];
        let next = behind.trim_start();
        let gap = &behind[..behind.len() - next.len()];
        if key.contains('\n') || gap.contains('\n') && next.starts_with(':') {
            return Some("a key between brackets stands on one line with its `:`");
        }
        (span.end.index() - span.start.index() > KEY).then_some("too long for a key")
    }

    /// Whether the anchor at or before a place has a name that YAML 1.1 knows.
    fn plain_anchor(&mut self, at: Marker) -> bool {
        let rest = self.from(at.index());
        // Most things begin at their anchor, a block scalar behind it.
        let start = if rest.starts_with(['&', '!']) {
            rest.find('&').map(|at| self.bytes + at)
        } else {
            self.text[..self.bytes].rfind('&')
        };
        let Some(name) = start.map(|at| &self.text[at + 1..]) else { return false };
        let end = name.find(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}'));
        name[..end.unwrap_or(name.len())].chars().all(of_name)
    }

    fn cover(&mut self, first: usize, last: usize) {
        if let Some(tabs) = &mut self.tabs
            && let Some(lines) = tabs.get_mut(first..=last)
        {
            lines.fill(true);
        }
    }

    fn tabs_in_scalar(&mut self, style: ScalarStyle, span: Span, props: bool) {
        if self.tabs.is_none() {
            return;
        }
        match style {
            ScalarStyle::Plain => {}
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.cover(span.start.line() + 1, span.end.line()),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                // It starts at its first character, behind the indentation, or at its anchor or tag.
                let (mut first, mut indent) = (span.start.line(), span.start.col());
                let mut rest = self.from(span.start.index());
                if props && rest.starts_with(['&', '!']) {
                    let behind = |rest: &'a str| rest.find('\n').map_or("", |at| &rest[at + 1..]);
                    (rest, first) = (behind(rest), first + 1);
                    while !rest.is_empty() && rest.trim_start_matches(' ').starts_with('\n') {
                        (rest, first) = (behind(rest), first + 1);
                    }
                    let content = rest.trim_start_matches(' ');
                    (rest, indent) = (content, rest.len() - content.len());
                }
                if rest.starts_with('\t') {
                    // Where go-yaml still looks for the indentation, it refuses a tab.
                    return;
                }
                for (line, number) in rest.lines().zip(first..=span.end.line()) {
                    if number == first || line.len() - line.trim_start_matches(' ').len() >= indent {
                        self.cover(number, number);
                    }
                }
            }
        }
    }

    /// The first line with a tab where go-yaml takes none, after all events.
    pub fn misplaced_tab(&self) -> Option<usize> {
        let tabs = self.tabs.as_ref()?;
        (1..).zip(self.text.lines()).find_map(|(number, line)| {
            let mut rest = line.trim_start_matches(' ');
            while let Some(after) = rest.strip_prefix('-').filter(|after| after.starts_with([' ', '\t'])) {
                rest = after.trim_start_matches(' ');
            }
            (rest.starts_with('\t') && !tabs.get(number).is_some_and(|covered| *covered)).then_some(number)
        })
    }

    /// Whether a `...` stands before all content.
    pub fn ends_nothing(&self) -> bool {
        let empty = |line: &str| line.trim().is_empty() || line.trim() == "---" || line.starts_with('#');
        self.text.lines().find(|line| !empty(line)).is_some_and(|line| line.starts_with("..."))
    }
}

/// Whether there is a bracket behind the anchor and the tag, where there are any.
fn bracket_first(mut text: &str) -> bool {
    while text.starts_with(['&', '!', '#']) {
        let line = text.starts_with('#');
        let end = text.find(|c: char| if line { c == '\n' } else { c.is_whitespace() }).unwrap_or(text.len());
        text = text[end..].trim_start();
    }
    text.starts_with(['[', '{'])
}

fn of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}
