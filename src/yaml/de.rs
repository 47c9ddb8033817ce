//! serde over the tree, going on after a mistake where it can: at a key that nobody knows, and at each value behind a
//! [`Patch`](super::Patch).

use std::cell::RefCell;
use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::node::{Kind, Node};
use super::{AT, PATCH};
use crate::error::{Place, Problem, closest, join_and};

type Log = RefCell<Vec<Problem>>;

pub fn decode<'de, T: de::Deserialize<'de>>(node: &Node) -> Result<T, Vec<Problem>> {
    let log = Log::default();
    let result = T::deserialize(De { node, log: &log });
    let mut problems = log.into_inner();
    match result {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) => Err(problems),
        Err(error) => {
            problems.push(error.problem(node.place));
            Err(problems)
        }
    }
}

#[derive(Debug)]
pub struct Error {
    place: Option<Place>,
    message: String,
    hint: Option<String>,
}

impl Error {
    fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), message: message.into(), hint: None }
    }

    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn problem(self, place: Place) -> Problem {
        Problem { place: Some(self.place.unwrap_or(place)), message: self.message, hint: self.hint }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    /// A hint may ride along behind a line break: newtypes that check their text have no other way to give one.
    fn custom<T: Display>(message: T) -> Self {
        let text = message.to_string();
        match text.split_once('\n') {
            Some((message, hint)) => Self { place: None, message: message.into(), hint: Some(hint.into()) },
            None => Self { place: None, message: text, hint: None },
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Str(text) => Self::custom(format_args!("expected {expected}, found `{text}`")),
            found => Self::custom(format_args!("expected {expected}, found {found}")),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the key `{field}` is missing"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let (message, hint) = unknown(field, expected);
        Self { place: None, message, hint: Some(hint) }
    }
}

fn unknown(key: &str, known: &'static [&'static str]) -> (String, String) {
    let hint = match closest(key, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("the keys here are {}", join_and(known)),
    };
    (format!("unknown key `{key}`"), hint)
}

#[derive(Clone, Copy)]
struct De<'a> {
    node: &'a Node,
    log: &'a Log,
}

impl<'a> De<'a> {
    fn child(self, node: &'a Node) -> Self {
        Self { node, log: self.log }
    }

    fn wrong<T>(self, expected: &str) -> Result<T, Error> {
        let mut error = Error::new(self.node.place, format!("expected {expected}, found {}", self.node.found()));
        if let Kind::Scalar { plain: false, .. } = &self.node.kind
            && (expected.contains("number") || expected.contains("true"))
        {
            error.hint = Some("take the quotes away".into());
        }
        Err(error)
    }

    fn number<T: std::str::FromStr>(self, expected: &str) -> Result<T, Error> {
        match &self.node.kind {
            // Only plain decimals: what `0123`, `0x1f` or `1_000` are is a matter of the YAML version.
            Kind::Scalar { text, plain: true } if is_decimal(text) => text
                .parse()
                .map_err(|_| Error::new(self.node.place, format!("`{text}` is too large or too small here"))),
            _ => self.wrong(expected),
        }
    }

    fn entries(self) -> Result<&'a [(Node, Node)], Error> {
        match &self.node.kind {
            Kind::Map(entries) => Ok(entries),
            _ => self.wrong("a map"),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))
}

/// A decimal fraction that prints again as it was written, so that nothing is lost in reading it as a number.
fn is_fraction(text: &str) -> bool {
    text.contains('.') && text.parse::<f64>().is_ok_and(|number| number.is_finite() && number.to_string() == text)
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.number::<$type>("a whole number")?).map_err(|e: Error| e.at(self.node.place))
        }
    )*};
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Seq(_) => return self.deserialize_seq(visitor),
            Kind::Map(_) => return self.deserialize_map(visitor),
            Kind::Scalar { .. } if self.node.is_null() => visitor.visit_unit(),
            Kind::Scalar { text, plain: true } => match text.as_str() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                _ if is_decimal(text) => match text.parse::<u64>() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_i64(self.number("a whole number")?),
                },
                _ if is_fraction(text) => visitor.visit_f64(text.parse().unwrap_or_default()),
                _ => visitor.visit_str(text),
            },
            Kind::Scalar { text, plain: false } => visitor.visit_str(text),
        }
        .map_err(|e: Error| e.at(self.node.place))
    }

    integers!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    );

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar { text, plain: true } if text == "true" => visitor.visit_bool(true),
            Kind::Scalar { text, plain: true } if text == "false" => visitor.visit_bool(false),
            _ => self.wrong("true or false"),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar { text, .. } => visitor.visit_str(text).map_err(|e: Error| e.at(self.node.place)),
            _ => self.wrong("text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            AT => visitor.visit_seq(Placed { de: self, step: 0, patch: false }),
            PATCH => visitor.visit_seq(Placed { de: self, step: 0, patch: true }),
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|e: Error| e.at(self.node.place))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Seq(items) => {
                visitor.visit_seq(Items { de: self, items: items.iter() }).map_err(|e: Error| e.at(self.node.place))
            }
            _ => self.wrong("a list"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries()?.iter();
        visitor
            .visit_map(Entries { de: self, entries, value: None, fields: None })
            .map_err(|e: Error| e.at(self.node.place))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = self.entries()?.iter();
        visitor
            .visit_map(Entries { de: self, entries, value: None, fields: Some(fields) })
            .map_err(|e: Error| e.at(self.node.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar { text, .. } if variants.contains(&text.as_str()) => visitor.visit_enum(Variant(text)),
            _ => self.wrong(&format!("one of {}", join_and(variants))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The place, for a patch whether it is null, then the value: what `At` and `Patch` ask for.
struct Placed<'a> {
    de: De<'a>,
    step: usize,
    patch: bool,
}

impl<'de> SeqAccess<'de> for Placed<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let place = self.de.node.place;
        self.step += 1;
        match self.step {
            1 => seed.deserialize(place.file.number().into_deserializer()).map(Some),
            2 => seed.deserialize(place.line.into_deserializer()).map(Some),
            3 => seed.deserialize(place.column.into_deserializer()).map(Some),
            4 if self.patch => seed.deserialize(self.de.node.is_null().into_deserializer()).map(Some),
            _ if self.patch => match seed.deserialize(self.de) {
                Ok(value) => Ok(Some(value)),
                Err(error) => {
                    self.de.log.borrow_mut().push(error.problem(place));
                    Ok(None)
                }
            },
            _ => seed.deserialize(self.de).map(Some),
        }
    }
}

struct Items<'a> {
    de: De<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.items.next().map(|node| seed.deserialize(self.de.child(node))).transpose()
    }
}

struct Entries<'a> {
    de: De<'a>,
    entries: std::slice::Iter<'a, (Node, Node)>,
    value: Option<&'a Node>,
    fields: Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        for (key, value) in self.entries.by_ref() {
            let Kind::Scalar { text, .. } = &key.kind else { continue };
            if let Some(fields) = self.fields
                && !fields.contains(&text.as_str())
            {
                let (message, hint) = unknown(text, fields);
                self.de.log.borrow_mut().push(Problem::at(key.place, message).hint(hint));
                continue;
            }
            self.value = Some(value);
            let de: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
            return seed.deserialize(de).map(Some).map_err(|e| e.at(key.place));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(self.de.child(node)),
            None => Err(de::Error::custom("a value without a key")),
        }
    }
}

struct Variant<'a>(&'a str);

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let de: StrDeserializer<'_, Error> = self.0.into_deserializer();
        Ok((seed.deserialize(de)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(de::Error::custom("expected a single word"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("expected a single word"))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("expected a single word"))
    }
}
