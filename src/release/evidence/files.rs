//! The evidence as files, for those who look later: `--evidence DIR`. Masked, as everything that leaves.

use std::path::{Path, PathBuf};

use super::super::request::Request;
use super::super::rollout::{Finding, Picture, folded, is_missing, pod_selectors};
use crate::kubectl::Kubectl;
use crate::threads;
use crate::ui::{Tone, Ui};
use crate::yaml::{self, Object};

/// How many lines of a log are kept.
const LINES: usize = 5000;
/// Of how many pods.
const PODS: usize = 20;

/// What is kept of a release that failed.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What it was.
    pub request: &'a Request<'a>,
    /// Its number.
    pub number: u32,
    /// Why it failed, in a line.
    pub summary: &'a str,
    /// What was in trouble.
    pub findings: &'a [Finding],
    /// What was seen last.
    pub picture: &'a Picture,
}

/// Writes it into a folder of its own below `dir`: what was rendered, what was live, what was to change, the events, the logs of the pods and
/// what `kubectl describe` says. What cannot be had or written is told, and ends nothing. Gives the folder, if there is one.
pub fn keep(kubectl: &Kubectl<'_>, case: Case<'_>, dir: &Path, ui: &Ui) -> Option<PathBuf> {
    let body = &case.request.body;
    let folder = dir.join(format!("{}-{}", body.service, case.number));
    if let Err(error) = std::fs::create_dir_all(folder.join("logs")) {
        ui.say(Tone::Warn, format!("warning: the evidence cannot be kept in `{}`: {error}", folder.display()));
        return None;
    }
    let mut files = vec![
        (PathBuf::from("summary.txt"), summary(case)),
        ("diff.txt".into(), case.request.told.join("\n") + "\n"),
        ("rendered.yaml".into(), documents(body.objects.iter())),
        ("before.yaml".into(), documents(body.before.iter())),
    ];
    // The pod may be gone, or have crashed again since.
    let kept = case.findings.iter().filter_map(|finding| Some((finding, finding.log.clone()?)));
    files.extend(
        kept.map(|(finding, log)| {
            (PathBuf::from(format!("logs/{}_{}.crash.log", finding.pod, finding.container)), log)
        }),
    );
    let workloads: Vec<&Object> = case.request.plan.watched().into_iter().map(|step| &step.desired).collect();
    let selectors = pod_selectors(&workloads);
    let pods: Vec<&Object> = case.picture.pods().take(PODS).collect();
    std::thread::scope(|scope| {
        let events = scope.spawn(|| kubectl.event_lines().unwrap_or_else(|error| error.said));
        let described = scope.spawn(|| {
            let all = threads::each(&selectors, |selector| kubectl.describe_pods(selector));
            all.into_iter().map(|said| said.unwrap_or_else(|error| error.said)).collect::<Vec<_>>().join("\n")
        });
        files.extend(threads::each(&pods, |pod| logs(kubectl, pod)).into_iter().flatten());
        files.push(("events.txt".into(), events.join().unwrap_or_default()));
        files.push(("describe.txt".into(), described.join().unwrap_or_default()));
    });
    let failed = files.iter().find_map(|(name, text)| ui.keep(&folder.join(name), text).err());
    match failed {
        None => ui.say(Tone::Plain, format!("the evidence is kept in `{}`", folder.display())),
        Some(error) => {
            ui.say(Tone::Warn, format!("warning: the evidence in `{}` is not complete: {error}", folder.display()))
        }
    }
    Some(folder)
}

fn summary(case: Case<'_>) -> String {
    let body = &case.request.body;
    let former = body.former.as_deref().unwrap_or("none");
    let build = body.build.as_ref().map(|url| format!("build: {url}\n")).unwrap_or_default();
    let git = body.git.as_ref().map(|git| format!("manifests: {}\n", git.short())).unwrap_or_default();
    let lines: Vec<String> = folded(case.findings).into_iter().map(|(_, line)| format!("  {line}\n")).collect();
    format!(
        "release: {} of {} in {}\ncommand: {}\nversion: {former} -> {}\nby: {}\nbegun: {}\n{build}{git}failed: {}\n{}",
        case.number,
        body.service,
        case.request.environment,
        body.command,
        body.version,
        body.who,
        body.started,
        case.summary,
        lines.concat()
    )
}

fn documents<'a>(values: impl Iterator<Item = &'a serde_json::Value>) -> String {
    values.map(|value| format!("---\n{}", yaml::emit(value))).collect()
}

/// The logs of a pod's containers, and of the runs before, where there were some.
fn logs(kubectl: &Kubectl<'_>, pod: &Object) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for list in ["/status/initContainerStatuses", "/status/containerStatuses"] {
        for status in pod.list(list) {
            let name = status["name"].as_str().unwrap_or_default();
            let restarted = status["restartCount"].as_i64().unwrap_or_default() > 0;
            for (previous, end) in [(false, "log"), (true, "previous.log")] {
                if previous && !restarted {
                    continue;
                }
                let text = kubectl.logs(pod.name(), name, LINES, previous).ok();
                if let Some(text) = text.filter(|text| !is_missing(text)) {
                    found.push((PathBuf::from(format!("logs/{}_{name}.{end}", pod.name())), text));
                }
            }
        }
    }
    found
}
