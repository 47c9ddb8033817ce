//! Label selectors, from an object's `spec.selector` to what kubectl takes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::picture::text;

/// A label selector of plain equalities, or any other as kubectl takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Each key with its one value.
    Equal(BTreeMap<String, String>),
    /// With expressions.
    Other(String),
}

impl Selector {
    /// Of a `metav1.LabelSelector`: all of `matchLabels` and all of `matchExpressions`.
    pub fn of(selector: &Value) -> Self {
        let equal: BTreeMap<String, String> = selector["matchLabels"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        let expressions = selector["matchExpressions"].as_array().map_or(&[][..], Vec::as_slice);
        if expressions.is_empty() {
            return Self::Equal(equal);
        }
        let mut parts: Vec<String> = equal.iter().map(|(key, value)| format!("{key}={value}")).collect();
        parts.extend(expressions.iter().map(|expression| {
            let key = text(expression, "key");
            let values: Vec<&str> =
                expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let values = values.join(",");
            match text(expression, "operator") {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.to_owned(),
            }
        }));
        Self::Other(parts.join(","))
    }

    fn text(&self) -> String {
        match self {
            Self::Equal(pairs) => all(pairs.iter().map(|(key, value)| (key.as_str(), [value.as_str()].into()))),
            Self::Other(text) => text.clone(),
        }
    }
}

/// As few selectors as take everything that these take, and as little else as can be: one, if all ask for the same keys' values.
/// What is taken beside is no harm, since pods are told apart by their owners.
pub fn combined(selectors: &[Selector]) -> Vec<String> {
    let pairs: Vec<&BTreeMap<String, String>> = selectors
        .iter()
        .filter_map(|selector| match selector {
            Selector::Equal(pairs) => Some(pairs),
            Selector::Other(_) => None,
        })
        .collect();
    if let Some((first, rest)) = pairs.split_first()
        && pairs.len() == selectors.len()
    {
        let shared = first.keys().filter(|key| rest.iter().all(|other| other.contains_key(*key)));
        let values = |key: &str| pairs.iter().filter_map(|pairs| pairs.get(key)).map(String::as_str).collect();
        let one = all(shared.map(|key| (key.as_str(), values(key))));
        if !one.is_empty() {
            return vec![one];
        }
    }
    let mut texts: Vec<String> = Vec::new();
    for selector in selectors {
        let text = selector.text();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

fn all<'a>(keys: impl Iterator<Item = (&'a str, BTreeSet<&'a str>)>) -> String {
    let part = |(key, values): (&str, BTreeSet<&str>)| {
        let values: Vec<&str> = values.into_iter().collect();
        match values.as_slice() {
            [one] => format!("{key}={one}"),
            _ => format!("{key} in ({})", values.join(",")),
        }
    };
    keys.map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(selectors: &[Value]) -> Vec<String> {
        combined(&selectors.iter().map(Selector::of).collect::<Vec<_>>())
    }

    #[test]
    fn one_workloads_selector_is_its_own() {
        assert_eq!(text(&[json!({"matchLabels": {"app": "a", "tier": "web"}})]), ["app=a,tier=web"]);
        let expressions = json!([
            {"key": "tier", "operator": "In", "values": ["web", "api"]}, {"key": "old", "operator": "DoesNotExist"},
            {"key": "x", "operator": "NotIn", "values": ["1"]}, {"key": "y", "operator": "Exists"}]);
        assert_eq!(
            text(&[json!({"matchLabels": {"app": "a"}, "matchExpressions": expressions})]),
            ["app=a,tier in (web,api),!old,x notin (1),y"]
        );
    }

    #[test]
    fn several_are_one_where_they_share_a_key() {
        let a = json!({"matchLabels": {"app": "a", "of": "x"}});
        let b = json!({"matchLabels": {"app": "b", "of": "x", "more": "1"}});
        assert_eq!(text(&[a.clone(), b]), ["app in (a,b),of=x"]);
        let other = json!({"matchLabels": {"name": "c"}});
        assert_eq!(text(&[a.clone(), other.clone(), other]), ["app=a,of=x", "name=c"]);
        let expression = json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]});
        assert_eq!(text(&[a, expression]), ["app=a,of=x", "app"]);
    }
}
