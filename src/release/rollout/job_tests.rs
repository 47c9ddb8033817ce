//! The judge of Jobs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::kinds_tests::{at, line, no_image, object, pod, running, verdict};
use super::words::Listener;
use super::{Goal, Limits, Memory, Picture, Verdict, judge};

fn job(spec: Value, condition: Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "w-migrate", "uid": "o"}, "spec": spec,
        "status": {"conditions": [condition]}})
}

fn crashed(name: &str, phase: &str) -> Value {
    let mut pod = pod(name, "", json!({"terminated": {"exitCode": 4, "reason": "Error"}}));
    pod["status"]["phase"] = json!(phase);
    pod
}

#[test]
fn a_job_says_itself_when_it_is_done_and_when_it_gives_up() {
    let complete = job(json!({}), json!({"type": "Complete", "status": "True"}));
    assert_eq!(verdict(&[complete]), Verdict::Good);
    let gave_up =
        json!({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached it"});
    let failed = verdict(&[job(json!({}), gave_up), crashed("p1", "Failed")]);
    assert_eq!(
        line(&failed),
        "Job/w-migrate failed (BackoffLimitExceeded: Job has reached it): container `w` of p1 crashed: exit code 4"
    );
    assert!(line(&verdict(&[job(json!({"suspend": true}), json!({}))])).contains("is suspended"));
}

#[test]
fn a_crash_is_no_doom_while_a_job_has_tries_left_and_an_image_that_is_not_there_is() {
    let open = || job(json!({}), json!({}));
    let tries = [open(), crashed("p1", "Failed"), crashed("p2", "Failed"), crashed("p3", "Failed")];
    assert!(matches!(verdict(&tries), Verdict::Waiting(..)));
    // Nobody gave it any: by the table, as anything else that crashes.
    let untold = |objects: &[Value]| {
        let goal = Goal::of(&object(open()), Vec::new()).unwrap().asked(&object(open()));
        let picture = Picture::of(objects.iter().cloned().map(object).collect());
        judge(&picture, &[goal], &mut Memory::default(), &Limits::default(), Instant::now())
    };
    assert!(matches!(untold(&tries[..2]), Verdict::Waiting(..)));
    assert_eq!(
        line(&untold(&tries[..3])),
        "Job/w-migrate crashed 2 times, and no `backoffLimit` gives it more tries: container `w` of p2 crashed: exit code 4"
    );
    assert!(matches!(untold(&[open(), pod("p1", "", running())]), Verdict::Waiting(..)));
    assert!(
        Goal::of(&object(open()), Vec::new())
            .unwrap()
            .asked(&object(job(json!({"backoffLimit": 6}), json!({}))))
            .has_tries
    );
    assert!(matches!(verdict(&[open(), pod("p1", "", no_image())]), Verdict::Doomed(_)));
    let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    assert!(matches!(verdict(&[open(), pod("p1", "", ended)]), Verdict::Waiting(_, findings) if findings.is_empty()));
}

#[test]
fn what_a_job_failed_for_is_remembered_when_its_pods_are_gone() {
    let (mut memory, now) = (Memory::default(), Instant::now());
    at(&[job(json!({}), json!({})), crashed("p1", "Running")], &mut memory, now);
    memory.last_words.insert(("p1".into(), "w".into()), "no such table".into());
    memory.last_words.insert(("other-1".into(), "w".into()), "of another".into());
    let gave_up = json!({"type": "Failed", "status": "True", "reason": "DeadlineExceeded"});
    let verdict = at(&[job(json!({}), gave_up)], &mut memory, now);
    let Verdict::Doomed(mut findings) = verdict else { panic!("it gave up") };
    Listener::new().give(&mut findings, &mut memory, Duration::ZERO);
    assert_eq!((findings[0].pod.as_str(), findings[0].log.as_deref()), ("p1", Some("no such table")));
}

/// Seen on a busy machine: the container was started again before its end was told, and the Job gave up in the same moment.
#[test]
fn what_a_job_failed_for_may_be_told_after_its_end() {
    let mut again = pod("p1", "", running());
    again["status"]["phase"] = json!("Running");
    let before = again.clone();
    again["status"]["containerStatuses"][0]["restartCount"] = json!(1);
    again["status"]["containerStatuses"][0]["lastState"] = json!({"terminated": {"exitCode": 5, "reason": "Error"}});
    let gave_up = || job(json!({}), json!({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}));
    let (mut memory, start) = (Memory::default(), Instant::now());
    assert!(matches!(at(&[gave_up(), before.clone()], &mut memory, start), Verdict::Waiting(..)));
    let told = at(&[gave_up(), again], &mut memory, start + Duration::from_secs(1));
    assert_eq!(line(&told), "Job/w-migrate failed (BackoffLimitExceeded): container `w` of p1 crashed: exit code 5");
    // That it was being made is no trouble.
    let mut made = pod("p1", "", json!({"waiting": {"reason": "ContainerCreating"}}));
    made["spec"]["nodeName"] = json!("n");
    let mut memory = Memory::default();
    at(&[job(json!({}), json!({})), made], &mut memory, start);
    at(&[job(json!({}), json!({})), before.clone()], &mut memory, start);
    assert_eq!(memory.last_trouble["o"].message, "container `w` of p1 was still running");
    // It is not waited for long, and not where the Job's time ran out.
    let mut memory = Memory::default();
    assert!(matches!(at(&[gave_up(), before.clone()], &mut memory, start), Verdict::Waiting(..)));
    let late = at(&[gave_up(), before.clone()], &mut memory, start + Duration::from_secs(2));
    assert_eq!(line(&late), "Job/w-migrate failed (BackoffLimitExceeded): container `w` of p1 was still running");
    let over = job(json!({}), json!({"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}));
    assert!(matches!(at(&[over, before], &mut Memory::default(), start), Verdict::Doomed(_)));
}

#[test]
fn a_job_that_tidies_itself_away_has_run() {
    let done = job(json!({}), json!({"type": "Complete", "status": "True"}));
    let goal = Goal::of(&object(done.clone()), Vec::new()).unwrap();
    let mut picture = Picture::of(vec![object(job(json!({}), json!({})))]);
    picture.take(0, &json!({"type": "DELETED", "object": done}));
    let verdict = judge(&picture, &[goal], &mut Memory::default(), &Limits::default(), Instant::now());
    assert_eq!(verdict, Verdict::Good);
}
