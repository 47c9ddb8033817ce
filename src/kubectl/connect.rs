//! Which cluster: the context that an environment accepts, from the kubeconfig, checked before the first call to a server.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use super::account::{Account, IN_CLUSTER, readable};
use super::{Kubeconfig, Kubectl, KubectlError, REQUEST_TIMEOUT, Records};
use crate::error::{Failure, join_and};
use crate::process::Cmd;
use crate::ui::Ui;

/// What an environment says about where it is.
#[derive(Debug)]
pub struct Target<'a> {
    /// The environment's name, for messages.
    pub environment: &'a str,
    /// The contexts that are accepted.
    pub contexts: &'a [String],
    /// The API server's addresses, if the environment names any.
    pub cluster: &'a [String],
    /// The namespace.
    pub namespace: &'a str,
    /// The context that the user names, where several are accepted.
    pub chosen: Option<&'a str>,
    /// The kubeconfig that the user names, in place of kubectl's own.
    pub kubeconfig: Option<&'a Path>,
    /// How long the environment's lock is held without a renewal: no call may take half as long.
    pub lifetime: Duration,
    /// Where the release records are kept.
    pub records: Records,
}

impl Target<'_> {
    /// The contexts that may be taken: those that are accepted, or the one of them that the user names.
    fn accepted(&self) -> impl Iterator<Item = &String> {
        self.contexts.iter().filter(|context| self.chosen.is_none_or(|chosen| chosen == context.as_str()))
    }
}

impl<'a> Kubectl<'a> {
    /// Finds kubectl on PATH and the context for an environment in the kubeconfig. Asks no server.
    ///
    /// # Errors
    /// If there is no kubectl, no accepted context, more than one cluster to choose from, or not the cluster that it must be.
    pub fn connect(target: &Target<'_>, ui: &'a Ui) -> Result<Self> {
        let program = which::which("kubectl").map_err(|_| {
            Failure::refused("there is no `kubectl` on your PATH")
                .hint("install kubectl 1.20 or later, and see that `kubectl version --client` works")
        })?;
        let named = target.kubeconfig.map_or(Kubeconfig::Usual, |file| Kubeconfig::Named(file.to_owned()));
        if let Kubeconfig::Named(file) = &named {
            readable(file)?;
        }
        let (context, kubeconfig) = match only(target, &named) {
            Some(context) => (context, named),
            None => chosen(target, &program, named, ui)?,
        };
        Ok(Self {
            program,
            kubeconfig,
            context,
            namespace: target.namespace.to_owned(),
            hides_managed: AtomicBool::new(true),
            too_old: OnceLock::new(),
            records: target.records,
            rehearsal: None,
            timeout: request_timeout(target.lifetime),
            fence: Mutex::default(),
            stoppable: AtomicBool::new(false),
            minor: OnceLock::new(),
            vain: AtomicBool::new(false),
            ahead: Mutex::default(),
            ui,
        })
    }
}

/// The one context that is accepted and there, where that is beyond doubt: a start of kubectl costs as much as a question to the server. Where
/// the server's address is to be checked as well, kubectl has to say it: the one on PATH may be a script that has a kubeconfig of its own.
fn only(target: &Target<'_>, kubeconfig: &Kubeconfig) -> Option<String> {
    if !target.cluster.is_empty() {
        return None;
    }
    let there = kubeconfig.contexts()?;
    let mut found = target.accepted().filter(|context| there.contains(context));
    let only = found.next()?;
    found.next().is_none().then(|| only.clone())
}

/// The context by what kubectl, or the pod around us, says of them.
fn chosen(target: &Target<'_>, program: &Path, named: Kubeconfig, ui: &Ui) -> Result<(String, Kubeconfig)> {
    let config = contexts(program, &named, ui)?;
    let account = if may_be_pod(target, &config) { Some(Account::of_this_pod()) } else { None };
    Ok(match account {
        Some(Ok(account)) => (choose(target, account.config(), None)?, Kubeconfig::Ours(account.write()?)),
        Some(Err(why)) => (choose(target, &config, Some(&why))?, named),
        None => (choose(target, &config, None)?, named),
    })
}

/// How long the API server may take to answer: below half the lock's lifetime, so that no change that was begun in time comes after it.
fn request_timeout(lifetime: Duration) -> Duration {
    (lifetime * 9 / 20).min(Duration::from_secs(REQUEST_TIMEOUT))
}

