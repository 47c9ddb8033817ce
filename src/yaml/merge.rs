//! One layer over another: maps merge by key, lists replace, `null` takes a key away. Every value keeps its place, so that it is
//! known where it came from.

use super::node::{Kind, Node};
use super::shape::{Choice, Shape, Struct};
use crate::error::Problem;

/// `earlier` with `later` over it. Both have passed [`check`](super::check()). A `null` for a key of a map that no earlier layer has is
/// probably meant as an empty text, so it is among the warnings.
pub fn merge(earlier: Node, later: &Node, shape: &Shape, warnings: &mut Vec<Problem>) -> Node {
    Merge { path: Vec::new(), warnings, heir: false }.over(earlier, later, shape)
}

struct Merge<'a, 'w> {
    path: Vec<&'a str>,
    warnings: &'w mut Vec<Problem>,
    /// Within something that has from elsewhere what it does not say: there a `null` waits for what comes from there.
    heir: bool,
}

impl<'a> Merge<'a, '_> {
    fn over(&mut self, earlier: Node, later: &'a Node, shape: &Shape) -> Node {
        let shape = match shape {
            Shape::Forms(forms) => match forms.pick(later) {
                Some(shape) => shape,
                None => return later.clone(),
            },
            shape => shape,
        };
        let place = earlier.place;
        let (Kind::Map(base), Kind::Map(patch)) = (earlier.kind, &later.kind) else { return bare(later, shape) };
        let mut base = match shape {
            Shape::Struct(Struct { atomic: true, .. }) => return bare(later, shape),
            Shape::Struct(known) => without_rivals(base, patch, known),
            Shape::Map(..) | Shape::Free => base,
            _ => return later.clone(),
        };
        let outside = self.heir;
        self.heir |= !self.path.is_empty() && matches!(shape, Shape::Struct(known) if known.heir);
        for (key, value) in patch {
            self.path.push(key.text());
            self.entry(&mut base, key, value, shape);
            self.path.pop();
        }
        self.heir = outside;
        Node::new(Kind::Map(base), place)
    }

    fn entry(&mut self, base: &mut Vec<(Node, Node)>, key: &Node, value: &'a Node, shape: &Shape) {
        let at = base.iter().position(|(known, _)| known.text() == key.text());
        if value.is_null() {
            match at {
                Some(at) if self.heir => base[at].1 = value.clone(),
                Some(at) => drop(base.remove(at)),
                None if self.heir => base.push((key.clone(), value.clone())),
                None if matches!(shape, Shape::Map(..)) => self.warnings.push(nothing_to_take(value, &self.path)),
                None => {}
            }
            return;
        }
        let value_shape = match shape {
            Shape::Struct(known) => known.get(key.text()).map_or(&Shape::Free, |field| field.shape),
            Shape::Map(_, value) => value,
            _ => &Shape::Free,
        };
        match at {
            Some(at) => {
                let old = std::mem::replace(&mut base[at].1, Node::empty(value.place));
                base[at].1 = self.over(old, value, value_shape);
            }
            None => {
                let value = self.over(Node::empty(value.place), value, value_shape);
                base.push((key.clone(), value));
            }
        }
    }
}

/// A value that replaces: the nulls in its maps take nothing away and go.
fn bare(node: &Node, shape: &Shape) -> Node {
    match (&node.kind, shape) {
        (Kind::Map(entries), Shape::Struct(_) | Shape::Map(..) | Shape::Free) => {
            Node::new(Kind::Map(entries.iter().filter(|(_, value)| !value.is_null()).cloned().collect()), node.place)
        }
        _ => node.clone(),
    }
}

/// Where a layer chooses one of several ways, the way that an earlier one chose is given up.
fn without_rivals(mut base: Vec<(Node, Node)>, patch: &[(Node, Node)], shape: &Struct) -> Vec<(Node, Node)> {
    for Choice::One(keys) | Choice::AtMostOne(keys) in shape.choices {
        let chosen = patch.iter().any(|(key, value)| keys.contains(&key.text()) && !value.is_null());
        if chosen {
            let named = |key: &str| patch.iter().any(|(found, _)| found.text() == key);
            base.retain(|(key, _)| !keys.contains(&key.text()) || named(key.text()));
        }
    }
    base
}

fn nothing_to_take(value: &Node, path: &[&str]) -> Problem {
    let key = path.last().copied().unwrap_or_default();
    Problem::at(
        value.place,
        format!("`{}` is null, which takes it away, and there is nothing to take away", path.join(".")),
    )
    .hint(format!("for an empty text write `{key}: \"\"`, for the text itself put it in quotes"))
}
