//! The checkout of the manifests repo: which state it is in, and whether that may be shipped from.

use super::Context;
use crate::git::{self, GitState, Standing};
use crate::release::{Finding, History};

/// The state of the checkout, if it is under git.
pub fn state(context: &Context) -> Option<GitState> {
    GitState::of(&context.repo.root)
}

/// What speaks against shipping from this checkout. A protected environment takes only what is committed, and nothing that is older than
/// what runs; elsewhere it is worth a warning.
pub fn findings(context: &Context, state: Option<&GitState>, history: &History) -> Vec<Finding> {
    let environment = &context.environment;
    let mut findings = Vec::new();
    let weigh = |what: String, todo: &str| match environment.protected {
        true => Finding::refusal(what, todo),
        false => Finding::warning(what, todo),
    };
    match state {
        None if environment.protected => {
            let what = format!(
                "{} is protected, and this manifests repo is not under git, or git cannot read it",
                environment.name
            );
            findings.push(Finding::refusal(
                what,
                "ship from a clone of the manifests repo (`git status` says what is wrong with it)",
            ));
        }
        Some(state) if environment.protected && state.dirty => {
            let what = format!("{} is protected, and the checkout has local changes", environment.name);
            findings.push(Finding::refusal(what, "commit them, or stash them; `git status` lists them"));
        }
        _ => {}
    }
    let running = history.running().and_then(|running| Some((running, running.body.git.as_ref()?)));
    let (Some(state), Some((running, theirs))) = (state, running) else { return findings };
    let what = format!("release {} came from {}", running.number, git::short(&theirs.revision));
    match state.standing(&context.repo.root, &theirs.revision) {
        Standing::Has | Standing::Apart => {}
        Standing::Older => findings.push(weigh(
            format!("this checkout ({}) is older than what runs: {what}, which comes after it", state.short()),
            "bring it up to date: git pull",
        )),
        Standing::Unknown => findings.push(weigh(
            format!("this checkout may be older than what runs: {what}, which this clone does not have"),
            "fetch and bring it up to date: git pull",
        )),
        Standing::Shallow => {
            let what = format!(
                "whether this checkout is older than what runs cannot be told: {what}, and this clone is a shallow one"
            );
            findings.push(match environment.protected {
                true => Finding::warning(what, "git fetch --unshallow"),
                false => Finding::note(what),
            });
        }
    }
    findings
}
