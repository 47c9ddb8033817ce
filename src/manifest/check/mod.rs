//! What no single value can show: how the parts of a manifest fit together, and whether the environment's Kubernetes knows them.
//! A message never says for which worker or job it is, where the value is one that all have from the service: one mistake, one
//! message.

mod containers;
mod ports;
mod scale;
mod volumes;

use std::collections::BTreeSet;

use serde_json::Value;

use super::keys::service::MANIFEST_SHAPE;
use super::{Manifest, Part, Role};
use crate::error::{Place, Problem, join_and};
use crate::yaml;

/// Tags that people move.
const MOVING: [&str; 9] = ["latest", "main", "master", "dev", "develop", "stable", "edge", "nightly", "head"];

/// Everything that can be known of one service without rendering it.
pub fn offline(manifest: &Manifest, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    let minor = manifest.kubernetes;
    yaml::younger(&manifest.tree, &MANIFEST_SHAPE, minor, &mut |key, since, place| {
        let problem = Problem::at(place, format!("Kubernetes 1.{minor} does not know `{key}`"));
        problems.push(problem.hint(format!(
            "it came with 1.{since}; the environment `{}` says `kubernetes: 1.{minor}`",
            manifest.environment
        )));
    });
    let mut check = Check { manifest, problems, warnings, causes: BTreeSet::new() };
    check.kind();
    check.labels();
    check.versions();
    for part in manifest.parts() {
        check.names(part);
        containers::check(part, &mut check);
        ports::check(part, &mut check);
        volumes::check(part, &mut check);
        scale::check(part, &mut check);
    }
    ports::ingress(&mut check);
    if let Some(tests) = manifest.tree.get("tests").filter(|tests| !tests.entries().is_empty()) {
        check.tests(tests);
    }
}

/// A check of one service.
pub struct Check<'a> {
    manifest: &'a Manifest,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<Problem>,
    causes: BTreeSet<String>,
}

