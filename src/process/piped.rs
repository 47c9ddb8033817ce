//! Commands whose output is worked on while they run: told line by line, or read as the bytes that it is.

use std::io::Read;
use std::process::ExitStatus;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::{Broken, Cmd, drain, end};

/// A line that is longer than this is told in pieces.
const LINE: usize = 16 * 1024;
/// How long the last lines are waited for once the command has ended: something that it started may hold its pipes open.
const LAST_LINES: Duration = Duration::from_secs(2);

impl Cmd {
    /// Runs it to its end, or for as long as it is `wanted`, and tells each line of both outputs as it comes. Its limit does not count.
    ///
    /// # Errors
    /// If it cannot be started, and [`Broken::Cancelled`]. A bad exit status is no error here.
    pub fn tell(&self, mut each: impl FnMut(&str), mut wanted: impl FnMut() -> bool) -> Result<ExitStatus, Broken> {
        let mut child = self.spawn().map_err(Broken::Start)?;
        // Whoever writes faster than we tell has to wait.
        let (sender, receiver) = sync_channel(256);
        split(child.stdout.take(), sender.clone());
        split(child.stderr.take(), sender);
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => each(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if ended.is_some_and(|(_, at)| at.elapsed() > LAST_LINES) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if !wanted() {
                end(&mut child);
                return Err(Broken::Cancelled);
            }
            if ended.is_none() {
                ended = child.try_wait().map_err(Broken::Start)?.map(|status| (status, Instant::now()));
            }
        }
        match ended {
            Some((status, _)) => Ok(status),
            None => child.wait().map_err(Broken::Start),
        }
    }

    /// Runs it for as long as it is `wanted`, with its standard output going to `read`, which need not read all of it. Gives what that made
    /// of it, how the command ended, and its words on standard error.
    ///
    /// # Errors
    /// If it cannot be started or takes too long, and [`Broken::Cancelled`]. A bad exit status is no error here.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
        wanted: impl Fn() -> bool,
    ) -> Result<(T, ExitStatus, String), Broken> {
        let started = Instant::now();
        let mut child = self.spawn().map_err(Broken::Start)?;
        let (sender, receiver) = channel();
        let stdout = child.stdout.take();
        let (done, _) = channel();
        let stderr = drain(child.stderr.take(), done);
        std::thread::spawn(move || {
            let made = match stdout {
                Some(mut pipe) => read(&mut pipe),
                None => read(&mut std::io::empty()),
            };
            // The pipe is closed by now: a command that has more to say ends.
            drop(sender.send(made));
        });
        loop {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(made) => {
                    let status = child.wait().map_err(Broken::Start)?;
                    return Ok((made, status, stderr.join().unwrap_or_default()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    end(&mut child);
                    return Err(Broken::Cancelled);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let cancelled = !wanted();
                    if cancelled || started.elapsed() > self.limit {
                        end(&mut child);
                        return Err(if cancelled { Broken::Cancelled } else { Broken::TooLong(self.limit) });
                    }
                }
            }
        }
    }
}

/// Sends what comes out of a pipe, line by line.
fn split(pipe: Option<impl Read + Send + 'static>, to: SyncSender<String>) {
    let Some(mut pipe) = pipe else { return };
    std::thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), [0; 8192]);
        loop {
            let count = match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            for byte in &buffer[..count] {
                if *byte != b'\n' {
                    kept.push(*byte);
                }
                if (*byte == b'\n' || kept.len() >= LINE) && to.send(taken(&mut kept)).is_err() {
                    return;
                }
            }
        }
        if !kept.is_empty() {
            drop(to.send(taken(&mut kept)));
        }
    });
}

fn taken(kept: &mut Vec<u8>) -> String {
    let line = String::from_utf8_lossy(kept).trim_end_matches('\r').to_owned();
    kept.clear();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_from_both_outputs_and_the_last_needs_no_end() {
        let mut lines = Vec::new();
        let cmd = Cmd::new("sh").args(["-c", "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three; exit 4"]);
        let status = cmd.tell(|line| lines.push(line.to_owned()), || true).unwrap();
        assert_eq!((lines, status.code()), (vec!["one".into(), "two".into(), "three".into()], Some(4)));
    }

    #[test]
    fn a_line_without_an_end_is_told_in_pieces() {
        let mut longest = 0;
        let cmd = Cmd::new("sh").args(["-c", "head -c 100000 /dev/zero | tr '\\0' x"]);
        cmd.tell(|line| longest = longest.max(line.len()), || true).unwrap();
        assert_eq!(longest, LINE);
    }

    #[test]
    fn what_is_not_wanted_any_more_is_ended() {
        let started = Instant::now();
        let stopped = Cmd::new("sleep").arg("60").tell(|_| {}, || started.elapsed() < Duration::from_millis(100));
        assert!(matches!(stopped, Err(Broken::Cancelled)));
        let stopped = Cmd::new("sleep").arg("60").read(|out| out.read(&mut [0]).is_ok(), || false);
        assert!(matches!(stopped, Err(Broken::Cancelled)));
    }

    #[test]
    fn an_output_without_an_end_need_not_be_read_to_it() {
        let cmd = Cmd::new("sh").args(["-c", "echo said >&2; while :; do echo 0123456789; done"]);
        let first = |out: &mut dyn Read| {
            let mut bytes = [0; 4];
            out.read_exact(&mut bytes).map(|()| bytes)
        };
        let (bytes, status, said) = cmd.read(first, || true).unwrap();
        assert_eq!((&bytes.unwrap(), status.success(), said.lines().next()), (b"0123", false, Some("said")));
    }
}
