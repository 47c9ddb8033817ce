//! Calls that change nothing.

use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::{FIELD_MANAGER, Kubectl, Reason, Result, UNCHECKED, list, objects, reading};
use crate::error::Failure;
use crate::process::{Stream, StreamEvent};
use crate::redact;
use crate::threads;
use crate::yaml::Object;

/// What a watch is on: objects of one resource, since kubectl watches no more than one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The resource with its group, `deployments.apps`.
    pub resource: &'static str,
    /// Which of its objects.
    pub which: Which,
}

/// Which objects of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one of this name. kubectl watches several names no more than several resources.
    Named(String),
    /// Those that a label selector takes.
    Labelled(String),
}

/// How many objects one kubectl asks for: it makes a round trip for each, one behind the other.
const AT_ONCE: usize = 20;

/// Asks for objects, for many in parts of the same size side by side.
fn in_parts(wanted: &[Object], ask: impl Fn(&[Object]) -> Result<Vec<Object>> + Sync) -> Result<Vec<Object>> {
    let parts = wanted.len().div_ceil(AT_ONCE).max(1);
    let parts: Vec<&[Object]> = wanted.chunks(wanted.len().div_ceil(parts).max(1)).collect();
    let answers: Result<Vec<Vec<Object>>> = threads::waiting(&parts, |part| ask(part)).into_iter().collect();
    Ok(answers?.into_iter().flatten().collect())
}

