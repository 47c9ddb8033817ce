//! What kubectl's streams tell, for all who watch: each stream is a kubectl of its own, so that the rollouts of several services share
//! them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kubectl::{Kubectl, Watched};
use crate::process::{Broken, Stream, StreamEvent};

/// What a reader is told.
#[derive(Debug)]
pub enum Told {
    /// A watch event, `{type, object}`, of the stream with this number.
    Event(usize, Arc<Value>),
    /// The stream with this number is begun anew, and will tell all of its objects again.
    Again(usize),
}

/// Who is told. Who is dropped is told no more.
#[derive(Debug)]
pub struct Reader {
    /// What is told.
    pub events: Receiver<Told>,
    /// For as long as it is there.
    _alive: Arc<()>,
}

/// Some streams, and what they told so far.
#[derive(Debug)]
pub struct Feed<'a> {
    kubectl: &'a Kubectl<'a>,
    watched: Vec<Watched>,
    /// The one that runs for each of `watched`; none before the first reader came.
    streams: Mutex<Vec<Stream>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    readers: Vec<(Sender<Told>, Weak<()>)>,
    /// How often the streams were begun from the beginning: what earlier ones still say is of no use.
    round: u32,
    /// The last event of each object that is there, by uid.
    known: BTreeMap<String, (usize, Arc<Value>)>,
    /// The streams that ended, and when they are to be begun again.
    again: Vec<(usize, Instant)>,
    failures: u32,
    last_words: String,
}

impl<'a> Feed<'a> {
    /// Of these streams; they run from when the first reader comes.
    pub fn new(kubectl: &'a Kubectl<'a>, watched: Vec<Watched>) -> Self {
        Self { kubectl, watched, streams: Mutex::default(), state: Arc::default() }
    }

    /// How many streams there are.
    pub fn count(&self) -> usize {
        self.watched.len()
    }

    /// A new reader, who is told all that is there, and then each change.
    ///
    /// # Errors
    /// If kubectl cannot be started.
    pub fn read(&self) -> Result<Reader, Broken> {
        let mut streams = lock(&self.streams);
        if streams.is_empty() {
            *streams = (0..self.watched.len()).map(|number| self.stream(number)).collect::<Result<_, _>>()?;
        }
        let (sender, receiver) = channel();
        let mut state = lock(&self.state);
        for (number, event) in state.known.values() {
            let _ = sender.send(Told::Event(*number, Arc::clone(event)));
        }
        let alive = Arc::new(());
        state.readers.push((sender, Arc::downgrade(&alive)));
        Ok(Reader { events: receiver, _alive: alive })
    }

    /// Ends the streams if nobody reads: each is a kubectl of its own. They begin again with the next reader.
    pub fn rest(&self) {
        let mut streams = lock(&self.streams);
        let mut state = lock(&self.state);
        state.readers.retain(|(_, alive)| alive.strong_count() > 0);
        if state.readers.is_empty() {
            *state = State { round: state.round + 1, ..State::default() };
            // A stream that ends says so, to this very state.
            drop(state);
            streams.clear();
        }
    }

    /// Begins again what has ended: every watch ends some time, by the API server's own limit or because it is away.
    ///
    /// # Errors
    /// If kubectl cannot be started.
    pub fn tend(&self) -> Result<(), Broken> {
        let now = Instant::now();
        let due: Vec<usize> = {
            let mut state = lock(&self.state);
            let (due, later) = std::mem::take(&mut state.again).into_iter().partition(|(_, at)| *at <= now);
            state.again = later;
            let due: Vec<usize> = (due as Vec<(usize, Instant)>).into_iter().map(|(number, _)| number).collect();
            for number in &due {
                state.known.retain(|_, (told, _)| told != number);
                state.tell(|| Told::Again(*number));
            }
            due
        };
        for number in due {
            let stream = self.stream(number)?;
            if let Some(place) = lock(&self.streams).get_mut(number) {
                *place = stream;
            }
        }
        Ok(())
    }

    /// What the streams end with, where nothing can be seen: one end is in the nature of a watch, one after the other is trouble.
    pub fn trouble(&self) -> Option<String> {
        let state = lock(&self.state);
        (state.failures > 4).then(|| state.last_words.clone())
    }

    fn stream(&self, number: usize) -> Result<Stream, Broken> {
        let state = Arc::clone(&self.state);
        let watched = self.watched.get(number);
        let watched = watched.ok_or_else(|| Broken::Start(std::io::ErrorKind::NotFound.into()))?;
        let round = lock(&state).round;
        self.kubectl.watch(watched, move |event| {
            let mut state = lock(&state);
            if state.round == round {
                state.take(number, event);
            }
        })
    }
}

impl State {
    fn take(&mut self, number: usize, event: StreamEvent) {
        match event {
            StreamEvent::Document(document) => {
                self.failures = 0;
                let event = Arc::new(document);
                let uid = event.pointer("/object/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
                match event["type"] == "DELETED" {
                    true => drop(self.known.remove(&uid)),
                    false => drop(self.known.insert(uid, (number, Arc::clone(&event)))),
                }
                self.tell(|| Told::Event(number, Arc::clone(&event)));
            }
            StreamEvent::Ended(words) => {
                self.last_words = words;
                self.failures += 1;
                let pause = Duration::from_millis(250 * u64::from(self.failures.min(8)));
                self.again.push((number, Instant::now() + pause));
            }
        }
    }

    /// Tells the readers; who has gone is forgotten.
    fn tell(&mut self, told: impl Fn() -> Told) {
        self.readers.retain(|(reader, _)| reader.send(told()).is_ok());
    }
}

/// What a thread that failed left behind is still what was told.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, uid: &str) -> StreamEvent {
        StreamEvent::Document(json!({"type": kind, "object": {"metadata": {"uid": uid}}}))
    }

    #[test]
    fn who_comes_late_is_told_what_is_there_and_ends_are_begun_again_with_pauses() {
        let mut state = State::default();
        let (sender, early) = channel();
        state.readers.push((sender, Weak::new()));
        for (number, event) in [(0, event("ADDED", "a")), (1, event("ADDED", "b")), (0, event("DELETED", "a"))] {
            state.take(number, event);
        }
        assert_eq!(early.try_iter().count(), 3);
        assert_eq!(state.known.keys().collect::<Vec<_>>(), ["b"]);
        for _ in 0..5 {
            state.take(0, StreamEvent::Ended("refused".into()));
        }
        assert_eq!((state.failures, state.again.len()), (5, 5));
        assert!(state.again[4].1 > state.again[0].1);
        // Who has gone is told nothing.
        drop(early);
        state.take(1, event("MODIFIED", "b"));
        assert_eq!((state.readers.len(), state.failures), (0, 0));
    }
}
