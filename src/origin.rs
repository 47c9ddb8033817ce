//! Who is at work, and in which build of a CI system: what the lock, the release records and Slack say of it. The values come from outside,
//! and are cleaned before they go anywhere. A leaf: imports nothing of this crate.

/// How long a name may be, in characters.
const NAME: usize = 100;
/// How long a link may be: one that is cut leads nowhere, so that a longer one is left out.
const LINK: usize = 2000;

/// What the plugin that tells Jenkins' users apart says where nobody started a build (plugins.jenkins.io/build-user-vars-plugin).
const NOBODY: [&str; 5] = ["timer", "scmChange", "branchIndexing", "remoteRequest", "genericWebhook"];

/// Who is at work, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The person: `ann@laptop`; in a build who started it, and of which system: `ann via circleci`. Where nobody started it, its job:
    /// `job deploy-dev via jenkins`.
    pub who: String,
    /// The build: its URL.
    pub build: Option<String>,
}

/// A build, as its system tells of it.
struct Build {
    system: &'static str,
    person: Option<String>,
    job: Option<String>,
    link: Option<String>,
}

impl Origin {
    /// Where this process runs.
    pub fn here() -> Self {
        let user = || whoami::username().unwrap_or_else(|_| "somebody".into());
        let host = || whoami::hostname().unwrap_or_else(|_| "somewhere".into());
        Self::of(|name| std::env::var(name).ok(), user, host)
    }

    /// The same of some other environment: `variable` looks one up, `user` and `host` are the machine's.
    fn of(variable: impl Fn(&str) -> Option<String>, user: impl Fn() -> String, host: impl Fn() -> String) -> Self {
        let given = |name: &str| variable(name).map(|value| clean(&value)).filter(|value| !value.is_empty());
        let asked = given("SHIPCAT_USER");
        let Some(build) = build(&given) else {
            let user = asked.unwrap_or_else(|| clean(&user()));
            // The name of a container that is thrown away tells nobody anything.
            let place = if is_ci(&given) { " via ci".to_owned() } else { format!("@{}", clean(&host())) };
            return Self { who: format!("{user}{place}"), build: None };
        };
        let job = build.job.map(|job| format!("job {job}"));
        let who = asked.or(build.person).or(job).unwrap_or_else(|| "a build".into());
        Self { who: format!("{who} via {}", build.system), build: build.link }
    }
}

/// Whether this process runs in a CI system: nobody sits at the terminal that it may have, and nothing that moves is read there.
pub fn in_ci() -> bool {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    is_ci(&given) || build(&given).is_some()
}

/// Every system sets `CI`, but for Jenkins.
fn is_ci(given: &impl Fn(&str) -> Option<String>) -> bool {
    given("CI").is_some_and(|ci| !["false", "0", "no"].contains(&ci.to_lowercase().as_str()))
}

