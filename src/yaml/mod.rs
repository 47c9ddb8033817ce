//! Strict reading of our own YAML files: every value keeps its place, every mistake of a file is reported in
//! one go, and a scalar asked for as text is the very text that stands in the file (`on`, `1e3`, `0123`).
//! What a file may say is a [`Shape`]. Beside it, what every room needs of the other direction: Kubernetes objects as JSON, and
//! JSON that every YAML parser reads alike. A leaf: may import `error` only.
//!
//! Why not serde for this: it stops at the first mistake, keeps no places in what it returns, and a merge of layers needs both.

mod check;
mod edit;
mod emit;
mod json;
mod json_schema;
mod kubectl;
mod merge;
mod node;
mod object;
mod shape;
mod value;

pub use check::{Mode, check, younger};
pub use edit::with_scalar;
pub use emit::emit;
pub use json::{safe, unappliable};
pub use json_schema::json_schema;
pub use kubectl::documents;
pub use merge::merge;
pub use node::{Node, parse, shorten};
pub use object::Object;
pub use shape::{Choice, Field, Forms, Rule, Shape, Struct, field, rule};
pub use value::value;

#[cfg(test)]
mod tests;