impl Check<'_> {
    fn wrong(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::at(place, message).hint(hint));
    }

    /// What is wrong because of something that others suffer from as well: it is told where it is met first.
    fn because(&mut self, cause: String, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        if self.causes.insert(cause) {
            self.wrong(place, message, hint);
        }
    }

    fn doubt(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Problem::at(place, message).hint(hint));
    }

    /// Tests without which nothing can be run.
    fn tests(&mut self, tests: &yaml::Node) {
        if tests.get("image").is_none() {
            self.wrong(tests.place, "`tests` has no image", "say which image runs them: `image: quay.io/acme/tests`");
        }
        if let Some(runner) = tests.get("runner").filter(|runner| runner.text() == "job")
            && tests.get("fetcher").is_none()
        {
            let hint = "add `fetcher: busybox:1.36`, or an image of your own that has both";
            self.wrong(
                runner.place,
                "`runner: job` needs an image with `sh` and `tar`: `tests` has no `fetcher`",
                hint,
            );
        }
        if let Some(timeout) = tests.get("timeout")
            && let Err(message) = timeout.text().parse::<super::Duration>()
        {
            let (message, hint) = message.split_once('\n').unwrap_or((&message, ""));
            self.wrong(timeout.place, message, hint);
        }
    }

    /// Keys that say nothing to this kind of workload.
    fn kind(&mut self) {
        let kind = self.manifest.value["kind"].as_str().unwrap_or("Deployment");
        let foreign: &[(&str, &str)] = match kind {
            "StatefulSet" => &[
                ("strategy", "a StatefulSet has `updateStrategy`"),
                ("progressDeadlineSeconds", "only a Deployment has it"),
            ],
            "DaemonSet" => &[
                ("strategy", "a DaemonSet has `updateStrategy`"),
                ("progressDeadlineSeconds", "only a Deployment has it"),
                ("replicas", "a DaemonSet has a pod on each node"),
                ("autoscaling", "a DaemonSet has a pod on each node"),
                ("podManagementPolicy", "only a StatefulSet has it"),
                ("serviceName", "only a StatefulSet has it"),
                ("persistentVolumeClaimRetentionPolicy", "only a StatefulSet has it"),
                ("ordinals", "only a StatefulSet has it"),
            ],
            "None" => &[
                ("replicas", "nothing runs all the time"),
                ("autoscaling", "nothing runs all the time"),
                ("disruptionBudget", "nothing runs all the time"),
                ("port", "nothing listens"),
                ("ports", "nothing listens"),
                ("health", "nothing runs all the time"),
                ("strategy", "nothing runs all the time"),
                ("updateStrategy", "nothing runs all the time"),
            ],
            _ => &[
                ("updateStrategy", "a Deployment has `strategy`"),
                ("podManagementPolicy", "only a StatefulSet has it"),
                ("serviceName", "only a StatefulSet has it"),
                ("persistentVolumeClaimRetentionPolicy", "only a StatefulSet has it"),
                ("ordinals", "only a StatefulSet has it"),
            ],
        };
        for (key, why) in foreign {
            if let Some(node) = self.manifest.tree.get(key) {
                // The defaults of a whole environment may say more than one kind knows.
                let is_default =
                    self.manifest.layers.iter().any(|layer| {
                        layer.is_default && layer.tree.get(key).is_some_and(|own| own.place == node.place)
                    });
                if !is_default {
                    let what = if kind == "None" { "`kind: None`".to_owned() } else { format!("a {kind}") };
                    self.wrong(node.place, format!("`{key}` says nothing to {what}"), *why);
                }
            }
        }
    }

    /// Pods must have the labels by which they are found.
    fn labels(&mut self) {
        let selector = self.manifest.selector();
        for key in ["labels", "podLabels"] {
            for (label, wanted) in &selector {
                let Some(node) = self.manifest.tree.get(key).and_then(|labels| labels.get(label)) else { continue };
                if Some(node.text()) != wanted.as_str() {
                    let wanted = wanted.as_str().unwrap_or_default();
                    self.wrong(
                        node.place,
                        format!(
                            "`{key}` says `{label}: {}`, and the pods are found by `{label}: {wanted}`",
                            node.text()
                        ),
                        "take it away, or say the same in `selector`",
                    );
                }
            }
        }
    }

    /// A tag that moves is another image tomorrow.
    fn versions(&mut self) {
        let tree = &self.manifest.tree;
        let mut named: Vec<&yaml::Node> = tree.get("version").into_iter().collect();
        for part in self.manifest.parts() {
            // The service's own was taken above.
            named.extend(part.tree.get("version").filter(|_| part.role != Role::Main));
            for key in ["initContainers", "sidecars"] {
                for container in part.tree.get(key).map_or(&[][..], yaml::Node::items) {
                    named.extend(container.get("version"));
                    if let (Some(image), None) = (container.get("image"), container.get("version")) {
                        self.doubt(
                            image.place,
                            format!("the image `{}` has no version of its own, and gets the service's", image.text()),
                            "add `version` beside it",
                        );
                    }
                }
            }
        }
        for node in named {
            if MOVING.contains(&node.text()) {
                self.doubt(
                    node.place,
                    format!("`{}` is a tag that moves: nobody knows which image it is", node.text()),
                    "name a version, or a digest `sha256:...`",
                );
            }
        }
    }

    /// Names that Kubernetes makes longer: a Job's pods, a cron job's jobs; and the labels that carry them.
    fn names(&mut self, part: &Part) {
        let (most, what) = match part.role {
            Role::CronJob => (52, "a cron job's name, to which Kubernetes adds the time"),
            Role::Job => (52, "a job's name, to which a hash is added"),
            Role::Main | Role::Worker => (63, "a label, and pods are found by it"),
        };
        if part.name.len() > most {
            let place = part
                .key
                .as_deref()
                .map_or(self.manifest.tree.place, |key| self.manifest.tree.place_of(&[part.role.map(), key]));
            let message = format!("`{}` is longer than {most} characters", part.name);
            self.wrong(place, message, format!("it becomes {what}: give it a shorter one"));
        }
    }
}

/// Names in backticks.
fn ticked(names: &[String]) -> String {
    join_and(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// The bytes, cores or whatever a quantity is of.
/// (Source: k8s.io/apimachinery pkg/api/resource, whose suffixes these are.)
fn amount(quantity: &Value) -> Option<f64> {
    let text = quantity.as_str()?;
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ => return text.parse().ok(),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests;
