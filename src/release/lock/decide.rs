//! What somebody who wants the lock does next, by what the Lease says and how long it has said so. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{Place, Run, State};

/// How long a lock may stand free while the first of the queue does not take it: then it has died. Long enough for one that lives on a machine
/// that is very busy: it would come last otherwise.
const GRACE: Duration = Duration::from_secs(30);

/// Somebody who wants the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What its run would be.
    pub run: Run,
    /// SHA-256 of the token that it has, if it has one.
    pub token: Option<String>,
    /// Whether it waits for its turn.
    pub waits: bool,
}

/// What is known beside the Lease.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// For how long the Lease was seen to stand as it does, in what [`fact`] names.
    pub idle: Duration,
    /// Whether that was seen to change.
    pub moves: bool,
    /// The API server's time, if it is known.
    pub server: Option<Timestamp>,
    /// Our own.
    pub here: Timestamp,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// The lock is ours already.
    Mine,
    /// Write this: then it is ours.
    Take(State),
    /// Write this: then we have a place, or one that died has lost its own.
    Write(State),
    /// Look on.
    Look,
    /// Write it as it is: the answer tells the API server's time.
    Touch,
    /// It is somebody else's, and we do not wait.
    Busy,
}

/// What must change for a lock to be alive: the holder's beat; or, of a free one, who is first.
pub fn fact(state: &State) -> String {
    match (&state.run, state.queue.first()) {
        (Some(run), _) => format!("run {} {}", run.id, run.beat),
        (None, Some(first)) => format!("free for {}", first.id),
        (None, None) => String::new(),
    }
}

