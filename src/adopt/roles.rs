//! What each object is to a service: what runs it, what leads to it, what goes with it.

use serde_json::{Map, Value};

use super::image;
use super::read::Original;
use crate::error::{Failure, join_and};
use crate::manifest::keys::rules;

/// What an object is to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// What runs it.
    Main,
    /// A Deployment beside it, under this key.
    Worker(String),
    /// A job by the clock, under this key.
    CronJob(String),
    /// Its Service.
    Service,
    /// Another Service.
    FurtherService,
    /// A ConfigMap.
    ConfigMap,
    /// Its ingress.
    Ingress,
    /// Its service account.
    Account,
    /// The autoscaler of one of the objects.
    Autoscaler(usize),
    /// The disruption budget of one of the objects.
    Budget(usize),
    /// The claim of this volume.
    Claim(String),
    /// Nothing that a manifest has a word for.
    None,
}

/// How an object is written, the best way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// In keys, with short forms.
    Short,
    /// In keys, with lists as Kubernetes spells them.
    Plain,
    /// As a template of the service's own.
    Template,
    /// Likewise, with everything spelled out that looks like tera.
    Escaped,
    /// Not at all.
    Out,
}

impl Way {
    /// Whether it is in the manifest's keys.
    pub fn in_keys(self) -> bool {
        self <= Self::Plain
    }
}

/// Gives each object its role.
///
/// # Errors
/// If it cannot be told which workload is the service.
pub fn assign(service: &str, originals: &mut [Original]) -> Result<(), Failure> {
    let main = main(service, originals)?;
    if let Some(main) = main {
        originals[main].role = Role::Main;
    }
    let mut found = Found { service, main, ..Found::default() };
    // Workers first: autoscalers and budgets belong to them as well.
    for i in 0..originals.len() {
        if originals[i].role == Role::None && matches!(originals[i].kind.as_str(), "Deployment" | "CronJob") {
            let (role, why) = found.beside(i, originals);
            originals[i].role = role;
            originals[i].why = why;
        }
    }
    for i in 0..originals.len() {
        if originals[i].role == Role::None && originals[i].known {
            originals[i].role = found.around(i, originals);
        }
    }
    for original in originals.iter_mut() {
        if original.role == Role::None {
            original.way = Way::Template;
            if original.why.is_empty() {
                original.why = format!("a manifest has no word for {}", article(original));
            }
        } else if let Some(why) = image::unsplit(original) {
            original.way = Way::Template;
            original.why = why;
        }
    }
    Ok(())
}

fn article(original: &Original) -> String {
    match original.kind.as_str() {
        "Ingress" => "a second Ingress".into(),
        kind if original.known && kind != "NetworkPolicy" => format!("such a {kind}"),
        kind => format!("a {kind}"),
    }
}

