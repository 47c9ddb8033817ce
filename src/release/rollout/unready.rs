//! What a pod waits for that is in no trouble, as far as its containers say: the deadline decides.

use std::time::Duration;

use serde_json::Value;

use super::moment::Moment;
use super::picture::{condition, is_over, statuses, text};
use super::trouble::finding;
use super::{Finding, Memory};
use crate::error::join_and;
use crate::yaml::Object;

/// How long a pod may be not ready before it is told: every one is for a moment.
const UNREADY: Duration = Duration::from_secs(3);
/// How long it may take to be made.
const MAKING: Duration = Duration::from_secs(10);

/// What a pod without other trouble waits for.
pub fn unready(pod: &Object, at: Moment<'_>, memory: &mut Memory) -> Option<Finding> {
    let base = |reason, container: &str, message| Finding {
        pod: pod.name().into(),
        uid: pod.uid().into(),
        container: container.into(),
        ..finding(reason, message)
    };
    if is_over(pod) {
        return ended(pod).map(|message| base("ended", "", message));
    }
    let mut lasts = |sign: &str, time: Duration| memory.since(&format!("{sign} {}", pod.uid()), "", at.now).0 >= time;
    if let Some(name) = running_init(pod) {
        let message = format!("init container `{name}` of {} still runs", pod.name());
        let fresh = !lasts(&format!("init {name}"), UNREADY);
        return Some(Finding { has_log: true, fresh, ..base("not-ready", name, message) });
    }
    if let Some((container, message)) = not_ready(pod) {
        let fresh = !lasts("not-ready", UNREADY);
        return Some(Finding { has_log: true, fresh, ..base("not-ready", container, message) });
    }
    if let Some(message) = gated(pod) {
        let fresh = !lasts("gate", UNREADY);
        return Some(Finding { fresh, ..base("not-ready", "", message) });
    }
    let why = being_made(pod)?;
    // A pod that nobody has scheduled yet is no pod of a node.
    let message = format!("{} is still being made ({why})", pod.name());
    let fresh = !lasts("making", MAKING);
    Some(Finding { fresh, ..base("not-ready", "", message) })
}

/// How a pod ended that should run on: evicted, or never taken by its node. Its controller makes another one.
fn ended(pod: &Object) -> Option<String> {
    let (reason, message) = (pod.text("/status/reason"), pod.text("/status/message").trim());
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    (!reason.is_empty()).then(|| format!("{} was ended ({reason}{message})", pod.name()))
}

/// The init container that runs now, if it is one that ends (a sidecar does not).
fn running_init(pod: &Object) -> Option<&str> {
    let stays = |name: &str| {
        let mut all = pod.list("/spec/initContainers").iter();
        all.any(|container| text(container, "name") == name && text(container, "restartPolicy") == "Always")
    };
    statuses(pod)
        .filter(|(init, status)| *init && status.pointer("/state/running").is_some())
        .map(|(_, status)| text(status, "name"))
        .find(|name| !stays(name))
}

/// The first container that runs and is not ready, and what is said of all of them.
fn not_ready(pod: &Object) -> Option<(&str, String)> {
    let unready: Vec<&Value> = statuses(pod)
        .filter(|(init, status)| {
            !init
                && status.pointer("/state/running").is_some()
                && status.get("ready").and_then(Value::as_bool) == Some(false)
        })
        .map(|(_, status)| status)
        .collect();
    let first = text(unready.first()?, "name");
    let names: Vec<String> = unready.iter().map(|status| format!("`{}`", text(status, "name"))).collect();
    let (noun, verb) = if names.len() == 1 { ("container", "runs and is") } else { ("containers", "run and are") };
    let probe = unready.iter().find_map(|status| probe(pod, status)).unwrap_or_default();
    Some((first, format!("{noun} {} of {} {verb} not ready{probe}", join_and(&names), pod.name())))
}

/// The readiness gates that keep a pod from being ready whose containers all are: its node knows nothing of them, so no probe says it.
fn gated(pod: &Object) -> Option<String> {
    condition(pod, "ContainersReady")?;
    let gates = pod.list("/spec/readinessGates").iter().map(|gate| text(gate, "conditionType"));
    let names: Vec<String> = gates.filter(|gate| condition(pod, gate).is_none()).map(|g| format!("`{g}`")).collect();
    let noun = if names.len() == 1 { "gate" } else { "gates" };
    (!names.is_empty()).then(|| format!("{} waits for its readiness {noun} {}", pod.name(), join_and(&names)))
}

