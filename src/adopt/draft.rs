//! A service's folder in the making: the manifest's keys with the objects that they stand for, files, and templates.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::files::Files;
use super::layering::{cancel, over};
use super::layout::sorted;
use super::read::Original;
use super::roles::{Role, Way};
use super::{around, image, pod, template, workload};
use crate::manifest::FROM_SERVICE;
use crate::render::is_built_in;

/// What a draft is written for.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The service.
    pub service: &'a str,
    /// What every service gets in one environment or another, unless its manifest says otherwise.
    pub defaults: Vec<Value>,
    /// Whether an environment puts a registry in front of images.
    pub registry: bool,
    /// The repo's templates that make objects of their own.
    pub templates: Vec<String>,
}

/// A service's folder.
#[derive(Debug, Default)]
pub struct Draft {
    /// The manifest.
    pub keys: Map<String, Value>,
    /// Which object a key stands for; those of the first level, or of the second.
    pub owners: Vec<(Vec<String>, usize)>,
    /// The files of ConfigMaps.
    pub files: Files,
    /// The templates, by their file's name, with the object that each makes.
    pub templates: BTreeMap<String, (usize, String)>,
}

/// Writes a draft in which each object goes its way.
pub fn draft(ground: &Ground<'_>, originals: &[Original]) -> Draft {
    let mut draft = Draft::default();
    let mut builder = Builder::new(ground, originals);
    builder.main(&mut draft);
    for (i, original) in originals.iter().enumerate().filter(|(_, original)| original.way.in_keys()) {
        builder.around(i, original, &mut draft);
    }
    builder.common(&mut draft);
    for (i, original) in originals.iter().enumerate() {
        if matches!(original.way, Way::Template | Way::Escaped) {
            let name = free_name(original, &draft.templates, &ground.templates);
            draft.templates.insert(format!("{name}.yml.j2"), (i, template::text(original, &builder.image)));
        }
    }
    for defaults in &ground.defaults {
        cancel(defaults, &mut draft.keys, true);
    }
    draft.keys = sorted(std::mem::take(&mut draft.keys));
    draft
}

/// A name for a template that stands in for none of ours or the repo's.
fn free_name(original: &Original, taken: &BTreeMap<String, (usize, String)>, repo: &[String]) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let mut name: String = format!("{}-{}", original.kind, original.name).chars().map(clean).take(190).collect();
    while taken.contains_key(&format!("{name}.yml.j2")) || repo.contains(&name) || is_built_in(&name) {
        name.push('x');
    }
    name
}

struct Builder<'a> {
    ground: &'a Ground<'a>,
    originals: &'a [Original],
    main: Option<&'a Original>,
    /// The name of the workload, and of what has none of its own.
    name: String,
    selector: Map<String, Value>,
    common: Map<String, Value>,
    image: pod::Image,
    has_account: bool,
}

impl<'a> Builder<'a> {
    fn new(ground: &'a Ground<'a>, originals: &'a [Original]) -> Self {
        let in_keys = |own: &&Original| own.way.in_keys();
        let main = originals.iter().find(|own| own.role == Role::Main);
        let kept = main.filter(in_keys);
        // What has no main workload has the image of what runs in it.
        let runs = main.or_else(|| originals.iter().find(|own| matches!(own.role, Role::Worker(_) | Role::CronJob(_))));
        let name = kept.map_or(ground.service, |main| &main.name).to_owned();
        let selector = kept.map(|main| main.map("/spec/selector/matchLabels"));
        let usual = Map::from_iter([("app".to_owned(), name.clone().into())]);
        let mut labelled = originals.iter().filter(in_keys).flat_map(|own| {
            let inner = (own.kind == "CronJob").then(|| own.map("/spec/jobTemplate/metadata/labels"));
            std::iter::once(own.map("/metadata/labels")).chain(inner)
        });
        let mut common = labelled.next().unwrap_or_default();
        for labels in labelled {
            common.retain(|key, value| labels.get(key) == Some(value));
        }
        Self {
            ground,
            originals,
            main: kept,
            name,
            selector: selector.unwrap_or(usual),
            common,
            image: runs.and_then(image::main).and_then(image::split),
            has_account: originals.iter().filter(in_keys).any(|own| own.role == Role::Account),
        }
    }

