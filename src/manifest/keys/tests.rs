//! The schema and the parser say the same of every document, good or broken; and no document, however broken, makes the parser fall.

use std::path::Path;

use serde_json::{Value, json};

use super::{repo::REPO_SHAPE, service::LAYER_SHAPE, service::MANIFEST_SHAPE};
use crate::error::Sources;
use crate::yaml::{Mode, Shape, check, json_schema, parse};

/// Numbers that look random and are the same each time (Knuth's MMIX multiplier).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// A good document of a shape, or nearly: as deep as `depth` allows.
fn grow(shape: &Shape, dice: &mut Dice, depth: usize) -> Value {
    const TEXTS: [&str; 14] = [
        "a",
        "http",
        "/ready",
        "1.2.3",
        "100m",
        "25%",
        "quay.io/a/b",
        "a.example.com",
        "0 3 * * *",
        "5m",
        "Europe/Berlin",
        "10.0.0.0/8",
        "1.29",
        "https://x",
    ];
    match shape {
        Shape::Text => [json!("text"), json!(1), json!(true), json!("")][dice.below(4)].clone(),
        Shape::Word(rule) => {
            let good: Vec<&str> = TEXTS.into_iter().filter(|text| rule.holds(text)).collect();
            if good.is_empty() { json!("a") } else { json!(good[dice.below(good.len())]) }
        }
        Shape::Whole(min, max) => json!([*min, *max, (*min).max(1), (*max).min(7)][dice.below(4)]),
        Shape::Mode => json!([0, 420, 511][dice.below(3)]),
        Shape::Flag => json!(dice.below(2) == 0),
        Shape::OneOf(words) => json!(words[dice.below(words.len())]),
        Shape::Free => [json!({"a": [1, null]}), json!("x"), json!(1.5)][dice.below(3)].clone(),
        Shape::Never(_) => Value::Null,
        Shape::List(item) => (0..dice.below(3)).map(|_| grow(item, dice, depth.saturating_sub(1))).collect(),
        Shape::Map(rule, value) => {
            let keys: Vec<&str> = TEXTS.into_iter().filter(|text| rule.holds(text)).collect();
            if keys.is_empty() {
                return json!({});
            }
            (0..dice.below(3))
                .map(|_| (keys[dice.below(keys.len())].to_owned(), grow(value, dice, depth.saturating_sub(1))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Shape::Struct(known) => {
            let fields: Vec<_> = known.all().collect();
            let mut map = serde_json::Map::new();
            for field in &fields {
                let chosen = known
                    .choices
                    .iter()
                    .any(|choice| matches!(choice, crate::yaml::Choice::One(keys) if keys[0] == field.key));
                if field.required || chosen || (depth > 0 && dice.below(fields.len()) < 3) {
                    map.insert(field.key.into(), grow(field.shape, dice, depth.saturating_sub(1)));
                }
            }
            map.into()
        }
        Shape::Forms(forms) => {
            let all: Vec<&Shape> =
                [forms.number, forms.flag, forms.text, forms.list, forms.map].into_iter().flatten().collect();
            grow(all[dice.below(all.len())], dice, depth)
        }
    }
}

/// Breaks something somewhere, mostly.
fn mutate(value: &mut Value, dice: &mut Dice) {
    let junk = [
        json!(null),
        json!("x y"),
        json!(-1),
        json!(0.5),
        json!([]),
        json!({}),
        json!(true),
        json!("A"),
        json!(70000),
        json!({"x": 1}),
        json!(""),
    ];
    match value {
        Value::Object(map) if !map.is_empty() && dice.below(5) > 0 => {
            let key = map.keys().nth(dice.below(map.len())).unwrap().clone();
            match dice.below(6) {
                0 => drop(map.insert(format!("{key}x"), json!(1))),
                1 => drop(map.remove(&key)),
                _ => mutate(map.get_mut(&key).unwrap(), dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.below(5) > 0 => {
            let at = dice.below(items.len());
            mutate(&mut items[at], dice);
        }
        other => *other = junk[dice.below(junk.len())].clone(),
    }
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let mut dice = Dice(7);
    for (shape, title) in [(&MANIFEST_SHAPE, "manifest"), (&LAYER_SHAPE, "layer"), (&REPO_SHAPE, "repo")] {
        let shape: &'static Shape = shape;
        let schema = json_schema(shape, title, Mode::Layer);
        let validator = jsonschema::draft7::new(&schema).unwrap();
        let (mut good, mut bad) = (0, 0);
        for round in 0..3000 {
            let mut document = grow(shape, &mut dice, 5);
            for _ in 0..round % 3 {
                mutate(&mut document, &mut dice);
            }
            let text = document.to_string();
            let file = Sources::default().add(Path::new("x.yml"), text.clone());
            let mut problems = Vec::new();
            match parse(&text, file) {
                Ok(node) => check(&node, shape, Mode::Layer, &mut problems),
                Err(broken) => problems = broken,
            }
            let valid = validator.is_valid(&document);
            let why: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| format!("{} at {}", error, error.instance_path()))
                .collect();
            assert_eq!(problems.is_empty(), valid, "{title}: {text}\nparser: {problems:#?}\nschema: {why:?}");
            if valid { good += 1 } else { bad += 1 }
        }
        assert!(good > 300 && bad > 300, "{title}: {good} good, {bad} bad");
    }
}

#[test]
fn every_definition_has_one_meaning() {
    fn structs(shape: &'static Shape, seen: &mut Vec<(&'static str, *const crate::yaml::Struct)>) {
        match shape {
            Shape::List(item) => structs(item, seen),
            Shape::Map(_, value) => structs(value, seen),
            Shape::Forms(forms) => [forms.list, forms.map].into_iter().flatten().for_each(|shape| structs(shape, seen)),
            Shape::Struct(known) => {
                let this = (known.name, std::ptr::from_ref(*known));
                if !seen.contains(&this) {
                    assert!(seen.iter().all(|(name, _)| *name != known.name), "two structs are named {}", known.name);
                    seen.push(this);
                    known.all().for_each(|field| structs(field.shape, seen));
                    let mut keys: Vec<&str> = known.all().map(|field| field.key).collect();
                    keys.sort_unstable();
                    assert!(
                        keys.windows(2).all(|pair| pair[0] != pair[1]),
                        "a key of {} is there twice: {keys:?}",
                        known.name
                    );
                }
            }
            _ => {}
        }
    }
    let mut seen = Vec::new();
    structs(&MANIFEST_SHAPE, &mut seen);
    structs(&REPO_SHAPE, &mut seen);
    assert!(seen.len() > 60);
}
