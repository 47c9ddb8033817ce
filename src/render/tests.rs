use std::path::PathBuf;

use super::*;
use crate::manifest::{Loading, Repo};
use crate::yaml::safe;

fn rendered(manifest: &str, files: &[(&str, &[u8])]) -> Result<Rendered> {
    rendered_for("1.36", manifest, files)
}

fn rendered_for(kubernetes: &str, manifest: &str, files: &[(&str, &[u8])]) -> Result<Rendered> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("manifests/web");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        dir.path().join("shipcat.yml"),
        format!("environments: {{dev: {{contexts: [c], registry: r.io, kubernetes: {kubernetes}, values: {{v: {{x: 1}}}}}}}}\n"),
    )
    .unwrap();
    std::fs::write(folder.join("manifest.yml"), manifest).unwrap();
    for (name, bytes) in files {
        std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let repo = Repo::read(PathBuf::from(dir.path()))?;
    let environment = repo.environment(Some("dev"))?;
    let templates = Templates::new(&repo.templates, &repo.sources).map_err(|_| anyhow::anyhow!("templates"))?;
    match repo.load("web", &environment) {
        Loading::Here(manifest, _) => render(&templates, &manifest, &version_from_files(&manifest, None)?),
        Loading::Broken(broken) => bail!(broken.told()),
        Loading::Elsewhere(_) => unreachable!(),
    }
}

/// What a reader of YAML sees, for the values that are known to change on the way.
const NASTY: [&str; 20] = [
    "on",
    "yes",
    "1e3",
    "0123",
    "0o17",
    "12:30:45",
    "~",
    "1_000",
    "",
    "a: b # c",
    "\"quoted\" 'text'",
    "two\nlines\n",
    "\ttab\t",
    "\u{1f600} e\u{301}",
    "{{ x }}",
    "- a",
    "null",
    "{a: 1}",
    "\u{2028}\u{1}",
    "%TAG ! x",
];

#[test]
fn no_value_breaks_out_of_its_place() {
    let mut manifest = String::from("version: 1\nenv:\n");
    for (i, value) in NASTY.iter().enumerate() {
        let escaped =
            if value.contains("{{") { format!("{{% raw %}}{value}{{% endraw %}}") } else { (*value).to_owned() };
        manifest += &format!("  V{i}: {}\n", safe(&serde_json::to_string(&escaped).unwrap()));
    }
    let rendered = rendered(&manifest, &[]).unwrap();
    let env = rendered.objects[0].list("/spec/template/spec/containers/0/env");
    assert_eq!(env.len(), NASTY.len());
    for variable in env {
        let i: usize = variable["name"].as_str().unwrap()[1..].parse().unwrap();
        assert_eq!(variable["value"], NASTY[i], "V{i}");
    }
}

#[test]
fn a_changed_file_is_another_config_map_and_an_unchanged_one_is_not() {
    let manifest = "version: 1\nfiles: {/etc/a.conf: a.conf, /etc/b.bin: b.bin}\n";
    let first = rendered(manifest, &[("a.conf", b"x"), ("b.bin", &[0xff, 0])]).unwrap();
    let same = rendered(manifest, &[("a.conf", b"x"), ("b.bin", &[0xff, 0])]).unwrap();
    let other = rendered(manifest, &[("a.conf", b"y"), ("b.bin", &[0xff, 0])]).unwrap();
    assert_eq!(first.text, same.text);
    assert_ne!(first.objects[0].name(), other.objects[0].name());
    let mounted = |r: &Rendered| r.objects[1].text("/spec/template/spec/volumes/0/configMap/name").to_owned();
    assert_eq!(mounted(&first), first.objects[0].name());
    assert_eq!(mounted(&other), other.objects[0].name());
    assert_eq!(first.objects[0].text("/binaryData/b.bin"), "/wA=");
}

#[test]
fn what_an_apply_would_spoil_is_refused_or_goes_as_bytes() {
    for c in ["\\x7f", "\\x85", "\\uFEFF"] {
        let error = rendered(&format!("version: 1\nenv:\n  A: \"{c}\"\n"), &[]).unwrap_err().to_string();
        assert!(error.contains("`A` holds the control character U+") && error.contains("manifest.yml:3:6"), "{error}");
        assert!(rendered(&format!("version: 1\nargs: [\"{c}\"]\n"), &[]).is_err());
    }
    let rendered = rendered("version: 1\nfiles: {/a: a}\n", &[("a", "x\u{85}".as_bytes())]).unwrap();
    assert_eq!(rendered.objects[0].text("/binaryData/a"), "eMKF");
}

