//! YAML for people: short things on one line, long texts as they are, and in quotes whatever some parser might take for something
//! else than a text.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::yaml::safe;

/// In front of what a template says itself instead of a text: the rest is the expression.
pub const EXPRESSION: char = '\u{1}';
/// Longer than this, a list or a map takes a line for each of its entries.
const WIDTH: usize = 88;
/// What YAML 1.1 or 1.2 takes for something else than a text.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
/// Maps of the first level that stand on one line all the same.
const SMALL: [&str; 6] = ["labels", "objectLabels", "podAnnotations", "podLabels", "port", "selector"];
/// What starts something in a template.
pub const MARKS: [&str; 3] = ["{{", "{%", "{#"];

/// For whom the YAML is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A manifest: permissions are octal.
    Manifest,
    /// A template that tera leaves alone, since there is nothing in it for tera, or everything is in a `raw` block.
    Plain,
    /// A template in which what looks like tera is spelled otherwise.
    Escaped,
}

/// YAML, and the line on which each key of the first two levels starts.
#[derive(Debug, Default)]
pub struct Written {
    pub text: String,
    pub lines: Vec<(usize, Vec<String>)>,
}

/// Writes a map. `above` says what comes in front of a key of the first level: comments, an empty line.
pub fn write(map: &Map<String, Value>, style: Style, above: &dyn Fn(&str) -> String) -> Written {
    let mut writer = Writer { out: Written::default(), style };
    for (key, value) in map {
        writer.out.text.push_str(&above(key));
        writer.entry(key, value, 0, &[]);
    }
    writer.out
}

struct Writer {
    out: Written,
    style: Style,
}

impl Writer {
    fn entry(&mut self, key: &str, value: &Value, indent: usize, path: &[String]) {
        let mut path = path.to_vec();
        path.push(key.to_owned());
        if path.len() <= 2 {
            let line = self.out.text.matches('\n').count() + 1;
            self.out.lines.push((line, path.clone()));
        }
        let _ = write!(self.out.text, "{:indent$}{}:", "", self.text(key));
        self.value(Some(key), value, indent, indent + 2, &path);
    }

    /// A value behind its key or its dash; `inner` is how far what is in it is indented.
    fn value(&mut self, key: Option<&str>, value: &Value, indent: usize, inner: usize, path: &[String]) {
        let room = WIDTH.saturating_sub(indent + path.last().map_or(0, String::len));
        if let Some(line) = self.flow(key, value, path.len()).filter(|line| line.len() <= room || is_bare(value)) {
            let _ = writeln!(self.out.text, " {line}");
            return;
        }
        match value {
            Value::Object(map) => {
                self.out.text.push('\n');
                for (key, value) in map {
                    self.entry(key, value, inner, path);
                }
            }
            Value::Array(items) => {
                self.out.text.push('\n');
                for item in items {
                    self.item(item, inner);
                }
            }
            Value::String(text) => self.block(text, inner),
            other => {
                let _ = writeln!(self.out.text, " {other}");
            }
        }
    }

    fn item(&mut self, item: &Value, indent: usize) {
        let deep = ["".to_owned(), String::new(), String::new()];
        let _ = write!(self.out.text, "{:indent$}-", "");
        let flow = self.flow(None, item, 3).filter(|line| line.len() + indent <= WIDTH || is_bare(item));
        match (item, flow) {
            (Value::Object(map), None) => {
                // The first entry stands behind the dash.
                let start = self.out.text.len();
                for (key, value) in map {
                    self.entry(key, value, indent + 2, &deep);
                }
                let at = start + indent + 2;
                self.out.text.replace_range(start..at.min(self.out.text.len()), " ");
            }
            _ => self.value(None, item, indent, indent + 2, &deep),
        }
    }

    /// The value on one line, if it can and should be.
    fn flow(&self, key: Option<&str>, value: &Value, depth: usize) -> Option<String> {
        Some(match value {
            Value::String(text) if text.starts_with(EXPRESSION) => format!("{{{{ {} }}}}", &text[1..]),
            Value::String(text) if self.is_block(text) => return None,
            Value::String(text) => self.text(text),
            Value::Number(number) if self.style == Style::Manifest && matches!(key, Some("defaultMode" | "mode")) => {
                number.as_u64().map_or_else(|| number.to_string(), |mode| format!("0{mode:o}"))
            }
            Value::Null => "~".into(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(items) if items.is_empty() => "[]".into(),
            Value::Array(items) => {
                let simple = items.iter().all(|item| !item.is_object() && !item.is_array());
                let items: Option<Vec<String>> = items.iter().map(|item| self.flow(None, item, depth + 1)).collect();
                format!("[{}]", items.filter(|_| simple)?.join(", "))
            }
            Value::Object(map) if map.is_empty() => "{}".into(),
            Value::Object(map) => {
                let simple = map.values().all(|value| !value.is_array() && !value.is_object());
                let entries: Option<Vec<String>> = map
                    .iter()
                    .map(|(key, value)| {
                        Some(format!("{}: {}", self.text(key), self.flow(Some(key), value, depth + 1)?))
                    })
                    .collect();
                // Maps of the first level are read line by line, but for the smallest.
                format!(
                    "{{{}}}",
                    entries
                        .filter(|_| simple && (depth > 1 || key.is_some_and(|key| SMALL.contains(&key))))?
                        .join(", ")
                )
            }
        })
    }

    /// Whether a text is written as it is, line by line.
    fn is_block(&self, text: &str) -> bool {
        let body = text.strip_suffix('\n').unwrap_or(text);
        let printable = |c: char| matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}');
        text.contains('\n')
            && !body.is_empty()
            && !body.starts_with([' ', '\n'])
            && !body.ends_with('\n')
            && text.chars().all(|c| printable(c) && !matches!(c, '\u{2028}' | '\u{2029}'))
            && body.lines().all(|line| !line.ends_with(' '))
            && !(self.style == Style::Escaped && MARKS.iter().any(|mark| text.contains(mark)))
    }

