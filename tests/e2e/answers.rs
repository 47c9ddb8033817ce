//! What programs and the pages of CI systems are told of releases on a real cluster: each exit code, with its reason.

use std::collections::BTreeSet;

use crate::common::Run;
use crate::common::world::World;
use serde_json::{Value, json};

const SMALL: &str = "version: 0.1.0\nreplicas: 1\nterminationGracePeriodSeconds: 2\nport: 8080\nhealth: /ready\n";

/// The one object on stdout.
#[track_caller]
fn object(run: &Run) -> Value {
    let value: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| {
        panic!("not one object: {error}\n--- stdout\n{}\n--- stderr\n{}", run.stdout, run.stderr)
    });
    assert_eq!(value["version"], 1);
    value
}

/// Runs a command, and gives what it answers.
#[track_caller]
fn answer(world: &World, line: &str, code: i32) -> Value {
    let args: Vec<&str> = line.split(' ').chain(["-o", "json"]).collect();
    let run = Run::of(&world.command(&args).env("SHIPCAT_USER", "ann").env("CI", "true").output().unwrap()).ends(code);
    let value = object(&run);
    if value.get("exitCode").is_some() {
        assert_eq!(value["exitCode"], code);
    }
    value
}

/// The outcome and the reason of a command and of its first service.
fn short(value: &Value) -> [&str; 4] {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned().leak() as &str;
    let service = &value["services"][0];
    [word(&value["outcome"]), word(&value["reason"]), word(&service["outcome"]), word(&service["reason"])]
}

/// The names of all fields, but for those of what a cluster holds.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| fields(item, found)),
        Value::Object(map) => {
            for (name, value) in map {
                found.insert(name.clone());
                // What changes has the fields of Kubernetes.
                if name != "changes" {
                    fields(value, found);
                }
            }
        }
        _ => {}
    }
}

/// Ships, and sends a signal as soon as the change is made.
fn signalled(world: &World, tag: &str, signal: &str) -> Run {
    let child = world.start(&["ship", "webapp", "--tag", tag, "-o", "json"]);
    let started = std::time::Instant::now();
    while world.image() != tag {
        assert!(started.elapsed().as_secs() < 60);
    }
    let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    Run::of(&child.wait_with_output().unwrap())
}

/// A world in which a dead run is known to be dead soon.
fn mortal(name: &str) -> World {
    let world = World::new(name);
    world.file("manifest.yml", SMALL);
    let settings = world.repo.path().join("shipcat.yml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let short = text.replace("rollbackTimeout: 2m}", "rollbackTimeout: 2m, lock: {lifetime: 8s}}");
    std::fs::write(&settings, short).unwrap();
    world
}

/// What nobody waited for is left to the next one, which is said.
#[test]
fn an_interrupt_leaves_what_died_as_it_is_and_says_so() {
    let world = mortal("answers-left");
    answer(&world, "ship webapp", 0);
    assert_eq!(signalled(&world, "never-ready", "-KILL").stdout, "");
    let child = world.start(&["ship", "webapp", "--tag", "0.2.0", "--lock-wait", "1m", "-o", "json"]);
    let started = std::time::Instant::now();
    while !world.shipcat(&["lock", "show"]).ends(0).stdout.contains("recovers a release that died") {
        assert!(started.elapsed().as_secs() < 60);
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let run = Run::of(&child.wait_with_output().unwrap()).ends(5);
    let run = run.says("release 2 of webapp, whose run died: it is as that run left it, a person is needed");
    let value = object(&run);
    assert_eq!(short(&value)[..2], ["needs-person", "interrupted"], "{value:#}");
    let recovered = &value["recovered"][0];
    assert_eq!(json!([recovered["outcome"], recovered["exitCode"]]), json!(["needs-person", 5]), "{recovered:#}");
    assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), ("never-ready", "pending"));
    world.shipcat(&["rollback", "webapp", "--to", "999", "--take-back"]).ends(2);
    assert_eq!((world.image().as_str(), world.outcomes()[0].as_str()), ("0.1.0", "taken back"));
}

