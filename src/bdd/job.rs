//! A run of tests in the cluster: a Job in the environment's namespace. A pod that has ended cannot be copied from, so a second
//! container keeps the files until they are fetched. The Job goes in the end, whatever happens, and by its own deadline if we are gone.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fetched::{Fetched, fetched};
use super::pod::{Sight, has_ended, sight};
use super::run::{Means, Trial};
use super::suite::{Pull, Suite};
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::process::Broken;
use crate::ui::{Tone, Ui, seconds};
use crate::yaml::Object;

/// The name of the container that runs the tests.
pub const TESTS: &str = "tests";
/// The name of the container that keeps the files.
pub const FETCHER: &str = "fetcher";
/// Where the second container sees the files.
const KEPT: &str = "/shipcat/junit";
/// How long a Job is there at most that nobody removes: beside the tests' own time, that of its start and its end.
const NET: Duration = Duration::from_mins(15);
/// How long its removal is waited for: a node that is busy takes its time.
const PATIENCE: Duration = Duration::from_secs(90);

/// What must be allowed to run tests by a Job, beside what a release takes: verb, group, resource. (Newer versions of kubectl ask to get, older
/// ones to create what `exec` uses.)
pub fn permissions() -> Vec<(String, String, String)> {
    let list = [
        ("create", "batch", "jobs"),
        ("patch", "batch", "jobs"),
        ("get", "batch", "jobs"),
        ("delete", "batch", "jobs"),
        ("list", "", "pods"),
        ("get", "", "pods"),
        ("get", "", "pods/log"),
        ("create", "", "pods/exec"),
        ("get", "", "pods/exec"),
        ("list", "", "events"),
    ];
    list.iter().map(|(verb, group, resource)| ((*verb).into(), (*group).into(), (*resource).into())).collect()
}

/// Asks the API server what it would make of the Job: nothing is stored.
///
/// # Errors
/// Why it would not take it.
pub fn trial(suite: &Suite, kubectl: &Kubectl<'_>) -> Result<(), KubectlError> {
    let job = job(suite, "shipcat-tests-trial", kubectl.namespace());
    kubectl.dry_run(&[job], &false.into()).map(drop)
}

/// A Job of tests that is being deleted, and was not waited for: there was something more urgent to do.
#[derive(Debug)]
#[must_use = "its pods may still be at work"]
pub struct Going(Object);

impl Going {
    /// Waits until none of its pods is at work, or somebody `insists` on an end; and says so where they are at work still.
    pub fn wait(self, insists: impl Fn() -> bool, kubectl: &Kubectl<'_>, ui: &Ui) {
        if let Some(left) = self.wait_while(|| !insists(), kubectl, ui) {
            left.tell(ui);
        }
    }

    /// The same for as long as nothing is more urgent; what is left of it.
    fn wait_while(self, may_wait: impl Fn() -> bool, kubectl: &Kubectl<'_>, ui: &Ui) -> Option<Self> {
        let (job, started) = (&self.0, Instant::now());
        // What is being deleted makes no pods any more.
        let is_idle = || pods(kubectl, job).is_ok_and(|pods| pods.iter().all(has_ended));
        while may_wait() {
            if is_idle() {
                ui.rest();
                return None;
            }
            if started.elapsed() >= PATIENCE {
                ui.rest();
                self.tell(ui);
                return None;
            }
            ui.wait(started, &format!("waiting until the pod of the tests' {job} has ended"));
            std::thread::sleep(Duration::from_millis(300));
        }
        ui.rest();
        Some(self)
    }

    fn tell(&self, ui: &Ui) {
        ui.say(Tone::Warn, format!("  the tests' {} is being removed, and its pod still at work", self.0));
    }
}

/// Runs the tests by a Job, and gives how long they took. Its removal is begun when this comes back; where the tests are of no use any
/// more it is not waited for, and what is left to wait for comes along.
///
/// # Errors
/// If it could not be made: nothing ran.
pub fn run(suite: &Suite, means: &Means<'_>) -> (Result<(Trial, Duration), String>, Option<Going>) {
    let name = match suite.new_name() {
        Ok(name) => name,
        Err(error) => return (Err(error.to_string()), None),
    };
    let wanted = job(suite, &name, means.kubectl.namespace());
    let made = match means.kubectl.create(&wanted) {
        Ok(made) => made,
        Err(error) => {
            // An answer that was lost may have been a yes.
            let made = means.kubectl.named("jobs.batch", &name).ok().flatten();
            let going = made.and_then(|made| remove(made, means));
            return (Err(format!("the Job of the tests was not taken: {}", error.said)), going);
        }
    };
    let work = Work { suite, means, started: Instant::now() };
    let trial = work.go(&made);
    let took = work.started.elapsed();
    (trial.map(|trial| (trial, took)), remove(made, means))
}

struct Work<'a> {
    suite: &'a Suite,
    means: &'a Means<'a>,
    started: Instant,
}

