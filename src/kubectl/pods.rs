//! Calls that follow a pod's container, or read from one that runs. They end when they are of no use any more, not by a request timeout.

use std::io::Read;
use std::process::ExitStatus;
use std::time::Duration;

use super::{Kubeconfig, Kubectl, Result, paths};
use crate::process::{Broken, Cmd};
use crate::yaml::Object;

/// How long files may take to come out of a container.
const READ: Duration = Duration::from_mins(2);

impl Kubectl<'_> {
    /// Follows a container's log to its end: from its start, or from now on.
    ///
    /// # Errors
    /// If kubectl cannot be started, and [`Broken::Cancelled`] where it is not `wanted` any more.
    pub fn follow_log(
        &self,
        (pod, container): (&str, &str),
        from_start: bool,
        each: impl FnMut(&str),
        wanted: impl FnMut() -> bool,
    ) -> std::result::Result<ExitStatus, Broken> {
        let mut args = vec!["logs", pod, "-c", container, "--follow"];
        if !from_start {
            args.push("--since=1s");
        }
        let cmd = self.timed(&args, "0");
        self.told(&cmd);
        cmd.tell(each, wanted)
    }

    /// Runs a command in a container, with its output going to `read`. Gives that, how the command ended, and its words.
    ///
    /// # Errors
    /// If kubectl cannot be started or takes too long, and [`Broken::Cancelled`] where it is not `wanted` any more.
    pub fn read_in<T: Send + 'static>(
        &self,
        (pod, container): (&str, &str),
        command: &[&str],
        read: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
        wanted: impl Fn() -> bool,
    ) -> std::result::Result<(T, ExitStatus, String), Broken> {
        let cmd = self.timed(&["exec", pod, "-c", container], "0").arg("--").args(command).limit(READ);
        self.told(&cmd);
        cmd.read(read, wanted)
    }

    /// Deletes the very object with this uid, with what it owns, also where the lock is lost: for what one run alone has made and uses,
    /// and nobody else waits for.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn discard(&self, object: &Object) -> Result<()> {
        let cmd = self.deletion(object);
        self.persistently(|| true, || self.run_through(&cmd)).map(drop)
    }

    /// What deletes an object, as people would.
    pub fn deletion_line(&self, object: &Object) -> String {
        let kind = paths::resource(object.kind());
        let mut cmd = Cmd::new("kubectl");
        // Our own kubeconfig is gone by then; in a pod kubectl finds its cluster without one.
        if !matches!(self.kubeconfig, Kubeconfig::Ours(_)) {
            cmd = cmd.args(self.kubeconfig.flags()).args(["--context", &self.context]);
        }
        cmd.args(["-n", &self.namespace, "delete", &kind, object.name()]).to_string()
    }
}
