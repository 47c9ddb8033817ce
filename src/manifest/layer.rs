//! What one file says of a service, and how a later layer goes over an earlier one: maps merge by key, lists replace,
//! `null` takes a key away.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::kube::{InitContainer, Port, Probe, Resources};
use super::names::{ContainerPath, EnvironmentName, ImageName, LabelValue, MetaKey, VariableName, Version};
use crate::error::{Place, Problem};
use crate::yaml::{At, Patch, Text};

/// A map of which a later layer may change or take away single keys.
pub type Keyed<K, V> = Patch<BTreeMap<K, Patch<V>>>;

/// One file's word on a service. Every key may be missing; every key may be `null`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Layer {
    pub environments: Patch<At<Vec<At<EnvironmentName>>>>,
    pub image: Patch<At<ImageName>>,
    pub version: Patch<At<Version>>,
    pub replicas: Patch<u16>,
    pub labels: Keyed<MetaKey, LabelValue>,
    pub annotations: Keyed<MetaKey, Text>,
    pub selector: Keyed<MetaKey, LabelValue>,
    pub command: Patch<Vec<Text>>,
    pub args: Patch<Vec<Text>>,
    pub port: Patch<Port>,
    pub env: Keyed<VariableName, At<Text>>,
    pub files: Keyed<ContainerPath, At<Text>>,
    pub health: Patch<At<Probe>>,
    pub liveness_probe: Patch<At<Probe>>,
    pub startup_probe: Patch<At<Probe>>,
    pub resources: Patch<Resources>,
    pub init_containers: Patch<Vec<InitContainer>>,
    pub min_ready_seconds: Patch<u32>,
    pub termination_grace_period_seconds: Patch<u32>,
}

impl Layer {
    /// This layer with a later one over it. A `null` for a key of a map that no earlier layer has is probably meant as an empty
    /// text, so it is told.
    pub fn then(self, later: Self, warnings: &mut Vec<Problem>) -> Self {
        Self {
            environments: self.environments.then(later.environments),
            image: self.image.then(later.image),
            version: self.version.then(later.version),
            replicas: self.replicas.then(later.replicas),
            labels: merge(self.labels, later.labels, "labels", warnings),
            annotations: merge(self.annotations, later.annotations, "annotations", warnings),
            selector: merge(self.selector, later.selector, "selector", warnings),
            command: self.command.then(later.command),
            args: self.args.then(later.args),
            port: self.port.then(later.port),
            env: merge(self.env, later.env, "env", warnings),
            files: merge(self.files, later.files, "files", warnings),
            health: self.health.then(later.health),
            liveness_probe: self.liveness_probe.then(later.liveness_probe),
            startup_probe: self.startup_probe.then(later.startup_probe),
            resources: self.resources.then(later.resources),
            init_containers: self.init_containers.then(later.init_containers),
            min_ready_seconds: self.min_ready_seconds.then(later.min_ready_seconds),
            termination_grace_period_seconds: self
                .termination_grace_period_seconds
                .then(later.termination_grace_period_seconds),
        }
    }
}

/// The values of a keyed map, once all layers are in.
pub fn settled<K: Ord, V>(map: Keyed<K, V>) -> BTreeMap<K, V> {
    map.set().unwrap_or_default().into_iter().filter_map(|(key, value)| Some((key, value.set()?))).collect()
}

fn merge<K: Ord + AsRef<str>, V>(
    earlier: Keyed<K, V>,
    later: Keyed<K, V>,
    name: &str,
    warnings: &mut Vec<Problem>,
) -> Keyed<K, V> {
    let Patch::Set(later) = later else { return earlier.then(later) };
    let mut merged = earlier.set().unwrap_or_default();
    for (key, value) in later {
        match value {
            Patch::Remove(place) => {
                if merged.remove(&key).is_none() {
                    warnings.push(nothing_to_take(place, name, key.as_ref()));
                }
            }
            value => {
                merged.insert(key, value);
            }
        }
    }
    Patch::Set(merged)
}

fn nothing_to_take(place: Place, map: &str, key: &str) -> Problem {
    Problem::at(place, format!("`{map}.{key}` is null, which takes it away, and there is nothing to take away"))
        .hint(format!("for an empty text write `{key}: \"\"`, for the text itself put it in quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Sources;
    use std::path::Path;

    fn layer(text: &str) -> Layer {
        let mut sources = Sources::default();
        let file = sources.add(Path::new("x.yml"), text.into());
        crate::yaml::read(&sources, file).unwrap()
    }

    #[test]
    fn maps_merge_lists_replace_and_null_takes_away() {
        let mut warnings = Vec::new();
        let merged = layer("env: {A: 1, B: 2}\nargs: [a, b]\nport: 1\nreplicas: 3\n")
            .then(layer("env: {B: ~, C: 3}\nargs: [c]\nport: ~\n"), &mut warnings);
        let env: Vec<String> = settled(merged.env).into_iter().map(|(k, v)| format!("{k}={}", v.value.0)).collect();
        assert_eq!(env, ["A=1", "C=3"]);
        assert_eq!(merged.args.set().unwrap(), [Text("c".into())]);
        assert_eq!((merged.port.set(), merged.replicas.set()), (None, Some(3)));
        assert_eq!(warnings, []);
    }

    #[test]
    fn a_null_that_takes_nothing_away_is_told() {
        let mut warnings = Vec::new();
        let merged = Layer::default().then(layer("env: {A: ~}\n"), &mut warnings);
        assert!(settled(merged.env).is_empty());
        assert!(warnings[0].message.starts_with("`env.A` is null"));
    }

    #[test]
    fn a_whole_map_can_be_taken_away() {
        let mut warnings = Vec::new();
        let merged =
            layer("env: {A: 1}\n").then(layer("env: ~\n"), &mut warnings).then(layer("env: {B: 2}\n"), &mut warnings);
        assert_eq!(settled(merged.env).len(), 1);
    }
}
