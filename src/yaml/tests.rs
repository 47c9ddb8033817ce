use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::error::Problems;

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Sample {
    count: Patch<At<u32>>,
    flag: Patch<bool>,
    env: Patch<BTreeMap<String, Patch<At<Text>>>>,
    list: Patch<Vec<Text>>,
    any: Patch<serde_json::Value>,
}

fn sample(text: &str) -> Result<Sample, String> {
    let mut sources = Sources::default();
    let file = sources.add(Path::new("x.yml"), text.into());
    read(&sources, file).map_err(|problems| Problems::new(problems, &sources).unwrap().to_string())
}

#[test]
fn text_is_what_stands_in_the_file() {
    for value in ["on", "yes", "1e3", "0123", "0o17", "12:30:45", "1_000", "true", "0x1f", ".5", "2026-11-23"] {
        let read = sample(&format!("env: {{A: x}}\nlist:\n- {value}x\n")).unwrap();
        assert_eq!(read.list.set().unwrap()[0].0, format!("{value}x"));
        let mut env = sample(&format!("env:\n  A: {value}\n")).unwrap().env.set().unwrap();
        assert_eq!(env.remove("A").unwrap().set().unwrap().value.0, value);
    }
}

#[test]
fn null_takes_away_and_a_quoted_null_is_text() {
    let mut env = sample("env: {A: ~, B: \"~\", C: null, D: ''}\n").unwrap().env.set().unwrap();
    assert!(matches!(env.remove("A"), Some(Patch::Remove(place)) if place.column == 10));
    assert_eq!(env.remove("B").unwrap().set().unwrap().value.0, "~");
    assert!(matches!(env.remove("C"), Some(Patch::Remove(_))));
    assert_eq!(env.remove("D").unwrap().set().unwrap().value.0, "");
}

#[test]
fn every_mistake_is_reported_in_one_go() {
    let error = sample("cuont: 1\nflag: yes\nenv:\n  A: [1]\n  B: ok\n  B: again\nlist: 3\n").unwrap_err();
    assert_eq!(
        error,
        "error: the key `B` is here twice\n  --> x.yml:6:3\n  |\n6 |   B: again\n  |   ^\nhint: take one away; the first is on line 5"
    );
    let error = sample("cuont: 1\nflag: yes\nenv:\n  A: [1]\nlist: 3\ncount: \"3\"\n").unwrap_err();
    assert_eq!(
        error,
        "error: unknown key `cuont`\n  --> x.yml:1:1\n  |\n1 | cuont: 1\n  | ^\nhint: did you mean `count`?\n\n\
         error: expected true or false, found `yes`\n  --> x.yml:2:7\n  |\n2 | flag: yes\n  |       ^\n\n\
         error: expected text, found a list\n  --> x.yml:4:6\n  |\n4 |   A: [1]\n  |      ^\n\n\
         error: expected a list, found `3`\n  --> x.yml:5:7\n  |\n5 | list: 3\n  |       ^\n\n\
         error: expected a whole number, found the text \"3\"\n  --> x.yml:6:8\n  |\n6 | count: \"3\"\n  |        ^\nhint: take the quotes away"
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
        assert_eq!(sample(text).unwrap().count, Patch::Keep, "{text:?}");
    }
}

#[test]
fn free_values_keep_what_was_written() {
    let any =
        sample("any: {a: 1, b: 1.5, c: 1e3, d: 0123, e: on, f: true, g: [~], h: 1.10}\n").unwrap().any.set().unwrap();
    assert_eq!(any.to_string(), r#"{"a":1,"b":1.5,"c":"1e3","d":"0123","e":"on","f":true,"g":[null],"h":"1.10"}"#);
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