/// A span of time as kubectl takes it.
pub(super) fn spelled(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// Whether the pod's own cluster is meant: it is accepted, and no kubeconfig has any context that is. Who names a kubeconfig means that one.
fn may_be_pod(target: &Target<'_>, config: &Value) -> bool {
    target.kubeconfig.is_none()
        && target.accepted().any(|context| context == IN_CLUSTER)
        && !target.accepted().any(|context| named(config, "contexts", context).is_some())
}

fn local(program: &Path, args: &[&OsStr], ui: &Ui) -> Result<Value> {
    let cmd = Cmd::new(PathBuf::from(program)).args(args).limit(Duration::from_secs(REQUEST_TIMEOUT));
    ui.command(cmd.pasted());
    let output = cmd.run().map_err(|broken| KubectlError::broken(&cmd, broken).refused("cannot use kubectl"))?;
    if !output.status.success() {
        bail!(KubectlError::said(&cmd, &output).refused("cannot read the kubeconfig"));
    }
    Ok(serde_json::from_str(&output.stdout).unwrap_or_default())
}

fn contexts(program: &Path, kubeconfig: &Kubeconfig, ui: &Ui) -> Result<Value> {
    let mut args = ["config", "view", "-o", "json"].map(OsStr::new).to_vec();
    args.extend(kubeconfig.flags());
    local(program, &args, ui)
}

/// Why the kubectl at hand is of no use, if it is: it is older than server-side apply as it is now.
pub fn too_old(program: &Path, ui: &Ui) -> Option<String> {
    let version = local(program, &["version", "--client", "-o", "json"].map(OsStr::new), ui).ok()?;
    let text = version.pointer("/clientVersion/minor").and_then(Value::as_str).unwrap_or_default();
    // Some distributions write it as `27+`; who does not say is taken for a new one.
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let minor: u64 = digits.parse().unwrap_or(u64::MAX);
    (minor < 20).then(|| format!("this kubectl is version 1.{minor}, too old: install kubectl 1.20 or later"))
}

fn named<'a>(config: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    config.get(list)?.as_array()?.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))
}

/// The API server that a context leads to.
pub fn server<'a>(config: &'a Value, context: &str) -> Option<&'a str> {
    let cluster = named(config, "contexts", context)?.pointer("/context/cluster")?.as_str()?;
    named(config, "clusters", cluster)?.pointer("/cluster/server")?.as_str().filter(|server| !server.is_empty())
}

/// The user of a context, if there is no such user.
pub fn missing_user<'a>(config: &'a Value, context: &str) -> Option<&'a str> {
    let user =
        named(config, "contexts", context)?.pointer("/context/user")?.as_str().filter(|user| !user.is_empty())?;
    named(config, "users", user).is_none().then_some(user)
}

