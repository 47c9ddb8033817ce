use super::*;
use serde_json::json;

/// What kubectl said, see tests/kubectl-facts.py: a text, and the `spec` of every object in it, or null where kubectl refuses or
/// its versions do not agree.
const FACTS: &str = include_str!("kubectl_facts.json");

/// Why we refuse what kubectl reads.
const STRICTER: [&str; 25] = [
    // It may be a mistake, and kubectl would say nothing.
    "is here twice",
    "put `<<` above it",
    "a line `---` belongs before it",
    "a `...` that ends nothing",
    // kubectl reads it, but not as it is written.
    "a carriage return without a line feed",
    "a character that kubectl takes for a line break",
    "not what `!!timestamp` says",
    "binary data that is not text",
    "`!!binary` takes base64",
    "not valid JSON: unexpected end of hex escape",
    // Our parser does not let us see the difference to what kubectl refuses, or refuses it itself.
    "a byte order mark in the middle of the text",
    "a tab where kubectl takes only spaces",
    "a space belongs behind this `:`",
    "kubectl takes `?` and `:` between brackets for more than text",
    "a tag without a value",
    "comments must be separated from other tokens by whitespace",
    "plain scalar cannot start with '-' followed by ,[]{}",
    "found unknown escape character",
    "tabs disallowed within this context",
    "tab cannot be used as indentation",
    "':' must be followed by a valid yaml whitespace",
    "found unknown anchor",
    "simple key expect ':'",
    "did not find expected <document start>",
    "missing explicit document end marker before directive",
];

fn specs(text: &str) -> Result<Vec<Value>, Unreadable> {
    Ok(documents(text)?.into_iter().map(|document| document.value["spec"].clone()).collect())
}

#[test]
fn everything_is_read_as_kubectl_reads_it() {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    let (mut wrong, mut same) = (Vec::new(), 0);
    for fact in facts["facts"].as_array().unwrap() {
        let text = fact[0].as_str().unwrap();
        match (specs(text), fact[1].as_array()) {
            (Ok(specs), Some(said)) if specs == *said => same += 1,
            (Err(_), None) => {}
            // kubectl 1.20 drops what follows, and 1.32 reads it: so do we.
            (Ok(specs), None) if text.contains("\n--- # comment\n") && specs.len() == 2 => {}
            (Err(error), Some(_)) if STRICTER.iter().any(|reason| error.message.contains(reason)) => {}
            (ours, said) => wrong.push(format!("{text:?}\n  ours {ours:?}\n  kubectl {}", json!(said))),
        }
    }
    assert!(wrong.is_empty(), "{}\n{} are read in another way", wrong.join("\n"), wrong.len());
    assert!(same > 1500, "only {same} are read at all");
}

fn wrong(text: &str) -> (usize, usize, String) {
    let error = documents(text).unwrap_err();
    (error.line, error.column, error.message)
}

#[test]
fn documents_know_their_line_and_empty_ones_are_left_out() {
    let text = "# a\n---\n# b\na: 1\n---\n---\n~\n---\n\n# c\n- b\n---\nplain";
    let read: Vec<(Value, usize)> = documents(text).unwrap().into_iter().map(|one| (one.value, one.line)).collect();
    assert_eq!(read, [(json!({"a": 1}), 4), (json!(["b"]), 11), (json!("plain"), 13)]);
    let read = documents(" {\"a\": 1}\n\n{\"b\":\n2}null{}").unwrap();
    let read: Vec<(Value, usize)> = read.into_iter().map(|one| (one.value, one.line)).collect();
    assert_eq!(read, [(json!({"a": 1}), 1), (json!({"b": 2}), 3), (json!({}), 4)]);
}

#[test]
fn a_mistake_has_a_place_in_the_whole_text() {
    assert_eq!(wrong("a: 1\n---\nb: 2\nb: 3\n"), (4, 1, "the key `b` is here twice".into()));
    assert_eq!(wrong("a: 1\r\n---\r\nb: é .inf\r\nc: .inf\r\n").0, 4);
    assert_eq!(
        wrong("é: \u{7}\n"),
        (1, 4, "a control character: U+0007; write it as an escape in double quotes".into())
    );
    assert_eq!(wrong("a: 1\n--- b\nc: 1\n").0, 2);
    assert_eq!(wrong("{\"a\": 1,\n \"a\": 2}"), (2, 4, "not valid JSON: the key `a` is here twice".into()));
    // The line had to be indented for the parser; the place is the one in the text.
    assert_eq!(wrong("k:\n  v: [\n  a,\n  .inf,\n  ]\n").0, 4);
    assert_eq!(wrong("k:\n  v: [\n  a,\n  .inf,\n  ]\n").1, 3);
}

#[test]
fn nothing_is_left_to_chance() {
    for text in ["1: a\n'1': b", "true: a\n'true': b", "1.0: a\n1: b", "on: a\nyes: b", "{\"a\": 1, \"a\": 1}"] {
        assert!(wrong(text).2.contains("is here twice"), "{text}");
    }
    for text in ["x: &x {1: a}\ny: {<<: *x, '1': b}", "y: {<<: [{1: a}, {'1': b}]}"] {
        assert!(wrong(text).2.contains("by chance"), "{text}");
    }
}

#[test]
fn lines_in_brackets_and_quotes_are_indented_as_one_likes() {
    let read = specs("spec:\n  a: [\n  b,\nc\n  ]\n  d: {\n  e: \"f\n  g\",\n  }\n  h: 'i\nj\n\n\n k'\n").unwrap();
    assert_eq!(read, [json!({"a": ["b", "c"], "d": {"e": "f g"}, "h": "i j\n\nk"})]);
}

#[test]
fn an_alias_bomb_does_no_harm() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    assert!(wrong(&text).2.contains("unfold to too much"));
    let mut text = String::from("a0: &a0 {k0: x}\n");
    for i in 1..30 {
        let last = i - 1;
        text += &format!("a{i}: &a{i} {{k{i}: *a{last}, l{i}: {{<<: [*a{last}, *a{last}]}}}}\n");
    }
    assert!(wrong(&text).2.contains("unfold to too much"));
    assert!(wrong(&format!("a: {}{}\n", "[".repeat(200), "]".repeat(200))).2.contains("nested deeper"));
    assert!(wrong(&format!("{{\"a\": {}{}}}\n", "[".repeat(200), "]".repeat(200))).2.contains("recursion"));
    assert!(wrong(&"- ".repeat(100_000)).2.contains("nested deeper"));
}
