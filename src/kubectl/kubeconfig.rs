//! Where kubectl learns of contexts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempPath;

use super::connect::{missing_user, server};

/// Where kubectl learns of contexts.
#[derive(Debug)]
pub enum Kubeconfig {
    /// Where it looks by itself: KUBECONFIG, else the home folder.
    Usual,
    /// A file that the user named.
    Named(PathBuf),
    /// A file of ours, for as long as we run.
    Ours(TempPath),
}

impl Kubeconfig {
    /// What kubectl is told of it.
    pub fn flags(&self) -> Vec<&OsStr> {
        let file: &Path = match self {
            Self::Usual => return Vec::new(),
            Self::Named(file) => file,
            Self::Ours(file) => file,
        };
        vec![OsStr::new("--kubeconfig"), file.as_os_str()]
    }

    /// The names of its contexts, where it is one file and can be read without a kubectl; else kubectl has to say what it makes of it.
    pub fn contexts(&self) -> Option<Vec<String>> {
        let file = match self {
            Self::Usual => usual(std::env::var_os("KUBECONFIG").as_deref(), std::env::var_os("HOME").as_deref())?,
            Self::Named(file) => file.clone(),
            Self::Ours(file) => file.to_path_buf(),
        };
        names(&std::fs::read_to_string(file).ok()?)
    }
}

/// The one file that kubectl would read. (Rule: k8s.io/client-go tools/clientcmd, ClientConfigLoadingRules: KUBECONFIG is a list, whose empty
/// entries are passed over; without it, the home folder's.)
fn usual(named: Option<&OsStr>, home: Option<&OsStr>) -> Option<PathBuf> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) => {
            let mut files: Vec<PathBuf> =
                std::env::split_paths(named).filter(|file| !file.as_os_str().is_empty()).collect();
            files.dedup();
            (files.len() == 1).then(|| files.remove(0))
        }
        None => home.filter(|home| !home.is_empty()).map(|home| Path::new(home).join(".kube/config")),
    }
}

/// The names of the contexts; nothing where one of them leads nowhere, which kubectl would take for this very machine, or is for a user who is
/// not there, in whose place it asks for a name, or is there twice, which it does not take at all.
fn names(text: &str) -> Option<Vec<String>> {
    let config: Value = serde_yaml::from_str(text).ok()?;
    let mut names = Vec::new();
    for entry in config.get("contexts")?.as_array()? {
        let name = entry.get("name")?.as_str()?.to_owned();
        if server(&config, &name).is_none() || missing_user(&config, &name).is_some() || names.contains(&name) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_read_and_several_are_left_to_kubectl() {
        let of = |named: Option<&str>, home: Option<&str>| {
            usual(named.map(OsStr::new), home.map(OsStr::new)).map(|file| file.display().to_string())
        };
        assert_eq!(of(None, Some("/home/ann")).as_deref(), Some("/home/ann/.kube/config"));
        assert_eq!(of(Some(""), Some("/home/ann")).as_deref(), Some("/home/ann/.kube/config"));
        assert_eq!(of(Some("/a"), Some("/home/ann")).as_deref(), Some("/a"));
        assert_eq!(of(Some(":/a:"), None).as_deref(), Some("/a"));
        assert_eq!((of(Some("/a:/b"), None), of(Some(":"), None), of(None, None)), (None, None, None));
    }

    #[test]
    fn contexts_are_read_as_they_are_written() {
        let text = "apiVersion: v1\nkind: Config\ncontexts:\n- context: {cluster: c, user: u}\n  name: \"a\"\n- {name: b, context: {cluster: c}}\nclusters: [{name: c, cluster: {server: \"https://c\"}}]\nusers: [{name: u}]\n";
        assert_eq!(names(text).unwrap(), ["a", "b"]);
        let json = r#"{"contexts": [{"name": "j", "context": {"cluster": "c"}}], "clusters": [{"name": "c", "cluster": {"server": "s"}}]}"#;
        assert_eq!(names(json).unwrap(), ["j"]);
        // What leads nowhere is left to a closer look.
        for server in ["\"\"", "null"] {
            assert_eq!(names(&text.replace("\"https://c\"", server)), None);
        }
        assert_eq!(names(&text.replace("{name: u}", "")), None);
        assert_eq!(names(&text.replace("clusters: [", "clusters: [] #")), None);
        assert_eq!(names(&text.replace("name: b", "name: a")), None);
        assert_eq!((names(""), names("contexts: null\n"), names("{")), (None, None, None));
    }
}