impl Work<'_> {
    fn go(&self, job: &Object) -> Result<Trial, String> {
        match self.start(job)? {
            Ok(pod) => Ok(self.follow(job, &pod)),
            Err(trial) => Ok(trial),
        }
    }

    /// Tells what the tests say until they end, their time is over, or they are of no use any more.
    fn follow(&self, job: &Object, pod: &Object) -> Trial {
        let mut from_start = true;
        let exit = loop {
            let ui = self.means.ui;
            let told = self.means.kubectl.follow_log(
                (pod.name(), TESTS),
                from_start,
                |line| ui.say(Tone::Plain, super::container::told(line)),
                || {
                    ui.wait(self.started, "the tests run");
                    !self.is_over()
                },
            );
            ui.rest();
            from_start = false;
            if (self.means.halted)() {
                return Trial::Halted;
            }
            if self.is_over() {
                let limit = seconds(self.suite.timeout);
                ui.say(Tone::Warn, format!("  the tests are not done within {limit}: they are stopped"));
                return Trial::Late(self.fetch(pod.name()));
            }
            if let Err(Broken::Start(error)) = told {
                return lost(format!("the tests' log cannot be followed: {error}"));
            }
            // A log ends where its container does, or where the way to it broke.
            // Of the very pod: where somebody deleted that, the Job may have made another one.
            let pods = pods(self.means.kubectl, job).map(|pods| pods.into_iter().find(|one| one.uid() == pod.uid()));
            match pods.map(|pod| pod.map(sight)) {
                Ok(Some(Sight::Ended(_, exit))) => break exit,
                Ok(Some(Sight::Runs(_) | Sight::Waits(_))) | Err(_) => std::thread::sleep(Duration::from_millis(300)),
                Ok(Some(Sight::Stuck(why))) => return lost(why),
                Ok(None) => return lost("the tests' pod is gone: somebody, or the cluster, deleted it".into()),
            }
        };
        Trial::Ended { exit, fetched: self.fetch(pod.name()) }
    }

    fn is_over(&self) -> bool {
        (self.means.halted)() || self.started.elapsed() >= self.suite.timeout
    }

    /// Waits until the tests run, or have run already; or it is over before they began.
    ///
    /// # Errors
    /// Why they never will.
    fn start(&self, job: &Object) -> Result<Result<Object, Trial>, String> {
        let ui = self.means.ui;
        let mut refused = None;
        loop {
            let line = match self.sight(job) {
                Ok(Some(Sight::Runs(pod) | Sight::Ended(pod, _))) => {
                    ui.rest();
                    return Ok(Ok(pod));
                }
                Ok(Some(Sight::Stuck(why))) => return Err(why),
                Ok(Some(Sight::Waits(why))) => why,
                Ok(None) => {
                    // Why there is none, the events say; they take a moment.
                    if self.started.elapsed() > Duration::from_secs(5) {
                        refused = refused.or_else(|| self.refusal(job));
                    }
                    if let Some(why) = refused.as_ref().filter(|_| self.started.elapsed() > Duration::from_secs(30)) {
                        return Err(format!("no pod could be made for them: {why}"));
                    }
                    refused.clone().unwrap_or_else(|| "no pod yet".into())
                }
                Err(error) => error.said,
            };
            if (self.means.halted)() {
                return Ok(Err(Trial::Halted));
            }
            if self.is_over() {
                ui.say(Tone::Warn, format!("  the tests did not begin within {}: {line}", seconds(self.suite.timeout)));
                return Ok(Err(Trial::Late(Fetched::default())));
            }
            ui.wait(self.started, &format!("waiting for the tests' pod: {line}"));
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn sight(&self, job: &Object) -> Result<Option<Sight>, KubectlError> {
        Ok(pods(self.means.kubectl, job)?.into_iter().next().map(sight))
    }

    fn refusal(&self, job: &Object) -> Option<String> {
        let events = self.means.kubectl.events().ok()?;
        let of_it =
            |event: &&Object| event.text("/involvedObject/uid") == job.uid() && event.text("/reason") == "FailedCreate";
        events.iter().find(of_it).map(|event| event.text("/message").to_owned())
    }

    /// Brings the files.
    fn fetch(&self, pod: &str) -> Fetched {
        let (_, last) = place(&self.suite.junit);
        let inside = last.clone().unwrap_or_else(|| ".".into());
        let command = ["tar", "cf", "-", "-C", KEPT, "--", inside.as_str()];
        let path = self.suite.junit.clone();
        let read = move |stream: &mut dyn std::io::Read| fetched(stream, &path);
        let mut result = Fetched::default();
        // The second container may be a moment behind the first.
        for pause in [0, 500, 2000] {
            std::thread::sleep(Duration::from_millis(pause));
            let read = read.clone();
            match self.means.kubectl.read_in((pod, FETCHER), &command, read, || !(self.means.halted)()) {
                Ok((files, status, _)) if status.success() => return files,
                Ok((_, _, said)) if last.is_some() && said.to_lowercase().contains("no such file") => {
                    return Fetched::default();
                }
                Ok((_, status, said)) => {
                    let why = super::engine::words(&said).unwrap_or_else(|| status.to_string());
                    result.lost = vec![format!("the JUnit files could not be fetched: {why}")];
                }
                Err(broken) => {
                    result.lost = vec![format!("the JUnit files could not be fetched: {broken}")];
                    break;
                }
            }
        }
        result
    }
}

fn pods(kubectl: &Kubectl<'_>, job: &Object) -> Result<Vec<Object>, KubectlError> {
    kubectl.labelled("pods", &format!("job-name={}", job.name()), &false.into())
}

fn lost(why: String) -> Trial {
    Trial::Ended { exit: 0, fetched: Fetched { lost: vec![why], ..Fetched::default() } }
}

/// Removes the Job with its pods, and waits until they have ended while the tests are of use; else what is left to wait for.
fn remove(job: Object, means: &Means<'_>) -> Option<Going> {
    let (kubectl, ui) = (means.kubectl, means.ui);
    match kubectl.discard(&job) {
        Err(error) if error.reason != Reason::NotFound => {
            let line = kubectl.deletion_line(&job);
            let what = format!("warning: the tests' {job} could not be removed: {}; `{line}` does it", error.said);
            ui.say(Tone::Warn, what);
            None
        }
        _ => Going(job).wait_while(|| !(means.halted)(), kubectl, ui),
    }
}

/// The folder that both containers share, and the file in it where the path names one.
fn place(junit: &str) -> (String, Option<String>) {
    let path = Path::new(junit);
    let is_file = path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("xml"));
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if is_file => {
            (parent.display().to_string(), Some(name.to_string_lossy().into_owned()))
        }
        _ => (junit.trim_end_matches('/').to_owned(), None),
    }
}

