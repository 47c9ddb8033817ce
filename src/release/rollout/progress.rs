//! How far each goal is, for people to look at. Pure.

use super::kind::Kind;
use super::picture::revision_hash;
use super::stateful_set::{is_kept, is_ready, partition};
use super::verdict::status;
use super::{Finding, Goal, Picture};
use crate::error::count;
use crate::ui::{Pods, Progress};
use crate::yaml::Object;

/// How many troubles of a workload are told at a time.
const TROUBLES: usize = 3;

/// How far each goal is, with a headline over them; `line` is what is waited for in words, where there is nothing to draw yet.
pub fn progress(picture: &Picture, goals: &[Goal], findings: &[Finding], line: &str) -> (String, Vec<Progress>) {
    let parts: Vec<Progress> = goals.iter().filter_map(|goal| of(picture, goal, findings, goals.len() == 1)).collect();
    let headline = if parts.is_empty() {
        line
    } else if parts.iter().all(|part| part.is_up) {
        "all are up, watching that they stay up"
    } else if goals.iter().all(|goal| goal.kind == Kind::Job) {
        "waiting for jobs"
    } else if goals.iter().any(Goal::is_way_back) {
        "waiting for what ran before"
    } else {
        "watching the rollout"
    };
    (headline.to_owned(), parts)
}

fn of(picture: &Picture, goal: &Goal, findings: &[Finding], is_only: bool) -> Option<Progress> {
    let live = picture.workload(goal)?;
    if goal.kind == Kind::Job {
        return Some(of_job(picture, live, goal, findings, is_only));
    }
    let (new, old, wanted) = parted(picture, live, goal);
    let is_failing = |pod: &&Object| {
        let told = |finding: &&Finding| !finding.fresh && finding.reason != "not-ready";
        findings.iter().filter(told).any(|finding| finding.uid == pod.uid())
    };
    let failing = new.iter().copied().filter(|pod| is_failing(pod)).count();
    let ready = new.iter().copied().filter(|pod| is_ready(pod) && !is_failing(pod)).count();
    let pods = Pods {
        ready,
        failing,
        starting: new.len() - failing - ready,
        old: old.len(),
        missing: wanted.saturating_sub(new.len() + old.len()),
    };
    let (word, other) = goal.words;
    let mut text = format!("{ready} of {wanted} {word} ready");
    for (count, what) in [(pods.starting, "starting"), (pods.failing, "failing"), (pods.old, other)] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    let is_up = ready >= wanted && pods.starting + failing == 0 && pods.old == 0;
    Some(Progress { name: goal.to_string(), pods, text, troubles: troubles(picture, goal, findings, is_only), is_up })
}

/// The new and the old pods of a goal, and how many new ones there are to be.
pub fn parted<'a>(picture: &'a Picture, live: &Object, goal: &'a Goal) -> (Vec<&'a Object>, Vec<&'a Object>, usize) {
    let (new, old, wanted) = match goal.kind {
        Kind::Deployment => {
            let set = picture.replica_set(live, goal.generation).map(Object::uid).unwrap_or_default();
            let (new, old) = picture.standing_pods_of(goal).partition(|pod| picture.is_owned_by(pod, set));
            (new, old, live.number("/spec/replicas").unwrap_or(1))
        }
        Kind::StatefulSet => {
            let is_seen = status(live, "observedGeneration") >= goal.generation;
            let hash = if is_seen { live.text("/status/updateRevision") } else { "-" };
            let (mut new, mut old): (Vec<&Object>, Vec<_>) = by_revision(picture, goal, hash);
            // Below the partition they are meant to stay.
            for pods in [&mut new, &mut old] {
                pods.retain(|pod| !is_kept(pod, partition(live)));
            }
            (new, old, (live.number("/spec/replicas").unwrap_or(1) - partition(live)).max(0))
        }
        Kind::DaemonSet => {
            let revision = picture.controller_revision(live);
            let hash =
                revision.filter(|(_, is_present)| *is_present).map_or("-", |(revision, _)| revision_hash(revision));
            let (new, old) = by_revision(picture, goal, hash);
            (new, old, status(live, "desiredNumberScheduled"))
        }
        // What they make of themselves, their status says.
        Kind::Job => (Vec::new(), Vec::new(), 0),
    };
    (new, old, usize::try_from(wanted).unwrap_or_default())
}

fn by_revision<'a>(picture: &'a Picture, goal: &'a Goal, hash: &str) -> (Vec<&'a Object>, Vec<&'a Object>) {
    picture.standing_pods_of(goal).partition(|pod| revision_hash(pod) == hash)
}

