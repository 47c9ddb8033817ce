//! Of what nature a change is. Pure.

use serde_json::Value;

use super::diff::{Difference, Path, differences};
use super::rollout::{Kind, template_path};
use crate::yaml::Object;

/// Of what nature a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// The image of a container.
    Image,
    /// How many pods.
    Scale,
    /// Anything else.
    Config,
    /// The object is not there yet.
    New,
    /// The object goes.
    Removed,
    /// Its pods are replaced, and nothing else.
    Restart,
}

impl Nature {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Image => "image",
            Self::Config => "config",
            Self::Scale => "scale",
            Self::Removed => "removed",
            Self::Restart => "restart",
        }
    }

    /// What is said where nothing changes.
    pub fn none() -> &'static str {
        "nothing differs"
    }
}

/// What changes.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The object as a whole.
    Object,
    /// A field.
    Field(Difference),
    /// A file in a ConfigMap: its key, and its text before and after.
    File {
        /// The key.
        key: String,
        /// What it was, if it was.
        from: Option<String>,
        /// What it is, if it is.
        to: Option<String>,
    },
}

/// One change, to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `Deployment/webapp`.
    pub object: String,
    /// Of what nature.
    pub nature: Nature,
    /// What.
    pub what: What,
}

/// What stands for the value of a Secret.
const HIDDEN: &str = "***";

/// What changes where `before` becomes `expected`. The values of a Secret are not told.
pub fn changes_of(before: Option<&Object>, expected: &Object) -> Vec<Change> {
    let object = expected.to_string();
    let Some(before) = before else {
        return vec![Change { object, nature: Nature::New, what: What::Object }];
    };
    let change = |difference: Difference| Change {
        object: object.clone(),
        nature: nature(expected, &difference),
        what: what(expected, difference),
    };
    differences(before.json(), expected.json()).into_iter().map(change).collect()
}

fn what(object: &Object, mut difference: Difference) -> What {
    let is = |kind: &str| object.kind() == kind && object.group().is_empty();
    // `kubectl apply` keeps it all once more in an annotation.
    let holds = |path: &Path| {
        path.starts_with("data")
            || path.starts_with("stringData")
            || path.to_string().contains("last-applied-configuration")
    };
    if is("Secret") && holds(&difference.path) {
        let hide = |value: &mut Option<Value>| {
            if let Some(value) = value {
                *value = HIDDEN.into();
            }
        };
        hide(&mut difference.from);
        hide(&mut difference.to);
    }
    let text = |value: &Option<Value>| match value {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    match (difference.path.key_below("data"), text(&difference.from), text(&difference.to)) {
        (Some(key), Some(from), Some(to)) if is("ConfigMap") => What::File { key: key.to_owned(), from, to },
        _ => What::Field(difference),
    }
}

fn nature(object: &Object, difference: &Difference) -> Nature {
    let path = difference.path.to_string();
    let autoscaler = object.kind() == "HorizontalPodAutoscaler";
    if path == "spec.replicas" || autoscaler && ["spec.minReplicas", "spec.maxReplicas"].contains(&path.as_str()) {
        Nature::Scale
    } else if (Kind::of(object).is_some() || object.kind() == "CronJob")
        && container_of_image(object, &path).is_some()
        && difference.from.is_some()
        && difference.to.is_some()
    {
        Nature::Image
    } else {
        Nature::Config
    }
}

/// The container, if the path is that of its image.
pub fn container_of_image(object: &Object, path: &str) -> Option<String> {
    let template = template_path(object).trim_start_matches('/').replace('/', ".");
    let rest = path.strip_prefix(&format!("{template}.spec."))?;
    let container =
        ["containers[", "initContainers["].iter().find_map(|list| rest.strip_prefix(list)?.strip_suffix("].image"));
    container.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, more: Value) -> Object {
        let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "w"}});
        for (key, more) in more.as_object().unwrap() {
            value[key] = more.clone();
        }
        Object::new(value).unwrap()
    }

    #[test]
    fn the_values_of_a_secret_are_not_told() {
        let secret = |value: &str| object("Secret", json!({"data": {"password": value}}));
        let changes = changes_of(Some(&secret("aHVudGVyMg==")), &secret("aHVudGVyMw=="));
        let What::Field(difference) = &changes[0].what else { panic!("{changes:?}") };
        assert_eq!(
            (difference.path.to_string().as_str(), &difference.from, &difference.to),
            ("data.password", &Some("***".into()), &Some("***".into()))
        );
        let all = changes_of(Some(&object("Secret", json!({}))), &secret("aHVudGVyMw=="));
        assert!(!format!("{all:?}").contains("aHVudGVyMw"), "{all:?}");
    }

    #[test]
    fn a_file_is_told_as_one() {
        let map = |data: Value| object("ConfigMap", json!({"data": data}));
        let changes = changes_of(Some(&map(json!({"a.b": "1", "x": "1"}))), &map(json!({"a.b": "2", "y": "1"})));
        let files: Vec<_> = changes.iter().map(|change| change.what.clone()).collect();
        let file = |key: &str, from: Option<&str>, to: Option<&str>| What::File {
            key: key.into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        assert_eq!(files, [file("a.b", Some("1"), Some("2")), file("x", Some("1"), None), file("y", None, Some("1"))]);
    }
}
