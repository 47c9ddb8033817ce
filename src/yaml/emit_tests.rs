use super::super::documents;
use super::*;
use serde_json::json;

/// What the parsers read again: kubectl's rules, and YAML 1.2.
fn survives(value: &Value) {
    let yaml = emit(value);
    let read = documents(&yaml).unwrap_or_else(|error| panic!("{error:?}\n{yaml}"));
    assert_eq!(read.len(), 1, "{yaml}");
    assert_eq!(read[0].value, *value, "{yaml}");
    let read: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    assert_eq!(read, *value, "{yaml}");
}

/// A text as a value and as a key, in a map and in a list, with something behind it.
fn text_survives(text: &str) {
    survives(
        &json!({"a": text, text: {"b": [text, [text, text], {text: text, "z": [text]}, text], "c": text}, "z": 1}),
    );
    survives(&json!([text, [text], {"a": text}]));
}

#[test]
fn it_looks_as_people_write_it() {
    let value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"annotations": {}, "name": "webapp", "labels": {"version": "1.2.3", "on": "yes"}},
        "spec": {"replicas": 3, "ratio": 0.5, "large": 1e21, "paused": false, "args": ["--port=80", "-v", "a: b", "x # y"], "none": [], "nothing": null,
            "containers": [{"image": "r.io/webapp:1.2", "name": "webapp", "resources": {"cpu": "100m", "memory": "1Gi"}}, [1, [2]]]},
        "files": {"a.conf": "server {\n  listen 80;\n}\n", "b": "no end\nhere", "c": "more\n\n", "d": "tab\n\there\n", "e": "bell\u{7}"},
    });
    let expected = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  annotations: {}
  name: webapp
  labels:
    version: "1.2.3"
    "on": "yes"
spec:
  replicas: 3
  ratio: 0.5
  large: 1.0e+21
  paused: false
  args:
  - "--port=80"
  - "-v"
  - "a: b"
  - "x # y"
  none: []
  nothing: null
  containers:
  - image: r.io/webapp:1.2
    name: webapp
    resources:
      cpu: 100m
      memory: 1Gi
  - - 1
    - - 2
files:
  a.conf: |
    server {
      listen 80;
    }
  b: |-
    no end
    here
  c: |+
    more

  d: "tab\n\there\n"
  e: "bell\u0007"
"#;
    assert_eq!(emit(&value), expected);
    survives(&value);
}

#[test]
fn every_character_survives_in_every_position() {
    // Where something is special, every character on its own.
    let special = (0..0x300_u32).chain(0x1fff..0x2070).chain(0xd7f0..0xe010).chain(0xfe00..0x1_0010).chain([0x10_ffff]);
    let special: Vec<char> = special.filter_map(char::from_u32).collect();
    for chunk in special.chunks(256) {
        let forms = |c: &char| {
            let line = [format!("{c}"), format!("{c}a"), format!("a{c}"), format!("a{c}b"), format!("a {c} b")];
            line.into_iter().chain([format!("a\n{c}b"), format!("a{c}\nb\n"), format!("{c}\na"), format!("a\nb {c}")])
        };
        let list: Vec<String> = chunk.iter().flat_map(forms).collect();
        let keys: serde_json::Map<String, Value> = list.iter().map(|key| (key.clone(), Value::Null)).collect();
        survives(&json!({"list": list, "keys": keys}));
    }
    // And all that there are, in company.
    let all: Vec<char> = (0..0x1_0000_u32).chain(0x1_f600..0x1_f680).filter_map(char::from_u32).collect();
    for chunk in all.chunks(64) {
        let text: String = chunk.iter().collect();
        let lines: String = chunk.iter().flat_map(|c| ['a', *c, 'b', '\n']).collect();
        survives(&json!({&text: &text, &lines: &lines, "list": [text, lines]}));
    }
}

