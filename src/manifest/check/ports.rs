//! Ports, and everything that speaks of them: probes, the Service, the ingress.

use std::collections::BTreeMap;

use super::{Check, ticked};
use crate::manifest::Part;
use crate::yaml::Node;

pub fn check(part: &Part, check: &mut Check<'_>) {
    let ports = own(&part.tree, check);
    for key in ["health", "readinessProbe", "livenessProbe", "startupProbe"] {
        if let Some(node) = part.tree.get(key) {
            probe(node, key, &ports, check);
        }
    }
    handlers(&part.tree, &ports, check);
    for key in ["initContainers", "sidecars"] {
        for container in part.tree.get(key).map_or(&[][..], Node::items) {
            let mut names: Vec<String> = Vec::new();
            for port in container.get("ports").map_or(&[][..], Node::items) {
                names.extend(port.get("name").map(|name| name.text().to_owned()));
            }
            let any = !container.get("ports").map_or(&[][..], Node::items).is_empty();
            let ports = Ports { names, any: any || ports.any };
            for key in ["readinessProbe", "livenessProbe", "startupProbe"] {
                if let Some(node) = container.get(key) {
                    probe(node, key, &ports, check);
                }
            }
            handlers(container, &ports, check);
        }
    }
}

struct Ports {
    names: Vec<String>,
    any: bool,
}

/// The main container's ports, each number and each name once.
fn own(tree: &Node, check: &mut Check<'_>) -> Ports {
    let mut names: Vec<String> = Vec::new();
    let mut numbers: BTreeMap<(String, String), String> = BTreeMap::new();
    let text =
        |node: &Node, key: &str, default: &str| node.get(key).map_or(default.to_owned(), |node| node.text().to_owned());
    let mut take = |name: String, number: String, protocol: String, node: &Node, check: &mut Check<'_>| {
        if !name.is_empty() && names.contains(&name) {
            check.wrong(
                node.place,
                format!("two ports are named `{name}`"),
                "`port` is named `http`; give the other another name",
            );
        }
        if let Some(other) = numbers.insert((number.clone(), protocol), name.clone()) {
            check.wrong(
                node.place,
                format!("the port {number} is here twice, as `{other}` and as `{name}`"),
                "take one away",
            );
        }
        names.extend((!name.is_empty()).then_some(name));
    };
    let mut form = |name: &str, node: &Node, check: &mut Check<'_>| {
        let number = if node.entries().is_empty() { node.text().to_owned() } else { text(node, "container", "") };
        take(name.to_owned(), number, text(node, "protocol", "TCP"), node, check);
    };
    if let Some(port) = tree.get("port") {
        form("http", port, check);
    }
    let ports = tree.get("ports");
    for (name, node) in ports.map_or(&[][..], Node::entries) {
        form(name.text(), node, check);
    }
    for node in ports.map_or(&[][..], Node::items) {
        take(text(node, "name", ""), text(node, "containerPort", ""), text(node, "protocol", "TCP"), node, check);
    }
    Ports { any: !numbers.is_empty(), names }
}

fn probe(node: &Node, key: &str, ports: &Ports, check: &mut Check<'_>) {
    if node.entries().is_empty() {
        if !ports.any {
            check.because(
                "no port".into(),
                node.place,
                format!("`{key}` asks the service's port, and the service has none"),
                "add `port: 8080`, or give the probe a port",
            );
        }
        return;
    }
    for way in ["httpGet", "tcpSocket"] {
        if let Some(port) = node.get(way).and_then(|way| way.get("port")) {
            named(port, ports, check);
        }
    }
}

fn handlers(container: &Node, ports: &Ports, check: &mut Check<'_>) {
    for moment in ["postStart", "preStop"] {
        let handler = container.get("lifecycle").and_then(|lifecycle| lifecycle.get(moment));
        for way in ["httpGet", "tcpSocket"] {
            if let Some(port) = handler.and_then(|handler| handler.get(way)).and_then(|way| way.get("port")) {
                named(port, ports, check);
            }
        }
    }
}