#[test]
fn files_of_one_name_do_not_meet() {
    let manifest = "version: 1\nfiles: {/a/x.conf: one, /b/x.conf: two, /c/y: one}\n";
    let rendered = rendered(manifest, &[("one", b"1"), ("two", b"2")]).unwrap();
    assert_eq!(rendered.objects[0].json()["data"], serde_json::json!({"a-x.conf": "1", "b-x.conf": "2", "y": "1"}));
}

#[test]
fn templates_see_the_service_and_its_environment() {
    let manifest = "version: 1.10\nport: 80\nenv: {A: '{{ service }} {{ environment }} {{ namespace }} {{ version }} {{ image }} {{ values.v.x }}'}\n";
    let rendered = rendered(manifest, &[]).unwrap();
    assert_eq!(
        rendered.objects[1].text("/spec/template/spec/containers/0/env/0/value"),
        "web dev dev 1.10 r.io/web:1.10 1"
    );
    assert_eq!(rendered.objects[1].text("/spec/template/spec/containers/0/image"), "r.io/web:1.10");
}

#[test]
fn an_undefined_variable_is_an_error_with_its_place() {
    let manifest = "version: 1\nenv:\n  A: '{{ nothing }}'\nfiles: {/a: a.j2}\n";
    let error = rendered(manifest, &[("a.j2", b"one\n  {{ values.nope }}\n")]).unwrap_err().to_string();
    assert!(error.contains("`env.A` cannot be rendered"), "{error}");
    assert!(error.contains("--> manifests/web/manifest.yml:3:6"), "{error}");
    assert!(error.contains("--> manifests/web/a.j2:2:13"), "{error}");
    assert!(
        error.contains("hint: what there is: service, environment, namespace, version, image, values.v"),
        "{error}"
    );
}

#[test]
fn a_broken_template_is_an_error_with_its_place() {
    let error = rendered("version: 1\nfiles: {/a: a.j2}\n", &[("a.j2", b"x\n{% if %}\n")]).unwrap_err().to_string();
    assert!(error.contains("--> manifests/web/a.j2:2:"), "{error}");
}

#[test]
fn where_there_is_no_probe_a_pod_must_stand_for_a_while() {
    let with = rendered("version: 1\nport: 8080\nhealth: /ready\n", &[]).unwrap();
    let without = rendered("version: 1\n", &[]).unwrap();
    assert_eq!(with.objects[1].number("/spec/minReadySeconds"), None);
    assert_eq!(without.objects[0].number("/spec/minReadySeconds"), Some(5));
    let beside = "version: 1\nhealth: {tcpSocket: {port: 80}}\nsidecars:\n  - {name: proxy, image: proxy}\n";
    assert_eq!(rendered(beside, &[]).unwrap().objects[0].number("/spec/minReadySeconds"), Some(5));
}

#[test]
fn an_authors_values_keep_their_meaning() {
    let template =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: 'x-{{ service }}'}\nspec: {mode: 0644, on: yes, size: 1e3}\n";
    let rendered = rendered("version: 1\n", &[("templates/extra.yml.j2", template.as_bytes())]).unwrap();
    let extra = rendered.objects[1].json();
    assert_eq!(extra["spec"], serde_json::json!({"mode": 420, "true": true, "size": 1000}));
    assert_eq!(extra["metadata"]["labels"][SERVICE_LABEL], "web");
}

#[test]
fn a_services_own_template_stands_in_for_a_built_in_one() {
    let template = "apiVersion: v1\nkind: Service\nmetadata: {{ metadata | json }}\nspec: {type: NodePort, ports: {{ spec.ports | json }}}\n";
    let rendered = rendered("version: 1\nport: 80\n", &[("templates/service.yml.j2", template.as_bytes())]).unwrap();
    assert_eq!(rendered.objects[0].text("/spec/type"), "NodePort");
    assert_eq!(rendered.objects.len(), 2);
}