fn of_job(picture: &Picture, live: &Object, goal: &Goal, findings: &[Finding], is_only: bool) -> Progress {
    let all: Vec<&Object> = picture.standing_pods_of(goal).collect();
    let in_phase = |phase: &str| all.iter().filter(|pod| pod.text("/status/phase") == phase).count();
    let (ready, failing) = (in_phase("Succeeded"), in_phase("Failed"));
    let starting = all.len() - ready - failing;
    let is_up = super::is_complete(live);
    let failed = usize::try_from(status(live, "failed")).unwrap_or_default().max(failing);
    let tries = if failed == 0 { String::new() } else { format!(", after {} that failed", count(failed, "pod")) };
    let is_judged = |finding: &Finding| {
        finding.doomed && finding.reason == "job" && (is_only || picture.is_of(&finding.uid, &goal.uid))
    };
    let state = if is_up {
        "done"
    } else if super::is_failed(live) || findings.iter().any(is_judged) {
        "failed"
    } else if in_phase("Running") > 0 {
        "runs"
    } else {
        "about to run"
    };
    let missing = usize::from(all.is_empty() && !is_up);
    let pods = Pods { ready, starting, failing, old: 0, missing };
    let troubles = troubles(picture, goal, findings, is_only);
    Progress { name: goal.to_string(), pods, text: format!("{state}{tries}"), troubles, is_up }
}