#[test]
fn every_pair_of_special_characters_survives() {
    let special = " \t\n\r!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~0a\u{85}\u{a0}\u{2028}\u{feff}é";
    let mut texts = Vec::new();
    for a in special.chars() {
        for b in special.chars() {
            texts.extend([
                format!("{a}{b}"),
                format!("{a}{b}x"),
                format!("x{a}{b}"),
                format!("x{a}{b}x"),
                format!("x\n{a}{b}x\n"),
            ]);
        }
    }
    let keys: serde_json::Map<String, Value> = texts.iter().map(|key| (key.clone(), json!({key: key}))).collect();
    survives(&json!({"list": texts, "keys": keys}));
}

#[test]
fn words_and_numbers_stay_text() {
    let words = "y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false False FALSE null Null NULL ~ = << \
        0 1 -1 +1 00 007 0644 08 0o17 0x1F 0b101 1_000 -_1 _1 1. .5 -.5 1e3 1E3 1e+3 1.5e-3 .inf -.inf +.INF .nan .NaN nan inf NaN \
        12:30:45 1:20 190:20:30.15 2001-01-01 2001-12-14t21:59:43.10-05:00 1,000 --- ... - ? : -- -a ?a :a a: a:b #a a# & &a * *a ! !a !!str | > \
        |- >+ % @ ` %YAML [ ] { } [] {} , [a] {a} ' '' \" \"\" \\ \\n \\/ 100m 1Gi 1E 1e 30s 5d 1h30m 0m 08m 1.2.3 1.2 v1 1/2 e3 1e400 0xg";
    for word in words.split_whitespace() {
        text_survives(word);
        text_survives(&format!("{word} {word}"));
        text_survives(&format!("{word}\n{word}\n"));
    }
    for text in [
        "", " ", "\n", "\n\n", "\t", " a", "a ", "a  b", "a: b", "a : b", "a #b", "a\tb", "- a", "? a", ": a", "--- a",
        "---\n", "...\na", "%a\nb",
    ] {
        text_survives(text);
    }
}

#[test]
fn every_kind_of_lines_survives() {
    for indent in 0..4 {
        for inner in 0..4 {
            for end in 0..4 {
                for before in 0..3 {
                    let (indent, inner, end) = (" ".repeat(indent), " ".repeat(inner), "\n".repeat(end));
                    let before = "\n".repeat(before);
                    text_survives(&format!("{before}{indent}a{end}"));
                    text_survives(&format!("{before}{indent}a\n{inner}b{end}"));
                    text_survives(&format!("{before}{indent}a\n\n{inner}# b\n{inner}\n\n- c: d{inner}{end}"));
                    text_survives(&format!("{before}{indent}a\r\n{inner}b{end}"));
                }
            }
        }
    }
}

#[test]
fn long_texts_and_long_keys_survive() {
    for text in ["x", "x ", "é", "\"", "x\n", "\u{7}"] {
        survives(&json!({"a": text.repeat(1_000_000), "b": 1}));
        for length in [100, 127, 128, 129, 1023, 1024, 1025, 5000] {
            let key = text.repeat(length);
            survives(&json!({&key: 1}));
            survives(&json!({&key: {&key: [1, {&key: [2]}]}, "z": [{&key: {}}, {&key: "a\nb"}]}));
        }
    }
}

#[test]
fn numbers_survive() {
    let mut numbers = vec![
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(1e300),
        json!(-1.5e-300),
        json!(f64::MIN_POSITIVE),
    ];
    numbers.extend(
        [1e19, 1e20, 1e21, 1.5e21, 123_456_789.123_456_79, 5e-324, f64::MAX, 1e-5, 1e-6, 1e-7, 0.3].map(Value::from),
    );
    for number in &numbers {
        survives(number);
        survives(&json!({"a": number, "b": [number]}));
    }
}

#[test]
fn an_object_of_many_levels_survives() {
    let mut value = json!("a\nb");
    for level in 0..60 {
        value = if level % 3 == 0 { json!([value, []]) } else { json!({"k": value, "z": {}}) };
    }
    survives(&value);
}
