//! In a pod: the cluster that it runs in, as its service account. kubectl wants a kubeconfig to know it by, so one is written for the run.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempPath;

use crate::error::Failure;

/// The context that stands for the cluster around the pod.
pub const IN_CLUSTER: &str = "in-cluster";

/// Where Kubernetes puts what a pod's service account has.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The way to the cluster around the pod.
#[derive(Debug)]
pub struct Account {
    config: Value,
}

impl Account {
    /// That of the pod we run in.
    ///
    /// # Errors
    /// Why there is none, as the rest of a sentence.
    pub fn of_this_pod() -> std::result::Result<Self, String> {
        let given = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self::at(Path::new(FOLDER), given("KUBERNETES_SERVICE_HOST"), given("KUBERNETES_SERVICE_PORT"))
    }

    fn at(folder: &Path, host: Option<String>, port: Option<String>) -> std::result::Result<Self, String> {
        let Some(host) = host else {
            return Err("this is no pod (KUBERNETES_SERVICE_HOST is not set)".to_owned());
        };
        let (token, authority) = (folder.join("token"), folder.join("ca.crt"));
        for file in [&token, &authority] {
            if let Err(error) = std::fs::File::open(file) {
                return Err(format!("the pod's `{}` cannot be read: {error}", file.display()));
            }
        }
        let port = port.unwrap_or_else(|| "443".to_owned());
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        // The token is named, not copied: Kubernetes renews it in its file, and kubectl reads it there. The namespace is the environment's.
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": IN_CLUSTER, "cluster": {"server": format!("https://{host}:{port}"), "certificate-authority": authority}}],
            "users": [{"name": IN_CLUSTER, "user": {"tokenFile": token}}],
            "contexts": [{"name": IN_CLUSTER, "context": {"cluster": IN_CLUSTER, "user": IN_CLUSTER}}],
        });
        Ok(Self { config })
    }

    /// What a kubeconfig with it says.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Writes that kubeconfig to a file of our own, which only we may read and which goes with its value.
    ///
    /// # Errors
    /// If there is nowhere to write.
    pub fn write(&self) -> Result<TempPath> {
        let written = || -> std::io::Result<TempPath> {
            let mut file = tempfile::Builder::new().prefix("shipcat-").suffix(".kubeconfig").tempfile()?;
            file.write_all(self.config.to_string().as_bytes())?;
            Ok(file.into_temp_path())
        };
        match written() {
            Ok(path) => Ok(path),
            Err(error) => bail!(
                Failure::refused(format!(
                    "cannot write a kubeconfig for the pod's service account to `{}`: {error}",
                    std::env::temp_dir().display()
                ))
                .hint("give the pod an `emptyDir` there, or set TMPDIR to a folder that can be written")
            ),
        }
    }
}

/// What is in a kubeconfig that somebody names on the command line must be there: kubectl takes a missing one of KUBECONFIG for an empty one.
///
/// # Errors
/// If it cannot be read.
pub fn readable(file: &Path) -> Result<()> {
    std::fs::File::open(file).map(drop).with_context(|| format!("cannot read the kubeconfig `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_kubeconfig_names_the_token_and_does_not_hold_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |host: Option<&str>| Account::at(folder.path(), host.map(str::to_owned), Some("6443".to_owned()));
        assert_eq!(at(None).unwrap_err(), "this is no pod (KUBERNETES_SERVICE_HOST is not set)");
        assert!(at(Some("10.0.0.1")).unwrap_err().starts_with("the pod's `"));
        std::fs::write(folder.path().join("token"), "s3cr3t").unwrap();
        std::fs::write(folder.path().join("ca.crt"), "authority").unwrap();
        let path = at(Some("fd00::1")).unwrap().write().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("https://[fd00::1]:6443") && !text.contains("s3cr3t"), "{text}");
        assert!(!text.contains("namespace"), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let kept = path.to_path_buf();
        drop(path);
        assert!(!kept.exists());
    }
}
