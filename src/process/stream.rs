//! A command whose output is JSON documents without an end, such as `kubectl get -w`.

use std::io::{BufReader, Read};
use std::process::Child;
use std::sync::Mutex;

use serde_json::Value;

use super::{Broken, Cmd, end};

/// What a stream tells.
#[derive(Debug)]
pub enum StreamEvent {
    /// One more document.
    Document(Value),
    /// The command ended; its last words on standard error.
    Ended(String),
}

/// A running stream. Dropping it ends the command.
#[derive(Debug)]
pub struct Stream {
    child: Mutex<Child>,
}

impl Stream {
    /// Starts the command; each document is handed to `take`, on a thread of its own, and in the end [`StreamEvent::Ended`].
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(cmd: &Cmd, take: impl Fn(StreamEvent) + Send + 'static) -> Result<Self, Broken> {
        let mut child = cmd.spawn().map_err(Broken::Start)?;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        std::thread::spawn(move || {
            let errors = std::thread::spawn(move || {
                let mut text = Vec::new();
                if let Some(mut pipe) = stderr {
                    drop(pipe.read_to_end(&mut text));
                }
                String::from_utf8_lossy(&text).trim().to_owned()
            });
            if let Some(pipe) = stdout {
                let documents = serde_json::Deserializer::from_reader(BufReader::new(pipe)).into_iter::<Value>();
                // A document cut off in the middle is the end: the reader of the stream starts it anew.
                documents.map_while(Result::ok).for_each(|document| take(StreamEvent::Document(document)));
            }
            take(StreamEvent::Ended(errors.join().unwrap_or_default()));
        });
        Ok(Self { child: Mutex::new(child) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            end(&mut child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn documents_come_as_they_are_printed() {
        let (sender, receiver) = channel();
        let cmd = Cmd::new("sh").args(["-c", "echo '{\"a\": 1}{'; echo '\"b\": 2}'; echo bad >&2"]);
        let _stream = Stream::start(&cmd, move |event| sender.send(event).unwrap()).unwrap();
        let seen: Vec<String> = receiver
            .iter()
            .map(|event| match event {
                StreamEvent::Document(value) => value.to_string(),
                StreamEvent::Ended(words) => format!("ended: {words}"),
            })
            .collect();
        assert_eq!(seen, [r#"{"a":1}"#, r#"{"b":2}"#, "ended: bad"]);
    }
}
