//! `rbac`: the Role that a deployer, or a reader, of an environment needs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::Context;
use super::context::records;
use super::report::Answer;
use super::survey::{Selection, survey};
use crate::error::{Exit, count};
use crate::manifest::Version;
use crate::release::{Permission, deployer, reader};
use crate::render::version_from_files;

/// The arguments of `rbac`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The Role of somebody who only looks: `diff`, `status`, `history`
    #[arg(long)]
    reader: bool,
    #[command(flatten)]
    pub answer: Answer,
}

/// Runs it. No cluster is asked.
///
/// # Errors
/// If the files are not good.
pub fn run(context: Context, args: &Args) -> Result<Exit> {
    let templates = context.templates()?;
    let everything = Selection { services: Vec::new(), all: true };
    // Where no file says a version, any will do.
    let version = |service: &str| stand_in(&context, service);
    let found = survey(&context.repo, &context.environment, &templates, &everything, &version)?;
    if !found.errors.is_empty() {
        bail!(found.errors);
    }
    let objects = found.made.iter().flat_map(|made| &made.objects);
    let kinds: BTreeSet<(String, String)> =
        objects.map(|object| (object.group().to_owned(), object.kind().to_owned())).collect();
    let kinds: Vec<(String, String)> = kinds.into_iter().collect();
    let records = records(&context.environment);
    let runs_tests = found.made.iter().any(|made| runs_by_job(&context, &made.name));
    let permissions = if args.reader { reader(&kinds, records) } else { deployer(&kinds, records, runs_tests) };
    let grants = kinds.iter().any(|(group, _)| group == "rbac.authorization.k8s.io");
    let role = role(&context, args.reader, &permissions, found.made.len(), grants);
    if args.answer.is_json() {
        let role = serde_yaml::from_str::<Value>(&role).context("shipcat itself failed: its Role is no YAML")?;
        let environment = context.environment.name.as_ref();
        context.report.answer_whole(json!({"version": 1, "environment": environment, "role": role}));
        return Ok(Exit::Done);
    }
    context.ui.write(&role).context("cannot write to stdout")?;
    Ok(Exit::Done)
}

/// Whether a service's tests run in the cluster.
fn runs_by_job(context: &Context, service: &str) -> bool {
    match context.repo.load(service, &context.environment) {
        crate::manifest::Loading::Here(manifest, _) => manifest.value["tests"]["runner"] == "job",
        _ => false,
    }
}

fn stand_in(context: &Context, service: &str) -> Option<Version> {
    match context.repo.load(service, &context.environment) {
        crate::manifest::Loading::Here(manifest, _) => {
            version_from_files(&manifest, None).err().and_then(|_| "0".parse().ok())
        }
        _ => None,
    }
}

fn role(context: &Context, is_reader: bool, permissions: &[Permission], services: usize, grants: bool) -> String {
    let environment = &context.environment;
    let (name, who) = match is_reader {
        true => ("shipcat-reader", "looks at what runs and what differs"),
        false => ("shipcat-deployer", "ships, updates and rolls back"),
    };
    let namespace = &environment.namespace;
    let place = environment.contexts.first().map(|context| format!(" --context {context}")).unwrap_or_default();
    let mut text = format!(
        "# What somebody needs who {who} in {} ({}).\n\
         # To give it to ann:  kubectl{place} -n {namespace} create rolebinding {name}-ann --role={name} --user=ann\n\
         # To a CI account:    kubectl{place} -n {namespace} create rolebinding {name}-ci --role={name} --serviceaccount=ci:deploy\n\
         # Make it anew when a template brings a kind of its own.\n",
        environment.name,
        count(services, "service"),
    );
    if grants && !is_reader {
        text += "# Some service brings a Role: whoever grants rights must have them himself, or the verbs `bind` and `escalate` on roles.\n";
    }
    text += &format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {name}\n  namespace: {namespace}\nrules:\n"
    );
    for ((group, verbs), resources) in rules(permissions) {
        let is_secrets = resources.contains("secrets");
        if is_secrets {
            text += match is_reader {
                true => {
                    "  # The releases are recorded in Secrets, and the values of Secrets are masked in whatever is printed. Without this rule\n  # `diff` and `status` still work, and do not know which release runs; `history` does not.\n"
                }
                false => {
                    "  # The releases are recorded in Secrets; the values of all others are masked in whatever is printed.\n"
                }
            };
        }
        let list = |items: &BTreeSet<String>| items.iter().map(|item| item.as_str()).collect::<Vec<_>>().join(", ");
        text += &format!(
            "  - apiGroups: [{}]\n    resources: [{}]\n    verbs: [{}]\n",
            if group.is_empty() { "\"\"" } else { &group },
            list(&resources),
            list(&verbs)
        );
    }
    text
}

/// Rules: what has the same verbs in the same group stands together; Secrets alone.
fn rules(permissions: &[Permission]) -> BTreeMap<(String, BTreeSet<String>), BTreeSet<String>> {
    let mut verbs: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for (verb, group, resource) in permissions {
        verbs.entry((group, resource)).or_default().insert(verb.clone());
    }
    let mut rules: BTreeMap<(String, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
    for ((group, resource), verbs) in verbs {
        rules.entry((group.to_owned(), verbs)).or_default().insert(resource.to_owned());
    }
    rules
}