    fn block(&mut self, text: &str, indent: usize) {
        let body = text.strip_suffix('\n');
        let _ = writeln!(self.out.text, " |{}", if body.is_some() { "" } else { "-" });
        for line in body.unwrap_or(text).split('\n') {
            let indent = if line.is_empty() { 0 } else { indent };
            let _ = writeln!(self.out.text, "{:indent$}{line}", "");
        }
    }

    /// A text on one line: without quotes where nobody can take it for anything else.
    fn text(&self, text: &str) -> String {
        if is_plain(text) {
            return text.to_owned();
        }
        let quoted = safe(&Value::from(text).to_string());
        if self.style == Style::Escaped && MARKS.iter().any(|mark| text.contains(mark)) {
            return quoted.replace('{', "\\u007b");
        }
        quoted
    }
}

fn is_bare(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn is_plain(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "_./@%+-:".contains(c);
    let first = |c: char| c.is_ascii_alphabetic() || c == '/' || c == '_';
    let words = !text.contains("  ") && text.split(' ').all(|word| !word.is_empty() && !word.ends_with(':'));
    (text.starts_with(first) || is_measure(text))
        && text.chars().all(|c| good(c) || c == ' ')
        && words
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// `100m`, `128Mi`, `25%`, `1.2.3-rc.1`: they start with a digit, and yet nobody takes them for a number.
fn is_measure(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = ["m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "%"].contains(&rest);
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    rest.len() < text.len()
        && (unit || (parts.len() >= 3 && parts[..2].iter().all(number) && !parts[2].is_empty() && !text.contains(':')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: &Value, style: Style) -> String {
        write(value.as_object().unwrap(), style, &|_| String::new()).text
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in [
            "a",
            "on",
            "1e3",
            "0123",
            "12:30",
            "a: b",
            "a #b",
            " a",
            "a ",
            "",
            "~",
            "-",
            "a\nb\n",
            "a\nb",
            "a\n\n",
            "\na",
            "a \nb",
            "\ta\n",
            "x\r\ny\r\n",
            "\u{85}\u{2028}",
            "{{ x }}",
            "{% raw %}",
            "'\"\\",
            "1.2.3",
            "1.2",
            "100m",
            "*",
            "&a",
            "!x",
            "|",
            ">",
            "%",
            "@",
            "`",
            "- a",
            "? a",
            "a:",
            "[",
            "é",
            "日本\n語\n",
            "<<",
            "=",
            "0x1f",
            "1_000",
        ] {
            for style in [Style::Manifest, Style::Plain, Style::Escaped] {
                let value =
                    json!({"k": text, "l": [text, {"m": text, "n": [text]}], "o": {"p": {"q": text}}, "r": {text: 1}});
                let yaml = written(&value, style);
                let read: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
                assert_eq!(read, value, "{yaml}");
                let marks = MARKS.iter().any(|mark| yaml.contains(mark));
                assert!(style != Style::Escaped || !marks, "{yaml}");
            }
        }
    }

    #[test]
    fn it_reads_well() {
        let value = json!({
            "image": "quay.io/acme/web", "version": "1.2.3", "command": ["sh", "-c", "echo a\necho b\n"],
            "env": {"A": "1", "B": {"secret": "s", "key": "k"}},
            "volumes": {"v": {"mountPath": "/v", "configMap": {"name": "c", "defaultMode": 420}}},
            "list": [{"name": "a", "ports": [{"containerPort": 1}]}],
        });
        assert_eq!(
            written(&value, Style::Manifest),
            "image: quay.io/acme/web
version: 1.2.3
command:
  - sh
  - -c
  - |
    echo a
    echo b
env:
  A: \"1\"
  B: {secret: s, key: k}
volumes:
  v:
    mountPath: /v
    configMap: {name: c, defaultMode: 0644}
list:
  - name: a
    ports:
      - {containerPort: 1}
"
            .replace("  - -c", "  - \"-c\"")
        );
    }
}