    /// The main workload, and what of it all parts share.
    fn main(&mut self, draft: &mut Draft) {
        let main = self.originals.iter().position(|own| own.role == Role::Main && own.way.in_keys());
        let keys = &mut draft.keys;
        match main {
            Some(i) => {
                let original = &self.originals[i];
                let claims = self.claims(original);
                *keys = workload::main(original, &claims, &self.selector, self.ground.service, self.scaled(i));
                if !self.has_account {
                    let account = original.value["spec"]["template"]["spec"].get("serviceAccountName");
                    keys.extend(account.map(|account| ("serviceAccount".to_owned(), account.clone())));
                }
                let own = self.own_labels(original, &self.common);
                if !own.is_empty() {
                    keys.insert("objectLabels".into(), own.into());
                }
                draft.owners.extend(draft.keys.keys().map(|key| (vec![key.clone()], i)));
                draft.owners.push((Vec::new(), i));
            }
            None => drop(keys.insert("kind".into(), "None".into())),
        }
        // The version is what a ship moves, whatever it is that runs.
        let (name, version) = self.image.clone().unwrap_or_else(|| (self.ground.service.to_owned(), self.version()));
        if name != self.ground.service || self.ground.registry {
            draft.keys.insert("image".into(), name.into());
        }
        draft.keys.insert("version".into(), version.into());
    }

    /// The version where the image does not say one that a manifest can: its tag beside a digest, or the tag that it has without one.
    fn version(&self) -> String {
        let runs = self.originals.iter().find(|own| own.role == Role::Main).and_then(image::main);
        let tag = runs.and_then(|image| image::split(image.split_once('@')?.0)).map(|(_, tag)| tag);
        tag.unwrap_or_else(|| if runs.is_some() { "latest".into() } else { "1".into() })
    }

    fn own_labels(&self, original: &Original, inherited: &Map<String, Value>) -> Map<String, Value> {
        let mut labels = original.map("/metadata/labels");
        labels.retain(|key, value| inherited.get(key) != Some(value));
        labels
    }

    /// Whether an autoscaler in keys counts the pods of an object.
    fn scaled(&self, i: usize) -> bool {
        self.originals.iter().any(|own| own.role == Role::Autoscaler(i) && own.way.in_keys())
    }

    /// The claims of the main workload by their volumes.
    fn claims(&self, main: &Original) -> Vec<(String, Value)> {
        let templates = main.value["spec"]["volumeClaimTemplates"].as_array();
        let of_set = templates.into_iter().flatten().map(|template| {
            let mut claim = pod::claim(&template["spec"]).as_object().cloned().unwrap_or_default();
            pod::copy(&template["metadata"], &["labels", "annotations"], &mut claim);
            (template["metadata"]["name"].as_str().unwrap_or_default().to_owned(), claim.into())
        });
        let own = self.originals.iter().filter_map(|own| match &own.role {
            Role::Claim(volume) if own.way.in_keys() => {
                let mut claim = pod::claim(&own.value["spec"]).as_object().cloned().unwrap_or_default();
                around::name(own, &format!("{}-{volume}", main.name), &mut claim);
                around::meta(own, &self.common, &mut claim);
                Some((volume.clone(), claim.into()))
            }
            _ => None,
        });
        of_set.chain(own).collect()
    }

    /// The labels that a worker's or a cron job's objects have from the service.
    fn inherited(&self) -> Map<String, Value> {
        let mut labels = self.common.clone();
        labels.retain(|key, _| !self.selector.contains_key(key));
        labels
    }

