//! JSON as kubectl reads it, but without a key that is there twice.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Document, Unreadable, scalar};

/// The values of a text of JSON values, without the nulls.
pub fn documents(text: &str) -> Result<Vec<Document>, Unreadable> {
    let mut documents = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Strict>();
    loop {
        let offset = stream.byte_offset();
        let Some(value) = stream.next() else { return Ok(documents) };
        let Strict(value) = value.map_err(|error| {
            // The place is told apart from the message.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message);
            Unreadable::new(error.line().max(1), error.column().max(1), format!("not valid JSON: {message}"))
        })?;
        let start = offset + text[offset..].len() - text[offset..].trim_start().len();
        if !value.is_null() {
            documents.push(Document { value, line: Unreadable::at(text, start, "").line });
        }
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed.deserialize(deserializer).map(Strict)
    }
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(scalar::json_integer(value))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        scalar::json_number(value).ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Seed)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format_args!("the key `{key}` is here twice")));
            }
            map.insert(key, entries.next_value_seed(Seed)?);
        }
        Ok(Value::Object(map))
    }
}