#[test]
fn what_a_dead_run_left_is_told_beside_what_was_asked_for() {
    let world = mortal("answers-died");
    answer(&world, "ship webapp", 0);
    assert_eq!(signalled(&world, "crashes", "-KILL").stdout, "");
    let value = answer(&world, "ship webapp --tag 0.2.0 --lock-wait 1m", 0);
    assert_eq!(short(&value), ["done", "-", "done", "-"], "{value:#}");
    assert_eq!(value["services"][0]["release"], 3);
    let recovered = &value["recovered"][0];
    assert_eq!(
        json!([
            recovered["service"],
            recovered["version"],
            recovered["release"],
            recovered["outcome"],
            recovered["exitCode"]
        ]),
        json!(["webapp", "crashes", 2, "as-before", 3]),
        "{recovered:#}"
    );
    assert_eq!(json!([recovered["reason"], recovered["failing"][0]["exitCode"]]), json!(["crash", 7]), "{recovered:#}");
    assert_eq!(recovered["putBack"]["complete"], true);
}

#[test]
fn each_end_of_a_release_is_told_to_programs() {
    let world = World::new("answers");
    world.file("manifest.yml", SMALL);
    let mut all = BTreeSet::new();
    let mut ends = |line: &str, code: i32, as_expected: [&str; 4]| {
        let value = answer(&world, line, code);
        assert_eq!(short(&value), as_expected, "{line}: {value:#}");
        fields(&value, &mut all);
        value
    };
    let rehearsed = ends("ship webapp --dry-run", 0, ["rehearsed", "-", "rehearsed", "-"]);
    assert!(rehearsed["commands"].as_array().unwrap().iter().any(|one| one.as_str().unwrap().contains("apply")));
    let value = ends("ship webapp", 0, ["done", "-", "done", "-"]);
    assert_eq!(
        json!([
            value["command"],
            value["environment"],
            value["context"],
            value["namespace"],
            value["who"],
            value["build"]
        ]),
        json!(["ship", "dev", "shipcat-test", world.namespace, "ann via ci", null])
    );
    assert!(value["seconds"].as_f64().unwrap() >= value["services"][0]["seconds"].as_f64().unwrap());
    ends("ship webapp", 0, ["unchanged", "-", "unchanged", "-"]);
    let value = ends("ship webapp --tag crashes", 3, ["as-before", "crash", "as-before", "crash"]);
    let service = &value["services"][0];
    assert_eq!(
        json!([service["from"], service["to"], service["release"], service["nature"], service["changes"][0]["nature"]]),
        json!(["0.1.0", "crashes", 2, ["image"], "image"])
    );
    let failing = &service["failing"][0];
    assert_eq!(json!([failing["container"], failing["reason"], failing["exitCode"]]), json!(["webapp", "crash", 7]));
    assert!(failing["object"].as_str().unwrap().starts_with("Pod/webapp-"), "{failing:#}");
    assert_eq!(
        failing["log"].as_array().unwrap().last().unwrap(),
        "fatal: cannot connect to database db:5432: connection refused"
    );
    assert_eq!(
        service["putBack"],
        json!({"complete": true, "fields": [{"object": "Deployment/webapp", "fields": ["containers[webapp].image"]}],
            "removed": [], "kept": [], "left": []})
    );
    ends("ship webapp --tag absent", 3, ["as-before", "image", "as-before", "image"]);
    ends("ship webapp --tag never-ready --timeout 3s", 3, ["as-before", "timeout", "as-before", "timeout"]);
    ends("test webapp", 2, ["refused", "refused", "-", "-"]);
    // Somebody else has it.
    let lock = answer(&world, "lock acquire --for 1h --reason freeze", 0);
    assert_eq!(lock["hold"]["who"], "ann via ci");
    let locked = ends("ship webapp --tag 0.2.0", 4, ["locked", "locked", "-", "-"]);
    assert!(locked["error"]["message"].as_str().unwrap().contains("freeze"), "{locked:#}");
    assert_eq!(answer(&world, "lock show", 0)["hold"]["reason"], "freeze");
    assert!(answer(&world, "lock steal --reason mine", 0)["from"].as_str().unwrap().starts_with("ann via ci"));
    assert_eq!(answer(&world, "lock release", 0)["released"], false);
    // Left to a person, and then mended.
    ends("ship webapp --tag crashes --on-failure keep", 5, ["needs-person", "crash", "needs-person", "crash"]);
    ends("ship webapp", 0, ["done", "-", "done", "-"]);
    world.file("manifest.yml", &format!("{SMALL}env: {{A: b}}\n"));
    let value = ends("update webapp", 0, ["done", "-", "done", "-"]);
    assert_eq!(value["services"][0]["changes"][0]["text"], "env A \"b\" added");
    ends("rollback webapp", 0, ["done", "-", "done", "-"]);
    for line in ["diff webapp", "status webapp", "history webapp", "list", "validate webapp", "generate webapp", "rbac"]
    {
        let code = i32::from(line == "diff webapp");
        answer(&world, line, code);
    }
    // A closed terminal, Ctrl-C, a cancelled build.
    for (signal, code) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        let run = signalled(&world, "slow", signal).ends(code);
        let value = object(&run);
        assert_eq!(short(&value), ["interrupted"; 4], "{value:#}");
        assert_eq!((&value["exitCode"], &value["services"][0]["exitCode"]), (&code.into(), &code.into()));
        assert_eq!(value["services"][0]["putBack"]["complete"], true);
    }
    let value = ends("remove webapp", 0, ["done", "-", "done", "-"]);
    assert_eq!(json!([value["services"][0]["from"], value["services"][0]["to"]]), json!(["0.1.0", null]));
    ends("remove webapp", 0, ["unchanged", "-", "-", "-"]);

    // What is told is documented, and the other way round.
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    let part = docs.split("## `ship`").nth(1).unwrap().split("\n## ").next().unwrap();
    let shared = docs.split("## When").nth(1).unwrap().split("\n## ").next().unwrap();
    for field in &all {
        let field = format!("`{field}`");
        assert!(part.contains(&field) || shared.contains(&field) || docs.contains(&field), "{field} is not documented");
    }
    let mut rows = Vec::new();
    for line in part.lines().filter(|line| line.starts_with("| `")).take_while(|line| !line.contains("crash")) {
        let cell = line.split('|').nth(1).unwrap();
        rows.extend(cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()));
    }
    assert!(rows.len() > 15, "{rows:?}");
    for row in rows.iter().filter(|row| !row.contains("reason")) {
        assert!(all.contains(row), "{row} is told nowhere");
    }
}