    fn around(&mut self, i: usize, original: &Original, draft: &mut Draft) {
        let name = original.name.clone();
        let mut keys;
        let path: Vec<String> = match &original.role {
            Role::Service => {
                let ports = |own: &Original| own.way == Way::Short;
                let container = self.main.filter(|main| ports(main));
                let container = container.map(|main| &main.value["spec"]["template"]["spec"]["containers"][0]["ports"]);
                let service = &original.value["spec"]["ports"];
                let short = container.filter(|_| ports(original)).and_then(|own| pod::short_ports(own, service));
                keys = around::service(original, &self.selector, short.is_none());
                around::name(original, &self.name, &mut keys);
                if let Some(short) = short {
                    draft.keys.shift_remove("ports");
                    draft.owners.extend(short.keys().map(|key| (vec![key.clone()], i)));
                    draft.keys.extend(short);
                }
                vec!["service".into()]
            }
            Role::FurtherService => {
                keys = around::service(original, &self.selector, true);
                vec!["services".into(), name]
            }
            Role::ConfigMap => {
                keys = around::config_map(original, &mut draft.files);
                vec!["configMaps".into(), name]
            }
            Role::Ingress => {
                let service = self.originals.iter().find(|own| own.role == Role::Service && own.way.in_keys());
                keys = around::ingress(original, service.map_or(&self.name, |own| &own.name), original.way);
                around::name(original, &self.name, &mut keys);
                vec!["ingress".into()]
            }
            Role::Account => {
                keys = around::account(original);
                around::name(original, &self.name, &mut keys);
                vec!["serviceAccount".into()]
            }
            Role::Worker(key) => {
                keys = self.worker(i, original, key, draft);
                vec!["workers".into(), key.clone()]
            }
            Role::CronJob(key) => {
                keys = self.cron_job(original, key, draft);
                vec!["cronJobs".into(), key.clone()]
            }
            Role::Autoscaler(_) | Role::Budget(_) | Role::Claim(_) | Role::Main | Role::None => return,
        };
        if !matches!(original.role, Role::Worker(_) | Role::CronJob(_)) {
            around::meta(original, &self.common, &mut keys);
        }
        // A Service that is just what `port` makes needs no word of its own.
        if original.role == Role::Service && keys.is_empty() {
            return;
        }
        put(&path, keys.into(), &mut draft.keys);
        draft.owners.push((path, i));
    }

    /// The autoscaler and the budget of an object.
    fn guards(
        &self,
        of: usize,
        name: &str,
        inherited: &Map<String, Value>,
        keys: &mut Map<String, Value>,
    ) -> Vec<(&'static str, usize)> {
        let mut found = Vec::new();
        for (i, own) in self.originals.iter().enumerate().filter(|(_, own)| own.way.in_keys()) {
            let (key, mut value) = match own.role {
                Role::Autoscaler(target) if target == of => {
                    ("autoscaling", around::autoscaler(own, self.originals[of].asked, own.way))
                }
                Role::Budget(target) if target == of => ("disruptionBudget", around::budget(own)),
                _ => continue,
            };
            around::name(own, name, &mut value);
            around::meta(own, inherited, &mut value);
            let short = value.get("minAvailable").filter(|_| key == "disruptionBudget" && value.len() == 1).cloned();
            keys.insert(key.into(), short.unwrap_or(value.into()));
            found.push((key, i));
        }
        found
    }

    fn worker(&self, i: usize, original: &Original, key: &str, draft: &Draft) -> Map<String, Value> {
        let selector = original.map("/spec/selector/matchLabels");
        let mut keys = workload::worker(original, &selector, key, &self.image, self.scaled(i));
        if original.name != format!("{}-{key}", self.ground.service) {
            keys.insert("name".into(), original.name.clone().into());
        }
        if selector != Map::from_iter([("app".to_owned(), original.name.clone().into())]) {
            keys.insert("selector".into(), selector.into());
        }
        self.share(original, &mut keys, draft);
        let inherited = self.inherited();
        let own = self.own_labels(original, &inherited);
        if !own.is_empty() {
            keys.insert("objectLabels".into(), own.into());
        }
        self.guards(i, &original.name, &inherited, &mut keys);
        keys
    }

    fn cron_job(&self, original: &Original, key: &str, draft: &Draft) -> Map<String, Value> {
        let mut keys = workload::cron_job(original, key, &self.image);
        if original.name != format!("{}-{key}", self.ground.service) {
            keys.insert("name".into(), original.name.clone().into());
        }
        self.share(original, &mut keys, draft);
        let mut inherited = self.inherited();
        let mut labels = original.map("/spec/jobTemplate/metadata/labels");
        labels.retain(|key, value| inherited.get(key) != Some(value));
        inherited.extend(labels.clone());
        if !labels.is_empty() {
            keys.insert("labels".into(), labels.into());
        }
        let own = self.own_labels(original, &inherited);
        if !own.is_empty() {
            keys.insert("objectLabels".into(), own.into());
        }
        keys
    }

