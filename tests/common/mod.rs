//! What the tests of the command share: running it, and folders of manifests.

#[allow(dead_code, reason = "only the tests on a cluster need one")]
pub mod world;

#[allow(dead_code, reason = "only the tests of pipelines read one")]
pub mod circleci;
#[allow(dead_code, reason = "only the tests of documents read one")]
pub mod document;
#[allow(dead_code, reason = "only the tests of tests need one")]
pub mod engine;
#[allow(dead_code, reason = "only the tests of pipelines run one")]
pub mod pipeline;
#[allow(dead_code, reason = "only those that disturb a run need one")]
pub mod proxy;
#[allow(dead_code, reason = "only those that look at what Slack is told need one")]
pub mod slack;
#[allow(dead_code, reason = "only those that disturb a run need one")]
pub mod trap;
#[allow(dead_code, reason = "only the tests of pipelines ask one")]
pub mod web;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// How a run ended, as text.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // As a shell tells it.
        let code = output.status.code().or_else(|| Some(128 + output.status.signal()?));
        Self { code: code.unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Asserts the exit code, showing everything if it is another.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that stderr has this text.
    #[track_caller]
    #[allow(dead_code, reason = "not every test binary looks at the story")]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "missing on stderr: {text:?}\n{}", self.stderr);
        self
    }
}

/// The command, with nothing of the developer's own settings.
pub fn shipcat(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shipcat"));
    command.current_dir(dir).stdin(Stdio::null());
    for name in [
        "SHIPCAT_ENV",
        "SHIPCAT_REPO",
        "SHIPCAT_CONTEXT",
        "KUBECONFIG",
        "KUBERNETES_SERVICE_HOST",
        "NO_COLOR",
        "SLACK_SHIPCAT_HOOK_URL",
        "SSL_CERT_FILE",
        // Of CI systems: a test says itself where it runs.
        "SHIPCAT_USER",
        "CI",
        "JENKINS_URL",
        "BUILD_TAG",
        "BUILD_URL",
        "BUILD_USER_ID",
        "BUILD_USER",
        "JOB_NAME",
        "CIRCLECI",
        "CIRCLE_BUILD_URL",
        "CIRCLE_USERNAME",
        "CIRCLE_PROJECT_REPONAME",
        "CIRCLE_JOB",
        "GITHUB_ACTIONS",
        "GITHUB_SERVER_URL",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_TRIGGERING_ACTOR",
        "GITHUB_ACTOR",
        "GITHUB_WORKFLOW",
        "GITLAB_CI",
        "CI_JOB_URL",
        "GITLAB_USER_LOGIN",
        "CI_PROJECT_PATH",
        "CI_JOB_NAME",
    ] {
        command.env_remove(name);
    }
    command
}

/// Writes files below a folder, making what leads to them.
pub fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