/// Whether an object keeps pods running.
pub fn is_workload(original: &Original) -> bool {
    original.known && matches!(original.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet")
}

fn main(service: &str, originals: &[Original]) -> Result<Option<usize>, Failure> {
    let all: Vec<usize> = (0..originals.len()).filter(|i| is_workload(&originals[*i])).collect();
    let named = all.iter().find(|i| originals[**i].name == service);
    let selected: Vec<usize> = all
        .iter()
        .copied()
        .filter(|i| {
            let mut services = originals.iter().filter(|own| own.kind == "Service");
            services.any(|own| selects(&own.map("/spec/selector"), &originals[*i]))
        })
        .collect();
    match (named, all.as_slice(), selected.as_slice()) {
        (Some(named), ..) => Ok(Some(*named)),
        (None, [], _) => Ok(None),
        (None, [only], _) | (None, _, [only]) => Ok(Some(*only)),
        _ => {
            let names: Vec<String> = all.iter().map(|i| format!("`{}`", originals[*i].name)).collect();
            Err(Failure::refused(format!("it cannot be told which of them `{service}` is: {}", join_and(&names)))
                .hint("call the service as its workload is called, or give the objects of one service only"))
        }
    }
}

/// Whether a Service's selector finds a workload's pods.
fn selects(selector: &Map<String, Value>, workload: &Original) -> bool {
    let labels = workload.map("/spec/template/metadata/labels");
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

#[derive(Default)]
struct Found<'a> {
    service: &'a str,
    main: Option<usize>,
    keys: Vec<String>,
    has_service: Option<usize>,
    has_ingress: Option<usize>,
    scaled: Vec<usize>,
    guarded: Vec<usize>,
    claimed: Vec<String>,
}

impl Found<'_> {
    fn beside(&mut self, i: usize, originals: &[Original]) -> (Role, String) {
        let own = &originals[i];
        let main = self.main.map(|main| &originals[main]);
        if own.kind == "Deployment" {
            let image = |own: &Original| image::split(image::main(own)?).map(|(image, _)| image);
            if main.is_none_or(|main| image(main) != image(own) || image(own).is_none()) {
                let why =
                    format!("it has another image; perhaps it is a service of its own: `shipcat init {}`", own.name);
                return (Role::None, why);
            }
        }
        let name = own.name.as_str();
        let prefixes = [Some(self.service), main.map(|main| main.name.as_str())];
        let key = prefixes.into_iter().flatten().find_map(|prefix| name.strip_prefix(prefix)?.strip_prefix('-'));
        let key = key.unwrap_or(name).replace('.', "-");
        if !rules::SUFFIX.holds(&key) || self.keys.contains(&key) {
            return (Role::None, "its name makes no key".into());
        }
        self.keys.push(key.clone());
        (if own.kind == "Deployment" { Role::Worker(key) } else { Role::CronJob(key) }, String::new())
    }

    fn around(&mut self, i: usize, originals: &[Original]) -> Role {
        let own = &originals[i];
        let main = self.main.map(|main| &originals[main]);
        let runs = |role: &Role| matches!(role, Role::Main | Role::Worker(_));
        match own.kind.as_str() {
            "ConfigMap" => Role::ConfigMap,
            "Service" => {
                let best = *self.has_service.get_or_insert_with(|| best_service(self.service, main, originals));
                if best == i { Role::Service } else { Role::FurtherService }
            }
            "Ingress" => {
                let named = |own: &Original| own.kind == "Ingress" && own.known && own.name == self.service;
                let best = originals.iter().position(named).unwrap_or(i);
                if *self.has_ingress.get_or_insert(best) == i { Role::Ingress } else { Role::None }
            }
            "ServiceAccount" => {
                let account = main.map(|main| &main.value["spec"]["template"]["spec"]["serviceAccountName"]);
                if account.is_some_and(|account| *account == own.name) { Role::Account } else { Role::None }
            }
            "HorizontalPodAutoscaler" => {
                let target = &own.value["spec"]["scaleTargetRef"];
                let of = originals.iter().position(|other| {
                    runs(&other.role) && target["kind"] == other.kind && target["name"] == other.name
                });
                match of.filter(|of| !self.scaled.contains(of)) {
                    Some(of) => {
                        self.scaled.push(of);
                        Role::Autoscaler(of)
                    }
                    None => Role::None,
                }
            }
            "PodDisruptionBudget" => {
                let selector = &own.value["spec"]["selector"];
                let of = originals
                    .iter()
                    .position(|other| runs(&other.role) && other.value["spec"]["selector"] == *selector);
                match of.filter(|of| !self.guarded.contains(of)) {
                    Some(of) => {
                        self.guarded.push(of);
                        Role::Budget(of)
                    }
                    None => Role::None,
                }
            }
            "PersistentVolumeClaim" => self.claim(own, main),
            _ => Role::None,
        }
    }

    fn claim(&mut self, own: &Original, main: Option<&Original>) -> Role {
        let Some(main) = main.filter(|main| main.kind != "StatefulSet") else { return Role::None };
        let volumes = main.value["spec"]["template"]["spec"]["volumes"].as_array();
        let volume = volumes.into_iter().flatten().find(|volume| {
            let source = &volume["persistentVolumeClaim"];
            source["claimName"] == own.name && source["readOnly"].is_null()
        });
        match volume.and_then(|volume| volume["name"].as_str()).filter(|_| !self.claimed.contains(&own.name)) {
            Some(volume) => {
                self.claimed.push(own.name.clone());
                Role::Claim(volume.to_owned())
            }
            None => Role::None,
        }
    }
}

/// The Service that people mean when they say the service's name; past the end if there is none.
fn best_service(service: &str, main: Option<&Original>, originals: &[Original]) -> usize {
    let Some(main) = main else { return usize::MAX };
    let rank = |own: &Original| match () {
        () if own.name == main.name => 0,
        () if own.name == service => 1,
        () if own.value["spec"]["clusterIP"] != "None" => 2,
        () => 3,
    };
    let found = originals
        .iter()
        .enumerate()
        .filter(|(_, own)| own.kind == "Service" && own.known && selects(&own.map("/spec/selector"), main));
    found.min_by_key(|(i, own)| (rank(own), *i)).map_or(usize::MAX, |(i, _)| i)
}