    /// Leaves out what a part has from the service anyhow; what has things from there that it should not have stands alone.
    fn share(&self, original: &Original, keys: &mut Map<String, Value>, draft: &Draft) {
        let account = image::pod_template(original)["spec"].get("serviceAccountName");
        let main = self.main.and_then(|main| main.value["spec"]["template"]["spec"].get("serviceAccountName"));
        let common = if account.is_none() && main.is_some() { None } else { self.shared(keys, draft) };
        if account.is_some() && (common.is_none() || account != main) {
            keys.extend(account.map(|account| ("serviceAccountName".to_owned(), account.clone())));
        }
        match common {
            Some(common) => keys.retain(|key, own| match common.get(key) {
                Some(None) => false,
                Some(Some(less)) => {
                    *own = less.clone();
                    true
                }
                None => true,
            }),
            None => {
                let own = std::mem::take(keys);
                keys.insert("inherit".into(), false.into());
                keys.extend(own);
            }
        }
    }

    /// For each key that the service shares, what is left to say of it: nothing, or less. `None` if that cannot be said.
    fn shared(&self, keys: &Map<String, Value>, draft: &Draft) -> Option<BTreeMap<String, Option<Value>>> {
        let mut shared = BTreeMap::new();
        for key in FROM_SERVICE.iter().filter(|key| **key != "image" && self.main.is_some()) {
            let Some(mut base) = draft.keys.get(*key).cloned() else { continue };
            if let Some(volumes) = base.as_object_mut().filter(|_| *key == "volumes") {
                volumes.retain(|_, volume| volume.get("claim").is_none());
            }
            match keys.get(*key) {
                Some(own) if *own == base => drop(shared.insert((*key).to_owned(), None)),
                Some(own) => drop(shared.insert((*key).to_owned(), Some(over(&base, own, *key == "env")?))),
                None if base.as_object().is_some_and(Map::is_empty) => {}
                None => return None,
            }
        }
        Some(shared)
    }

    /// What holds for all objects, and for what is around the main workload.
    fn common(&mut self, draft: &mut Draft) {
        if let Some(i) = self.originals.iter().position(|own| own.role == Role::Main && own.way.in_keys()) {
            let guards = self.guards(i, &self.name, &self.common, &mut draft.keys);
            draft.owners.extend(guards.into_iter().map(|(key, i)| (vec![key.to_owned()], i)));
        }
        let keys = &mut draft.keys;
        if self.main.is_some() && self.selector != Map::from_iter([("app".to_owned(), self.name.clone().into())]) {
            keys.insert("selector".into(), self.selector.clone().into());
        }
        if !self.common.is_empty() {
            keys.insert("labels".into(), self.common.clone().into());
        }
        keys.insert("shipcatLabels".into(), false.into());
        if self.ground.registry && self.originals.iter().any(has_short_image) {
            keys.insert("registry".into(), false.into());
        }
        if !self.ground.templates.is_empty() {
            let out = self.ground.templates.iter().map(|name| (name.clone(), Value::Bool(false)));
            keys.insert("templates".into(), out.collect::<Map<_, _>>().into());
        }
    }
}

fn has_short_image(original: &Original) -> bool {
    let spec = &image::pod_template(original)["spec"];
    let containers =
        ["initContainers", "containers"].into_iter().flat_map(|key| spec[key].as_array().into_iter().flatten());
    containers.filter_map(|own| own["image"].as_str()).any(image::is_short)
}

fn put(path: &[String], value: Value, keys: &mut Map<String, Value>) {
    match path {
        [key] => drop(keys.insert(key.clone(), value)),
        [key, rest @ ..] => {
            if let Some(map) = keys.entry(key.clone()).or_insert_with(|| Map::new().into()).as_object_mut() {
                put(rest, value, map);
            }
        }
        [] => {}
    }
}
