//! A way to the API server that can be cut: what shipcat and its kubectl see is a server that is away, while the cluster goes on.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The way. It ends with its value.
pub struct Proxy {
    /// Where it begins, on loopback.
    pub port: u16,
    state: Arc<State>,
}

struct State {
    upstream: String,
    is_cut: AtomicBool,
    is_over: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Leads to `upstream`, a host and port.
    pub fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            is_cut: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let own = Arc::clone(&state);
        std::thread::spawn(move || own.serve(listener, port));
        Self { port, state }
    }

    /// Cuts it: what is connected is torn, and nobody listens any more.
    pub fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
        // Whoever was being let in in this moment is in the list by now.
        std::thread::sleep(Duration::from_millis(50));
        for connection in self.state.connections.lock().unwrap().drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }

    /// Mends it.
    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        self.cut();
    }
}

impl State {
    fn serve(self: Arc<Self>, listener: TcpListener, port: u16) {
        let mut listener = Some(listener);
        while !self.is_over.load(Ordering::SeqCst) {
            if self.is_cut.load(Ordering::SeqCst) {
                listener = None;
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            if listener.is_none() {
                listener = TcpListener::bind(("127.0.0.1", port)).ok();
            }
            let Some(open) = &listener else { continue };
            open.set_nonblocking(true).unwrap();
            match open.accept() {
                Ok((stream, _)) => self.join(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(2)),
                Err(_) => {}
            }
        }
    }

    fn join(&self, from: TcpStream) {
        from.set_nonblocking(false).unwrap();
        let Ok(to) = TcpStream::connect(&self.upstream) else { return };
        let mut connections = self.connections.lock().unwrap();
        for stream in [&from, &to] {
            drop(stream.set_nodelay(true));
            connections.push(stream.try_clone().unwrap());
        }
        let pairs = [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)];
        for (mut source, mut sink) in pairs {
            std::thread::spawn(move || {
                drop(std::io::copy(&mut source, &mut sink));
                drop(sink.shutdown(Shutdown::Write));
            });
        }
    }
}
