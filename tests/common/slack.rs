//! A server on loopback that stands for Slack: it keeps what it is told, and answers what it is to answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What it answers, once each; the last one from then on.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// Fewer messages, after so many seconds.
    Later(u64),
    /// Nothing, for minutes.
    Hangs,
}

/// The server.
pub struct Slack {
    /// The URL of its webhook: a secret.
    pub url: String,
    told: Arc<Mutex<Vec<(Instant, Value)>>>,
}

/// What of the URL must never be seen.
pub const SECRET: &str = "T0123/B0456/s3cr3t-h00k";

impl Slack {
    pub fn answering(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}/services/{SECRET}", listener.local_addr().unwrap().port());
        let told: Arc<Mutex<Vec<(Instant, Value)>>> = Arc::default();
        let (kept, answers) = (Arc::clone(&told), answers.to_vec());
        std::thread::spawn(move || {
            let mut answers = answers.into_iter().peekable();
            let mut last = Answer::Status(200);
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some(("content-length", n)) = line.to_lowercase().trim().split_once(": ") {
                        length = n.parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() || length == 0 {
                    continue;
                }
                kept.lock().unwrap().push((Instant::now(), serde_json::from_slice(&body).unwrap()));
                last = answers.next().unwrap_or(last);
                let head = match last {
                    Answer::Status(status) => format!("HTTP/1.1 {status} x\r\n"),
                    Answer::Later(seconds) => format!("HTTP/1.1 429 x\r\nretry-after: {seconds}\r\n"),
                    Answer::Hangs => {
                        std::thread::spawn(move || {
                            std::thread::sleep(Duration::from_secs(120));
                            drop(stream);
                        });
                        continue;
                    }
                };
                drop(write!(stream, "{head}content-length: 2\r\nconnection: close\r\n\r\nok"));
            }
        });
        Self { url, told }
    }

    pub fn new() -> Self {
        Self::answering(&[Answer::Status(200)])
    }

    /// What it was told so far, which is forgotten by that.
    pub fn told(&self) -> Vec<Value> {
        self.told.lock().unwrap().drain(..).map(|(_, message)| message).collect()
    }

    /// When it was told.
    pub fn times(&self) -> Vec<Instant> {
        self.told.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    /// The plain texts of what it was told, which is forgotten by that.
    pub fn texts(&self) -> Vec<String> {
        self.told().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}