/// A page with what differs from run to run replaced.
fn steady(page: &str, world: &World) -> String {
    let mut out = String::new();
    for line in page.lines() {
        let line = line.replace(&world.namespace, "NS");
        let words = line.split(' ').map(|word| {
            let bare = word.trim_start_matches("Pod/");
            if bare.starts_with("webapp-") && bare.len() > 12 && bare.chars().any(|c| c.is_ascii_digit()) {
                return "POD".to_owned();
            }
            word.to_owned()
        });
        out += &words.collect::<Vec<_>>().join(" ");
        out.push('\n');
    }
    out
}

/// Without the times.
fn timeless(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    for at in 0..words.len().saturating_sub(1) {
        if words[at].parse::<f64>().is_ok() && words[at + 1].trim_end_matches(|c: char| !c.is_ascii_alphabetic()) == "s"
        {
            words[at] = "N";
        }
    }
    words.join(" ")
}

/// A probe may have come to a container before it crashed, or not: then there is an event of it, or none.
fn without_events(page: &str) -> String {
    match page.split_once("<details><summary>events of webapp</summary>") {
        None => page.to_owned(),
        Some((before, events)) => {
            assert!(events.starts_with("\n\n<pre>\nUnhealthy: Readiness probe failed: "), "{events}");
            before.to_owned() + events.split_once("</details>\n\n").unwrap().1
        }
    }
}

