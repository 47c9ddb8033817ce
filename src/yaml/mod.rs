//! Strict reading of our own YAML files: every value keeps its place, every mistake of a file is reported in
//! one go, and a scalar asked for as text is the very text that stands in the file (`on`, `1e3`, `0123`).
//! Beside it, what every room needs of the other direction: Kubernetes objects as JSON, and JSON that every YAML parser reads alike.
//! A leaf: may import `error` only.
//!
//! Why not serde_yaml for this: it stops at the first mistake, keeps no places in what it returns, and a merge of layers
//! needs both. It is used for what it is good at, reading what our templates made.

mod de;
mod json;
mod node;
mod object;

pub use json::{safe, unappliable};
pub use object::Object;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::error::{FileId, Place, Problem, Sources};

/// Reads a file that is in `sources` as `T`. An empty file is an empty map.
///
/// # Errors
/// Every mistake of the file, each with its place.
pub fn read<'de, T: Deserialize<'de>>(sources: &Sources, file: FileId) -> Result<T, Vec<Problem>> {
    let node = node::parse(sources.text(file), file)?;
    de::decode(&node)
}

/// A value and the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The name by which [`At`] asks the decoder for a place. Nothing else in the crate uses this name.
const AT: &str = "$shipcat::At";
/// Likewise for [`Patch`].
const PATCH: &str = "$shipcat::Patch";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
                let place = place_from(&mut seq)?;
                let value = seq.next_element()?.ok_or_else(|| missing::<A>("value"))?;
                Ok(At { value, place })
            }
        }
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

/// What one layer says of a key: nothing, "take it away" (`null`), or a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The layer does not mention the key.
    #[default]
    Keep,
    /// The layer says `null`, here.
    Remove(Place),
    /// The layer has a value.
    Set(T),
}

impl<T> Patch<T> {
    /// This layer's word, with a later layer's word on top of it: the later one replaces.
    pub fn then(self, later: Self) -> Self {
        match later {
            Self::Keep => self,
            later => later,
        }
    }

    /// The value, where there is one.
    pub fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Remove(_) => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PatchVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PatchVisitor<T> {
            type Value = Patch<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Patch<T>, A::Error> {
                let place = place_from(&mut seq)?;
                let null: bool = seq.next_element()?.ok_or_else(|| missing::<A>("null"))?;
                if null {
                    return Ok(Patch::Remove(place));
                }
                // A value that cannot be read was reported by the decoder; reading goes on with the next key.
                Ok(seq.next_element()?.map_or(Patch::Keep, Patch::Set))
            }
        }
        deserializer.deserialize_newtype_struct(PATCH, PatchVisitor(PhantomData))
    }
}

fn place_from<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Place, A::Error> {
    let mut number = || seq.next_element::<usize>()?.ok_or_else(|| missing::<A>("place"));
    Ok(Place { file: FileId::from_number(number()?), line: number()?, column: number()? })
}

fn missing<'de, A: SeqAccess<'de>>(what: &'static str) -> A::Error {
    serde::de::Error::custom(format_args!("no {what}"))
}

/// Text as it stands in the file, whatever YAML would take it for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Text(pub String);

#[cfg(test)]
mod tests;
