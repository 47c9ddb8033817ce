//! One scalar of a file in the place of another, and nothing else of the file touched: comments, order, quotes and line ends stay.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::node::{Kind, Node, parse};
use crate::error::FileId;

/// What is known of a key at the top of a document.
#[derive(Debug)]
enum Spot {
    /// Its value is a scalar, or an alias.
    Scalar(Span, ScalarStyle),
    /// Its value is nothing at all: what stands is the key.
    Nothing(Span),
    /// Its value is a list or a map.
    Other,
}

/// The text of a YAML file with another scalar for a key at its top, in the quotes that it has; where the key is not there, as one more
/// line. `None` if the file is written in a way that this cannot be done without a risk to the rest.
pub fn with_scalar(text: &str, file: FileId, key: &str, value: &str) -> Option<String> {
    let old = parse(text, file).ok()?;
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let candidates = match spot(body, key)? {
        Some(Spot::Scalar(span, style)) => vec![replaced(body, span, &spelled(value, style))],
        Some(Spot::Nothing(span)) => vec![filled(body, span, value)],
        Some(Spot::Other) => return None,
        None => added(body, key, &spelled(value, ScalarStyle::Plain)),
    };
    let good = |text: &String| parse(text, file).is_ok_and(|new| is_same_but(&old, &new, key, value));
    candidates.into_iter().map(|body| format!("{mark}{body}")).find(good)
}

/// Where the value of a key at the top is; `None` inside if it is not there, outside if the document is no map.
fn spot(body: &str, key: &str) -> Option<Option<Spot>> {
    let mut depth = 0;
    let mut is_key = true;
    let mut found = None;
    let mut pending: Option<Span> = None;
    for event in Parser::new_from_str(body) {
        let (event, span) = event.ok()?;
        let (opens, closes) = (
            matches!(event, Event::MappingStart(..) | Event::SequenceStart(..)),
            matches!(event, Event::MappingEnd | Event::SequenceEnd),
        );
        if depth == 0 && matches!(event, Event::SequenceStart(..)) {
            return None;
        }
        if closes {
            depth -= 1;
        }
        if depth == 1 && !closes {
            if is_key {
                pending = match &event {
                    Event::Scalar(text, ..) if text == key => Some(span),
                    _ => None,
                };
            } else if let Some(at) = pending.take() {
                found = Some(match event {
                    Event::Scalar(ref text, ScalarStyle::Plain, _, None) if text.is_empty() => Spot::Nothing(at),
                    Event::Scalar(_, style, ..) => Spot::Scalar(span, style),
                    Event::Alias(_) => Spot::Scalar(span, ScalarStyle::Plain),
                    _ => Spot::Other,
                });
            }
            is_key = !is_key;
        }
        if opens {
            depth += 1;
        }
    }
    Some(found)
}

