//! How often each command starts kubectl: the dear part of nearly everything. On a real cluster, since what is asked depends on the answers.

use crate::common::trap::Trap;
use crate::common::world::World;
use crate::common::write;

/// A figure may only be changed by somebody who looked at why.
#[test]
fn each_command_starts_no_more_kubectls_than_it_must() {
    let world = World::new("starts");
    // Renewals of the lock come by the clock, and would count a slow machine.
    world.settings("lock: {lifetime: 10m}");
    let second = "version: 0.1.0\nimage: webapp\nport: 8080\nhealth: /ready\nterminationGracePeriodSeconds: 2\n";
    for service in ["api", "shop"] {
        write(world.repo.path(), &[(&format!("manifests/{service}/manifest.yml"), second)]);
    }
    let trap = Trap::new("read point", ":");
    let mut found = Vec::new();
    let mut starts = |args: &[&str], code: i32| {
        trap.set(None);
        trap.run(&world, args).ends(code);
        // Whether the API server is there at all is only asked when an answer has been late for a second.
        let calls = trap.log().lines().filter(|call| !call.starts_with("get --raw /version ")).count();
        found.push(format!("{} {calls}", args.join(" ")));
    };
    starts(&["generate", "webapp"], 0);
    starts(&["validate"], 0);
    starts(&["diff", "webapp"], 1);
    starts(&["ship", "webapp"], 0);
    starts(&["ship", "webapp"], 0);
    starts(&["ship", "webapp", "--tag", "0.2.0"], 0);
    starts(&["diff", "webapp", "--tag", "0.2.0"], 0);
    world.file("app.conf", "two\n");
    starts(&["update", "webapp"], 0);
    starts(&["rollback", "webapp"], 0);
    starts(&["ship", "webapp", "--tag", "absent"], 3);
    starts(&["ship", "api", "shop"], 0);
    starts(&["status", "webapp"], 0);
    starts(&["history", "webapp"], 0);
    starts(&["list"], 0);
    starts(&["lock", "show"], 0);
    starts(&["rbac"], 0);
    assert_eq!(
        found,
        [
            "generate webapp 0",
            "validate 0",
            "diff webapp 7",
            "ship webapp 14",
            "ship webapp 11",
            "ship webapp --tag 0.2.0 15",
            "diff webapp --tag 0.2.0 7",
            "update webapp 17",
            "rollback webapp 16",
            "ship webapp --tag absent 19",
            "ship api shop 17",
            "status webapp 5",
            "history webapp 2",
            "list 4",
            "lock show 2",
            "rbac 0",
        ]
    );
}
