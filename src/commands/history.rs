//! `history`: the releases of a service.

use anyhow::Result;

use super::Context;
use crate::error::Exit;
use crate::release::History;

/// The arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
}

/// Runs it.
///
/// # Errors
/// If the records cannot be read.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let kubectl = context.kubectl()?;
    kubectl.reach()?;
    let history = History::read(&kubectl, &args.service, &false.into())?;
    let mut rows =
        vec![["RELEASE", "OUTCOME", "VERSION", "COMMAND", "WHEN", "TOOK", "WHO", "MANIFESTS", ""].map(str::to_owned)];
    for release in &history.0 {
        let body = &release.body;
        rows.push([
            release.number.to_string(),
            release.outcome.to_string(),
            body.version.clone(),
            body.command.clone(),
            body.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            release.finished.map_or_else(|| "-".into(), |finished| took(finished.duration_since(body.started))),
            body.who.clone(),
            body.git.as_ref().map_or_else(|| "-".into(), crate::git::GitState::short),
            release.message.clone().unwrap_or_default(),
        ]);
    }
    context.ui.product(&table(&rows))?;
    Ok(Exit::Done)
}

fn took(duration: jiff::SignedDuration) -> String {
    crate::ui::seconds(std::time::Duration::try_from(duration).unwrap_or_default())
}

fn table(rows: &[[String; 9]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..8).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(i, cell)| format!("{cell:0$}", widths.get(i).copied().unwrap_or_default()))
            .collect();
        text += cells.join("   ").trim_end();
        text.push('\n');
    }
    text
}
