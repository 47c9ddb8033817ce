//! One thing that a look before the release found.

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It stands in the way: nothing is shipped.
    Refusal,
    /// It is worth a thought, and no refusal.
    Warning,
    /// It is told.
    Note,
}

/// One thing that a look before the release found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// What is the matter, in a line: lower case but for names, no full stop.
    pub what: String,
    /// What to do about it, starting with an action; empty if there is nothing to do.
    pub todo: String,
}

impl Finding {
    /// Something that stands in the way.
    pub fn refusal(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Refusal, what: what.into(), todo: todo.into() }
    }

    /// Something to think about.
    pub fn warning(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, what: what.into(), todo: todo.into() }
    }

    /// Something to know.
    pub fn note(what: impl Into<String>) -> Self {
        Self { weight: Weight::Note, what: what.into(), todo: String::new() }
    }
}