/// What the probe asks that a container must pass now: while it starts up, that is another one.
fn probe(pod: &Object, status: &Value) -> Option<String> {
    let name = text(status, "name");
    let container = pod.list("/spec/containers").iter().find(|container| text(container, "name") == name)?;
    let starts = status.get("started").and_then(Value::as_bool) == Some(false);
    let startup = container.get("startupProbe").filter(|_| starts).map(|probe| ("startup", probe));
    let (kind, probe) = startup.or_else(|| container.get("readinessProbe").map(|probe| ("readiness", probe)))?;
    let port = |port: &Value| port.to_string().replace('"', "");
    let asks = if let Some(get) = probe.get("httpGet") {
        format!("GET {} on port {}", text(get, "path"), get.get("port").map(port).unwrap_or_default())
    } else if let Some(number) = probe.pointer("/tcpSocket/port") {
        format!("connects to port {}", port(number))
    } else if let Some(number) = probe.pointer("/grpc/port") {
        format!("gRPC on port {}", port(number))
    } else {
        let command = probe.pointer("/exec/command").and_then(Value::as_array)?;
        command.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    Some(format!(" ({kind} probe: {asks})"))
}

/// Why no container of a pod that has a node has begun yet, if none has.
fn being_made(pod: &Object) -> Option<&str> {
    if pod.text("/spec/nodeName").is_empty() {
        return None;
    }
    let mut waiting = statuses(pod).filter_map(|(_, status)| status.pointer("/state/waiting"));
    let first = waiting.next().map(|waiting| text(waiting, "reason")).filter(|reason| !reason.is_empty());
    let begun = statuses(pod).any(|(_, status)| status.pointer("/state/waiting").is_none());
    if begun { None } else { Some(first.unwrap_or("Pending")) }
}

#[cfg(test)]
mod tests {
    use super::super::{Goal, Limits, Picture};
    use super::*;
    use serde_json::json;
    use std::time::Instant;

    /// What is said of a pod that has been so for a minute.
    fn told(spec: Value, status: Value) -> Option<String> {
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "w-1", "uid": "u"}, "spec": spec, "status": status});
        let pod = Object::new(value).unwrap();
        let set = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}});
        let goal = Goal::of(&Object::new(set).unwrap(), Vec::new()).unwrap();
        let (picture, limits, mut memory) = (Picture::default(), Limits::default(), Memory::default());
        let now = Instant::now();
        let at = Moment { picture: &picture, goal: &goal, limits: &limits, now };
        let first = unready(&pod, at, &mut memory)?;
        assert!(first.fresh || first.reason == "ended");
        let later = unready(&pod, Moment { now: now + Duration::from_mins(1), ..at }, &mut memory)?;
        assert!(!later.fresh && !later.doomed);
        Some(later.message)
    }

    fn runs(name: &str, ready: bool) -> Value {
        json!({"name": name, "ready": ready, "state": {"running": {}}})
    }

    #[test]
    fn the_probe_is_the_one_of_the_container_that_is_not_ready() {
        let probed = |name: &str, path: &str| json!({"name": name, "readinessProbe": {"httpGet": {"path": path, "port": "http"}}});
        let spec = json!({"containers": [probed("proxy", "/ok"), probed("w", "/ready")]});
        let status = json!({"containerStatuses": [runs("proxy", true), runs("w", false)]});
        let said = "container `w` of w-1 runs and is not ready (readiness probe: GET /ready on port http)";
        assert_eq!(told(spec.clone(), status).as_deref(), Some(said));
        let both = json!({"containerStatuses": [runs("proxy", false), runs("w", false)]});
        let said = "containers `proxy` and `w` of w-1 run and are not ready (readiness probe: GET /ok on port http)";
        assert_eq!(told(spec, both).as_deref(), Some(said));
        assert_eq!(told(json!({}), json!({"containerStatuses": [runs("w", true)]})), None);
    }

    #[test]
    fn while_it_starts_up_that_probe_counts() {
        let spec = json!({"containers": [{"name": "w", "readinessProbe": {"tcpSocket": {"port": 1}},
            "startupProbe": {"exec": {"command": ["test", "-e", "/up"]}}}]});
        let mut status = runs("w", false);
        status["started"] = json!(false);
        let said = told(spec.clone(), json!({"containerStatuses": [status.clone()]})).unwrap();
        assert!(said.ends_with("not ready (startup probe: test -e /up)"), "{said}");
        status["started"] = json!(true);
        let said = told(spec, json!({"containerStatuses": [status]})).unwrap();
        assert!(said.ends_with("not ready (readiness probe: connects to port 1)"), "{said}");
    }

    #[test]
    fn an_init_container_that_runs_and_a_pod_that_is_being_made_are_told() {
        let waits = json!({"name": "w", "state": {"waiting": {"reason": "PodInitializing"}}});
        let status = json!({"initContainerStatuses": [runs("prepare", false)], "containerStatuses": [waits]});
        let spec = json!({"nodeName": "n", "initContainers": [{"name": "prepare"}]});
        assert_eq!(told(spec, status.clone()).as_deref(), Some("init container `prepare` of w-1 still runs"));
        let sidecar = json!({"nodeName": "n", "initContainers": [{"name": "prepare", "restartPolicy": "Always"}]});
        assert_eq!(told(sidecar, status), None);
        let creating =
            json!({"containerStatuses": [{"name": "w", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        assert_eq!(
            told(json!({"nodeName": "n"}), creating.clone()).as_deref(),
            Some("w-1 is still being made (ContainerCreating)")
        );
        assert_eq!(told(json!({}), creating), None, "no node has it yet");
    }

    #[test]
    fn a_pod_whose_containers_are_ready_names_the_gates_that_are_not() {
        let gates = |names: &[&str]| {
            let gates: Vec<Value> = names.iter().map(|name| json!({"conditionType": name})).collect();
            json!({"nodeName": "n", "readinessGates": gates})
        };
        let status = |containers: &str| {
            json!({"containerStatuses": [runs("w", true)], "conditions": [{"type": "ContainersReady", "status": containers},
                {"type": "met", "status": "True"}, {"type": "unmet", "status": "False"},
                {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}]})
        };
        let one = told(gates(&["met", "example.com/lb"]), status("True"));
        assert_eq!(one.as_deref(), Some("w-1 waits for its readiness gate `example.com/lb`"));
        let two = told(gates(&["example.com/lb", "unmet"]), status("True"));
        assert_eq!(two.as_deref(), Some("w-1 waits for its readiness gates `example.com/lb` and `unmet`"));
        assert_eq!(told(gates(&["met"]), status("True")), None);
        assert_eq!(told(gates(&["unmet"]), status("False")), None, "its containers are to be waited for first");
    }

    #[test]
    fn an_evicted_pod_says_so() {
        let status =
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "});
        let said = "w-1 was ended (Evicted: The node was low on resource: memory.)";
        assert_eq!(told(json!({}), status).as_deref(), Some(said));
    }
}
