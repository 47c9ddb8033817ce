//! The room for `kubectl`: the one place that knows its flags. May import `process`, `yaml` (for [`Object`]), `ui` and `error`.

mod account;
mod ahead;
mod allowed;
mod connect;
mod error;
mod fence;
mod kubeconfig;
mod lease;
mod partial;
mod paths;
mod persist;
mod pods;
mod read;
mod records;
mod secrets;
mod write;

pub use connect::Target;
pub use error::{KubectlError, Reason};
pub use fence::Fence;
pub use kubeconfig::Kubeconfig;
pub use partial::Partial;
pub use paths::{is_cluster_scoped, resource};
pub use read::{Watched, Which};
pub use records::Records;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Begun, Cmd, Output};
use crate::signal;
use crate::ui::Ui;
use crate::yaml::{Object, safe};

/// Our name in managedFields.
pub const FIELD_MANAGER: &str = "shipcat";

/// Our name for what is written beside the configuration: which release an object is of.
pub const MARKER: &str = "shipcat-release";

/// The annotation by which `kubectl rollout restart`, and so everybody, makes a pod template another one.
pub const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Without kubectl's own validation: the API server refuses an unknown field or a wrong type in a server-side apply by itself, and the
/// schema that kubectl downloads for it costs more than the rest of the call (0.3 s in place of 0.1 s of CPU on 1.20).
const UNCHECKED: &str = "--validate=false";

/// managedFields, in JSON. Not to know the flag is how a kubectl shows that it is one of before 1.21: to ask each for its version would cost a
/// start.
const SHOW_MANAGED: &str = "--show-managed-fields";
const UNKNOWN: &str = "unknown flag: --show-managed-fields";

/// How long one request to the API server may take, in seconds. Admission webhooks may take ten each.
const REQUEST_TIMEOUT: u64 = 25;

/// kubectl, with context and namespace on every call: the ambient ones are never used.
#[derive(Debug)]
pub struct Kubectl<'a> {
    program: PathBuf,
    kubeconfig: Kubeconfig,
    context: String,
    namespace: String,
    /// Whether it shows managedFields in JSON only when asked to, as kubectl does from 1.21 on; before, it does not know the flag.
    hides_managed: AtomicBool,
    /// Why it is too old, if it is, once there was doubt.
    too_old: OnceLock<Option<String>>,
    /// Where release records are kept.
    records: Records,
    /// In a rehearsal, the changes that would have been made: none is.
    rehearsal: Option<Mutex<Vec<Cmd>>>,
    /// How long the API server may take to answer to a change.
    timeout: Duration,
    /// What the lock allows, while one is held.
    fence: Mutex<Option<Arc<Fence>>>,
    /// Whether a signal ends what is asked: while nothing has been changed.
    stoppable: AtomicBool,
    /// Calls that were started before what they send was known.
    ahead: Mutex<Vec<Begun>>,
    /// The API server's version, once it was asked for.
    minor: OnceLock<Option<u32>>,
    /// Whether what is asked in this moment will have to be asked again.
    vain: AtomicBool,
    ui: &'a Ui,
}

/// What a call gives.
pub type Result<T> = std::result::Result<T, KubectlError>;