impl Kubectl<'_> {
    /// Whether the API server answers at all, quickly. A raw call needs no discovery, which would try five times.
    ///
    /// # Errors
    /// If it does not answer within a few seconds.
    pub fn probe(&self) -> Result<()> {
        let cmd = self.timed(&["get", "--raw", "/version"], "5s").limit(std::time::Duration::from_secs(8));
        let answer = self.run(&cmd).map(drop);
        if answer.as_ref().is_err_and(|error| error.reason == Reason::Unreachable) {
            // Nor will the Secrets come, and what is to be told need not wait for them.
            redact::end(None);
        }
        answer
    }

    /// The API server's version: the minor of 1, if it is one of those.
    ///
    /// # Errors
    /// If it does not answer within a few seconds.
    pub fn minor(&self) -> Result<Option<u32>> {
        if let Some(known) = self.minor.get() {
            return Ok(*known);
        }
        let cmd = self.timed(&["get", "--raw", "/version"], "5s").limit(std::time::Duration::from_secs(8));
        let version: Value = serde_json::from_str(&self.run(&cmd)?.stdout).unwrap_or_default();
        // Some providers write `27+`.
        let minor = version["minor"].as_str().map(|minor| minor.trim_end_matches('+'));
        let minor = minor.filter(|_| version["major"] == "1").and_then(|minor| minor.parse().ok());
        Ok(*self.minor.get_or_init(|| minor))
    }

    /// [`Kubectl::probe`] for commands that can only stop where there is no answer.
    ///
    /// # Errors
    /// If the cluster does not answer; nothing was changed.
    pub fn reach(&self) -> std::result::Result<(), Failure> {
        self.probe()
            .map_err(|error| error.refused(&format!("the cluster of context `{}` does not answer", self.context)))
    }

    /// The live ones of these objects. One that is not there is left out.
    ///
    /// # Errors
    /// As kubectl fails; a missing namespace is no error here, it just has no objects.
    pub fn live(&self, wanted: &[Object], cancel: &AtomicBool) -> Result<Vec<Object>> {
        in_parts(wanted, |wanted| {
            let cmd = self.cmd(&["get", "-f", "-", "-o", "json", "--ignore-not-found"]).args(self.managed());
            Ok(objects(&self.run_unless(&reading(cmd, wanted, list), cancel)?.stdout))
        })
    }

    /// What the server would make of an apply: nothing is stored.
    ///
    /// # Errors
    /// As kubectl fails: most of what would make the apply fail is found here.
    pub fn dry_run(&self, wanted: &[Object], cancel: &AtomicBool) -> Result<Vec<Object>> {
        in_parts(wanted, |wanted| self.dry_run_of(wanted, cancel))
    }

    fn dry_run_of(&self, wanted: &[Object], cancel: &AtomicBool) -> Result<Vec<Object>> {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let args =
            ["apply", "--server-side", "--force-conflicts", &manager, "--dry-run=server", "-f", "-", "-o", "json"];
        let asked = |more: &[&str]| {
            let cmd = reading(self.cmd(&[&args, more].concat()).args(self.managed()), wanted, list);
            self.run_unless(&cmd, cancel).map(|output| objects(&output.stdout))
        };
        match asked(&[UNCHECKED]) {
            // Older servers do not say which object it is; kubectl, that looks for itself, does.
            Err(error) if error.reason == Reason::Malformed => Err(asked(&[]).err().unwrap_or(error)),
            answer => answer,
        }
    }

    /// Objects of some kinds by label.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn labelled(&self, kinds: &str, selector: &str, cancel: &AtomicBool) -> Result<Vec<Object>> {
        let cmd = self.cmd(&["get", kinds, "-l", selector, "-o", "json"]);
        Ok(objects(&self.run_unless(&cmd, cancel)?.stdout))
    }

    /// One object by name, if it is there.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn named(&self, kind: &str, name: &str) -> Result<Option<Object>> {
        let cmd = self.cmd(&["get", kind, name, "-o", "json", "--ignore-not-found"]);
        Ok(objects(&self.run(&cmd)?.stdout).into_iter().next())
    }

    /// The ones of some kinds that have one of these names.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn all_named<S: AsRef<str>>(&self, kinds: &str, names: &[S]) -> Result<Vec<Object>> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        // kubectl asks for each name by itself: of many a list is quicker.
        let found = match names.len() <= 3 {
            true => {
                let args = [&["get", kinds], names.as_slice(), &["-o", "json", "--ignore-not-found"]].concat();
                objects(&self.run(&self.cmd(&args))?.stdout)
            }
            false => objects(&self.run(&self.cmd(&["get", kinds, "-o", "json"]))?.stdout),
        };
        Ok(found.into_iter().filter(|object| names.contains(&object.name())).collect())
    }

    /// The namespace's events.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn events(&self) -> Result<Vec<Object>> {
        Ok(objects(&self.run(&self.cmd(&["get", "events", "-o", "json"]))?.stdout))
    }

    /// The namespace's events, as people read them, the oldest first.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn event_lines(&self) -> Result<String> {
        Ok(self.run(&self.cmd(&["get", "events", "--sort-by=.metadata.creationTimestamp", "-o", "wide"]))?.stdout)
    }

    /// What `kubectl describe` says of the pods that a selector takes.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn describe_pods(&self, selector: &str) -> Result<String> {
        Ok(self.run(&self.cmd(&["describe", "pods", "-l", selector]))?.stdout)
    }

    /// The last lines of a container's log; `previous` for the run before this one.
    ///
    /// # Errors
    /// As kubectl fails, for instance because there is no such run.
    pub fn logs(&self, pod: &str, container: &str, lines: usize, previous: bool) -> Result<String> {
        let tail = format!("--tail={lines}");
        let mut args = vec!["logs", pod, "-c", container, tail.as_str()];
        if previous {
            args.push("--previous");
        }
        Ok(self.run(&self.cmd(&args))?.stdout)
    }

    /// The same as work for another thread, so that nobody waits for it: tried once, nothing where there is no such log.
    pub fn hearing(
        &self,
        pod: &str,
        container: &str,
        lines: usize,
        previous: bool,
    ) -> impl FnOnce() -> Option<String> + Send + use<> {
        let tail = format!("--tail={lines}");
        let last: &[&str] = if previous { &["--previous"] } else { &[] };
        let cmd = self.cmd(&[&["logs", pod, "-c", container, tail.as_str()], last].concat());
        self.told(&cmd);
        move || cmd.run().ok().filter(|output| output.status.success()).map(|output| output.stdout)
    }

    /// Starts to watch; each change is handed to `take`. Without `--request-timeout`, which would end it.
    ///
    /// # Errors
    /// If kubectl cannot be started.
    pub fn watch(
        &self,
        what: &Watched,
        take: impl Fn(StreamEvent) + Send + 'static,
    ) -> std::result::Result<Stream, crate::process::Broken> {
        let field;
        let which: &[&str] = match &what.which {
            Which::Named(name) => {
                field = format!("--field-selector=metadata.name={name}");
                &[&field]
            }
            Which::Labelled(selector) => &["-l", selector],
        };
        let args = [&["get", what.resource], which, &["--watch", "--output-watch-events", "-o", "json"]].concat();
        let cmd = self.timed(&args, "0");
        self.told(&cmd);
        Stream::start(&cmd, take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn many_objects_are_asked_for_in_parts_and_all_come_in_their_order() {
        let wanted: Vec<Object> = (0..41)
            .map(|n| {
                let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("c{n}")}});
                Object::new(object).unwrap()
            })
            .collect();
        let parts = std::sync::Mutex::new(Vec::new());
        let ask = |of: &[Object]| {
            parts.lock().unwrap().push(of.len());
            Ok(of.to_vec())
        };
        let answer = in_parts(&wanted, ask).unwrap();
        assert_eq!(
            answer.iter().map(Object::name).collect::<Vec<_>>(),
            wanted.iter().map(Object::name).collect::<Vec<_>>()
        );
        parts.lock().unwrap().sort_unstable();
        assert_eq!(*parts.lock().unwrap(), [13, 14, 14]);
        parts.lock().unwrap().clear();
        assert_eq!(in_parts(&wanted[..20], ask).unwrap().len(), 20);
        assert!(in_parts(&[], ask).unwrap().is_empty());
        assert_eq!(*parts.lock().unwrap(), [20]);
    }
}