fn named(port: &Node, ports: &Ports, check: &mut Check<'_>) {
    if !port.is_whole() && !ports.names.iter().any(|name| name == port.text()) {
        let hint = if ports.names.is_empty() {
            "add the port, or name its number".into()
        } else {
            format!("the ports are {}", ticked(&ports.names))
        };
        let cause = format!("port {}", port.text());
        check.because(cause, port.place, format!("the container has no port named `{}`", port.text()), hint);
    }
}

/// What an ingress leads to must be offered by the Service.
pub fn ingress(check: &mut Check<'_>) {
    let manifest = check.manifest;
    let tree = &manifest.tree;
    let service = tree.get("service");
    let offered = offered(tree);
    if let Some(service) = service.filter(|service| !service.entries().is_empty()) {
        let of = |key: &str| service.get(key).map_or("", Node::text);
        let portless = offered.is_empty() && of("type") != "ExternalName" && of("clusterIP") != "None";
        if portless {
            check.because(
                "no port".into(),
                service.place,
                "the Service has no port",
                "add `port: 8080`, or `service.ports`",
            );
        }
    }
    let Some(ingress) = tree.get("ingress") else { return };
    if service.is_some_and(|service| service.text() == "false") {
        return check.wrong(
            ingress.place,
            "an ingress leads to the Service, and there is none",
            "take `service: false` away",
        );
    }
    let short = ingress.entries().is_empty();
    let hosts = ingress.get("hosts").map_or(&[][..], Node::entries);
    let mut needs_first = short.then_some(ingress.place);
    for (host, at) in hosts {
        let paths = at.get("paths").map_or(&[][..], Node::entries);
        if paths.is_empty() {
            needs_first = Some(host.place);
        }
        for (_, to) in paths {
            let (port, elsewhere) = match to.get("port") {
                Some(port) => (port, to.get("service").is_some()),
                None => (to, false),
            };
            let is_offered = offered.iter().any(|(name, number)| name == port.text() || number == port.text());
            if !elsewhere && !is_offered {
                let names: Vec<String> = offered
                    .iter()
                    .map(|(name, number)| if name.is_empty() { number.clone() } else { name.clone() })
                    .collect();
                let hint = if names.is_empty() {
                    "the Service has no ports: add `port: 8080`".into()
                } else {
                    format!("the Service offers {}", ticked(&names))
                };
                let cause = if offered.is_empty() { "no port".into() } else { format!("port {}", port.text()) };
                check.because(cause, port.place, format!("the Service has no port `{}`", port.text()), hint);
            }
        }
    }
    if let Some(place) = needs_first.filter(|_| offered.is_empty()) {
        check.because(
            "no port".into(),
            place,
            "the ingress leads to the service's port, and the service has none",
            "add `port: 8080`, or say in `paths` where to",
        );
    }
}

/// Name and number of each port that the Service offers.
fn offered(tree: &Node) -> Vec<(String, String)> {
    let text = |node: Option<&Node>| node.map_or(String::new(), |node| node.text().to_owned());
    if let Some(ports) = tree.get("service").and_then(|service| service.get("ports")) {
        return ports.items().iter().map(|port| (text(port.get("name")), text(port.get("port")))).collect();
    }
    let form = |name: &str, node: &Node| {
        let own = node.get("service").filter(|own| own.text() != "true");
        match own {
            Some(own) if own.text() == "false" => None,
            Some(own) => Some((name.to_owned(), own.text().to_owned())),
            None if node.entries().is_empty() => Some((name.to_owned(), node.text().to_owned())),
            None => Some((name.to_owned(), text(node.get("container")))),
        }
    };
    let short = tree.get("port").and_then(|port| form("http", port));
    let long = tree.get("ports").map_or(&[][..], Node::entries);
    short.into_iter().chain(long.iter().filter_map(|(name, node)| form(name.text(), node))).collect()
}
