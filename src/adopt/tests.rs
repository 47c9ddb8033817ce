use std::path::PathBuf;

use super::*;
use crate::manifest::{Loading, Repo};
use crate::render::{render, version_from_files};

/// The originals that are held against a real cluster as well, and what of them a manifest has no word for.
const ORIGINALS: [(&str, &str, &[&str]); 12] = [
    ("cron", "report", &["CronJob/report-clean"]),
    ("daemon", "agent", &[]),
    ("edge", "edge", &["ConfigMap/text-as-bytes", "Ingress/edge-fallback", "NetworkPolicy/edge", "Role/edge"]),
    ("helm", "web", &[]),
    ("minimal", "web", &[]),
    ("odd", "odd", &["Deployment/odd", "PodDisruptionBudget/odd"]),
    ("scaled", "api", &[]),
    ("scaled2", "api", &[]),
    ("set", "db", &[]),
    ("static", "web", &[]),
    ("twice", "twice", &[]),
    ("workers", "shop", &["Deployment/redis"]),
];

struct Bench {
    dir: tempfile::TempDir,
    repo: Repo,
}

impl Bench {
    fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("shipcat.yml"), settings).unwrap();
        let repo = Repo::read(PathBuf::from(dir.path())).unwrap();
        Self { dir, repo }
    }

    fn adopt(&self, service: &str, text: &str) -> Result<Adopted> {
        let input = Input { name: "x.yml".into(), text: text.into() };
        let environments = self.repo.environments.values().cloned().collect();
        let templates = Templates::new(&self.repo.templates, &self.repo.sources).unwrap();
        let scratch = tempfile::tempdir()?;
        adopt(service, &[input], &self.repo, environments, &templates, scratch.path())
    }

    /// What `generate` prints of a service that was taken over.
    fn generate(&self, service: &str, adopted: &Adopted) -> String {
        adopted.write(&self.dir.path().join("manifests").join(service)).unwrap();
        let environment = self.repo.environments.values().next().unwrap();
        let templates = Templates::new(&self.repo.templates, &self.repo.sources).unwrap();
        match self.repo.load(service, environment) {
            Loading::Here(manifest, _) => {
                render(&templates, &manifest, &version_from_files(&manifest, None).unwrap()).unwrap().text
            }
            other => panic!("{other:?}"),
        }
    }
}

fn original(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/originals/{name}.yml"));
    std::fs::read_to_string(path).unwrap()
}

fn templates_of(adopted: &Adopted) -> Vec<String> {
    let told = adopted.told.iter().filter_map(|told| match told {
        Told::Template(what, ..) => Some(what.clone()),
        _ => None,
    });
    told.collect()
}

const SETTINGS: &str = "environments:\n  dev: {contexts: [c], kubernetes: 1.20}\n";

#[test]
fn most_of_what_runs_today_is_in_readable_keys() {
    let files = std::fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/originals")).unwrap().count();
    assert_eq!(files, ORIGINALS.len(), "an original is not in the list");
    for (name, service, templates) in ORIGINALS {
        let adopted = Bench::new(SETTINGS).adopt(service, &original(name)).unwrap();
        assert_eq!(templates_of(&adopted), templates, "{name}: {:?}", adopted.told);
    }
}

#[test]
fn what_it_makes_makes_the_same_manifest_again() {
    let body = |adopted: &Adopted| {
        let files: Vec<_> =
            adopted.draft.files.list.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        (adopted.written.text.clone(), files, templates_of(adopted))
    };
    for (name, service, _) in ORIGINALS {
        let bench = Bench::new(SETTINGS);
        let first = bench.adopt(service, &original(name)).unwrap();
        let yaml = bench.generate(service, &first);
        let second = bench.adopt(service, &yaml).unwrap();
        let (first, second) = (body(&first), body(&second));
        // Where the objects come in another order, so do the templates and what is in maps.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&first.0), sorted(&second.0), "{name}");
        assert_eq!(first.1, second.1, "{name}");
    }
}

#[test]
fn texts_that_look_like_something_else_arrive_as_they_are() {
    for text in [
        "{{ x }}",
        "{% raw %}{{ x }}{% endraw %}",
        "{% endraw %}",
        "{# c #}",
        "$(HOME) $$",
        "on",
        "0123",
        "a: b",
        "",
        " a ",
        "\ttab",
        "x\r\ny",
        "é\u{1f600}",
        "'\"",
        "~",
    ] {
        let quoted = serde_json::to_string(text).unwrap();
        let yaml = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, annotations: {{x: {quoted}}}}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  \
             template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n      - {{name: a, image: 'a:1', args: [{quoted}], env: [{{name: A, value: {quoted}}}]}}\n\
             ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: {quoted}, l: {}}}\n\
             ---\napiVersion: example.com/v1\nkind: Other\nmetadata: {{name: a}}\nspec: {{k: {quoted}, {quoted}: [{quoted}]}}\n",
            serde_json::to_string(&format!("line\n{text}\n")).unwrap(),
        );
        let bench = Bench::new(SETTINGS);
        let adopted = bench.adopt("a", &yaml).unwrap();
        assert_eq!(templates_of(&adopted), ["Other/a"], "{text:?}: {:?}", adopted.told);
        assert!(adopted.told.iter().all(|told| !matches!(told, Told::LeftOut(..))), "{text:?}: {:?}", adopted.told);
    }
}

#[test]
fn files_get_names_that_nobody_takes_for_something_else() {
    let mut files = files::Files::default();
    let mut add = |key: &str| files.add("conf", key, Vec::new());
    assert_eq!(add("app.conf"), "app.conf");
    assert_eq!(add("APP.conf"), "conf/APP.conf");
    assert_eq!(add("dev.yml"), "conf/dev.yml");
    assert_eq!(add("manifest.yml"), "conf/manifest.yml");
    assert_eq!(add("x.j2"), "x.j2.txt");
    assert_eq!(add("templates"), "conf/templates");
    assert_eq!(files.add("other", "app.conf", Vec::new()), "other/app.conf");
    assert_eq!(files.add("templates", "app.conf", Vec::new()), "templates-files/app.conf");
}

#[test]
fn a_count_that_an_autoscaler_owns_is_left_to_it() {
    let live = |applied: &str| {
        let objects = original("scaled").replace(
            "metadata: {name: api, labels: {app: api}}",
            &format!("metadata: {{name: api, uid: '1', annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{applied}'}}}}"),
        );
        Bench::new(SETTINGS).adopt("api", &objects).unwrap().draft.keys
    };
    assert_eq!(live("{\"spec\": {}}")["autoscaling"].get("replicas"), None);
    assert_eq!(live("{\"spec\": {\"replicas\": 9}}")["autoscaling"]["replicas"], 2);
    assert!(!live("{\"spec\": {}}").contains_key("replicas"));
}
