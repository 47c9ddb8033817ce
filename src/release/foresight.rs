//! What the API server would make of the objects: its own word by a dry run, or where that may not be asked, our best knowledge.

use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use super::ownership::{self, Takeover};
use super::rejection::rejected;
use super::rollout::{Kind, is_failed};
use crate::error::Failure;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The API server's.
    Server,
    /// Ours, from the live objects: the user may not ask for a dry run.
    Own,
}

/// What is expected of each object, and whose word that is.
#[derive(Debug)]
pub struct Foresight {
    /// What will be made of each of the wanted objects.
    pub expected: Vec<Object>,
    /// Whose word it is.
    pub word: Word,
    /// Why the API server would not take them, if it would not.
    pub rejection: Option<Failure>,
}

/// Foresees; `dry_run` is what the API server said to all of the objects at once.
pub fn foresee(
    kubectl: &Kubectl<'_>,
    wanted: &[Object],
    live: &[Object],
    dry_run: Result<Vec<Object>, KubectlError>,
) -> Foresight {
    let own = || wanted.iter().map(|object| imagined(object.among(live), object)).collect();
    match asked(kubectl, wanted, live, dry_run) {
        Ok(expected) => Foresight { expected, word: Word::Server, rejection: None },
        Err(error) if error.reason == Reason::Forbidden => {
            Foresight { expected: own(), word: Word::Own, rejection: None }
        }
        Err(error) => Foresight { expected: own(), word: Word::Own, rejection: Some(rejected(kubectl, &error)) },
    }
}

/// What an apply would make of a live object, as far as it can be told without the server.
fn imagined(live: Option<&Object>, desired: &Object) -> Object {
    match live {
        Some(live) if Kind::of(live) != Some(Kind::Job) => {
            let takeover = ownership::takeover(live, desired, &Timestamp::now().to_string());
            ownership::imagined(live, takeover.as_ref(), desired)
        }
        _ => desired.clone(),
    }
}

/// What the server will make of each object. Where fields are taken over from others and go, a dry run of the apply cannot show
/// it, or fails for what would be gone by then; the outcome is put together and tried as a whole.
fn asked(
    kubectl: &Kubectl<'_>,
    wanted: &[Object],
    live: &[Object],
    dry_run: Result<Vec<Object>, KubectlError>,
) -> Result<Vec<Object>, KubectlError> {
    let now = Timestamp::now().to_string();
    let takeover = |object: &Object| {
        // A Job cannot be changed anyway.
        let live = object.among(live).filter(|live| Kind::of(live) != Some(Kind::Job))?;
        let takeover = ownership::takeover(live, object, &now).filter(Takeover::removes)?;
        Some(ownership::applied(live, &takeover, object))
    };
    // What is deleted and made again may differ from what is there as much as it likes.
    let again = |object: &Object| Kind::of(object) == Some(Kind::Job) && object.among(live).is_some_and(is_failed);
    let dry_run = match dry_run {
        Err(error) if error.reason == Reason::Invalid && wanted.iter().any(again) => {
            let rest: Vec<Object> = wanted.iter().filter(|object| !again(object)).cloned().collect();
            if rest.is_empty() { Ok(rest) } else { kubectl.dry_run(&rest, &AtomicBool::new(false)) }
        }
        other => other,
    };
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for object in wanted.iter().filter(|object| !again(object)) {
        match takeover(object) {
            Some(applied) => taken.push(applied),
            None => rest.push(object.clone()),
        }
    }
    if taken.is_empty() {
        return dry_run;
    }
    let mut expected = match dry_run {
        Ok(mut expected) => {
            expected.retain(|object| object.among(&taken).is_none());
            expected
        }
        // A put of the whole would lose a field that the server does not know, in silence.
        Err(error) if matches!(error.reason, Reason::Forbidden | Reason::Malformed) => return Err(error),
        Err(_) if rest.is_empty() => Vec::new(),
        Err(_) => kubectl.dry_run(&rest, &AtomicBool::new(false))?,
    };
    for object in &taken {
        expected.push(kubectl.dry_put(object)?);
    }
    Ok(expected)
}
