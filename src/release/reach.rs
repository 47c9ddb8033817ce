//! How far a release came whose run died, by what is live of it. Pure.

use super::diff::{restore, significant};
use super::ownership;
use super::record::Body;
use crate::error::join_and;
use crate::yaml::Object;

/// How far a release came whose run died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It changed nothing.
    Nothing,
    /// All that it was to change is changed.
    All,
    /// It is half one and half the other.
    Half,
    /// These are neither the one nor the other: somebody else has been at work.
    Foreign(Vec<String>),
}

/// The one of a list of recorded objects that is this one.
pub fn named(list: &[serde_json::Value], object: &Object) -> Option<Object> {
    list.iter().filter_map(|value| Object::new(value.clone()).ok()).find(|one| one.is(object))
}

/// What an object that was live was to become. A number of pods that is set last is, where it is live, no less meant than the one before.
pub fn target(body: &Body, wanted: &Object, live: Option<&Object>) -> Option<Object> {
    let mut target = named(&body.expected, wanted)?;
    let count = body.counts.get(&wanted.to_string()).copied();
    if count.is_some() && live.and_then(|live| live.number("/spec/replicas")) == count {
        target.json_mut()["spec"]["replicas"] = count.into();
    }
    Some(target)
}

/// How far a release came, by what is live of it.
pub fn reach(body: &Body, live: &[Object]) -> Reach {
    let (mut foreign, mut done, mut open) = (Vec::new(), false, false);
    let objects = body.objects.iter().filter_map(|value| Object::new(value.clone()).ok());
    for wanted in objects.filter(|wanted| !body.unchanged.contains(&wanted.to_string())) {
        let now = wanted.among(live);
        match (named(&body.before, &wanted), now) {
            (None, None) => open = true,
            (None, Some(now)) if ownership::is_ours_alone(now) || ownership::is_bare(now) => done = true,
            (None, Some(_)) => foreign.push(format!("{wanted} was made by somebody else meanwhile")),
            (Some(_), None) => foreign.push(format!("{wanted} was deleted by somebody else meanwhile")),
            (Some(before), Some(now)) if before.uid() != now.uid() => {
                foreign.push(format!("{wanted} was deleted and made again by somebody else meanwhile"));
            }
            (Some(before), Some(now)) => {
                let Some(target) = target(body, &wanted, Some(now)) else {
                    foreign.push(format!("what {wanted} was to become is not in the record"));
                    continue;
                };
                let [was, is, to] = [&before, now, &target].map(|object| significant(object.json()));
                let mut neither = Vec::new();
                let back = restore(&was, &to, &is, &mut neither);
                let forth = restore(&to, &was, &is, &mut Vec::new());
                let mut fields: Vec<String> = neither.iter().map(super::diff::Path::short).collect();
                let count = body.counts.get(&wanted.to_string()).copied();
                let number = |object: &Object| object.number("/spec/replicas");
                if count.is_some() && ![count, number(&before), number(&target)].contains(&number(now)) {
                    fields.push("spec.replicas".to_owned());
                }
                if !fields.is_empty() {
                    foreign.push(format!("{wanted} {} is neither as it was nor as it was to be", join_and(&fields)));
                }
                done |= back != is;
                open |= forth != is;
                // Set last: until then it is not all there.
                open |= count.is_some() && number(now) != count;
            }
        }
    }
    match (foreign.is_empty(), done, open) {
        (false, ..) => Reach::Foreign(foreign),
        (true, false, _) => Reach::Nothing,
        (true, true, false) => Reach::All,
        (true, true, true) => Reach::Half,
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
