//! The room for `kubectl`: the one place that knows its flags. May import `process`, `yaml` (for [`Object`]), `ui` and `error`.

mod connect;
mod error;
mod partial;
mod paths;
mod read;
mod secrets;
mod write;

pub use connect::Target;
pub use error::{KubectlError, Reason};
pub use partial::Partial;
pub use paths::{is_cluster_scoped, resource};
pub use read::{Watched, Which};

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Cmd, Output};
use crate::ui::Ui;
use crate::yaml::{Object, safe};

/// Our name in managedFields.
pub const FIELD_MANAGER: &str = "shipcat";

/// How long one request to the API server may take, in seconds. Admission webhooks may take ten each.
const REQUEST_TIMEOUT: u64 = 30;

/// kubectl, with context and namespace on every call: the ambient ones are never used.
#[derive(Debug)]
pub struct Kubectl<'a> {
    program: PathBuf,
    context: String,
    namespace: String,
    /// kubectl shows managedFields in JSON only when asked to, from 1.21 on; before, it does not know the flag.
    show_managed: bool,
    /// In a rehearsal, the changes that would have been made: none is.
    rehearsal: Option<Mutex<Vec<Cmd>>>,
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

    /// A call with a verb and its arguments; context, namespace and request timeout go behind them.
    fn cmd(&self, args: &[&str]) -> Cmd {
        self.timed(args, &format!("{REQUEST_TIMEOUT}s"))
    }

    fn timed(&self, args: &[&str], timeout: &str) -> Cmd {
        Cmd::new(&self.program)
            .args(args)
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
        if self.show_managed { &["--show-managed-fields"] } else { &[] }
    }

    fn run(&self, cmd: &Cmd) -> Result<Output> {
        self.run_unless(cmd, &AtomicBool::new(false))
    }

    fn run_unless(&self, cmd: &Cmd, cancel: &AtomicBool) -> Result<Output> {
        self.told(cmd);
        match cmd.run_unless(cancel) {
            Ok(output) if output.status.success() => Ok(output),
            Ok(output) => Err(KubectlError::said(cmd, &output)),
            Err(broken) => Err(KubectlError::broken(cmd, broken)),
        }
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