/// Wherever text may stand, it arrives as it is.
#[test]
fn no_text_breaks_out_of_any_place() {
    for text in
        NASTY.iter().copied().chain(["{% if %}", "{{", "$(HOME) `id`", "\"}}", "*/ --", "\\", "\u{1f680}", "${{ x }}"])
    {
        let quoted = safe(&serde_json::to_string(text).unwrap());
        let raw = safe(&serde_json::to_string(&format!("{{% raw %}}{text}{{% endraw %}}")).unwrap());
        let manifest = format!(
            "version: 1\nport: 80\ncommand: [{quoted}]\nargs: [{quoted}]\nowner: {quoted}\nannotations: {{a: {quoted}}}\npodAnnotations: {{a: {quoted}}}\n\
             configMaps: {{web-own: {{data: {{k: {raw}}}, annotations: {{a: {quoted}}}}}}}\nservice: {{annotations: {{a: {quoted}}}}}\n\
             health: {{exec: {{command: [{quoted}]}}}}\ningress: {{annotations: {{a: {quoted}}}, hosts: {{a.b: {{}}}}}}\nsidecars: [{{name: s, image: x, version: 1, env: {{A: {raw}}}, args: [{quoted}]}}]\n\
             cronJobs: {{c: {{schedule: '@daily', args: [{quoted}]}}}}\n"
        );
        let rendered = rendered(&manifest, &[]).unwrap();
        let at = |kind: &str, pointer: &str| {
            rendered.objects.iter().find(|object| object.kind() == kind).unwrap().text(pointer).to_owned()
        };
        for (kind, pointer) in [
            ("Deployment", "/spec/template/spec/containers/0/command/0"),
            ("Deployment", "/spec/template/spec/containers/0/args/0"),
            ("Deployment", "/spec/template/spec/containers/0/readinessProbe/exec/command/0"),
            ("Deployment", "/spec/template/spec/containers/1/args/0"),
            ("Deployment", "/metadata/annotations/shipcat.dev~1owner"),
            ("Deployment", "/metadata/annotations/a"),
            ("Deployment", "/spec/template/metadata/annotations/a"),
            ("ConfigMap", "/metadata/annotations/a"),
            ("ConfigMap", "/data/k"),
            ("Service", "/metadata/annotations/a"),
            ("Ingress", "/metadata/annotations/a"),
            ("CronJob", "/spec/jobTemplate/spec/template/spec/containers/0/args/0"),
        ] {
            assert_eq!(at(kind, pointer), text, "{kind} {pointer}");
        }
        let sidecar = at("Deployment", "/spec/template/spec/containers/1/env/0/value");
        assert_eq!(sidecar.replace("$$", "$"), text);
        // What is printed is what is meant.
        let printed: Vec<Value> =
            yaml::documents(&rendered.text).unwrap().into_iter().map(|document| document.value).collect();
        let meant: Vec<Value> = rendered.objects.iter().map(|object| object.json().clone()).collect();
        assert_eq!(printed, meant);
    }
}

#[test]
fn a_megabyte_is_kept_or_refused_with_its_place() {
    let long = "x".repeat(1_000_000);
    let kept = rendered(&format!("version: 1\nargs: [{long}]\n"), &[("f", long.as_bytes())]).unwrap();
    assert_eq!(kept.objects[0].text("/spec/template/spec/containers/0/args/0"), long);
    let error = rendered(&format!("version: 1\nenv:\n  A: {long}\n"), &[]).unwrap_err().to_string();
    assert!(error.contains("longer than 128 KiB") && error.contains("manifest.yml:3:6"), "{}", &error[..300]);
    let error = rendered("version: 1\nfiles: {/f: f, /g: f}\n", &[("f", long.as_bytes())]).unwrap_err().to_string();
    assert!(error.contains("larger than 1 MiB") && error.contains("manifest.yml:2:8"), "{error}");
}

