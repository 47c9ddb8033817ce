//! Shapes as JSON Schema (draft 7, which editors know best). It takes what [`check`](super::check()) takes, as far as JSON can tell: a
//! number has no spelling there, so that `0644` is 420.

use serde_json::{Map, Value, json};

use super::check::Mode;
use super::shape::{Choice, Field, Rule, Shape, Struct};

/// The schema of a file of this shape.
pub fn json_schema(shape: &'static Shape, title: &str, mode: Mode) -> Value {
    let mut definitions = Map::new();
    let mut schema = of(shape, mode, &mut definitions);
    if mode == Mode::Layer {
        // A file may be empty.
        schema = json!({"anyOf": [schema, {"type": "null"}]});
    }
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = title.into();
    definitions.sort_keys();
    schema["definitions"] = definitions.into();
    schema
}

fn of(shape: &'static Shape, mode: Mode, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Text => json!({"type": ["string", "number", "boolean"]}),
        Shape::Word(rule) => word(rule),
        Shape::Whole(min, i64::MAX) => json!({"type": "integer", "minimum": min}),
        Shape::Whole(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Mode => json!({"type": "integer", "minimum": 0, "maximum": 0o777}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::OneOf(words) => json!({"type": "string", "enum": words}),
        Shape::Free => json!({}),
        Shape::Never(_) => json!({"not": {}}),
        Shape::List(item) => json!({"type": "array", "items": of(item, Mode::Whole, definitions)}),
        Shape::Map(rule, value) => json!({
            "type": "object",
            "propertyNames": pattern(rule),
            "additionalProperties": nullable(of(value, mode, definitions), mode),
        }),
        Shape::Struct(shape) => {
            let name = if mode == Mode::Layer { shape.name.to_owned() } else { format!("{}Whole", shape.name) };
            if !definitions.contains_key(&name) {
                // Some shapes hold themselves.
                definitions.insert(name.clone(), Value::Null);
                let schema = object(shape, mode, definitions);
                definitions.insert(name.clone(), schema);
            }
            json!({"$ref": format!("#/definitions/{name}")})
        }
        Shape::Forms(forms) => {
            let all = [forms.number, forms.flag, forms.list, forms.map];
            let mut any: Vec<Value> = all.into_iter().flatten().map(|shape| of(shape, mode, definitions)).collect();
            if let Some(text) = forms.text {
                any.push(of(text, mode, definitions));
            }
            json!({"description": forms.what, "anyOf": any})
        }
    }
}

fn object(shape: &'static Struct, mode: Mode, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in shape.all() {
        properties.insert(field.key.into(), property(field, mode, definitions));
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if mode == Mode::Whole {
        let required: Vec<&str> = shape.all().filter(|field| field.required).map(|field| field.key).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let rules: Vec<Value> = shape.choices.iter().map(choice).collect();
        if !rules.is_empty() {
            schema["allOf"] = json!(rules);
        }
    }
    schema
}

fn choice(choice: &Choice) -> Value {
    let required = |key: &&str| json!({"required": [key]});
    match choice {
        Choice::One(keys) => json!({"oneOf": keys.iter().map(required).collect::<Vec<_>>()}),
        Choice::AtMostOne(keys) => {
            let pairs = keys
                .iter()
                .enumerate()
                .flat_map(|(i, a)| keys[i + 1..].iter().map(move |b| json!({"required": [a, b]})));
            json!({"not": {"anyOf": pairs.collect::<Vec<_>>()}})
        }
    }
}

fn property(field: &'static Field, mode: Mode, definitions: &mut Map<String, Value>) -> Value {
    let since = if field.since > 0 { format!(" (Kubernetes 1.{} and later)", field.since) } else { String::new() };
    let description = format!("{}{since}", field.doc);
    let schema = nullable(of(field.shape, mode, definitions), mode);
    // Beside a `$ref` a draft 7 reader sees nothing else.
    match schema {
        Value::Object(mut map) if !map.contains_key("$ref") => {
            map.insert("description".into(), description.into());
            Value::Object(map)
        }
        schema => json!({"description": description, "allOf": [schema]}),
    }
}

fn nullable(schema: Value, mode: Mode) -> Value {
    if mode == Mode::Layer && schema != json!({}) { json!({"anyOf": [schema, {"type": "null"}]}) } else { schema }
}

fn pattern(rule: &Rule) -> Value {
    let mut schema = json!({"pattern": rule.pattern});
    if rule.max < usize::MAX {
        schema["maxLength"] = rule.max.into();
    }
    schema
}

fn word(rule: &Rule) -> Value {
    let mut text = pattern(rule);
    text["type"] = "string".into();
    let mut any: Vec<Value> = vec![text];
    any.extend(rule.numbers.and_then(|schema| serde_json::from_str(schema).ok()));
    if rule.flags {
        any.push(json!({"type": "boolean"}));
    }
    match <[Value; 1]>::try_from(any) {
        Ok([one]) => one,
        Err(any) => json!({"anyOf": any}),
    }
}
