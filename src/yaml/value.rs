//! A tree as JSON, by its shape: what is asked for as text is the very text that stands in the file (`on`, `1e3`, `0123`).

use serde_json::{Map, Number, Value};

use super::node::{Kind, Node};
use super::shape::Shape;

/// The JSON of a tree that has passed [`check`](super::check()).
pub fn value(node: &Node, shape: &Shape) -> Value {
    match (shape, &node.kind) {
        (Shape::Forms(forms), _) => forms.pick(node).map_or(Value::Null, |shape| value(node, shape)),
        (Shape::Text | Shape::Word(_) | Shape::OneOf(_), Kind::Scalar { text, .. }) => Value::String(text.clone()),
        (Shape::Whole(..), Kind::Scalar { text, .. }) => text.parse::<i64>().map_or(Value::Null, Value::from),
        (Shape::Mode, _) => node.mode().map_or(Value::Null, Value::from),
        (Shape::Flag, Kind::Scalar { text, .. }) => Value::Bool(text == "true"),
        (Shape::List(item), Kind::Seq(items)) => items.iter().map(|node| value(node, item)).collect(),
        (Shape::Map(_, shape), Kind::Map(entries)) => map(entries, |_| shape),
        (Shape::Struct(shape), Kind::Map(entries)) => {
            map(entries, |key| shape.get(key).map_or(&Shape::Free, |field| field.shape))
        }
        _ => free(node),
    }
}

fn map<'a>(entries: &[(Node, Node)], shape: impl Fn(&str) -> &'a Shape) -> Value {
    let entry = |(key, node): &(Node, Node)| (key.text().to_owned(), value(node, shape(key.text())));
    Value::Object(entries.iter().filter(|(_, node)| !node.is_null()).map(entry).collect::<Map<_, _>>())
}

/// What no shape says more of: plain decimals are numbers, `true` and `false` truths, and a fraction is a number if it prints
/// again as it was written, so that nothing is lost (`1.10` stays text).
fn free(node: &Node) -> Value {
    match &node.kind {
        _ if node.is_null() => Value::Null,
        Kind::Seq(items) => items.iter().map(free).collect(),
        Kind::Map(entries) => {
            Value::Object(entries.iter().map(|(key, node)| (key.text().to_owned(), free(node))).collect())
        }
        Kind::Scalar { text, plain: true } => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ if node.is_whole() => text
                .parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<u64>().map(Value::from))
                .unwrap_or_else(|_| text.clone().into()),
            _ => fraction(text).map_or_else(|| text.clone().into(), Value::Number),
        },
        Kind::Scalar { text, .. } => text.clone().into(),
    }
}

fn fraction(text: &str) -> Option<Number> {
    let number: f64 = text.contains('.').then(|| text.parse().ok())??;
    (number.is_finite() && number.to_string() == text).then(|| Number::from_f64(number))?
}
