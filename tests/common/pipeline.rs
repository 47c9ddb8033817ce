//! The shell steps of pipelines that the documentation hands out, run exactly as they are written, as each CI system runs them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_yaml::Value;
use tempfile::TempDir;

/// Names and their values.
pub type Pairs = Vec<(String, String)>;

/// Which CI system it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Jenkins,
    CircleCi,
    GitHub,
}

/// A shell step, and what its file says of its environment.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its stage in a Jenkinsfile (`ship`, `always`), its name elsewhere.
    pub name: String,
    pub script: String,
    pub env: Pairs,
}

/// A file of this project.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The `sh` steps of a Jenkinsfile. Each script is in single quotes, so that nothing of it is Groovy's but the doubled backslash.
pub fn jenkins_steps(jenkinsfile: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut name = String::new();
    let mut lines = jenkinsfile.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(stage) = line.strip_prefix("stage('") {
            name = stage.split('\'').next().unwrap().to_owned();
        } else if ["always {", "aborted {"].contains(&line) {
            name = line.split(' ').next().unwrap().to_owned();
        } else if let Some(script) = line.strip_prefix("sh '") {
            let script = match script {
                "''" => lines.by_ref().take_while(|line| line.trim() != "'''").collect::<Vec<_>>().join("\n"),
                one => one.strip_suffix('\'').unwrap().to_owned(),
            };
            steps.push(Step { name: name.clone(), script: script.replace("\\\\", "\\"), env: Vec::new() });
        } else {
            assert!(
                !line.starts_with("sh ") && !line.starts_with("sh("),
                "another kind of `sh` than is known here: {line}"
            );
        }
    }
    steps
}

/// What the `environment` of a Jenkinsfile sets, and which credentials it binds.
pub fn jenkins_environment(jenkinsfile: &str) -> (Pairs, Pairs) {
    let block = jenkinsfile.split("\n    environment {\n").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let pairs = block.lines().filter_map(|line| line.trim().split_once(" = "));
    let (bound, set): (Vec<_>, Vec<_>) = pairs.partition(|(_, value)| value.starts_with("credentials("));
    let unquoted = |pairs: Vec<(&str, &str)>| {
        let inner = |value: &str| value.split('\'').nth(1).unwrap().to_owned();
        pairs.into_iter().map(|(name, value)| (name.to_owned(), inner(value))).collect()
    };
    (unquoted(set), unquoted(bound))
}

fn environment(of: &Value) -> Pairs {
    let said = of.get("environment").or_else(|| of.get("env")).and_then(Value::as_mapping);
    let plain = |value: &Value| value.as_str().map_or_else(|| value.as_f64().unwrap().to_string(), str::to_owned);
    said.into_iter().flatten().map(|(name, value)| (name.as_str().unwrap().to_owned(), plain(value))).collect()
}

/// The shell steps of a job of a CircleCI configuration or a GitHub workflow, with its own environment and the job's. What the system itself
/// would fill in (`<< ... >>`, `${{ ... }}`) is left to the test.
pub fn yaml_steps(text: &str, job: &str) -> Vec<Step> {
    let mut config: Value = serde_yaml::from_str(text).unwrap();
    config.apply_merge().unwrap();
    let job = &config["jobs"][job];
    let of_job = environment(job);
    let step = |step: &Value| {
        let run = step.get("run")?;
        // GitHub's `run` is the script itself.
        let (script, named) = match run.as_str() {
            Some(script) => (script, step),
            None => (run["command"].as_str().unwrap(), run),
        };
        let env = of_job.iter().cloned().chain(environment(named));
        let env = env.filter(|(_, value)| !value.contains("<<") && !value.contains("${{")).collect();
        Some(Step { name: named["name"].as_str().unwrap().to_owned(), script: script.to_owned(), env })
    };
    job["steps"].as_sequence().unwrap().iter().filter_map(step).collect()
}

/// A build: its workspace, its home, and the variables that its system gives to each step.
pub struct Build {
    system: System,
    pub workspace: TempDir,
    pub home: TempDir,
    variables: Pairs,
}

