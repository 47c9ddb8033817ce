//! The containers of a pod: their names, what they ask for and what they may have.

use super::{Check, amount};
use crate::manifest::{Part, Role};
use crate::yaml::{Node, Shape, value};

pub fn check(part: &Part, check: &mut Check<'_>) {
    let mut names = vec![part.container.clone()];
    one(&part.tree, check);
    for key in ["initContainers", "sidecars"] {
        for container in part.tree.get(key).map_or(&[][..], Node::items) {
            let name = container.get("name").map_or("", Node::text);
            if names.iter().any(|known| known == name) {
                let place = container.place_of(&["name"]);
                check.wrong(place, format!("two containers are named `{name}`"), "give one of them another name");
            }
            names.push(name.to_owned());
            one(container, check);
        }
    }
    strategy(part, check);
}

/// What holds for the main container and for any other.
fn one(container: &Node, check: &mut Check<'_>) {
    let quantity = |key: &str, name: &str| container.get("resources")?.get(key)?.get(name);
    for (name, request) in container.get("resources").and_then(|r| r.get("requests")).map_or(&[][..], Node::entries) {
        let Some(limit) = quantity("limits", name.text()) else { continue };
        let size = |node: &Node| amount(&value(node, &Shape::Text));
        if let (Some(wants), Some(may)) = (size(request), size(limit))
            && wants > may
        {
            check.wrong(
                request.place,
                format!("the request for {} is {}, and the limit is {}", name.text(), request.text(), limit.text()),
                "a request goes up to the limit",
            );
        }
    }
    if let Some(security) = container.get("securityContext")
        && security.get("runAsNonRoot").is_some_and(|flag| flag.text() == "true")
        && let Some(user) = security.get("runAsUser").filter(|user| user.text() == "0")
    {
        check.wrong(
            user.place,
            "`runAsNonRoot` refuses to run as user 0",
            "name another user, or take `runAsNonRoot` away",
        );
    }
    let mut seen: Vec<&str> = Vec::new();
    for variable in container.get("env").map_or(&[][..], Node::items) {
        let name = variable.get("name").map_or("", Node::text);
        if seen.contains(&name) {
            check.wrong(variable.place, format!("the environment variable `{name}` is here twice"), "take one away");
        }
        seen.push(name);
    }
}

fn strategy(part: &Part, check: &mut Check<'_>) {
    if !matches!(part.role, Role::Main | Role::Worker) {
        return;
    }
    for key in ["strategy", "updateStrategy"] {
        let Some(strategy) = part.tree.get(key) else { continue };
        let kind = strategy.get("type").map_or("RollingUpdate", Node::text);
        let Some(rolling) = strategy.get("rollingUpdate") else { continue };
        if kind != "RollingUpdate" {
            check.wrong(
                rolling.place,
                format!("`rollingUpdate` says nothing to the strategy {kind}"),
                "take it away, or `type`",
            );
        }
        let zero = |key: &str| rolling.get(key).is_some_and(|node| matches!(node.text(), "0" | "0%"));
        let unset = |key: &str| rolling.get(key).is_none();
        // Kubernetes takes 25 % for what a Deployment does not say.
        if zero("maxUnavailable") && (zero("maxSurge") || (unset("maxSurge") && part.value["kind"] == "DaemonSet")) {
            check.wrong(
                rolling.place,
                "with no pod missing and no pod too many nothing can be replaced",
                "give `maxSurge` or `maxUnavailable` at least 1",
            );
        }
    }
}
