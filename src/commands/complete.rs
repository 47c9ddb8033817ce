//! What a shell may offer behind a word that is being typed: environments, services, and the releases that one can go back to. A shell
//! that waits is worse than one that offers nothing: whatever fails, or takes long, offers nothing.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap_complete::CompletionCandidate;

use super::{Context, Global, Report, Way, Wishes};
use crate::manifest::Repo;
use crate::release::{History, Outcome};
use crate::ui::Ui;

/// How long the cluster may take to say which releases there are.
const PATIENCE: Duration = Duration::from_secs(3);

/// The environments of the manifests repo.
pub fn environments(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = repo(&words()).map(|repo| repo.environments.keys().map(ToString::to_string).collect());
    offer(typed, names.unwrap_or_default())
}

/// The services of the manifests repo.
pub fn services(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = repo(&words()).and_then(|repo| repo.services().ok());
    offer(typed, names.unwrap_or_default())
}

/// The releases of the service that is named before, with what each was.
pub fn releases(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words = words();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let _ = sender.send(read_releases(&words).unwrap_or_default());
    });
    let releases = receiver.recv_timeout(PATIENCE).unwrap_or_default();
    let typed = typed.to_string_lossy();
    releases
        .into_iter()
        .filter(|(number, _)| number.starts_with(&*typed))
        .map(|(number, what)| CompletionCandidate::new(number).help(Some(what.into())))
        .collect()
}

fn offer(typed: &OsStr, names: Vec<String>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    names.into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
}

/// The number of each deployed release, the newest first, and what it was.
fn read_releases(words: &[String]) -> Option<Vec<(String, String)>> {
    let (report, _) = Report::open(Wishes::none("completions"));
    let context = Context::resolve(&global(words), Ui::new(false), &Arc::new(report)).ok()?;
    let services = context.repo.services().ok()?;
    let service = words.iter().find(|word| services.contains(word))?;
    let kubectl = context.kubectl().ok()?;
    let history = History::read(&kubectl, service, &false.into()).ok()?;
    let deployed = history.0.iter().filter(|release| release.outcome == Outcome::Deployed);
    let told = deployed.map(|release| {
        let body = &release.body;
        let what = format!("{} by {}, {}", body.version, body.who, body.started.strftime("%Y-%m-%d %H:%M UTC"));
        (release.number.to_string(), what)
    });
    Some(told.collect())
}

fn repo(words: &[String]) -> Option<Repo> {
    Repo::read(global(words).root().ok()?).ok()
}

/// What is said of the manifests repo and the environment on the line that is being typed, or by the shell's own variables.
fn global(words: &[String]) -> Global {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Global {
        environment: option(words, "-n", "--env").or_else(|| variable("SHIPCAT_ENV")),
        repo: option(words, "-C", "--repo").or_else(|| variable("SHIPCAT_REPO")).map(Into::into),
        way: Way {
            context: option(words, "--context", "--context").or_else(|| variable("SHIPCAT_CONTEXT")),
            kubeconfig: option(words, "--kubeconfig", "--kubeconfig").map(Into::into),
        },
        verbose: false,
    }
}

/// The value of an option, in one of the forms that clap takes.
fn option(words: &[String], short: &str, long: &str) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| {
        if word == short || word == long {
            return words.get(at + 1).cloned();
        }
        let joined = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let glued = word.strip_prefix(short).filter(|rest| short.len() == 2 && !rest.is_empty());
        joined.or(glued.map(|rest| rest.trim_start_matches('='))).map(str::to_owned)
    })
}

/// The words of the line that is being typed, which the shell hands over behind `--`.
fn words() -> Vec<String> {
    let all = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    all.skip_while(|word| word != "--").skip(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_in_each_form() {
        let of = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            option(&words, "-n", "--env")
        };
        for line in ["ship -n dev web", "ship -ndev web", "ship -n=dev", "--env dev ship", "ship --env=dev"] {
            assert_eq!(of(line).as_deref(), Some("dev"), "{line}");
        }
        assert_eq!(of("ship web"), None);
        assert_eq!(of("ship -n"), None);
    }
}
