//! What is to be run: all that a run of tests needs to know, as the record of a release keeps it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// `docker`, or `podman` where that is what there is.
    Container,
    /// `docker`.
    Docker,
    /// `podman`.
    Podman,
    /// A Job in the environment's namespace.
    Job,
}

/// When the image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// Before each run.
    Always,
    /// Where it is not there yet.
    Missing,
}

/// The tests of a service in an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suite {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The image with its tag or digest.
    pub image: String,
    /// What runs instead of the image's entry point; nothing for that.
    #[serde(default)]
    pub command: Vec<String>,
    /// The environment variables.
    pub env: Vec<(String, String)>,
    /// Where the container leaves its JUnit files: a folder, or one file.
    pub junit: String,
    /// How long they may take.
    pub timeout: Duration,
    /// The container engine's network.
    #[serde(default)]
    pub network: Option<String>,
    /// What runs them.
    pub runner: Runner,
    /// When the image is pulled.
    pub pull: Pull,
    /// Of a Job, the image with `sh` and `tar` that keeps the files until they are fetched.
    #[serde(default)]
    pub fetcher: Option<String>,
    /// Of a Job, the Secrets with which the images are pulled, as Kubernetes spells them.
    #[serde(default)]
    pub pull_secrets: Value,
    /// Of a Job, what its containers need and may use, as Kubernetes spells it.
    #[serde(default)]
    pub resources: Value,
}

impl Suite {
    /// The name of what runs them, which nothing else has.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new_name(&self) -> std::io::Result<String> {
        let mut bytes = [0u8; 4];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // A label of Kubernetes has 63 characters, and a Job's pods add some of their own.
        let service: String = self.service.chars().take(36).collect();
        Ok(format!("shipcat-tests-{}-{random}", service.trim_end_matches('-')))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn suite() -> Suite {
        Suite {
            service: "webapp".into(),
            environment: "dev".into(),
            image: "registry/tests:1".into(),
            command: Vec::new(),
            env: vec![("URL".into(), "http://x".into())],
            junit: "/junit".into(),
            timeout: Duration::from_mins(1),
            network: None,
            runner: Runner::Job,
            pull: Pull::Missing,
            fetcher: Some("busybox:1".into()),
            pull_secrets: Value::Null,
            resources: Value::Null,
        }
    }

    #[test]
    fn a_name_is_a_label_and_no_two_are_the_same() {
        let suite = Suite { service: format!("{}-{}", "a".repeat(35), "b".repeat(20)), ..suite() };
        let (one, two) = (suite.new_name().unwrap(), suite.new_name().unwrap());
        assert!(one.len() <= 63 && one != two && !one.contains("--"), "{one} {two}");
    }

    #[test]
    fn a_suite_is_read_as_it_was_written() {
        let text = serde_json::to_string(&suite()).unwrap();
        assert_eq!(serde_json::from_str::<Suite>(&text).unwrap(), suite());
    }
}