/// The build that we are part of. A build that is triggered by one of another system has its own variables only, and what the other one handed
/// on; so the system itself must have said that it is at work. A link that is called `BUILD_URL` is anybody's, and counts last.
fn build(given: &impl Fn(&str) -> Option<String>) -> Option<Build> {
    let says = |name: &str| given(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_jenkins =
        given("JENKINS_URL").is_some() || given("BUILD_TAG").is_some_and(|tag| tag.starts_with("jenkins-"));
    match () {
        () if is_jenkins => Some(jenkins(given)),
        () if says("CIRCLECI") => Some(circle(given)),
        () if says("GITHUB_ACTIONS") => Some(github(given)),
        () if says("GITLAB_CI") => Some(gitlab(given)),
        () => given("BUILD_URL").and_then(|url| link(&url)).map(|_| jenkins(given)),
    }
}

/// www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables. Who wrote a change (`CHANGE_AUTHOR`) is not who started its
/// build.
fn jenkins(given: &impl Fn(&str) -> Option<String>) -> Build {
    let person = given("BUILD_USER_ID").filter(|id| !NOBODY.contains(&id.as_str()));
    let named = || given("BUILD_USER_ID").is_none().then(|| given("BUILD_USER")).flatten();
    let link = given("BUILD_URL").and_then(|url| link(&url));
    Build { system: "jenkins", person: person.or_else(named), job: given("JOB_NAME"), link }
}

/// circleci.com/docs/reference/variables. The person is not known where they have no account there.
fn circle(given: &impl Fn(&str) -> Option<String>) -> Build {
    let job = match (given("CIRCLE_PROJECT_REPONAME"), given("CIRCLE_JOB")) {
        (Some(project), Some(job)) => Some(format!("{project}/{job}")),
        (project, job) => project.or(job),
    };
    let link = given("CIRCLE_BUILD_URL").and_then(|url| link(&url));
    Build { system: "circleci", person: given("CIRCLE_USERNAME"), job, link }
}

/// docs.github.com/actions/reference/workflows-and-actions/variables. Who runs something again need not be who ran it first, and each attempt
/// has a page of its own.
fn github(given: &impl Fn(&str) -> Option<String>) -> Build {
    let run = || {
        let (server, repository, run) =
            (given("GITHUB_SERVER_URL")?, given("GITHUB_REPOSITORY")?, given("GITHUB_RUN_ID")?);
        let attempt = given("GITHUB_RUN_ATTEMPT").filter(|attempt| attempt.chars().all(|c| c.is_ascii_digit()));
        let attempt = attempt.map(|attempt| format!("/attempts/{attempt}")).unwrap_or_default();
        link(&format!("{}/{repository}/actions/runs/{run}{attempt}", server.trim_end_matches('/')))
    };
    let person = given("GITHUB_TRIGGERING_ACTOR").or_else(|| given("GITHUB_ACTOR"));
    Build { system: "github", person, job: given("GITHUB_WORKFLOW"), link: run() }
}

/// docs.gitlab.com/ci/variables/predefined_variables. Of a manual job it is who started that, else who started the pipeline.
fn gitlab(given: &impl Fn(&str) -> Option<String>) -> Build {
    let job = match (given("CI_PROJECT_PATH"), given("CI_JOB_NAME")) {
        (Some(project), Some(job)) => Some(format!("{project}/{job}")),
        (project, job) => project.or(job),
    };
    Build {
        system: "gitlab",
        person: given("GITLAB_USER_LOGIN"),
        job,
        link: given("CI_JOB_URL").and_then(|url| link(&url)),
    }
}

/// A value in one line, without what no line shows: control characters, and those that turn or hide the text around them.
fn clean(value: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let shown: String =
        value.chars().filter(|c| !is_hidden(*c)).map(|c| if c.is_control() { ' ' } else { c }).take(LINK + 1).collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    let line = words.join(" ");
    // A link has its own limit.
    if line.contains("://") { line } else { cut(&line) }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(NAME) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

/// A link as it may be recorded: without a user and a password, which Jenkins' own URL may have been given. Nothing of what is none.
fn link(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (place, path) = rest.split_at(end);
    let host = place.rsplit('@').next().unwrap_or_default();
    let is_good = is_web && !host.is_empty() && url.chars().count() <= LINK && !url.contains([' ', '"', '<', '>']);
    is_good.then(|| format!("{}://{host}{path}", scheme.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variables that are looked at: `tests/common` takes them away from what it starts.
    const VARIABLES: [&str; 26] = [
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
    ];

    fn of(variables: &[(&str, &str)]) -> (String, Option<String>) {
        let variable = |name: &str| {
            assert!(VARIABLES.contains(&name), "{name}");
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let Origin { who, build } = Origin::of(variable, || "ann".into(), || "laptop".into());
        (who, build)
    }

    fn is(variables: &[(&str, &str)], who: &str, build: Option<&str>) {
        assert_eq!(of(variables), (who.to_owned(), build.map(str::to_owned)), "{variables:?}");
    }

    #[test]
    fn the_tests_of_the_command_know_nothing_of_where_they_run() {
        let common = include_str!("../tests/common/mod.rs");
        for name in VARIABLES {
            assert!(common.contains(&format!("\"{name}\",")), "{name} is handed on by tests/common");
        }
    }

    #[test]
    fn a_person_at_their_machine() {
        is(&[], "ann@laptop", None);
        is(&[("SHIPCAT_USER", "bob"), ("CI", "false")], "bob@laptop", None);
        is(&[("CI", "true")], "ann via ci", None);
        is(&[("CI", "woodpecker"), ("SHIPCAT_USER", " bob ")], "bob via ci", None);
    }

    #[test]
    fn jenkins() {
        let here =
            [("JENKINS_URL", "https://ci/"), ("BUILD_URL", "https://ci/job/deploy-dev/7/"), ("JOB_NAME", "deploy-dev")];
        let with = |more: &[(&'static str, &'static str)]| [here.as_slice(), more].concat();
        let link = Some("https://ci/job/deploy-dev/7/");
        is(&with(&[("BUILD_USER_ID", "ann"), ("BUILD_USER", "Ann Lee")]), "ann via jenkins", link);
        is(&with(&[("BUILD_USER", "Ann Lee")]), "Ann Lee via jenkins", link);
        is(&with(&[]), "job deploy-dev via jenkins", link);
        is(&with(&[("BUILD_USER_ID", "timer"), ("BUILD_USER", "Timer Trigger")]), "job deploy-dev via jenkins", link);
        is(&with(&[("SHIPCAT_USER", "bob"), ("BUILD_USER_ID", "ann")]), "bob via jenkins", link);
        // One that does not know its own URL; and one of which only the link is known.
        is(&[("BUILD_TAG", "jenkins-deploy-7"), ("JOB_NAME", "deploy")], "job deploy via jenkins", None);
        is(&[("BUILD_URL", "http://ci/7")], "a build via jenkins", Some("http://ci/7"));
        is(&[("BUILD_URL", "nightly")], "ann@laptop", None);
    }

    #[test]
    fn circleci() {
        let url = "https://circleci.com/gh/acme/shop/12";
        let here = [("CI", "true"), ("CIRCLECI", "true"), ("CIRCLE_BUILD_URL", url)];
        let with = |more: &[(&'static str, &'static str)]| [here.as_slice(), more].concat();
        is(&with(&[("CIRCLE_USERNAME", "ann")]), "ann via circleci", Some(url));
        let job = [("CIRCLE_USERNAME", ""), ("CIRCLE_PROJECT_REPONAME", "shop"), ("CIRCLE_JOB", "deploy")];
        is(&with(&job), "job shop/deploy via circleci", Some(url));
        is(&with(&[("BUILD_URL", "https://example.com/image")]), "a build via circleci", Some(url));
    }

    #[test]
    fn github() {
        let here = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_ACTOR", "ann"),
        ];
        let with = |more: &[(&'static str, &'static str)]| [here.as_slice(), more].concat();
        is(&with(&[]), "ann via github", Some("https://github.com/acme/shop/actions/runs/99"));
        let again = with(&[("GITHUB_TRIGGERING_ACTOR", "bob"), ("GITHUB_RUN_ATTEMPT", "2")]);
        is(&again, "bob via github", Some("https://github.com/acme/shop/actions/runs/99/attempts/2"));
        is(&[("GITHUB_ACTIONS", "true"), ("GITHUB_WORKFLOW", "Deploy")], "job Deploy via github", None);
    }

    #[test]
    fn gitlab() {
        let url = "https://gitlab.com/acme/shop/-/jobs/5";
        let here = [("GITLAB_CI", "true"), ("CI_JOB_URL", url)];
        is(&[here.as_slice(), &[("GITLAB_USER_LOGIN", "ann")]].concat(), "ann via gitlab", Some(url));
        let job = [("CI_PROJECT_PATH", "acme/shop"), ("CI_JOB_NAME", "deploy")];
        is(&[here.as_slice(), &job].concat(), "job acme/shop/deploy via gitlab", Some(url));
    }

    #[test]
    fn the_nearest_build_counts() {
        // What the build that triggered it handed on as parameters says nothing of its own.
        let handed_on = [("CIRCLE_BUILD_URL", "https://circleci.com/1"), ("CIRCLE_USERNAME", "bob")];
        let own = [("JENKINS_URL", "https://ci/"), ("BUILD_URL", "https://ci/7/"), ("BUILD_USER_ID", "ann")];
        is(&[own.as_slice(), &handed_on].concat(), "ann via jenkins", Some("https://ci/7/"));
        is(&handed_on, "ann@laptop", None);
    }

    #[test]
    fn what_comes_from_outside_is_cleaned() {
        let who = |name: &str| of(&[("SHIPCAT_USER", name)]).0;
        assert_eq!(who("ann\n\u{1b}[31mroot\u{202e}"), "ann [31mroot@laptop");
        assert_eq!(who(&"x".repeat(5000)), format!("{}\u{2026}@laptop", "x".repeat(100)));
        assert_eq!(who("\u{200b}\n"), "ann@laptop");
        let build = |url: &str| of(&[("BUILD_TAG", "jenkins-1"), ("BUILD_URL", url)]).1;
        assert_eq!(build("https://ann:geheim@ci:8443/job/@x/1").unwrap(), "https://ci:8443/job/@x/1");
        assert_eq!(build("HTTPS://geheim@ci?a=b@c").unwrap(), "https://ci?a=b@c");
        for odd in ["javascript:alert(1)", "https://", "https://ann:x@/", "https://ci/a b", "https://ci/<x>", "//ci/1"]
        {
            assert_eq!(build(odd), None, "{odd}");
        }
        assert_eq!(build(&format!("https://ci/{}", "x".repeat(3000))), None);
    }
}