/// The context; `no_pod` is why there is no cluster around us, where that would be one.
fn choose(target: &Target<'_>, config: &Value, no_pod: Option<&str>) -> Result<String> {
    let Target { environment, contexts, cluster, chosen, .. } = target;
    let quoted: Vec<String> = contexts.iter().map(|context| format!("`{context}`")).collect();
    if let Some(chosen) = chosen
        && !contexts.iter().any(|context| context == chosen)
    {
        bail!(
            Failure::refused(format!(
                "the kube context `{chosen}` is not accepted for the environment `{environment}`"
            ))
            .hint(format!("use {}, or add yours to `contexts` of `{environment}` in shipcat.yml", join_and(&quoted)))
        );
    }
    let found: Vec<&String> =
        target.accepted().filter(|context| named(config, "contexts", context).is_some()).collect();
    let Some(first) = found.first() else {
        let have: Vec<&str> = config
            .get("contexts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.get("name")?.as_str())
            .collect();
        let (have, todo) = if have.is_empty() {
            let files = "see that KUBECONFIG, or without it ~/.kube/config, is the file that has it";
            ("your kubeconfig is not there, or has no context at all".into(), files)
        } else {
            let named = "rename one with `kubectl config rename-context`, add it to `contexts` in shipcat.yml, or set KUBECONFIG";
            (format!("your kubeconfig has {}", have.join(", ")), named)
        };
        let have = no_pod.map_or(have.clone(), |why| format!("{why}; {have}"));
        let which = chosen.map_or(join_and(&quoted), |chosen| format!("`{chosen}`"));
        let verb = if chosen.is_none() && quoted.len() > 1 { "are" } else { "is" };
        bail!(
            Failure::refused(format!(
                "no kube context for the environment `{environment}`: {which} {verb} not in your kubeconfig"
            ))
            .hint(format!("{have}; {todo}"))
        );
    };
    // kubectl would go to port 8080 of this machine.
    if let Some(nowhere) = found.iter().find(|context| server(config, context).is_none()) {
        let cluster = named(config, "contexts", nowhere).and_then(|entry| entry.pointer("/context/cluster")?.as_str());
        let why = match cluster {
            Some(cluster) => format!("its cluster `{cluster}` is not in the kubeconfig, or has no server there"),
            None => "it names no cluster".to_owned(),
        };
        bail!(
            Failure::refused(format!("the context `{nowhere}` leads to no API server: {why}"))
                .hint("`kubectl config view` shows it; `kubectl config set-cluster` and `set-context` mend it")
        );
    }
    if let Some((context, user)) = found.iter().find_map(|context| Some((context, missing_user(config, context)?))) {
        bail!(
            Failure::refused(format!("the context `{context}` is for the user `{user}`, who is not in the kubeconfig"))
                .hint("`kubectl config view` shows it; log in to the cluster anew, or mend it with `kubectl config set-credentials`")
        );
    }
    let servers: Vec<&str> = found.iter().filter_map(|context| server(config, context)).collect();
    let is_known = |server: &&str| cluster.iter().any(|one| one == server.trim_end_matches('/'));
    // By several addresses it is one cluster all the same.
    if servers.iter().any(|other| *other != servers[0]) && !servers.iter().all(is_known) {
        let names: Vec<&str> = found.iter().map(|context| context.as_str()).collect();
        bail!(
            Failure::refused(format!(
                "the contexts {} are all accepted for `{environment}` and lead to different clusters",
                join_and(&names)
            ))
            .hint("say which one with `--context NAME`")
        );
    }
    if !cluster.is_empty() && !is_known(&servers[0]) {
        let (is, must) = (servers[0], join_and(cluster));
        bail!(
            Failure::refused(format!(
                "the context `{first}` leads to {is}, and the environment `{environment}` is at {must}"
            ))
            .hint(if first.as_str() == IN_CLUSTER {
                "a pod knows its API server by an address of the cluster's own: `cluster` in shipcat.yml takes a list of all of them"
            } else {
                "use the right context, or correct `cluster` in shipcat.yml"
            })
        );
    }
    Ok((*first).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pick(contexts: &[&str], cluster: &[&str], chosen: Option<&str>) -> std::result::Result<String, String> {
        pick_of(&config(), contexts, cluster, chosen)
    }

    fn config() -> Value {
        json!({
            "contexts": [
                {"name": "a", "context": {"cluster": "one"}}, {"name": "b", "context": {"cluster": "one"}}, {"name": "c", "context": {"cluster": "two"}},
                {"name": "lost", "context": {"cluster": "gone"}}, {"name": "bare", "context": {}},
                {"name": "ann", "context": {"cluster": "one", "user": "ann"}}, {"name": "bob", "context": {"cluster": "one", "user": "bob"}}],
            "users": [{"name": "ann", "user": {}}],
            "clusters": [{"name": "one", "cluster": {"server": "https://one/"}}, {"name": "two", "cluster": {"server": "https://two"}}],
        })
    }

    /// The context, or the error with its hints.
    fn pick_of(
        config: &Value,
        contexts: &[&str],
        cluster: &[&str],
        chosen: Option<&str>,
    ) -> std::result::Result<String, String> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let (contexts, cluster) = (owned(contexts), owned(cluster));
        let target = Target {
            environment: "dev",
            contexts: &contexts,
            cluster: &cluster,
            namespace: "dev",
            chosen,
            kubeconfig: None,
            lifetime: Duration::from_mins(1),
            records: Records::Secrets,
        };
        let told = |error: anyhow::Error| {
            let hints = error.downcast_ref::<Failure>().map(|failure| failure.hints.join("; ")).unwrap_or_default();
            format!("{error}\n{hints}")
        };
        choose(&target, config, None).map_err(told)
    }

    #[test]
    fn the_context_is_one_that_is_accepted_and_there() {
        assert_eq!(pick(&["x", "b"], &[], None).unwrap(), "b");
        assert_eq!(pick(&["a", "b"], &[], None).unwrap(), "a");
        assert_eq!(pick(&["a", "c"], &[], Some("c")).unwrap(), "c");
        assert_eq!(pick(&["ann"], &[], None).unwrap(), "ann");
        assert_eq!(pick(&["a"], &["https://one"], None).unwrap(), "a");
        // A pod knows it by another address than people do.
        assert_eq!(pick(&["a", "c"], &["https://two", "https://one"], None).unwrap(), "a");
    }

    #[test]
    fn who_has_no_such_context_is_told_where_it_was_looked_for() {
        let none = pick_of(&json!({"contexts": null}), &["x", "y"], &[], None).unwrap_err();
        assert_eq!(
            none,
            "no kube context for the environment `dev`: `x` and `y` are not in your kubeconfig\n\
             your kubeconfig is not there, or has no context at all; see that KUBECONFIG, or without it ~/.kube/config, is the file that has it"
        );
        assert!(
            pick(&["x"], &[], None)
                .unwrap_err()
                .contains("your kubeconfig has a, b, c, lost, bare, ann, bob; rename one")
        );
    }

    #[test]
    fn a_wrong_or_doubtful_cluster_is_refused() {
        assert!(pick(&["x"], &[], None).unwrap_err().contains("`x` is not in your kubeconfig"));
        assert!(pick(&["a", "c"], &[], None).unwrap_err().contains("different clusters"));
        assert!(pick(&["a"], &[], Some("c")).unwrap_err().contains("not accepted"));
        assert!(pick(&["lost"], &[], None).unwrap_err().contains("leads to no API server: its cluster `gone` is not"));
        assert!(pick(&["bob"], &[], None).unwrap_err().contains("`bob` is for the user `bob`, who is not in"));
        assert!(pick(&["bare"], &[], None).unwrap_err().contains("leads to no API server: it names no cluster"));
        assert!(
            pick(&["a"], &["https://two"], None)
                .unwrap_err()
                .contains("leads to https://one/, and the environment `dev` is at https://two")
        );
    }
}
