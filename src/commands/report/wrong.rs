//! An error that ended a command, taken apart for those who read it later.

use std::path::PathBuf;

use crate::error::{Exit, Failure, Problems, Rendered};

/// What was wrong.
#[derive(Debug, Clone)]
pub struct Wrong {
    /// How the command ends with it.
    pub exit: Exit,
    /// In a line; of several the first.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// Each mistake in the files, or each thing that stands in the way; none where there is nothing but the message.
    pub problems: Vec<Rendered>,
    is_files: bool,
}

impl Wrong {
    /// Takes an error apart.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(problems) = error.downcast_ref::<Problems>() {
            let problems: Vec<Rendered> = problems.all().cloned().collect();
            let first = problems.first();
            let message = first.map(|one| one.message.clone()).unwrap_or_default();
            let hints = first.and_then(|one| one.hint.clone()).into_iter().collect();
            return Self { exit: Exit::Refused, message, hints, problems, is_files: true };
        }
        let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
        let message = format!("{error:#}");
        let Some(failure) = failure else {
            return Self { exit: Exit::Refused, message, hints: Vec::new(), problems: Vec::new(), is_files: false };
        };
        let mut problems: Vec<Rendered> = failure.beside.iter().map(|one| nowhere(&one.message, &one.hints)).collect();
        if !problems.is_empty() {
            problems.push(nowhere(&message, &failure.hints));
        }
        let first = failure.beside.first();
        let hints = first.map_or(&failure.hints, |first| &first.hints).clone();
        let message = first.map_or(message, |first| first.message.clone());
        Self { exit: failure.exit, message, hints, problems, is_files: false }
    }

    /// The word for machines.
    pub fn reason(&self) -> &'static str {
        match self.exit {
            Exit::Locked => "locked",
            Exit::Interrupted(_) => "interrupted",
            _ if self.is_files => "invalid",
            _ => "refused",
        }
    }
}

fn nowhere(message: &str, hints: &[String]) -> Rendered {
    let hint = (!hints.is_empty()).then(|| hints.join("; "));
    let told = hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Rendered {
        path: PathBuf::new(),
        line: 0,
        column: 0,
        text: format!("error: {message}{told}"),
        message: message.to_owned(),
        hint,
        environments: Vec::new(),
    }
}
