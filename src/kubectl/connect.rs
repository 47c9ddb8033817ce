//! Which cluster: the context that an environment accepts, from the kubeconfig, checked before the first call to a server.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use super::{Kubectl, KubectlError, REQUEST_TIMEOUT, Records};
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
    /// The API server's URL, if the environment names one.
    pub cluster: Option<&'a str>,
    /// The namespace.
    pub namespace: &'a str,
    /// The context that the user names, where several are accepted.
    pub chosen: Option<&'a str>,
    /// How long the environment's lock is held without a renewal: no call may take half as long.
    pub lifetime: Duration,
    /// Where the release records are kept.
    pub records: Records,
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
        let (config, version) = std::thread::scope(|scope| {
            let version = scope.spawn(|| client_minor(&program, ui));
            (kubeconfig(&program, ui), version.join().unwrap_or(Ok(u64::MAX)))
        });
        let context = choose(target, &config?)?;
        Ok(Self {
            program,
            context,
            namespace: target.namespace.to_owned(),
            show_managed: version? >= 21,
            records: target.records,
            rehearsal: None,
            timeout: request_timeout(target.lifetime),
            fence: Mutex::default(),
            stoppable: AtomicBool::new(false),
            minor: OnceLock::new(),
            vain: AtomicBool::new(false),
            ui,
        })
    }
}

/// How long the API server may take to answer: below half the lock's lifetime, so that no change that was begun in time comes after it.
fn request_timeout(lifetime: Duration) -> String {
    let longest = (lifetime.as_millis() * 9 / 20).min(u128::from(REQUEST_TIMEOUT) * 1000);
    if longest.is_multiple_of(1000) { format!("{}s", longest / 1000) } else { format!("{longest}ms") }
}

fn local(program: &Path, args: &[&str], ui: &Ui) -> Result<Value> {
    let cmd = Cmd::new(PathBuf::from(program)).args(args).limit(Duration::from_secs(REQUEST_TIMEOUT));
    ui.command(cmd.pasted());
    let output = cmd.run().map_err(|broken| KubectlError::broken(&cmd, broken).refused("cannot use kubectl"))?;
    if !output.status.success() {
        bail!(KubectlError::said(&cmd, &output).refused("cannot read the kubeconfig"));
    }
    Ok(serde_json::from_str(&output.stdout).unwrap_or_default())
}

fn kubeconfig(program: &Path, ui: &Ui) -> Result<Value> {
    local(program, &["config", "view", "-o", "json"], ui)
}

/// The minor version of the kubectl at hand; some distributions write it as `27+`.
fn client_minor(program: &Path, ui: &Ui) -> Result<u64> {
    let version = local(program, &["version", "--client", "-o", "json"], ui)?;
    let text = version.pointer("/clientVersion/minor").and_then(Value::as_str).unwrap_or_default();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    // Who does not say is taken for a new one.
    let minor = digits.parse().unwrap_or(u64::MAX);
    if minor < 20 {
        bail!(
            Failure::refused(format!("this kubectl is version 1.{minor}, too old"))
                .hint("install kubectl 1.20 or later")
        );
    }
    Ok(minor)
}

fn named<'a>(config: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    config.get(list)?.as_array()?.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))
}

fn server<'a>(config: &'a Value, context: &str) -> Option<&'a str> {
    let cluster = named(config, "contexts", context)?.pointer("/context/cluster")?.as_str()?;
    named(config, "clusters", cluster)?.pointer("/cluster/server")?.as_str()
}

fn choose(target: &Target<'_>, config: &Value) -> Result<String> {
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
    let wanted = |context: &&String| chosen.is_none_or(|chosen| chosen == context.as_str());
    let found: Vec<&String> =
        contexts.iter().filter(wanted).filter(|context| named(config, "contexts", context).is_some()).collect();
    let Some(first) = found.first() else {
        let have: Vec<&str> = config
            .get("contexts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.get("name")?.as_str())
            .collect();
        let have = if have.is_empty() {
            "your kubeconfig has no context at all".into()
        } else {
            format!("your kubeconfig has {}", have.join(", "))
        };
        let which = chosen.map_or(join_and(&quoted), |chosen| format!("`{chosen}`"));
        bail!(
            Failure::refused(format!("no kube context for the environment `{environment}`: {which} is not in your kubeconfig"))
                .hint(format!("{have}; rename one with `kubectl config rename-context`, add it to `contexts` in shipcat.yml, or set KUBECONFIG"))
        );
    };
    let servers: Vec<Option<&str>> = found.iter().map(|context| server(config, context)).collect();
    if servers.iter().any(|other| *other != servers[0]) {
        let names: Vec<&str> = found.iter().map(|context| context.as_str()).collect();
        bail!(
            Failure::refused(format!(
                "the contexts {} are all accepted for `{environment}` and lead to different clusters",
                join_and(&names)
            ))
            .hint("say which one with `--context NAME`")
        );
    }
    if let Some(must) = cluster {
        let is = servers[0].unwrap_or("nowhere");
        if is.trim_end_matches('/') != must.trim_end_matches('/') {
            bail!(
                Failure::refused(format!(
                    "the context `{first}` leads to {is}, and the environment `{environment}` is at {must}"
                ))
                .hint("use the right context, or correct `cluster` in shipcat.yml")
            );
        }
    }
    Ok((*first).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pick(contexts: &[&str], cluster: Option<&str>, chosen: Option<&str>) -> std::result::Result<String, String> {
        let config = json!({
            "contexts": [
                {"name": "a", "context": {"cluster": "one"}}, {"name": "b", "context": {"cluster": "one"}}, {"name": "c", "context": {"cluster": "two"}}],
            "clusters": [{"name": "one", "cluster": {"server": "https://one"}}, {"name": "two", "cluster": {"server": "https://two"}}],
        });
        let contexts: Vec<String> = contexts.iter().map(|&c| c.to_owned()).collect();
        let target = Target {
            environment: "dev",
            contexts: &contexts,
            cluster,
            namespace: "dev",
            chosen,
            lifetime: Duration::from_mins(1),
            records: Records::Secrets,
        };
        choose(&target, &config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_context_is_one_that_is_accepted_and_there() {
        assert_eq!(pick(&["x", "b"], None, None).unwrap(), "b");
        assert_eq!(pick(&["a", "b"], None, None).unwrap(), "a");
        assert_eq!(pick(&["a", "c"], None, Some("c")).unwrap(), "c");
        assert_eq!(pick(&["a"], Some("https://one/"), None).unwrap(), "a");
    }

    #[test]
    fn a_wrong_or_doubtful_cluster_is_refused() {
        assert!(pick(&["x"], None, None).unwrap_err().contains("`x` is not in your kubeconfig"));
        assert!(pick(&["a", "c"], None, None).unwrap_err().contains("different clusters"));
        assert!(pick(&["a"], None, Some("c")).unwrap_err().contains("not accepted"));
        assert!(pick(&["a"], Some("https://two"), None).unwrap_err().contains("leads to https://one"));
    }
}
