//! A server on loopback that stands for a CI system's API: it keeps what it is asked, and says that it was created.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// One request: its head, line by line, and its body.
#[derive(Debug, Clone)]
pub struct Request {
    pub head: String,
    pub body: String,
}

pub struct Web {
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some(("content-length", n)) = line.to_lowercase().trim().split_once(": ") {
                        length = n.parse().unwrap();
                    }
                    head.push_str(&line);
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(Request { head, body: String::from_utf8(body).unwrap() });
                drop(write!(stream, "HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"));
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far, which is forgotten by that.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().drain(..).collect()
    }
}