/// What is in trouble with a goal; of the only one it is everything.
fn troubles(picture: &Picture, goal: &Goal, findings: &[Finding], is_only: bool) -> Vec<String> {
    let is_ours = |finding: &&Finding| is_only || picture.is_of(&finding.uid, &goal.uid);
    let told: Vec<Finding> = findings.iter().filter(|finding| !finding.fresh).filter(is_ours).cloned().collect();
    let lines = super::folded(&told).into_iter().map(|(_, line)| line.lines().next().unwrap_or_default().to_owned());
    lines.take(TROUBLES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::rollout::trouble::finding;
    use crate::release::rollout::{Limits, Memory, Verdict, judge};
    use serde_json::{Value, json};
    use std::time::Instant;

    fn object(kind: &str, uid: &str, owner: &str, rest: Value) -> Object {
        let api = if kind == "Pod" { "v1" } else { "apps/v1" };
        let mut value = json!({"apiVersion": api, "kind": kind,
            "metadata": {"name": uid, "uid": uid, "ownerReferences": [{"uid": owner, "controller": true}]}});
        let map = value.as_object_mut().unwrap();
        for (key, part) in rest.as_object().unwrap() {
            match map.get_mut(key).and_then(Value::as_object_mut) {
                Some(known) => known.extend(part.as_object().unwrap().clone()),
                None => drop(map.insert(key.clone(), part.clone())),
            }
        }
        Object::new(value).unwrap()
    }

    fn revision(number: &str) -> Value {
        json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": number}}})
    }

    fn ready() -> Value {
        json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    }

    #[test]
    fn the_pods_of_a_deployment_are_counted_by_how_they_are() {
        let mut live = revision("2");
        live["spec"] = json!({"replicas": 5});
        live["status"] = json!({"observedGeneration": 2});
        live["metadata"]["generation"] = json!(2);
        let live = object("Deployment", "d", "", live);
        let goal = Goal::of(&live, Vec::new()).unwrap();
        let picture = Picture::of(vec![
            live,
            object("ReplicaSet", "rs1", "d", revision("1")),
            object("ReplicaSet", "rs2", "d", revision("2")),
            object("Pod", "old", "rs1", ready()),
            object("Pod", "going", "rs1", json!({"metadata": {"deletionTimestamp": "2026-11-23T04:00:10Z"}})),
            object("Pod", "up", "rs2", ready()),
            object("Pod", "bad", "rs2", json!({})),
            object("Pod", "coming", "rs2", json!({})),
            object("Pod", "other", "rs9", ready()),
        ]);
        let crash = Finding { uid: "bad".into(), pod: "bad".into(), ..finding("crash", "bad crashed: 7\nmore".into()) };
        let late = Finding { uid: "coming".into(), ..finding("not-ready", "is not ready".into()) };
        let (headline, parts) = progress(&picture, std::slice::from_ref(&goal), &[crash, late], "line");
        let pods = Pods { ready: 1, starting: 1, failing: 1, old: 1, missing: 1 };
        let text = "1 of 5 new ready, 1 starting, 1 failing, 1 old";
        let troubles = vec!["bad crashed: 7".to_owned(), "is not ready".to_owned()];
        assert_eq!(headline, "watching the rollout");
        assert_eq!(parts, [Progress { name: "Deployment/d".into(), pods, text: text.into(), troubles, is_up: false }]);
        let gone = Goal { name: "gone".into(), ..goal };
        assert_eq!(
            progress(&picture, &[gone], &[], "waiting for it to show"),
            ("waiting for it to show".into(), vec![])
        );
    }

    #[test]
    fn a_trouble_stands_under_the_workload_that_it_is_of() {
        let set = |name: &str| {
            let status = json!({"status": {"updateRevision": "r2", "observedGeneration": 0}, "spec": {"replicas": 2}});
            object("StatefulSet", name, "", status)
        };
        let pod = |name: &str, owner: &str, hash: &str| {
            let mut rest = ready();
            rest["metadata"] = json!({"labels": {"controller-revision-hash": hash}});
            object("Pod", name, owner, rest)
        };
        let goals = ["a", "b"].map(|name| Goal::of(&set(name), Vec::new()).unwrap());
        let picture = Picture::of(vec![
            set("a"),
            set("b"),
            pod("a-0", "a", "r1"),
            pod("a-1", "a", "r2"),
            pod("b-0", "b", "r2"),
            pod("b-1", "b", "r2"),
        ]);
        let no_pod = Finding { uid: "a".into(), ..finding("create", "no pod".into()) };
        let (headline, parts) = progress(&picture, &goals, &[no_pod], "");
        assert_eq!(headline, "watching the rollout");
        let told: Vec<(&str, usize, bool)> =
            parts.iter().map(|part| (part.text.as_str(), part.troubles.len(), part.is_up)).collect();
        assert_eq!(told, [("1 of 2 new ready, 1 old", 1, false), ("2 of 2 new ready", 0, true)]);
        let (headline, _) = progress(&picture, &goals[1..], &[], "");
        assert_eq!(headline, "all are up, watching that they stay up");
    }

    #[test]
    fn pods_below_the_partition_are_neither_new_nor_to_be_replaced() {
        let rolling = json!({"rollingUpdate": {"partition": 1}});
        let status = json!({"updateRevision": "r2", "currentRevision": "r1", "observedGeneration": 0, "replicas": 2});
        let set = object(
            "StatefulSet",
            "a",
            "",
            json!({"status": status, "spec": {"replicas": 2, "template": {}, "updateStrategy": rolling}}),
        );
        let pod = |name: &str, hash: &str| {
            let mut rest = ready();
            rest["metadata"] = json!({"labels": {"controller-revision-hash": hash}});
            object("Pod", name, "a", rest)
        };
        let goals = [Goal::of(&set, Vec::new()).unwrap().former()];
        let told = |last: &str| {
            let picture = Picture::of(vec![set.clone(), pod("a-0", "r1"), pod("a-1", last)]);
            let part = progress(&picture, &goals, &[], "").1.remove(0);
            let verdict = judge(&picture, &goals, &mut Memory::default(), &Limits::default(), Instant::now());
            (part.text, part.is_up, verdict)
        };
        let (text, is_up, verdict) = told("r3");
        assert_eq!((text.as_str(), is_up), ("0 of 1 former ready, 1 to be replaced", false));
        assert!(matches!(verdict, Verdict::Waiting(line, _) if line == "0 of 1 former pods ready, 1 to be replaced"));
        let (text, is_up, _) = told("r2");
        assert_eq!((text.as_str(), is_up), ("1 of 1 former ready", true));
    }

    #[test]
    fn a_job_that_failed_is_about_to_run_no_more() {
        let goal = |job: &Object| Goal::of(job, Vec::new()).unwrap();
        let job = |status: Value| {
            let mut value = object("Job", "j", "", json!({"status": status})).json().clone();
            value["apiVersion"] = json!("batch/v1");
            Object::new(value).unwrap()
        };
        let told = |status: Value, findings: &[Finding]| {
            let job = job(status);
            progress(&Picture::of(vec![job.clone()]), &[goal(&job)], findings, "").1.remove(0).text
        };
        let gave_up = json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]});
        assert_eq!(told(gave_up, &[]), "failed, after 1 pod that failed");
        assert_eq!(told(json!({"failed": 1}), &[]), "about to run, after 1 pod that failed");
        let judged = Finding { doomed: true, ..finding("job", "crashed 2 times".into()) };
        assert_eq!(told(json!({"failed": 2}), &[judged]), "failed, after 2 pods that failed");
    }
}