#[test]
fn one_page_tells_a_diff_and_what_became_of_the_ship() {
    let world = World::new("page");
    world.file("manifest.yml", SMALL);
    world.shipcat(&["ship", "webapp"]).ends(0);
    let page = world.repo.path().join("page.md");
    let path = page.to_str().unwrap();
    let run = |args: &[&str], code: i32| {
        let mut command = world.command(&[args, &["--summary", path]].concat());
        command
            .env("CIRCLECI", "true")
            .env("CIRCLE_USERNAME", "ann")
            .env("CIRCLE_BUILD_URL", "https://circleci.com/x/7");
        Run::of(&command.output().unwrap()).ends(code);
    };
    world.file("manifest.yml", &format!("{SMALL}env: {{A: \"x|y`</details>\"}}\n"));
    run(&["diff", "webapp", "--tag", "crashes"], 1);
    run(&["ship", "webapp", "--tag", "crashes", "--evidence", "kept"], 3);
    let text = steady(&std::fs::read_to_string(&page).unwrap(), &world);
    let (told, story) = text.split_once("<details><summary>the story</summary>").unwrap();
    let told: Vec<String> = without_events(told).lines().map(timeless).collect();
    let expected = "\
### \u{1f4dd} shipcat diff in dev: there are differences

| service | runs | would be | what differs | can ship |
| --- | --- | --- | --- | --- |
| webapp | 0.1.0 | crashes | 1 image, 1 configuration change; 1 pod restarts | yes |

<details><summary>what would change in webapp: 2 changes</summary>

| object | change | what |
| --- | --- | --- |
| Deployment/webapp | image | registry.shipcat.test/webapp:0.1.0 -&gt; crashes |
| Deployment/webapp | config | env A \"x&#124;y\\`&lt;/details&gt;\" added |

</details>

### \u{274c} shipcat ship in dev: failed, and what ran before runs

by ann via circleci \u{b7} [build](https://circleci.com/x/7) \u{b7} context shipcat-test, namespace NS \u{b7} after N s

| service | version | outcome | after | release | changes |
| --- | --- | --- | --- | --- | --- |
| webapp | 0.1.0 \u{2192} crashes | failed, as before | N s | 2 | image, config |

**webapp crashes**

| object | container | reason | exit code | what |
| --- | --- | --- | --- | --- |
| POD | webapp | crash | 7 | container \\`webapp\\` of POD crashed 2 times: exit code 7 |

<details><summary>the last words of webapp</summary>

<pre>
webapp crashes: starting
reading /etc/webapp/nginx.conf
fatal: cannot connect to database db:5432: connection refused
</pre>

</details>

- Deployment/webapp put back: containers\\[webapp\\].env\\[A\\] and containers\\[webapp\\].image

evidence: kept/webapp-2

<details><summary>what changed in webapp: 2 changes</summary>

| object | change | what |
| --- | --- | --- |
| Deployment/webapp | image | registry.shipcat.test/webapp:0.1.0 -&gt; crashes |
| Deployment/webapp | config | env A \"x&#124;y\\`&lt;/details&gt;\" added |

</details>
";
    assert_eq!(told.join("\n").trim_end(), expected.trim_end());
    for line in ["s  release 2 begun by ann via circleci", "s  taking it back", "(release 2 was taken back)"] {
        assert!(story.contains(line), "{story}");
    }
    assert!(story.trim_end().ends_with("</pre>\n\n</details>"), "{story}");
}
