//! Scalars with their tags, and what becomes of them in JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saphyr_parser::{ScalarStyle, Tag};
use serde_json::Value;

use super::scalar::{self, Scalar, resolve};

/// What `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

/// A scalar that was read.
pub enum Read<'a> {
    Scalar(Scalar<'a>),
    /// What was behind `!!binary`.
    Binary(String),
}

/// Reads a scalar. A tag that go-yaml does not know makes it text, and so do quotes where there is no tag.
///
/// # Errors
/// If it is not what its tag says: why.
pub fn read<'a>(text: &'a str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Read<'a>, String> {
    let Some(tag) = tag else {
        let plain = style == ScalarStyle::Plain;
        return Ok(Read::Scalar(if plain { resolve(text) } else { Scalar::Text(text) }));
    };
    let tag = full(tag);
    let Some(kind) = tag.strip_prefix(CORE) else { return Ok(Read::Scalar(Scalar::Text(text))) };
    Ok(Read::Scalar(match (kind, resolve(text)) {
        ("binary", _) => return binary(text),
        ("int", scalar @ (Scalar::Integer(_) | Scalar::Large(_)))
        | ("float", scalar @ Scalar::Float(_))
        | ("bool", scalar @ Scalar::Bool(_))
        | ("null", scalar @ Scalar::Null) => scalar,
        ("float", Scalar::Integer(number)) => Scalar::Float(number as f64),
        // kubectl reads a timestamp with a tag, and writes it in another way.
        ("int" | "float" | "bool" | "null" | "timestamp", _) => {
            return Err(format!("the value is not what `!!{kind}` says"));
        }
        _ => Scalar::Text(text),
    }))
}

/// kubectl replaces what is not UTF-8; this is refused.
fn binary(text: &str) -> Result<Read<'static>, String> {
    let data: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let bytes = STANDARD.decode(data).map_err(|_| "`!!binary` takes base64")?;
    Ok(Read::Binary(String::from_utf8(bytes).map_err(|_| "binary data that is not text")?))
}

impl Read<'_> {
    /// As a value; none for a number that JSON does not know.
    pub fn value(&self) -> Option<Value> {
        Some(match self {
            Read::Binary(text) => Value::String(text.clone()),
            Read::Scalar(Scalar::Null) => Value::Null,
            Read::Scalar(Scalar::Bool(value)) => Value::Bool(*value),
            Read::Scalar(Scalar::Integer(number)) => Value::from(*number),
            Read::Scalar(Scalar::Large(number)) => scalar::json_integer(*number),
            Read::Scalar(Scalar::Float(number)) => scalar::json_number(*number)?,
            Read::Scalar(Scalar::Text(text)) => Value::String((*text).to_owned()),
        })
    }

    /// As sigs.k8s.io/yaml writes a key. None for null and for what is above an `i64`, which it refuses.
    pub fn key(&self) -> Option<String> {
        Some(match self {
            Read::Binary(text) => text.clone(),
            Read::Scalar(Scalar::Text(text)) => (*text).to_owned(),
            Read::Scalar(Scalar::Bool(value)) => value.to_string(),
            Read::Scalar(Scalar::Integer(number)) => number.to_string(),
            Read::Scalar(Scalar::Float(number)) => scalar::key(*number),
            Read::Scalar(Scalar::Null | Scalar::Large(_)) => return None,
        })
    }
}

fn full(tag: &Tag) -> Cow<'_, str> {
    if tag.handle.is_empty() { Cow::Borrowed(&tag.suffix) } else { Cow::Owned(format!("{}{}", tag.handle, tag.suffix)) }
}

/// Whether a key is the one that brings in another map.
pub fn is_merge(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
    text == "<<"
        && match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => matches!(full(tag).as_ref(), "!" | "tag:yaml.org,2002:merge"),
        }
}
