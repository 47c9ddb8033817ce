//! What the lock's Lease says: who runs, who keeps the environment for himself, who waits. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::yaml::Object;

/// The Lease's name: one lock for all of an environment, which has a namespace of its own.
pub const NAME: &str = "shipcat";
const STATE: &str = "shipcat.dev/lock";
/// One of these is there, and each write takes the other one.
const TURNS: [&str; 2] = ["shipcat.dev/even", "shipcat.dev/odd"];

/// All that the Lease says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Who is at work.
    pub run: Option<Run>,
    /// Who keeps the environment for himself.
    pub hold: Option<Hold>,
    /// Who waits, by number.
    pub queue: Vec<Place>,
    /// The number of the last place that was given.
    pub last: u64,
    /// Who was last robbed of the lock, and by whom.
    pub stolen: Option<Theft>,
}

/// A run that has the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Which run; no two have the same.
    pub id: String,
    /// `ann@laptop`, `ann via jenkins`.
    pub who: String,
    /// `ship webapp 1.4.2`.
    pub what: String,
    /// What it does now.
    pub step: String,
    /// The CI build.
    pub build: Option<String>,
    /// Since when, by its own clock: for people.
    pub since: Timestamp,
    /// When it last renewed it, by its own clock: for people, and never to judge that it is dead.
    pub renewed: Timestamp,
    /// Counts the renewals: while it moves, the run lives.
    pub beat: u64,
    /// For how long the lock stays its own without a renewal, in milliseconds.
    pub lifetime: u64,
    /// Somebody wants the lock: the run is to stop.
    pub robbed: Option<Theft>,
}

/// Somebody who keeps the environment for himself for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// `ann@laptop`, `ann via jenkins`.
    pub who: String,
    /// What for.
    pub reason: String,
    /// Since when, by the API server's clock.
    pub since: Timestamp,
    /// For how long, in seconds.
    pub seconds: i64,
    /// SHA-256 of the token with which its owner goes on, in hexadecimal.
    pub token: String,
}

impl Hold {
    /// When it ends, by the API server's clock.
    pub fn end(&self) -> Timestamp {
        self.since.checked_add(SignedDuration::from_secs(self.seconds)).unwrap_or(Timestamp::MAX)
    }
}

/// A place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Lower ones come first.
    pub number: u64,
    /// Which run.
    pub id: String,
    /// `ann@laptop`, `ann via jenkins`.
    pub who: String,
    /// `ship webapp 1.4.2`.
    pub what: String,
    /// SHA-256 of the token that it has, if it has one.
    pub token: Option<String>,
}

/// A lock that was taken from somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Theft {
    /// Who took it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, by the thief's clock.
    pub at: Timestamp,
    /// From whom, and what he did.
    pub from: String,
}

impl State {
    /// What a Lease says. One that somebody else made says that its holder runs.
    pub fn of(lease: &Object) -> Self {
        let annotations = lease.json().pointer("/metadata/annotations");
        if let Some(text) = annotations.and_then(|all| all.get(STATE)).and_then(Value::as_str)
            && let Ok(state) = serde_json::from_str(text)
        {
            return state;
        }
        let holder = lease.text("/spec/holderIdentity");
        let time = |path: &str| lease.text(path).parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let run = (!holder.is_empty()).then(|| Run {
            id: format!("{} {}", lease.uid(), holder),
            who: holder.to_owned(),
            what: "not shipcat, or another version of it".to_owned(),
            step: String::new(),
            build: None,
            since: time("/spec/acquireTime"),
            renewed: time("/spec/renewTime"),
            beat: lease.text("/spec/renewTime").bytes().fold(0, |sum, byte| sum * 31 % 1_000_000_007 + u64::from(byte)),
            lifetime: u64::try_from(lease.number("/spec/leaseDurationSeconds").unwrap_or(60)).unwrap_or(60) * 1000,
            robbed: None,
        });
        Self { run, ..Self::default() }
    }