/// A value in quotes of the same kind; plain only where it is read as that very text.
fn spelled(value: &str, style: ScalarStyle) -> String {
    let is_null = matches!(value, "" | "~" | "null" | "Null" | "NULL");
    match style {
        ScalarStyle::SingleQuoted => format!("'{}'", value.replace('\'', "''")),
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded if !is_null => value.to_owned(),
        _ => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A marker counts characters.
fn byte(body: &str, index: usize) -> usize {
    body.char_indices().nth(index).map_or(body.len(), |(at, _)| at)
}

fn replaced(body: &str, span: Span, value: &str) -> String {
    let (start, end) = (byte(body, span.start.index()), byte(body, span.end.index()));
    // Its start may be that of an anchor or a tag.
    let start = start + properties(&body[start..end.max(start)]);
    // The parser's end of what is quoted may lie behind a comment.
    let end = closing(&body[start..]).map_or(end, |length| start + length);
    let old = &body[start..end.max(start)];
    // A block has its line's end in it, and a plain one may have white space behind it.
    let kept = old.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let block = old.starts_with(['|', '>']);
    let rest = if block { eol(body, old.contains('\n')) } else { &old[kept..] };
    format!("{}{value}{rest}{}", &body[..start], &body[end.max(start)..])
}

/// How long the anchor and the tag before a scalar are, with the white space behind them.
fn properties(text: &str) -> usize {
    let mut rest = text;
    while rest.starts_with(['&', '!']) {
        let word = rest.find([' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        rest = rest[word..].trim_start();
    }
    text.len() - rest.len()
}

/// How long a quoted scalar is, with its quotes.
fn closing(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => drop(chars.next()),
            '\'' if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => drop(chars.next()),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Behind the colon of a key that has nothing.
fn filled(body: &str, key: Span, value: &str) -> String {
    let end = byte(body, key.end.index());
    let colon = body[end..].find(':').map_or(body.len(), |at| end + at + 1);
    format!("{} {}{}", &body[..colon], spelled(value, ScalarStyle::Plain), &body[colon..])
}

/// One more key: behind all others, before the first one, or within braces.
fn added(body: &str, key: &str, value: &str) -> Vec<String> {
    let eol = eol(body, true);
    let mut first: Option<Span> = None;
    let mut root: Option<Span> = None;
    for event in Parser::new_from_str(body).map_while(Result::ok) {
        match event {
            (Event::MappingStart(..), span) if root.is_none() => root = Some(span),
            (Event::Scalar(..), span) if root.is_some() && first.is_none() => first = Some(span),
            (Event::Scalar(..), span) if root.is_none() => {
                // The whole document is a null: `~`.
                return vec![replaced(body, span, &format!("{key}: {value}")), behind(body, "", key, value)];
            }
            _ => {}
        }
    }
    let indent = first.map_or(String::new(), |span| " ".repeat(span.start.col()));
    let mut candidates = Vec::new();
    if let Some(root) = root.filter(|root| body[byte(body, root.start.index())..].starts_with('{')) {
        let at = byte(body, root.start.index()) + 1;
        let comma = if first.is_some() { ", " } else { "" };
        candidates.push(format!("{}{key}: {value}{comma}{}", &body[..at], &body[at..]));
        return candidates;
    }
    candidates.push(behind(body, &indent, key, value));
    if let Some(first) = first {
        let at = byte(body, first.start.index());
        candidates.push(format!("{}{key}: {value}{eol}{indent}{}", &body[..at], &body[at..]));
    }
    candidates
}

fn behind(body: &str, indent: &str, key: &str, value: &str) -> String {
    let eol = eol(body, true);
    let gap = if body.is_empty() || body.ends_with('\n') { "" } else { eol };
    format!("{body}{gap}{indent}{key}: {value}{eol}")
}

/// How the lines of a text end.
fn eol(body: &str, wanted: bool) -> &'static str {
    match (wanted, body.contains("\r\n")) {
        (false, _) => "",
        (true, true) => "\r\n",
        (true, false) => "\n",
    }
}

/// Whether two documents say the same but for one key at the top, which says this in the second.
fn is_same_but(old: &Node, new: &Node, key: &str, value: &str) -> bool {
    let entries = |node: &Node| match &node.kind {
        Kind::Map(entries) => Some(entries.clone()),
        _ => None,
    };
    let (Some(old), Some(new)) = (entries(old), entries(new)) else { return false };
    let rest =
        |entries: &[(Node, Node)]| entries.iter().filter(|(own, _)| own.text() != key).cloned().collect::<Vec<_>>();
    let (before, after) = (rest(&old), rest(&new));
    let same = |((a, x), (b, y)): (&(Node, Node), &(Node, Node))| is_same(a, b) && is_same(x, y);
    let said = new.iter().find(|(own, _)| own.text() == key);
    before.len() == after.len()
        && before.iter().zip(&after).all(same)
        && said.is_some_and(|(_, said)| {
            matches!(&said.kind, Kind::Scalar { text, .. } if text == value) && !said.is_null()
        })
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Scalar { text: a, plain: p }, Kind::Scalar { text: b, plain: q }) => a == b && p == q,
        (Kind::Seq(a), Kind::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Kind::Map(a), Kind::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((a, x), (b, y))| is_same(a, b) && is_same(x, y))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Sources;

    fn edit(text: &str) -> Option<String> {
        edit_to(text, "2.0")
    }

    fn edit_to(text: &str, value: &str) -> Option<String> {
        let file = Sources::default().add(std::path::Path::new("dev.yml"), text.to_owned());
        with_scalar(text, file, "version", value)
    }

    #[test]
    fn only_the_scalar_changes() {
        for (before, after) in [
            ("version: 1.4\n", "version: 2.0\n"),
            ("version: 1.4", "version: 2.0"),
            (
                "# a\nreplicas: 2   # b\nversion:   1.4   # c\nenv: {A: b}\n",
                "# a\nreplicas: 2   # b\nversion:   2.0   # c\nenv: {A: b}\n",
            ),
            ("version: '1.4'\r\nreplicas: 2\r\n", "version: '2.0'\r\nreplicas: 2\r\n"),
            ("\"version\": \"1.4\" # x\n", "\"version\": \"2.0\" # x\n"),
            ("{version: 1.4, replicas: 2}\n", "{version: 2.0, replicas: 2}\n"),
            ("\u{feff}version: 1.4\né: 1\n", "\u{feff}version: 2.0\né: 1\n"),
            ("é: ü # ß\nversion: 1.4\n", "é: ü # ß\nversion: 2.0\n"),
            ("---\nversion: &v 1.4\nlabels: {v: x}\n", "---\nversion: &v 2.0\nlabels: {v: x}\n"),
            ("version: !!str 1.4\n", "version: !!str 2.0\n"),
            ("labels: {v: &v 1.4}\nversion: *v\nreplicas: 2\n", "labels: {v: &v 1.4}\nversion: 2.0\nreplicas: 2\n"),
            ("version: |-\n  1.4\nreplicas: 2\n", "version: |-\n  2.0\nreplicas: 2\n"),
            ("version:\n  1.4\nreplicas: 2\n", "version:\n  2.0\nreplicas: 2\n"),
            ("version:\nreplicas: 2\n", "version: 2.0\nreplicas: 2\n"),
            ("version: ~ # none\n", "version: 2.0 # none\n"),
            ("env: {version: 1}\nversion: 1.4\n", "env: {version: 1}\nversion: 2.0\n"),
        ] {
            assert_eq!(edit(before).as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_comes_last() {
        for (before, after) in [
            ("", "version: 2.0\n"),
            ("# only words\n", "# only words\nversion: 2.0\n"),
            ("replicas: 2\n", "replicas: 2\nversion: 2.0\n"),
            ("# few\nreplicas: 2\n# end\n", "# few\nreplicas: 2\n# end\nversion: 2.0\n"),
            ("replicas: 2", "replicas: 2\nversion: 2.0\n"),
            ("replicas: 2\r\n", "replicas: 2\r\nversion: 2.0\r\n"),
            ("  replicas: 2\n", "  replicas: 2\n  version: 2.0\n"),
            ("{replicas: 2}\n", "{version: 2.0, replicas: 2}\n"),
            ("{}\n", "{version: 2.0}\n"),
            ("~\n", "version: 2.0\n"),
            ("replicas: 2\n...\n", "version: 2.0\nreplicas: 2\n...\n"),
        ] {
            assert_eq!(edit(before).as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn a_version_that_is_none_when_plain_gets_quotes() {
        assert_eq!(edit_to("version: 1\n", "null").as_deref(), Some("version: \"null\"\n"));
        assert_eq!(edit_to("version: '1'\n", "sha256:ab").as_deref(), Some("version: 'sha256:ab'\n"));
        assert_eq!(edit("version: [1]\n"), None);
        assert_eq!(
            edit("labels: {a: &x {b: 1}}\nversion: &v 1\nenv: {A: *v}\n"),
            None,
            "the anchor's other use would change"
        );
    }

    #[test]
    fn files_of_every_make_keep_their_bytes() {
        let pieces = [
            "# c\n",
            "a: 1\n",
            "b: 'x: y'\n",
            "c:\n  - 1\n  - {d: e}\n",
            "t: |\n  text\n\n",
            "\n",
            "q: \"é\\n\"  # w\n",
            "k: >-\n  f\n  g\n",
        ];
        let versions = ["version: 1\n", "version: '1'  # v\n", "version:   \"1\"\n", "version: # n\n"];
        let mut tried = 0;
        for seed in 0..2000_usize {
            let pick = |i: usize| pieces[(seed / 7_usize.pow(u32::try_from(i).unwrap()) + i * 3) % pieces.len()];
            let mut lines: Vec<&str> = Vec::new();
            for i in 0..4 {
                if !lines.contains(&pick(i)) {
                    lines.push(pick(i));
                }
            }
            let at = seed % (lines.len() + 1);
            lines.insert(at, versions[seed % versions.len()]);
            let text = if seed % 3 == 0 { lines.concat().replace('\n', "\r\n") } else { lines.concat() };
            let told = edit(&text).unwrap_or_else(|| panic!("{text:?}"));
            // All bytes but those of the value.
            let value = |line: &str| line.replace(['1', '2', '.', '0', ' '], "").replace("\"\"", "").replace("''", "");
            let bytes = |text: &str| -> Vec<String> {
                let one = |line: &str| if line.starts_with("version") { value(line) } else { line.to_owned() };
                text.split_inclusive('\n').map(one).collect()
            };
            assert_eq!(bytes(&text), bytes(&told));
            tried += 1;
        }
        assert_eq!(tried, 2000);
    }
}
