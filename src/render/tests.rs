use std::path::PathBuf;

use super::*;
use crate::manifest::Repo;
use crate::yaml::safe;

fn rendered(manifest: &str, files: &[(&str, &[u8])]) -> Result<Rendered> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("manifests/web");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        dir.path().join("shipcat.yml"),
        "environments: {dev: {contexts: [c], registry: r.io, values: {v: {x: 1}}}}\n",
    )
    .unwrap();
    std::fs::write(folder.join("manifest.yml"), manifest).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let mut repo = Repo::read(PathBuf::from(dir.path()))?;
    let environment = repo.environment(Some("dev"))?;
    let (manifests, _) = repo.manifests(&environment, Some(&["web".to_owned()]))?;
    render(&manifests[0], &version_from_files(&manifests[0], None)?, &repo.sources)
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
fn kubernetes_expands_nothing_in_a_value() {
    assert_eq!(literal("$(HOME) $$ $x"), "$$(HOME) $$$$ $$x");
    assert_eq!(literal("cost: 5$, $x"), "cost: 5$, $x");
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
    assert_eq!(rendered.objects[0].text("/binaryData/a"), STANDARD.encode("x\u{85}"));
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
        error.contains("hint: what there is: environment, image, namespace, service, values.v, version"),
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
}
