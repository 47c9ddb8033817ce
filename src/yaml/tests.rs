use std::path::Path;

use serde_json::json;

use super::*;
use crate::error::{Problem, Problems, Sources};

static TEXT: Shape = Shape::Text;
static SAMPLE: Shape = Shape::Struct(&Struct::new(
    "Sample",
    &[&[
        field("count", &Shape::Whole(0, 100), "A number"),
        field("flag", &Shape::Flag, "A truth"),
        field("env", &Shape::Map(&KEY, &TEXT), "A map"),
        field("list", &Shape::List(&TEXT), "A list"),
        field("any", &Shape::Free, "Anything"),
        field("way", &Shape::Struct(&WAY), "One of two"),
    ]],
));
static KEY: Rule = rule("a key", "^[A-Z]+$", 10, "use capitals");
static WAY: Struct =
    Struct::new("Way", &[&[field("a", &TEXT, "One"), field("b", &TEXT, "Another"), field("c", &TEXT, "Beside")]])
        .choosing(&[Choice::One(&["a", "b"])]);

fn layer(text: &str) -> Result<Node, String> {
    let mut sources = Sources::default();
    let file = sources.add(Path::new("x.yml"), text.into());
    let mut problems = Vec::new();
    match parse(text, file) {
        Ok(node) => {
            check(&node, &SAMPLE, Mode::Layer, &mut problems);
            match Problems::new(problems, &sources) {
                Some(problems) => Err(problems.to_string()),
                None => Ok(node),
            }
        }
        Err(broken) => Err(Problems::new(broken, &sources).unwrap().to_string()),
    }
}

fn sample(text: &str) -> Result<serde_json::Value, String> {
    layer(text).map(|node| value(&node, &SAMPLE))
}

fn merged(layers: &[&str]) -> (serde_json::Value, Vec<Problem>) {
    let mut warnings = Vec::new();
    let start = Node::empty(layer("").unwrap().place);
    let node = layers.iter().fold(start, |earlier, text| merge(earlier, &layer(text).unwrap(), &SAMPLE, &mut warnings));
    (value(&node, &SAMPLE), warnings)
}

#[test]
fn text_is_what_stands_in_the_file() {
    for value in
        ["on", "yes", "1e3", "0123", "0o17", "12:30:45", "1_000", "true", "0x1f", ".5", "2026-11-23", "~x", "\"~\""]
    {
        let text = value.trim_matches('"');
        let read = sample(&format!("env:\n  A: {value}\nlist:\n- {value}\n")).unwrap();
        assert_eq!(read, json!({"env": {"A": text}, "list": [text]}));
    }
}

#[test]
fn maps_merge_lists_replace_and_null_takes_away() {
    let (read, warnings) =
        merged(&["env: {A: 1, B: 2}\nlist: [a, b]\ncount: 1\n", "env: {B: ~, C: 3}\nlist: [c]\ncount: ~\n"]);
    assert_eq!(read, json!({"env": {"A": "1", "C": "3"}, "list": ["c"]}));
    assert_eq!(warnings, []);
    assert_eq!(merged(&["env: {A: 1}\n", "env: ~\n", "env: {B: 2}\n"]).0, json!({"env": {"B": "2"}}));
    assert_eq!(
        merged(&["any: {a: {b: 1, c: 2}}\n", "any: {a: {b: ~, d: 3}}\n"]).0,
        json!({"any": {"a": {"c": 2, "d": 3}}})
    );
}

#[test]
fn a_null_that_takes_nothing_away_is_told() {
    let (read, warnings) = merged(&["env: {A: ~, B: \"~\", D: ''}\n"]);
    assert_eq!(read, json!({"env": {"B": "~", "D": ""}}));
    assert_eq!(warnings[0].message, "`env.A` is null, which takes it away, and there is nothing to take away");
}

#[test]
fn a_layer_that_chooses_gives_up_what_an_earlier_one_chose() {
    assert_eq!(merged(&["way: {a: 1, c: 2}\n", "way: {b: 3}\n"]).0, json!({"way": {"c": "2", "b": "3"}}));
}

#[test]
fn every_mistake_is_reported_in_one_go() {
    let error = sample("cuont: 1\nflag: yes\nenv:\n  A: [1]\n  B: ok\n  B: again\nlist: 3\n").unwrap_err();
    assert_eq!(
        error,
        "error: the key `B` is here twice\n  --> x.yml:6:3\n  |\n6 |   B: again\n  |   ^\nhint: take one away; the first is on line 5"
    );
    let error = sample("cuont: 1\nflag: yes\nenv:\n  A: [1]\n  b: x\nlist: 3\ncount: \"3\"\n").unwrap_err();
    assert_eq!(
        error,
        "error: unknown key `cuont`\n  --> x.yml:1:1\n  |\n1 | cuont: 1\n  | ^\nhint: did you mean `count`?\n\n\
         error: expected true or false, found `yes`\n  --> x.yml:2:7\n  |\n2 | flag: yes\n  |       ^\n\n\
         error: expected text, found a list\n  --> x.yml:4:6\n  |\n4 |   A: [1]\n  |      ^\n\n\
         error: `b` is not a key\n  --> x.yml:5:3\n  |\n5 |   b: x\n  |   ^\nhint: use capitals\n\n\
         error: expected a list, found `3`\n  --> x.yml:6:7\n  |\n6 | list: 3\n  |       ^\n\n\
         error: expected a whole number, found the text \"3\"\n  --> x.yml:7:8\n  |\n7 | count: \"3\"\n  |        ^\nhint: take the quotes away"
    );
}

#[test]
fn bad_syntax_has_a_place() {
    let error = sample("env: {A: 1\nB: 2\n").unwrap_err();
    assert!(error.starts_with("error: not valid YAML: "), "{error}");
    assert!(error.contains("x.yml:"), "{error}");
}

#[test]
fn an_empty_file_is_an_empty_map() {
    for text in ["", "# nothing\n", "---\n", "\u{feff}"] {
        assert_eq!(sample(text).unwrap(), json!({}), "{text:?}");
    }
}

#[test]
fn free_values_keep_what_was_written() {
    let read = sample("any: {a: 1, b: 1.5, c: 1e3, d: 0123, e: on, f: true, g: [~], h: 1.10}\n").unwrap();
    assert_eq!(
        read["any"],
        json!({"a": 1, "b": 1.5, "c": "1e3", "d": "0123", "e": "on", "f": true, "g": [null], "h": "1.10"})
    );
}

#[test]
fn an_alias_bomb_does_no_harm() {
    let mut text = String::from("any:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let prev = format!("*a{}", i - 1);
        text += &format!("  a{i}: &a{i} [{}]\n", vec![prev; 10].join(", "));
    }
    assert!(sample(&text).unwrap_err().contains("unfold to too much"));
    let deep = format!("any: {}{}\n", "[".repeat(100), "]".repeat(100));
    assert!(sample(&deep).unwrap_err().contains("nested deeper"));
}
