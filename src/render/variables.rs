//! Environment variables: texts that are templates, and references.

use serde_json::{Value, json};

use super::template::{Origin, Texts};
use crate::error::Problem;
use crate::manifest::keys::container;
use crate::yaml::{self, Node, Shape, unappliable};

/// Linux hands a process no variable that is longer than 32 pages, name and `=` included (MAX_ARG_STRLEN).
const LONGEST: usize = 131_071;

/// The variables as Kubernetes spells them, in the order of the file. `what` is the map's path, for messages.
pub fn rendered(env: &Node, what: &str, texts: &mut Texts, problems: &mut Vec<Problem>) -> Vec<Value> {
    let mut rendered = Vec::new();
    for (key, node) in env.entries() {
        let name = key.text();
        if node.entries().is_empty() {
            match texts.render(node.text(), &Origin::Value(node.place, &format!("`{what}.{name}`"))) {
                Ok(value) => match wrong(name, &value) {
                    None => rendered.push(json!({"name": name, "value": literal(&value)})),
                    Some((message, hint)) => problems.push(Problem::at(node.place, message).hint(hint)),
                },
                Err(problem) => problems.push(problem),
            }
        } else {
            rendered.push(reference(name, node));
        }
    }
    rendered
}

/// Variables that are plain texts, as a process gets them.
pub fn plain(env: &Node, what: &str, texts: &mut Texts, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut plain = Vec::new();
    for (key, node) in env.entries() {
        let name = key.text();
        match texts.render(node.text(), &Origin::Value(node.place, &format!("`{what}.{name}`"))) {
            Ok(value) => match wrong(name, &value) {
                None => plain.push((name.to_owned(), value)),
                Some((message, hint)) => problems.push(Problem::at(node.place, message).hint(hint)),
            },
            Err(problem) => problems.push(problem),
        }
    }
    plain
}

/// What keeps a text from reaching a process as it is, and what to do about it.
fn wrong(name: &str, value: &str) -> Option<(String, &'static str)> {
    let file = "put it into a file of `files`, where any byte may stand";
    if let Some(c) = unappliable(value) {
        let c = u32::from(c);
        return Some((
            format!(
                "the environment variable `{name}` holds the control character U+{c:04X}, which the API server does not take"
            ),
            file,
        ));
    }
    if value.contains('\0') {
        return Some((format!("the environment variable `{name}` holds a NUL, which no process can be given"), file));
    }
    (name.len() + 1 + value.len() > LONGEST).then(|| {
        (
            format!("the environment variable `{name}` is longer than 128 KiB, and no process can be given that"),
            "put it into a file of `files`",
        )
    })
}

fn reference(name: &str, node: &Node) -> Value {
    let value = yaml::value(node, &VARIABLE);
    let key = value["key"].as_str().unwrap_or(name);
    let selector = |object: &Value| {
        let mut selector = json!({"name": object, "key": key});
        if let Some(optional) = value.get("optional") {
            selector["optional"] = optional.clone();
        }
        selector
    };
    match () {
        () if value.get("secret").is_some() => {
            json!({"name": name, "valueFrom": {"secretKeyRef": selector(&value["secret"])}})
        }
        () if value.get("configMap").is_some() => {
            json!({"name": name, "valueFrom": {"configMapKeyRef": selector(&value["configMap"])}})
        }
        () if value.get("field").is_some() => {
            json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": value["field"]}}})
        }
        () if value.get("value").is_some() => json!({"name": name, "value": value["value"]}),
        () => json!({"name": name, "valueFrom": value["valueFrom"]}),
    }
}

static VARIABLE: Shape = Shape::Struct(&container::VALUE);

/// Kubernetes reads `$(NAME)` and `$$` in a variable's value; a value is to arrive as it is.
/// (Rules: k8s.io/kubernetes third_party/forked/golang/expansion; a doubled `$` is one, a lone one stands for itself.)
fn literal(value: &str) -> String {
    if value.contains("$(") || value.contains("$$") { value.replace('$', "$$") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn kubernetes_expands_nothing_in_a_value() {
        assert_eq!(literal("$(HOME) $$ $x"), "$$(HOME) $$$$ $$x");
        assert_eq!(literal("cost: 5$, $x"), "cost: 5$, $x");
    }
}