impl Build {
    pub fn new(system: System) -> Self {
        let (workspace, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, "").unwrap();
            path.to_str().unwrap().to_owned()
        };
        let variables: Vec<(&str, String)> = match system {
            System::Jenkins => vec![
                ("JENKINS_URL", "https://jenkins.example.com/".into()),
                ("BUILD_URL", "https://jenkins.example.com/job/deploy-dev/7/".into()),
                ("JOB_NAME", "deploy-dev".into()),
                ("BUILD_ID", "7".into()),
                ("WORKSPACE", workspace.path().to_str().unwrap().into()),
            ],
            System::CircleCi => vec![
                ("CI", "true".into()),
                ("CIRCLECI", "true".into()),
                ("CIRCLE_BUILD_URL", "https://circleci.com/gh/acme/webapp/7".into()),
                ("CIRCLE_BRANCH", "main".into()),
                ("BASH_ENV", at("bash_env")),
            ],
            System::GitHub => vec![
                ("CI", "true".into()),
                ("GITHUB_ACTIONS", "true".into()),
                ("GITHUB_SERVER_URL", "https://github.com".into()),
                ("GITHUB_REPOSITORY", "acme/webapp".into()),
                ("GITHUB_RUN_ID", "7".into()),
                ("GITHUB_PATH", at("path")),
                ("GITHUB_STEP_SUMMARY", at("summary.md")),
            ],
        };
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { system, workspace, home, variables }
    }

    /// With a variable: a parameter, a credential, or what tells of the build.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.workspace.path().join(name)).unwrap_or_default()
    }

    /// Starts a step as the system does, with nothing of our own environment but PATH.
    pub fn start(&self, step: &Step) -> Running {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = self.home.path().join(format!("step-{number}"));
        std::fs::write(&file, &step.script).unwrap();
        let log = self.home.path().join(format!("log-{number}"));
        let mut command = match self.system {
            System::Jenkins => Command::new("sh"),
            _ => Command::new("bash"),
        };
        match self.system {
            System::Jenkins => command.arg("-xe").arg(&file),
            System::CircleCi => command.args(["-eo", "pipefail", "-c", &step.script]),
            System::GitHub => command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file),
        };
        let bin = Path::new(env!("CARGO_BIN_EXE_shipcat")).parent().unwrap().to_owned();
        // GitHub puts what the steps so far named in front.
        let named = std::fs::read_to_string(self.home.path().join("path")).unwrap_or_default();
        let named: String = named.lines().map(|folder| format!("{folder}:")).collect();
        let path = super::engine::path_if_there().unwrap_or_else(|| std::env::var("PATH").unwrap());
        let cookie = format!("durable-{}-{number}", std::process::id());
        let output = File::create(&log).unwrap();
        let child = command
            .current_dir(&self.workspace)
            .env_clear()
            .env("PATH", format!("{named}{}:{path}", bin.display()))
            .env("HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .envs(step.env.iter().cloned())
            // What says more than the file does: a parameter, or where a test has its downloads.
            .envs(self.variables.iter().filter(|(name, _)| name.ends_with("_URL")).cloned())
            .env("JENKINS_SERVER_COOKIE", &cookie)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Running { child, cookie, log }
    }

    /// Runs a step to its end: its exit code and its log.
    pub fn run(&self, step: &Step) -> (i32, String) {
        self.start(step).ended()
    }
}

/// A step that runs.
pub struct Running {
    child: Child,
    cookie: String,
    log: PathBuf,
}

impl Running {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for a text in its log.
    #[track_caller]
    pub fn until(&self, text: &str) {
        let started = std::time::Instant::now();
        while !self.log().contains(text) {
            assert!(started.elapsed().as_secs() < 60, "no {text:?} in\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// As Jenkins aborts a step: SIGTERM to each process whose environment has the step's cookie, whatever it is.
    pub fn abort(&self) {
        let mark = format!("JENKINS_SERVER_COOKIE={}\0", self.cookie);
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            if String::from_utf8_lossy(&environment).contains(&mark) {
                let pid = entry.file_name().into_string().unwrap();
                drop(Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status());
            }
        }
    }

    pub fn ended(mut self) -> (i32, String) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().unwrap();
        let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap();
        (code, std::fs::read_to_string(&self.log).unwrap())
    }
}