fn job(suite: &Suite, name: &str, namespace: &str) -> Object {
    let (folder, _) = place(&suite.junit);
    let labels = json!({"app.kubernetes.io/managed-by": "shipcat", "shipcat.dev/tests-of": suite.service});
    // Kubernetes reads `$(NAME)` in a value; doubled, a `$` is one.
    let plain = |text: &String| text.replace('$', "$$");
    let env: Vec<Value> = suite.env.iter().map(|(name, value)| json!({"name": name, "value": plain(value)})).collect();
    let pull = if suite.pull == Pull::Always { "Always" } else { "IfNotPresent" };
    let mut tests = json!({"name": TESTS, "image": suite.image, "imagePullPolicy": pull, "env": env,
        "volumeMounts": [{"name": "junit", "mountPath": folder}]});
    if !suite.command.is_empty() {
        tests["command"] = suite.command.iter().map(plain).collect();
    }
    let wait = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done";
    let mut fetcher = json!({"name": FETCHER, "image": suite.fetcher, "command": ["sh", "-c", wait.replace('$', "$$")],
        "volumeMounts": [{"name": "junit", "mountPath": KEPT, "readOnly": true}]});
    if suite.resources.is_object() {
        for container in [&mut tests, &mut fetcher] {
            container["resources"] = suite.resources.clone();
        }
    }
    let mut pod = json!({"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 5, "containers": [tests, fetcher], "volumes": [{"name": "junit", "emptyDir": {}}]});
    if suite.pull_secrets.is_array() {
        pod["imagePullSecrets"] = suite.pull_secrets.clone();
    }
    let mut object = Object::bare("batch/v1", "Job", name);
    let json = object.json_mut();
    json["metadata"]["namespace"] = namespace.into();
    json["metadata"]["labels"] = labels.clone();
    json["spec"] = json!({"backoffLimit": 0, "activeDeadlineSeconds": (suite.timeout + NET).as_secs(), "ttlSecondsAfterFinished": 600,
        "template": {"metadata": {"labels": labels}, "spec": pod}});
    object
}

#[cfg(test)]
mod tests {
    use super::super::suite::tests::suite;
    use super::*;

    #[test]
    fn a_job_shares_the_folder_and_leaves_by_itself() {
        let suite = Suite { env: vec![("A".into(), "$(HOME)".into())], command: vec!["run".into()], ..suite() };
        let job = job(&suite, "t", "dev");
        let at = |path: &str| job.json().pointer(path).unwrap().clone();
        let pod = "/spec/template/spec";
        assert_eq!(at(&format!("{pod}/containers/0/volumeMounts/0/mountPath")), "/junit");
        assert_eq!(at(&format!("{pod}/containers/0/env/0/value")), "$$(HOME)");
        assert_eq!(at(&format!("{pod}/containers/0/command")), json!(["run"]));
        assert_eq!(at(&format!("{pod}/containers/1/image")), "busybox:1");
        assert_eq!(at(&format!("{pod}/restartPolicy")), "Never");
        assert_eq!((at("/spec/backoffLimit"), at("/spec/activeDeadlineSeconds")), (json!(0), json!(960)));
    }

    #[test]
    fn a_file_is_shared_by_its_folder() {
        assert_eq!(place("/out/junit/"), ("/out/junit".to_owned(), None));
        assert_eq!(place("/out/report.xml"), ("/out".to_owned(), Some("report.xml".to_owned())));
    }
}
