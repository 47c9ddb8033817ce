//! Which objects a service has: for each, the built-in template and what that may use.

use serde_json::{Map, Value, json};

use super::config::{self, Config};
use super::context::{Ground, object};
use super::network::{ingress, service, services};
use super::pod;
use super::workloads::{autoscaler, budget, cron_job, job, workload};
use crate::error::Problem;
use crate::manifest::{Part, Role};
use crate::yaml::Node;

/// An object that is to be rendered.
pub struct Item {
    /// The template.
    pub template: &'static str,
    /// What it may use beside what every template may.
    pub context: Map<String, Value>,
}

/// An object for that template.
pub fn item(template: &'static str, context: Value) -> Item {
    Item { template, context: object(&context) }
}

/// The objects of a service, in the order in which people read them: what pods need, what runs, what is around it.
pub fn items(ground: &mut Ground<'_>, problems: &mut Vec<Problem>) -> Vec<Item> {
    let manifest = ground.manifest;
    let mut items = Vec::new();
    items.extend(service_account(ground));
    items.extend(config_maps(ground, problems));
    let (mut configs, mut jobs, mut running, mut around, mut crons) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in manifest.parts() {
        let config = config::config(manifest, part, ground.texts(), problems);
        let pod = pod::template(part, ground, config.as_ref(), problems);
        if let Some(config) = config.filter(|config| !configs.contains(config)) {
            configs.push(config);
        }
        if !pod::is_set(part) {
            items.extend(claims(ground, part));
        }
        items.extend(services(ground, part));
        match part.role {
            Role::Main | Role::Worker => {
                running.push(workload(ground, part, pod));
                around.extend(autoscaler(ground, part));
                around.extend(budget(ground, part));
            }
            Role::Job => jobs.push(job(ground, part, pod)),
            Role::CronJob => crons.push(cron_job(ground, part, pod)),
        }
    }
    let configs: Vec<Item> = configs.iter().map(|config| files(ground, config)).collect();
    if manifest.main.is_none() && manifest.value["service"].is_object() {
        items.push(service(ground, ground.name(), Vec::new(), manifest.selector(), &manifest.value["service"]));
    }
    for (name, own) in manifest.value["services"].as_object().into_iter().flatten() {
        items.push(service(ground, name, Vec::new(), manifest.selector(), own));
    }
    around.extend(ingress(ground));
    configs.into_iter().chain(items).chain(jobs).chain(running).chain(around).chain(crons).collect()
}

fn service_account(ground: &Ground<'_>) -> Option<Item> {
    let account = &ground.manifest.value["serviceAccount"];
    if !account.is_object() || account["create"] == false {
        return None;
    }
    let mut labels = ground.labels(None);
    labels.extend(object(&account["labels"]));
    let name = account["name"].as_str().unwrap_or(ground.name());
    let mut context = json!({"metadata": ground.metadata(name, labels, &account["annotations"])});
    if let Some(secrets) = account["imagePullSecrets"].as_array() {
        context["image_pull_secrets"] = pod::pull_secrets(secrets);
    }
    if let Some(automount) = account.get("automountServiceAccountToken") {
        context["automount"] = automount.clone();
    }
    Some(item("serviceaccount", context))
}

fn files(ground: &Ground<'_>, config: &Config) -> Item {
    let metadata = ground.metadata(&config.name, ground.labels(None), &Value::Null);
    item(
        "configmap",
        json!({"metadata": metadata, "immutable": true, "data": config.data, "binary_data": config.binary}),
    )
}

/// The ConfigMaps that have names of their own.
fn config_maps(ground: &mut Ground<'_>, problems: &mut Vec<Problem>) -> Vec<Item> {
    let manifest = ground.manifest;
    let mut items = Vec::new();
    for (key, node) in manifest.tree.get("configMaps").map_or(&[][..], Node::entries) {
        let value = &manifest.value["configMaps"][key.text()];
        let (mut data, mut binary) = (Map::new(), Map::new());
        for (name, node) in node.get("data").map_or(&[][..], Node::entries) {
            let what = format!("`configMaps.{}.data.{}`", key.text(), name.text());
            match ground.texts().render(node.text(), &super::template::Origin::Value(node.place, &what)) {
                Ok(text) => drop(data.insert(name.text().to_owned(), text.into())),
                Err(problem) => problems.push(problem),
            }
        }
        for (name, node) in node.get("files").map_or(&[][..], Node::entries) {
            if data.contains_key(name.text()) {
                let problem = Problem::at(name.place, format!("the key `{}` is in `data` as well", name.text()));
                problems.push(problem.hint("take one of them away"));
            }
            config::put(&manifest.files, node.text(), name.text(), ground.texts(), &mut data, &mut binary, problems);
        }
        if config::size(&data, &binary) > config::LARGEST {
            let problem = Problem::at(
                node.place,
                format!("the ConfigMap `{}` is larger than 1 MiB, which is what one can hold", key.text()),
            );
            problems.push(problem.hint("put large files into the image or a volume"));
        }
        let mut labels = ground.labels(None);
        labels.extend(object(&value["labels"]));
        let metadata = ground.metadata(key.text(), labels, &value["annotations"]);
        let mut context = json!({"metadata": metadata, "data": data, "binary_data": binary});
        if let Some(immutable) = value.get("immutable") {
            context["immutable"] = immutable.clone();
        }
        items.push(item("configmap", context));
    }
    items
}

fn claims(ground: &Ground<'_>, part: &Part) -> Vec<Item> {
    let claims = pod::claims(part).into_iter().map(|(_, name, spec, claim)| {
        let mut labels = ground.labels(Some(part));
        labels.extend(object(&claim["labels"]));
        item(
            "persistentvolumeclaim",
            json!({"metadata": ground.metadata(&name, labels, &claim["annotations"]), "spec": spec}),
        )
    });
    claims.collect()
}
