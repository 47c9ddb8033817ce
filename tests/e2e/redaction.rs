//! Values of Secrets, planted in a real cluster wherever they may come from: in nothing that shipcat prints, in no spelling.

use crate::common::Run;
use crate::common::world::{WEBAPP, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const ODD: &str = "q\"uo'te\\ <&> $(x) ü";
const PLAIN: &str = "hunter2secret";
const SIX: &str = "k3y_7x";
const PEM: &str = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEAtopsecretline\nuWvPsecondsecretlineQ==\n-----END KEY-----\n";

/// Nothing of them is in a text, however it is spelled.
#[track_caller]
fn clean(run: &Run) {
    let all = format!("{}\n{}", run.stdout, run.stderr);
    let json = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
    let mut spellings: Vec<String> = Vec::new();
    for value in [ODD, PLAIN, SIX, PEM] {
        let lines = value.lines().filter(|line| value != PEM || line.contains("secret"));
        spellings.extend(lines.flat_map(|line| [line.to_owned(), json(line), json(&json(line))]));
        spellings.extend([
            STANDARD.encode(value),
            STANDARD.encode(value.trim()),
            STANDARD.encode(format!("{value}\n")),
        ]);
    }
    spellings.extend(["q%22uo%27te", "q\\\"uo", "uo'\\''te", "u003c"].map(str::to_owned));
    for spelling in spellings {
        assert!(!all.contains(&spelling), "{spelling:?} is in\n{all}");
    }
}

/// A cluster with secrets in all the places where they are found.
fn planted(name: &str) -> World {
    let world = World::new(name);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "stringData": {
        "odd": ODD, "plain": format!("{PLAIN}\n"), "six": SIX, "pem": PEM, "short": "ab1"}});
    // With an annotation that holds them all once more.
    world.kubectl_with(&["apply", "-f", "-"], &secret.to_string());
    world
}

/// The webapp with the values written out, as people do who should not.
fn manifest(version: &str, more: &str) -> String {
    let env = json!({"ODD": ODD, "PLAIN": PLAIN, "URL": format!("https://u:{SIX}@db/?p={PLAIN}"), "PEM": PEM});
    format!("{}env: {env}\n{more}", WEBAPP.replace("0.1.0", version))
}