#[test]
fn api_versions_go_by_the_kubernetes_that_is_there() {
    let manifest = "version: 1\nport: 80\nautoscaling: {maxReplicas: 2, cpu: 80}\ndisruptionBudget: {maxUnavailable: 1}\ningress: a.b\ncronJobs: {c: {schedule: '@daily'}}\n";
    for (kubernetes, expected) in [
        ("1.20", ["autoscaling/v2beta2", "policy/v1beta1", "batch/v1beta1", "networking.k8s.io/v1"]),
        ("1.22", ["autoscaling/v2beta2", "policy/v1", "batch/v1", "networking.k8s.io/v1"]),
        ("1.36", ["autoscaling/v2", "policy/v1", "batch/v1", "networking.k8s.io/v1"]),
    ] {
        let rendered = rendered_for(kubernetes, manifest, &[]).unwrap();
        let kinds = ["HorizontalPodAutoscaler", "PodDisruptionBudget", "CronJob", "Ingress"];
        let version =
            |kind: &str| rendered.objects.iter().find(|object| object.kind() == kind).unwrap().api_version().to_owned();
        assert_eq!(kinds.map(version), expected, "{kubernetes}");
    }
    let error = rendered_for("1.20", "version: 1\ncronJobs: {c: {schedule: '@daily', timeZone: UTC}}\n", &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("error: Kubernetes 1.20 does not know `timeZone`\n  --> manifests/web/manifest.yml:2:36"),
        "{error}"
    );
    let old = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: x}\n";
    let error =
        rendered_for("1.30", "version: 1\n", &[("templates/x.yml.j2", old.as_bytes())]).unwrap_err().to_string();
    assert!(
        error.contains("does not serve PodDisruptionBudget in policy/v1beta1") && error.contains("x.yml.j2:1:1"),
        "{error}"
    );
}

#[test]
fn templates_include_others_and_what_they_make_is_held_to_what_can_be_shipped() {
    let ok = rendered(
        "version: 1\nport: 80\n",
        &[
            ("templates/_labels.j2", b"{\"x\": \"y\"}"),
            ("templates/extra.yml.j2", b"{% if manifest.port is defined %}\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: a.b/v1, kind: A, metadata: {name: a, labels: {% include \"_labels.j2\" %}}}\n---\napiVersion: a.b/v1\nkind: B\nmetadata: {name: b}\n{% endif %}"),
            ("templates/service.yml.j2", b"{% include \"built-in/service.yml.j2\" %}\n  externalName: x\n"),
        ],
    );
    // The built-in one ends in a flow map, so that more cannot be hung on it: a mistake of the author's, told with its place.
    assert!(ok.unwrap_err().to_string().contains("service.yml.j2:1:1"));
    let made = rendered(
        "version: 1\n",
        &[("templates/e.yml.j2", b"apiVersion: a.b/v1\nkind: A\nmetadata: {name: a, labels: {x: 1}}\n")],
    )
    .unwrap();
    assert_eq!(
        made.objects[1].json()["metadata"]["labels"],
        serde_json::json!({"x": 1, "app.kubernetes.io/name": "web", "app.kubernetes.io/managed-by": "shipcat", "shipcat.dev/service": "web"})
    );
    for (template, message) in [
        ("kind: A\n", "makes something without `apiVersion`"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", "Namespace/x is in no namespace"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: other}\n", "goes to namespace `other`"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n", "Deployment/web is made twice"),
        ("a: [\n", "is not YAML"),
        ("{{ nope }}", "variable `nope` is not defined"),
        ("{% if %}", "cannot be rendered"),
        ("{% include \"_no.j2\" %}", "_no.j2"),
    ] {
        let error = rendered("version: 1\n", &[("templates/e.yml.j2", template.as_bytes())]).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains("templates/e.yml.j2:1:"), "{error}");
    }
}

#[test]
fn a_value_that_is_missing_is_told_once() {
    let manifest = "version: 1\nenv: {A: '{{ values.y }}', B: '{{ values.y }}!', C: '{{ values.z }}'}\nworkers: {w: {}}\nfiles: {/a: a.j2}\n";
    let error = rendered(manifest, &[("a.j2", b"{{ values.y }}")]).unwrap_err().to_string();
    let messages: Vec<&str> = error.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        messages,
        [
            "error: the template cannot be rendered: field `y` is not defined, here and in 2 more places",
            "error: `env.C` cannot be rendered: field `z` is not defined"
        ]
    );
}
