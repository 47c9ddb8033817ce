//! The checkout of the manifests repo: which state it is in, and whether that may be shipped from.

use super::Context;
use crate::git::{self, Absence, GitState, Standing};
use crate::release::{Finding, History, Weight};

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
        None => findings.extend(unknown(context)),
        Some(state) if environment.protected && state.dirty => {
            let what = format!("{} is protected, and the checkout has local changes", environment.name);
            findings.push(Finding::refusal(what, "commit them, or stash them; `git status` lists them"));
        }
        Some(_) => {}
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
            let weight = if environment.protected { Weight::Warning } else { Weight::Note };
            let todo =
                "fetch its whole history: git fetch --unshallow; in CI, have it checked out with `fetch-depth: 0`";
            findings.push(Finding { weight, what, todo: todo.into() });
        }
    }
    findings
}

/// What speaks against shipping from a manifests repo whose state is not known. A plain folder will do, but not where it is protected; what is
/// under git and cannot be read is worth a word everywhere, since the release is recorded without its revision.
fn unknown(context: &Context) -> Option<Finding> {
    let (environment, root) = (&context.environment, &context.repo.root);
    if !environment.protected && !git::looks_like_repo(root) {
        return None;
    }
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.clone());
    let (why, todo) = match git::absence(&root) {
        Absence::NoGit => (
            "there is no `git` on your PATH to say which state of the manifests repo this is".into(),
            "install git".into(),
        ),
        Absence::NoRepo => {
            ("this manifests repo is not under git".into(), "ship from a clone of the manifests repo".into())
        }
        Absence::NoCommit if !environment.protected => return None,
        Absence::NoCommit => {
            ("nothing was ever committed to this manifests repo".into(), "commit it, and ship from that".into())
        }
        Absence::Foreign => {
            ("this manifests repo belongs to another user, so that git does not read it".into(), git::trusting(&root))
        }
        Absence::Unreadable(said) => {
            (format!("git cannot read this manifests repo: {said}"), "see what `git status` says".into())
        }
    };
    Some(match environment.protected {
        true => Finding::refusal(format!("{} is protected, and {why}", environment.name), todo),
        false => Finding::warning(format!("{why}: the release is recorded without its revision"), todo),
    })
}