#[test]
fn no_command_tells_a_secret() {
    let world = planted("planted");
    world.file("app.conf", &format!("password = {PLAIN}\n"));
    world.file("manifest.yml", &manifest("0.1.0", ""));
    // What plain kubectl made has it all in last-applied-configuration.
    let yaml = world.shipcat(&["generate", "webapp"]).ends(0).stdout;
    assert!(yaml.contains(PLAIN), "what is to be applied is not masked");
    world.kubectl_with(&["apply", "-f", "-"], &yaml);
    let runs: &[&[&str]] = &[
        &["diff", "webapp"],
        &["diff", "webapp", "--full"],
        &["diff", "webapp", "-o", "json"],
        &["ship", "webapp", "--dry-run"],
        &["ship", "webapp", "-v"],
        &["status", "webapp"],
        &["history", "webapp"],
    ];
    for args in runs {
        clean(&world.shipcat(args));
    }
    world.shipcat(&["status", "webapp"]).ends(0);
    world.kubectl(&["set", "env", "deployment/webapp", "-c", "webapp", &format!("BYHAND={PLAIN}")]);
    world.file("manifest.yml", &manifest("0.2.0", "").replace("k3y_7x", "other1"));
    world.file("app.conf", &format!("password = {SIX}\nother = {PLAIN}\n"));
    for args in [
        &["diff", "webapp"][..],
        &["diff", "webapp", "--full", "-v"],
        &["diff", "webapp", "-o", "json"],
        &["ship", "webapp", "-v"],
        &["rollback", "webapp", "-v"],
    ] {
        let run = world.shipcat(args);
        assert!(run.code < 2, "{}", run.stderr);
        clean(&run);
    }
    // What a page or a program gets.
    let page = world.repo.path().join("page.md");
    let path = page.to_str().unwrap();
    world.file(
        "manifest.yml",
        &manifest("0.3.0", &format!("command: [sh, -c, \"echo '{SIX} {PLAIN}' >&2; exit 1\"]\n")),
    );
    clean(&world.shipcat(&["diff", "webapp", "--summary", path]).ends(1));
    clean(&world.shipcat(&["ship", "webapp", "-o", "json", "--summary", path]).ends(3));
    clean(&world.shipcat(&["ship", "webapp", "--dry-run", "-o", "json", "--summary", path]).ends(0));
    let stdout = std::fs::read_to_string(&page).unwrap();
    assert!(stdout.contains("the last words of webapp") && stdout.contains("<pre>\n*** ***\n</pre>"), "{stdout}");
    // Some letters of a secret are escaped there.
    let unescaped = stdout.replace('\\', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    clean(&Run { code: 0, stdout, stderr: unescaped });
    let masked = world.shipcat(&["ship", "webapp", "--tag", "0.3.0", "--dry-run", "-v"]).ends(0);
    assert!(masked.stderr.contains("# secret values are masked in it"), "{}", masked.stderr);
}

#[test]
fn what_others_say_is_masked_too() {
    let world = planted("others");
    world.shipcat(&["ship", "webapp"]).ends(0);
    // A label that is no label: the API server quotes it.
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad", "labels": {"x": format!("{ODD} {PLAIN}")}}});
    world.file("manifest.yml", WEBAPP);
    crate::common::write(
        world.repo.path(),
        &[("manifests/webapp/templates/bad.yml.j2", &format!("{{% raw %}}{object}{{% endraw %}}\n"))],
    );
    for args in
        [&["ship", "webapp"][..], &["diff", "webapp"], &["validate", "webapp", "--server"], &["ship", "webapp", "-v"]]
    {
        let run = world.shipcat(args);
        assert!(run.code == 1 || run.code == 2, "{}", run.stderr);
        assert!(
            format!("{}{}", run.stdout, run.stderr).contains("a valid label must be"),
            "{} {}",
            run.stdout,
            run.stderr
        );
        clean(&run);
    }
    std::fs::remove_file(world.repo.path().join("manifests/webapp/templates/bad.yml.j2")).unwrap();

    // A container's last words.
    let command = json!(["/bin/sh", "-c", format!("echo 'password is {PLAIN} or {SIX}'; sleep 1; exit 3")]);
    world.file("manifest.yml", &format!("{WEBAPP}command: {command}\n"));
    let run = world.shipcat(&["ship", "webapp"]).ends(3);
    assert!(run.stderr.contains("| password is *** or ***"), "{}", run.stderr);
    clean(&run);
    clean(&world.shipcat(&["history", "webapp"]));
}

#[test]
fn a_rendered_secret_shows_that_it_changes_and_no_more() {
    let world = World::new("rendered");
    let secret = |password: &str| {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own"}, "stringData": {"password": password, "pin": "12"}});
        crate::common::write(world.repo.path(), &[("manifests/webapp/templates/own.yml.j2", &secret.to_string())]);
    };
    secret("first-passw0rd");
    let hidden = |run: Run| {
        let all = format!("{}{}", run.stdout, run.stderr);
        for value in [
            "first-passw0rd",
            "second-passw0rd",
            "other-passw0rd",
            &STANDARD.encode("first-passw0rd"),
            &STANDARD.encode("second-passw0rd"),
            "\"12\"",
            "MTI=",
        ] {
            assert!(!all.contains(value), "{value} is in\n{all}");
        }
        all
    };
    hidden(world.shipcat(&["diff", "webapp", "--full"]).ends(1));
    hidden(world.shipcat(&["ship", "webapp", "--dry-run"]).ends(0));
    hidden(world.shipcat(&["ship", "webapp", "-v"]).ends(0));
    hidden(world.shipcat(&["diff", "webapp"]).ends(0));
    secret("second-passw0rd");
    let told = hidden(world.shipcat(&["diff", "webapp"]).ends(1));
    assert!(told.contains("Secret/own   config   data.password \"***\" -> \"***\""), "{told}");
    let told = hidden(world.shipcat(&["diff", "webapp", "--full"]).ends(1));
    assert!(told.contains("*** (before)") && told.contains("*** (after)"), "{told}");
    hidden(world.shipcat(&["ship", "webapp"]).ends(0));
    hidden(world.shipcat(&["rollback", "webapp", "-v"]).ends(0));
}

#[test]
fn who_may_not_read_secrets_is_told_once() {
    let world = planted("unread");
    world.kubectl(&["create", "rolebinding", "looks", "--clusterrole=view", "--user=looks"]);
    let looks = |config: &mut Value| {
        config["users"][0]["user"]["as"] = json!("looks");
        config["users"][0]["user"]["as-groups"] = json!(["system:authenticated"]);
    };
    let run = world.shipcat_as(&["diff", "webapp"], looks).ends(1);
    assert_eq!(
        run.stderr.matches("cannot be masked: you may not list Secrets in namespace").count(),
        1,
        "{}",
        run.stderr
    );
}

#[test]
fn the_evidence_is_kept_and_masked() {
    let world = World::new("evidence");
    world.kubectl(&["create", "secret", "generic", "planted", "--from-literal=password=correct-horse-battery"]);
    world.file("manifest.yml", &format!("{}env: {{PASSWORD: correct-horse-battery}}\n", WEBAPP));
    world.shipcat(&["ship", "webapp"]).ends(0);
    world
        .shipcat(&["ship", "webapp", "--tag", "crashes", "--evidence", "proof"])
        .ends(3)
        .says("the evidence is kept in `proof/webapp-2`");
    let folder = world.repo.path().join("proof/webapp-2");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("summary.txt").contains("version: 0.1.0 -> crashes\n") && read("summary.txt").contains("exit code 7"));
    assert!(read("diff.txt").contains("image    registry.shipcat.test/webapp:0.1.0 -> crashes"));
    assert!(read("events.txt").contains("webapp") && read("describe.txt").contains("Exit Code:    7"));
    assert!(read("rendered.yaml").contains("kind: Deployment") && read("before.yaml").contains("webapp:0.1.0"));
    let logs: Vec<String> = std::fs::read_dir(folder.join("logs"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(logs.iter().any(|log| log.contains("fatal: cannot connect to database")), "{logs:?}");
    for file in ["summary.txt", "diff.txt", "rendered.yaml", "before.yaml", "events.txt", "describe.txt"] {
        assert!(!read(file).contains("correct-horse"), "{file}");
    }
    assert!(read("rendered.yaml").contains("***"));
    // That it cannot be kept ends nothing.
    std::fs::write(world.repo.path().join("file"), "").unwrap();
    world
        .shipcat(&["ship", "webapp", "--tag", "crashes", "--evidence", "file"])
        .ends(3)
        .says("warning: the evidence cannot be kept");
}
