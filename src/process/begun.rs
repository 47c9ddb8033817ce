//! A command that is started before what it reads is known: by then its start is behind it.

use std::io::Write;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Broken, Cmd, Output, drain, end};

/// A command that runs, and waits for its input if it reads any. Dropping it ends it.
#[derive(Debug)]
pub struct Begun {
    line: Cmd,
    at: Instant,
    child: Child,
    is_over: bool,
    outputs: Option<(JoinHandle<String>, JoinHandle<String>)>,
    closed: Receiver<()>,
}

impl Cmd {
    /// Starts it. If it reads anything, that is given by [`Begun::finish`].
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn begin(&self) -> Result<Begun, Broken> {
        let mut child = self.spawn().map_err(Broken::Start)?;
        let (sender, closed) = channel();
        let stdout = drain(child.stdout.take(), sender.clone());
        let stderr = drain(child.stderr.take(), sender);
        let outputs = Some((stdout, stderr));
        Ok(Begun { line: self.clone(), at: Instant::now(), child, is_over: false, outputs, closed })
    }

    /// Whether it starts the same program in the same way, whatever that reads.
    fn is_same(&self, other: &Self) -> bool {
        (&self.program, &self.args, &self.env, self.stdin.is_some())
            == (&other.program, &other.args, &other.env, other.stdin.is_some())
    }
}

impl Begun {
    /// Whether it is what this command would start.
    pub fn is(&self, cmd: &Cmd) -> bool {
        self.line.is_same(cmd)
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }

    /// Gives it what `cmd` reads, and waits for its end, as long as it is `wanted` and as `cmd` may take.
    ///
    /// # Errors
    /// As [`Cmd::run_while`].
    pub fn finish(mut self, cmd: &Cmd, wanted: impl Fn() -> bool) -> Result<Output, Broken> {
        let (started, limit) = (Instant::now(), cmd.limit);
        if let (Some(mut pipe), Some(text)) = (self.child.stdin.take(), cmd.stdin.clone()) {
            // A program that ends without reading its input is judged by its status, not by our broken pipe.
            std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
        }
        let mut open = 2;
        while open > 0 {
            match self.closed.recv_timeout(Duration::from_millis(50)) {
                Ok(()) => open -= 1,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let cancelled = !wanted();
                    if cancelled || started.elapsed() > limit {
                        return Err(if cancelled { Broken::Cancelled } else { Broken::TooLong(limit) });
                    }
                }
            }
        }
        let status = self.child.wait().map_err(Broken::Start)?;
        self.is_over = true;
        let (stdout, stderr) = self.outputs.take().map_or_else(Default::default, |(stdout, stderr)| {
            (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default())
        });
        Ok(Output { status, stdout, stderr })
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.is_over {
            // Before its input is closed: an end of that would be an empty input.
            end(&mut self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_waits_for_its_input() {
        let cmd = Cmd::new("sh").args(["-c", "echo begun; cat"]).stdin("");
        let begun = cmd.begin().unwrap();
        assert!(begun.is(&cmd.clone().stdin("other")));
        assert!(!begun.is(&cmd.clone().arg("more")) && !begun.is(&Cmd::new("sh").args(["-c", "echo begun; cat"])));
        std::thread::sleep(Duration::from_millis(100));
        assert!(begun.age() >= Duration::from_millis(100));
        let output = begun.finish(&cmd.stdin("input"), || true).unwrap();
        assert_eq!(output.stdout, "begun\ninput");
    }

    #[test]
    fn what_is_dropped_is_ended_before_its_input_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("read");
        let cmd = Cmd::new("sh").args(["-c", "cat; touch \"$1\"", "sh"]).arg(&file).stdin("");
        let begun = cmd.begin().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let pid = begun.child.id();
        drop(begun);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        std::thread::sleep(Duration::from_millis(50));
        assert!(!file.exists());
    }
}
