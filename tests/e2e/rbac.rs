//! With exactly the Role that `rbac` prints everything works, and with the reader's everything that only looks.

use crate::common::Run;
use crate::common::world::{WEBAPP, World};
use serde_json::{Value, json};

/// Gives a user nothing but the printed Role.
fn give(world: &World, user: &str, args: &[&str]) -> String {
    let role = world.shipcat(&[&["rbac"], args].concat()).ends(0).stdout;
    assert_eq!(world.shipcat(&[&["rbac"], args].concat()).ends(0).stdout, role, "the same again");
    world.kubectl_with(&["apply", "-f", "-"], &role);
    let name = role.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap().to_owned();
    world.kubectl(&["create", "rolebinding", user, &format!("--role={name}"), &format!("--user={user}")]);
    role
}

fn as_user<'a>(world: &'a World, user: &'a str) -> impl Fn(&[&str]) -> Run + 'a {
    move |args| {
        world.shipcat_as(args, |config: &mut Value| {
            config["users"][0]["user"]["as"] = json!(user);
            config["users"][0]["user"]["as-groups"] = json!(["system:authenticated"]);
        })
    }
}

#[test]
fn a_deployer_can_do_everything_with_his_role() {
    let world = World::new("deployer");
    give(&world, "deployer", &[]);
    let run = as_user(&world, "deployer");
    run(&["diff", "webapp"]).ends(1);
    run(&["ship", "webapp"]).ends(0);
    run(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    let failed = run(&["ship", "webapp", "--tag", "crashes"]).ends(3).stderr;
    assert!(failed.contains("| fatal: cannot connect") && failed.contains("runs in dev as before"), "{failed}");
    world.file("app.conf", "two\n");
    run(&["update", "webapp"]).ends(0);
    run(&["ship", "webapp", "--image-only", "--tag", "0.3.0"]).ends(0);
    run(&["rollback", "webapp"]).ends(0);
    run(&["status", "webapp"]).ends(0);
    run(&["history", "webapp"]).ends(0);
    run(&["validate", "webapp", "--server"]).ends(0);
    world.file(
        "manifest.yml",
        &(WEBAPP.replace("port: 8080\n", "").replace("health: /ready\n", "") + "disruptionBudget: 1\n"),
    );
    let told = run(&["ship", "webapp", "--tag", "0.2.0"]).ends(0).stderr;
    assert!(told.contains("Service/webapp   removed"), "{told}");
    assert!(!told.contains("cannot be masked") && !told.contains("you may not"), "{told}");

    // And nothing else.
    let may = |verb: &str, what: &str| {
        world.try_kubectl(&["auth", "can-i", verb, what, "--as=deployer", "--as-group=system:authenticated"]).code == 0
    };
    assert!(may("patch", "deployments.apps") && !may("get", "namespaces") && !may("delete", "persistentvolumeclaims"));
    assert!(!may("create", "pods") && !may("create", "rolebindings") && !may("get", "nodes"));
}

#[test]
fn the_services_of_this_project_ship_with_the_role() {
    let world = World::of_this_repo("dev");
    give(&world, "deployer", &[]);
    let run = as_user(&world, "deployer");
    for service in ["store", "agent", "reports", "shop", "gateway"] {
        run(&["ship", service]).ends(0);
        run(&["diff", service]).ends(0);
        run(&["status", service]).ends(0);
    }
}

#[test]
fn a_deployer_can_have_the_cluster_run_his_tests() {
    let world = World::new("deployer-tests");
    let settings = world.repo.path().join("shipcat.yml");
    let tests = "tests: {image: webapp-tests, tag: passes, runner: job, fetcher: \"busybox:1\"}\n";
    std::fs::write(&settings, format!("{tests}{}", std::fs::read_to_string(&settings).unwrap())).unwrap();
    let role = give(&world, "deployer", &[]);
    let run = as_user(&world, "deployer");
    run(&["ship", "webapp"]).ends(0).says("the tests of webapp passed");
    // Without the way into the pod, it is known before anything is changed.
    world.kubectl_with(&["apply", "-f", "-"], &role.replace("pods/exec", "pods/attach"));
    run(&["ship", "webapp", "--tag", "0.2.0"]).ends(2).says("create/get pods/exec");
    assert_eq!(world.image(), "0.1.0");
}

#[test]
fn a_reader_looks_and_changes_nothing() {
    let world = World::new("onlooker");
    let role = give(&world, "onlooker", &["--reader"]);
    assert!(!role.contains("create,") && role.contains("name: shipcat-reader"), "{role}");
    world.shipcat(&["ship", "webapp"]).ends(0);
    let run = as_user(&world, "onlooker");
    let told = run(&["diff", "webapp"]).ends(0).stdout;
    assert!(
        told.contains("release 1 by") && told.contains("nothing differs") && told.contains("can ship: no"),
        "{told}"
    );
    run(&["status", "webapp"]).ends(0);
    run(&["history", "webapp"]).ends(0);
    world.kubectl(&["set", "env", "deployment/webapp", "-c", "webapp", "BY=hand"]);
    world.kubectl(&["scale", "deployment/webapp", "--replicas=1"]);
    let told = run(&["diff", "webapp"]).ends(1).stdout;
    assert!(told.contains("spec.replicas 2 -> 1: changed by hand, and is put back"), "{told}");
    assert!(told.contains("Deployment/webapp env BY, written by `kubectl-set`"), "{told}");
    world.kubectl(&["rollout", "status", "deployment/webapp", "--timeout=60s"]);
    let before = world.items(&["deployments,secrets,configmaps,services"]);
    for args in [&["ship", "webapp", "--tag", "0.2.0"][..], &["update", "webapp"], &["rollback", "webapp", "--to", "1"]]
    {
        let refused = run(args).ends(2).stderr;
        assert!(
            refused.contains("you may not do all that a ship does")
                && refused.contains("patch/update deployments.apps"),
            "{refused}"
        );
    }
    let versions =
        |items: &[Value]| items.iter().map(|item| item["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>();
    let after = world.items(&["deployments,secrets,configmaps,services"]);
    assert_eq!(versions(&before), versions(&after));
}

/// Also where the verb is there for objects of some names, and where a role that is bound and does not exist keeps the API server from listing
/// all that one may do.
#[test]
fn what_a_role_lacks_is_named_before_anything_is_changed() {
    let world = World::new("lacking");
    give(&world, "lacking", &[]);
    let whole = world.items(&["roles"]).remove(0);
    let run = as_user(&world, "lacking");
    run(&["ship", "webapp"]).ends(0);
    let before = world.items(&["deployments,secrets,configmaps,services"]);
    let without = |verb: &str, group: &str, resource: &str, instead: &str| {
        let mut rules = vec![];
        for rule in whole["rules"].as_array().unwrap() {
            let list = |key: &str| rule[key].as_array().unwrap().clone();
            // One rule for each resource, so that taking a verb from one takes it from no other.
            for one in list("resources") {
                let is_meant = one == resource && list("apiGroups").contains(&json!(group));
                let verbs: Vec<Value> = list("verbs").into_iter().filter(|one| !is_meant || one != verb).collect();
                if !verbs.is_empty() {
                    rules.push(json!({"apiGroups": rule["apiGroups"], "resources": [one], "verbs": verbs}));
                }
            }
        }
        if !instead.is_empty() {
            rules.push(
                json!({"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": [instead]}),
            );
        }
        let name = whole["metadata"]["name"].clone();
        let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules});
        world.kubectl_with(&["apply", "-f", "-"], &role.to_string());
    };
    let named = |what: &str| {
        let told = format!("you may not do all that a ship does in namespace `{}`: {what}\n", world.namespace);
        run(&["ship", "webapp", "--tag", "0.2.0"]).ends(2).says(&told);
        let answer = run(&["diff", "webapp", "--check"]).ends(1).stdout;
        assert!(answer.contains(told.trim_end()), "{answer}");
    };
    without("get", "", "pods/log", "");
    named("get pods/log");
    without("delete", "", "services", "");
    named("delete services");
    without("watch", "apps", "replicasets", "");
    named("watch replicasets.apps");
    without("patch", "apps", "deployments", "webapp");
    named("patch deployments.apps");
    world.kubectl(&["create", "rolebinding", "lost", "--role=nobody-made-it", "--user=lacking"]);
    named("patch deployments.apps");
    // Who may not delete the lock's Lease gives it back all the same.
    without("delete", "coordination.k8s.io", "leases", "");
    named("delete leases.coordination.k8s.io");
    world.shipcat(&["ship", "webapp"]).ends(0).says("nothing to do");
    // Also where somebody else has the lock, so that what was read beside it is of no use.
    without("get", "coordination.k8s.io", "leases", "");
    world.shipcat(&["lock", "acquire", "--for", "10m"]).ends(0);
    named("get leases.coordination.k8s.io");
    named("get leases.coordination.k8s.io");
    world.shipcat(&["lock", "steal", "--now", "--reason", "test"]).ends(0);
    without("nothing", "", "", "");
    let versions =
        |items: &[Value]| items.iter().map(|item| item["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>();
    assert_eq!(versions(&before), versions(&world.items(&["deployments,secrets,configmaps,services"])));
    run(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
}