impl Kubectl<'_> {
    /// The context that is passed on every call.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The namespace that is passed on every call.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same kubectl, that from now on only notes what would change something.
    pub fn rehearsing(self) -> Self {
        Self { rehearsal: Some(Mutex::default()), ..self }
    }

    /// The changes that a rehearsal would have made, in their order.
    pub fn rehearsed(&self) -> Vec<Cmd> {
        self.rehearsal.as_ref().and_then(|noted| noted.lock().ok().map(|noted| noted.clone())).unwrap_or_default()
    }

    /// From here on changes are made as this lock allows, or as none does.
    pub fn fence(&self, fence: Option<Arc<Fence>>) {
        *self.fence.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = fence;
    }

    /// The lock under which changes are made.
    fn fenced(&self) -> Option<Arc<Fence>> {
        self.fence.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Why the lock is lost, if it is: then nothing may be changed any more.
    pub fn lost(&self) -> Option<String> {
        self.fenced().and_then(|fence| fence.lost())
    }

    /// Sees that the lock is still ours; after a suspension that takes a moment.
    ///
    /// # Errors
    /// Why it is not known to be: nothing may be changed then.
    pub fn locked(&self) -> std::result::Result<(), String> {
        self.fenced().map_or(Ok(()), |fence| fence.permit().map(drop))
    }

    /// Says whether a signal ends calls that are under way. It does while nothing has been changed; behind that, what becomes of a call in
    /// the middle of a write is not for a signal to say.
    pub fn stoppable(&self, stoppable: bool) {
        self.stoppable.store(stoppable, Ordering::SeqCst);
    }

    /// Says whether what is read in this moment is read in vain: calls that are under way are given up. Gives what was said before.
    pub fn in_vain(&self, vain: bool) -> bool {
        self.vain.swap(vain, Ordering::SeqCst)
    }

    /// Says what is done now, to those who wait for the lock.
    pub fn at_step(&self, step: &str) {
        if let Some(fence) = self.fenced() {
            fence.at_step(step);
        }
    }

    /// A call with a verb and its arguments; context, namespace and request timeout go behind them.
    fn cmd(&self, args: &[&str]) -> Cmd {
        self.timed(args, &format!("{REQUEST_TIMEOUT}s"))
    }

    /// As [`Kubectl::cmd`], for what changes something: no request of it may outlive half the lock's lifetime.
    fn writing(&self, args: &[&str]) -> Cmd {
        self.timed(args, &connect::spelled(self.timeout))
    }

    fn timed(&self, args: &[&str], timeout: &str) -> Cmd {
        Cmd::new(&self.program)
            .brief()
            .args(args)
            .args(self.kubeconfig.flags())
            .args(["--context", &self.context, "--namespace", &self.namespace])
            .arg(format!("--request-timeout={timeout}"))
            .limit(Duration::from_secs(REQUEST_TIMEOUT * 2))
    }

    /// Tells a command where `-v` asks for it.
    fn told(&self, cmd: &Cmd) {
        if self.ui.is_verbose() {
            self.ui.command(cmd.pasted());
        }
    }

    fn managed(&self) -> &'static [&'static str] {
        if self.hides_managed.load(Ordering::Relaxed) { &[SHOW_MANAGED] } else { &[] }
    }

    fn run(&self, cmd: &Cmd) -> Result<Output> {
        self.run_unless(cmd, &AtomicBool::new(false))
    }

    /// Runs what a signal does not end, once.
    fn run_through(&self, cmd: &Cmd) -> Result<Output> {
        self.once(cmd, || true)
    }

    fn run_unless(&self, cmd: &Cmd, cancel: &AtomicBool) -> Result<Output> {
        self.run_while(cmd, || self.is_wanted(cancel))
    }

    /// Whether the answer to a call is still of use.
    fn is_wanted(&self, cancel: &AtomicBool) -> bool {
        let stopped = self.stoppable.load(Ordering::SeqCst) && signal::received().is_some();
        !stopped && !self.vain.load(Ordering::SeqCst) && !cancel.load(Ordering::Relaxed)
    }

    /// Runs it; where nobody answered, again.
    fn run_while(&self, cmd: &Cmd, wanted: impl Fn() -> bool) -> Result<Output> {
        self.persistently(&wanted, || self.once(cmd, &wanted))
    }

    fn once(&self, cmd: &Cmd, wanted: impl Fn() -> bool) -> Result<Output> {
        self.told(cmd);
        let ran = match self.begun(cmd) {
            Some(begun) => begun.finish(cmd, &wanted),
            None => cmd.run_while(&wanted),
        };
        match ran {
            Ok(output) if output.status.success() => Ok(output),
            Ok(output) => match self.without_managed(cmd, &output)? {
                Some(cmd) => self.once(&cmd, wanted),
                None => Err(KubectlError::said(cmd, &output)),
            },
            Err(broken) => Err(KubectlError::broken(cmd, broken)),
        }
    }

    /// The command for a kubectl that is too old to know the flag, if it says so. Nothing was sent: flags are read before anything else.
    fn without_managed(&self, cmd: &Cmd, output: &Output) -> Result<Option<Cmd>> {
        if !output.stderr.contains(UNKNOWN) {
            return Ok(None);
        }
        if let Some(said) = self.too_old.get_or_init(|| connect::too_old(&self.program, self.ui)) {
            return Err(KubectlError { line: cmd.to_string(), reason: Reason::Other, said: said.clone() });
        }
        self.hides_managed.store(false, Ordering::Relaxed);
        Ok(cmd.clone().without(SHOW_MANAGED))
    }
}

/// A command that reads objects. What a Secret holds, a record among them, is not shown.
fn reading(cmd: Cmd, objects: &[Object], text: impl Fn(&[Object]) -> String) -> Cmd {
    let cmd = cmd.stdin(text(objects));
    let is_secret = |object: &Object| object.kind() == "Secret" && object.group().is_empty();
    if !objects.iter().any(is_secret) {
        return cmd;
    }
    let shown: Vec<Object> =
        objects.iter().map(|object| if is_secret(object) { secrets::hidden(object) } else { object.clone() }).collect();
    cmd.shown(text(&shown))
}

/// One object as a document.
fn single(objects: &[Object]) -> String {
    objects.iter().for_each(secrets::conceal);
    objects.first().map(|object| safe(&object.json().to_string())).unwrap_or_default()
}

/// Several objects in one document. kubectl reads its input as YAML, also where it is JSON.
fn list(objects: &[Object]) -> String {
    objects.iter().for_each(secrets::conceal);
    let items: Vec<&Value> = objects.iter().map(Object::json).collect();
    safe(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

/// What kubectl printed with `-o json`: nothing, an object, a list, or one behind the other.
fn documents(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>().map_while(std::result::Result::ok) {
        match document {
            Value::Object(mut map)
                if map.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List")) =>
            {
                if let Some(Value::Array(items)) = map.remove("items") {
                    found.extend(items);
                }
            }
            other => found.push(other),
        }
    }
    found
}

fn objects(text: &str) -> Vec<Object> {
    let found: Vec<Object> = documents(text).into_iter().filter_map(|value| Object::new(value).ok()).collect();
    found.iter().for_each(secrets::conceal);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_output_is_read() {
        let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}"#;
        assert_eq!(objects("").len(), 0);
        assert_eq!(objects(pod).len(), 1);
        assert_eq!(objects(&format!("{pod}\n{pod}")).len(), 2);
        assert_eq!(objects(&format!(r#"{{"kind": "List", "items": [{pod}, {pod}]}}"#)).len(), 2);
    }
}