    /// The Lease that says this; `former` is the one whose place it is to take.
    pub fn lease(&self, former: Option<&Object>) -> Object {
        // Others who look at Leases see the common fields.
        let spec = match (&self.run, &self.hold) {
            (Some(run), _) => json!({
                "holderIdentity": run.who, "leaseDurationSeconds": run.lifetime.div_ceil(1000).max(1),
                "acquireTime": micros(run.since), "renewTime": micros(run.renewed)}),
            (None, Some(hold)) => json!({
                "holderIdentity": hold.who, "leaseDurationSeconds": hold.seconds.clamp(1, i64::from(i32::MAX)),
                "acquireTime": micros(hold.since), "renewTime": micros(hold.since)}),
            (None, None) => json!({}),
        };
        let mut lease = Object::bare("coordination.k8s.io/v1", "Lease", NAME);
        let json = lease.json_mut();
        json["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "shipcat"});
        // Seen on 1.20: the server notes the time of a write only where other fields than before are set.
        let annotations = former.and_then(|former| former.json().pointer("/metadata/annotations"));
        let turn = TURNS[usize::from(annotations.is_some_and(|all| all.get(TURNS[0]).is_some()))];
        json["metadata"]["annotations"] = json!({STATE: serde_json::to_string(self).unwrap_or_default(), turn: ""});
        json["spec"] = spec;
        if let Some(former) = former {
            json["metadata"]["uid"] = former.uid().into();
            json["metadata"]["resourceVersion"] = former.text("/metadata/resourceVersion").into();
        }
        lease
    }

    /// Whether it says nothing that anybody needs.
    pub fn is_free(&self) -> bool {
        self.run.is_none() && self.hold.is_none() && self.queue.is_empty()
    }

    /// Without this run's place.
    pub fn without_place(mut self, id: &str) -> Self {
        self.queue.retain(|place| place.id != id);
        self
    }
}

/// When the API server last wrote an object, by its own clock. Only answers to writes tell that it is now.
pub fn written(lease: &Object) -> Option<Timestamp> {
    let time = |entry: &Value| entry.get("time")?.as_str()?.parse::<Timestamp>().ok();
    let fields = lease.list("/metadata/managedFields").iter().filter_map(time).max();
    fields.max(lease.text("/metadata/creationTimestamp").parse().ok())
}

/// As a Lease has its times (`MicroTime`).
fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn run(id: &str, beat: u64) -> Run {
        let (since, renewed) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let (who, what, step) = (format!("{id}@laptop"), format!("ship {id}"), "reading".to_owned());
        Run { id: id.into(), who, what, step, build: None, since, renewed, beat, lifetime: 60_000, robbed: None }
    }

    #[test]
    fn a_lease_is_read_as_it_was_written() {
        let queue = vec![Place { number: 3, id: "b".into(), who: "b".into(), what: "x".into(), token: None }];
        let state = State { run: Some(run("a", 7)), queue, last: 3, ..State::default() };
        let lease = state.lease(None);
        assert_eq!(State::of(&lease), state);
        assert_eq!(lease.text("/spec/acquireTime"), "1970-01-01T00:00:00.000000Z");
        let free = State::default().lease(Some(&lease));
        assert_eq!(free.json()["spec"], json!({}));
        let turn = |lease: &Object, turn: &str| lease.json()["metadata"]["annotations"].get(turn).is_some();
        assert!(turn(&lease, TURNS[0]) && turn(&free, TURNS[1]) && !turn(&free, TURNS[0]));
    }

    #[test]
    fn a_lease_of_somebody_else_is_held_by_its_holder() {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME},
            "spec": {"holderIdentity": "someone", "renewTime": "2026-01-01T00:00:00.000000Z", "leaseDurationSeconds": 15}});
        let mut later = lease.clone();
        later["spec"]["renewTime"] = "2026-01-01T00:00:10.000000Z".into();
        let [one, two] = [lease, later].map(|lease| State::of(&Object::new(lease).unwrap()).run.unwrap());
        assert_eq!((one.who.as_str(), one.lifetime, &one.id), ("someone", 15_000, &two.id));
        assert_ne!(one.beat, two.beat);
    }
}