/// What to do.
pub fn decide(state: &State, claim: &Claim, sight: Sight) -> Move {
    let me = &claim.run.id;
    let place = state.queue.iter().find(|place| place.id == *me);
    if state.run.as_ref().is_some_and(|run| run.id == *me) {
        return Move::Mine;
    }
    let hold = state.hold.as_ref().filter(|hold| sight.server.is_none_or(|now| now < hold.end()));
    let barred = hold.filter(|hold| claim.token.as_ref() != Some(&hold.token));
    if let Some(hold) = barred.filter(|_| !claim.waits)
        && sight.server.is_none()
        && sight.here >= hold.end()
    {
        return Move::Touch;
    }
    // While somebody keeps the environment for himself, only those with his token count.
    let counts = |other: &&Place| hold.is_none_or(|hold| other.token.as_ref() == Some(&hold.token));
    let before = |other: &&Place| place.is_none_or(|place| other.number < place.number);
    let ahead = state.queue.iter().filter(counts).find(before);
    let lives = |run: &&Run| sight.idle < Duration::from_millis(run.lifetime);
    let run = state.run.as_ref().filter(lives);
    if barred.is_none() && run.is_none() {
        let mut next = State { hold: hold.cloned(), ..state.clone() };
        match ahead {
            None => {
                next.run = Some(claim.run.clone());
                return Move::Take(next.without_place(me));
            }
            // A dead run in front of it is of the same age: the first has had its time.
            Some(first) if sight.idle >= GRACE && state.run.is_none() => {
                return Move::Write(next.without_place(&first.id));
            }
            Some(_) if state.run.is_some() => {
                // It ran out: the first of the queue is to take it, and has the time for it from now on.
                next.run = None;
                return Move::Write(next);
            }
            Some(_) => {}
        }
    }
    if place.is_some() {
        return Move::Look;
    }
    if claim.waits {
        let mut next = state.clone();
        next.last += 1;
        next.queue.push(Place {
            number: next.last,
            id: me.clone(),
            who: claim.run.who.clone(),
            what: claim.run.what.clone(),
            token: claim.token.clone(),
        });
        return Move::Write(next);
    }
    // Who does not wait still looks whether what stands there is dead; one whose last word is young by both clocks is not.
    let young = |run: &Run| {
        let age = sight.here.duration_since(run.renewed).unsigned_abs();
        age < Duration::from_millis(run.lifetime)
    };
    if barred.is_some() || (sight.moves && run.is_some()) || run.is_some_and(young) { Move::Busy } else { Move::Look }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::run;
    use super::super::state::{Hold, Place};
    use super::*;

    fn claim(id: &str, waits: bool) -> Claim {
        Claim { run: run(id, 0), token: None, waits }
    }

    fn place(number: u64, id: &str) -> Place {
        Place { number, id: id.into(), who: id.into(), what: String::new(), token: None }
    }

    fn held(queue: Vec<Place>) -> State {
        State { run: Some(run("a", 1)), last: queue.len() as u64, queue, ..State::default() }
    }

    /// Long after the renewals of the tests' runs, by our own clock.
    fn after(seconds: u64) -> Sight {
        Sight {
            idle: Duration::from_secs(seconds),
            moves: false,
            server: None,
            here: Timestamp::from_second(1_000_000).unwrap(),
        }
    }

    fn now_running(next: &Move) -> Option<&str> {
        match next {
            Move::Take(state) => state.run.as_ref().map(|run| run.id.as_str()),
            _ => None,
        }
    }

    #[test]
    fn a_free_lock_is_taken_and_a_held_one_gives_a_place() {
        assert_eq!(now_running(&decide(&State::default(), &claim("b", false), after(0))), Some("b"));
        let Move::Write(state) = decide(&held(vec![place(1, "x")]), &claim("b", true), after(0)) else { panic!() };
        assert_eq!((state.queue[1].number, state.last, state.queue[1].id.as_str()), (2, 2, "b"));
        assert_eq!(decide(&state, &claim("b", true), after(0)), Move::Look);
    }

    #[test]
    fn a_run_that_lives_is_busy_at_once_and_one_that_may_be_dead_is_looked_at() {
        let young = Sight { here: Timestamp::from_second(30).unwrap(), ..after(0) };
        assert_eq!(decide(&held(vec![]), &claim("b", false), young), Move::Busy);
        assert_eq!(decide(&held(vec![]), &claim("b", false), after(30)), Move::Look);
        assert_eq!(decide(&held(vec![]), &claim("b", false), Sight { moves: true, ..after(1) }), Move::Busy);
        assert_eq!(now_running(&decide(&held(vec![]), &claim("b", false), after(60))), Some("b"));
    }

    #[test]
    fn the_first_of_the_queue_takes_it_and_a_dead_one_loses_its_place() {
        let mut free = held(vec![place(1, "x"), place(2, "b")]);
        free.run = None;
        let taken = decide(&free, &claim("x", true), after(0));
        assert_eq!(now_running(&taken), Some("x"));
        assert!(matches!(taken, Move::Take(state) if state.queue == [place(2, "b")]));
        assert_eq!(decide(&free, &claim("b", true), after(29)), Move::Look);
        assert!(
            matches!(decide(&free, &claim("b", true), after(30)), Move::Write(state) if state.queue == [place(2, "b")])
        );
        // Nobody overtakes.
        assert_eq!(decide(&free, &claim("c", false), after(9)), Move::Look);
        assert!(matches!(decide(&free, &claim("c", true), after(0)), Move::Write(state) if state.queue.len() == 3));
    }

    #[test]
    fn a_dead_run_gives_the_first_of_the_queue_its_time() {
        let dead = held(vec![place(1, "x"), place(2, "b")]);
        let Move::Write(free) = decide(&dead, &claim("b", true), after(60)) else { panic!() };
        assert!(free.run.is_none() && free.queue.len() == 2);
        assert_eq!(now_running(&decide(&dead, &claim("x", true), after(60))), Some("x"));
    }

    #[test]
    fn a_freeze_bars_all_but_its_owner_and_ends_by_the_servers_clock() {
        let hold = Hold {
            who: "ann".into(),
            reason: String::new(),
            since: Timestamp::UNIX_EPOCH,
            seconds: 60,
            token: "t".into(),
        };
        let frozen = State { hold: Some(hold), queue: vec![place(1, "x")], last: 1, ..State::default() };
        let at = |second: i64| Sight { server: Some(Timestamp::from_second(second).unwrap()), ..after(0) };
        assert_eq!(decide(&frozen, &claim("b", false), at(59)), Move::Busy);
        assert_eq!(decide(&frozen, &claim("x", true), at(59)), Move::Look);
        let owner = Claim { token: Some("t".into()), ..claim("o", false) };
        assert!(
            matches!(decide(&frozen, &owner, at(59)), Move::Take(state) if state.hold.is_some() && state.queue.len() == 1)
        );
        assert!(matches!(decide(&frozen, &claim("x", true), at(60)), Move::Take(state) if state.hold.is_none()));
        // Our own clock is not believed.
        assert_eq!(decide(&frozen, &claim("b", false), after(0)), Move::Touch);
    }

    #[test]
    fn an_answer_that_was_lost_is_seen_to_have_been_yes() {
        assert_eq!(decide(&held(vec![]), &claim("a", true), after(0)), Move::Mine);
    }
}
