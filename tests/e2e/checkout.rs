//! The manifests repo as CI systems have it: a shallow clone, no branch, another user's, no git at all.

use std::path::Path;
use std::process::Command;

use crate::common::Run;
use crate::common::world::World;

fn git(root: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    let output = Command::new("git").arg("-C").arg(root).args(identity).args(args).output().unwrap();
    Run::of(&output).ends(0).stdout.trim().to_owned()
}

fn commit_all(root: &Path) -> String {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-qm", "a state", "--allow-empty"]);
    git(root, &["rev-parse", "HEAD"])
}

/// A clone of the world's repo.
fn cloned(world: &World, args: &[&str]) -> tempfile::TempDir {
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", world.repo.path().display());
    git(clone.path(), &[&["clone", "-q"], args, &[&from, "."]].concat());
    clone
}

/// shipcat in another checkout of the world's repo.
fn from(world: &World, repo: &Path, args: &[&str]) -> Run {
    Run::of(&world.command(args).arg("-C").arg(repo).output().unwrap())
}

fn protect(root: &Path) {
    let file = root.join("shipcat.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("rollbackTimeout: 2m", "rollbackTimeout: 2m, protected: true")).unwrap();
}

#[test]
fn a_shallow_clone_claims_nothing_that_it_cannot_know() {
    let world = World::new("shallow");
    let root = world.repo.path();
    git(root, &["init", "-q", "-b", "main"]);
    protect(root);
    let first = commit_all(root);
    world.shipcat(&["ship", "webapp", "--yes"]).ends(0);
    // What runs is in the truncated part: neither refused nor passed over.
    world.file("app.conf", "two\n");
    commit_all(root);
    let shallow = cloned(&world, &["--depth=1"]);
    let unknown = format!(
        "warning: whether this checkout is older than what runs cannot be told: release 1 came from {}, and this clone is a shallow one",
        &first[..7]
    );
    let how = "git fetch --unshallow; in CI, have it checked out with `fetch-depth: 0`";
    from(&world, shallow.path(), &["update", "webapp", "--yes"]).ends(0).says(&unknown).says(how);
    // What runs is the very revision: that is known.
    let known = from(&world, shallow.path(), &["diff", "webapp"]).ends(0).stdout;
    assert!(!known.contains("cannot be told"), "{known}");
    // With its history the older one is refused.
    let old = cloned(&world, &[]);
    git(old.path(), &["checkout", "-q", &first]);
    from(&world, old.path(), &["update", "webapp", "--yes"])
        .ends(2)
        .says("is older than what runs: release 2 came from");
    assert_eq!(world.outcomes(), ["deployed", "deployed"]);
}

#[test]
fn a_plain_folder_ships_and_a_protected_environment_wants_a_clone() {
    let world = World::new("plain");
    let shipped = world.shipcat(&["ship", "webapp"]).ends(0);
    assert!(!shipped.stderr.contains("git"), "{}", shipped.stderr);
    let history = world.shipcat(&["history", "webapp", "-o", "json"]).ends(0).stdout;
    assert!(history.contains("\"git\": null"), "{history}");
    protect(world.repo.path());
    let to = ["ship", "webapp", "--tag", "0.2.0", "--yes"];
    world.shipcat(&to).ends(2).says("dev is protected, and this manifests repo is not under git");
    // Without git itself, what is under git is told of, and elsewhere recorded without its revision.
    git(world.repo.path(), &["init", "-q"]);
    commit_all(world.repo.path());
    let bin = tempfile::tempdir().unwrap();
    let kubectl = which::which("kubectl").unwrap();
    std::os::unix::fs::symlink(std::fs::canonicalize(kubectl).unwrap(), bin.path().join("kubectl")).unwrap();
    let without_git = |args: &[&str]| Run::of(&world.command(args).env("PATH", bin.path()).output().unwrap());
    without_git(&to).ends(2).says("dev is protected, and there is no `git` on your PATH");
    let file = world.repo.path().join("shipcat.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(", protected: true", "")).unwrap();
    let without = without_git(&["ship", "webapp", "--tag", "0.2.0"]).ends(0);
    without.says("there is no `git` on your PATH to say which state of the manifests repo this is: the release is recorded without its revision");
    without_git(&["ship", "webapp", "--tag", "0.3.0", "--record", "--commit"])
        .ends(2)
        .says("error: the version could not be committed: there is no `git` on your PATH");
    assert_eq!(world.image(), "0.2.0");
}

#[test]
fn a_repo_of_another_user_is_told_with_the_line_that_mends_it() {
    let is_root = Run::of(&Command::new("id").arg("-u").output().unwrap()).stdout.trim() == "0";
    let world = World::new("foreign");
    let root = world.repo.path();
    git(root, &["init", "-q"]);
    commit_all(root);
    let home = tempfile::tempdir().unwrap();
    let as_stranger = |args: &[&str]| {
        let mut command = world.command(args);
        // git has a variable for its own tests of this, and only root can give a file away.
        if !is_root {
            command.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true");
        }
        Run::of(&command.env("HOME", home.path()).env_remove("SUDO_UID").output().unwrap())
    };
    if is_root {
        let owned = Command::new("chown").args(["-R", "12345"]).arg(root).status().unwrap();
        assert!(owned.success());
    }
    let line = format!("git config --global --add safe.directory {}", std::fs::canonicalize(root).unwrap().display());
    let told = "this manifests repo belongs to another user, so that git does not read it";
    as_stranger(&["ship", "webapp"]).ends(0).says(told).says(&line);
    let history = world.shipcat(&["history", "webapp", "-o", "json"]).ends(0).stdout;
    assert!(history.contains("\"git\": null"), "{history}");
    protect(root);
    as_stranger(&["ship", "webapp", "--tag", "0.2.0", "--yes"]).ends(2).says(told).says(&line);
    if is_root {
        // The line does what it says.
        let mended = Command::new("sh").args(["-c", &line]).env("HOME", home.path()).status().unwrap();
        assert!(mended.success());
        as_stranger(&["ship", "webapp", "--tag", "0.2.0", "--yes"]).ends(2).says("the checkout has local changes");
    }
}

#[test]
fn a_version_is_recorded_where_no_branch_is_checked_out_and_where_others_were_faster() {
    let world = World::new("detached");
    let root = world.repo.path();
    git(root, &["init", "-q", "-b", "main"]);
    git(root, &["config", "user.name", "t"]);
    git(root, &["config", "user.email", "t@example.com"]);
    commit_all(root);
    git(root, &["checkout", "-q", "--detach"]);
    let ship = |tag: &str| ["ship", "webapp", "--tag", tag, "--record", "--commit"].map(str::to_owned);
    let run = |args: [String; 6]| world.shipcat(&args.each_ref().map(String::as_str)).ends(0);
    run(ship("0.2.0"))
        .says("`manifests/webapp/dev.yml` has the version now, committed as ")
        .says(" (not pushed and on no branch: git push origin HEAD:BRANCH)");
    assert_eq!(
        git(root, &["log", "-1", "--format=%s", "--name-only"]),
        "webapp 0.2.0 in dev\n\nmanifests/webapp/dev.yml"
    );
    // A checkout that knows nothing of it gets what runs, which another one shipped.
    git(root, &["checkout", "-q", "main"]);
    world.shipcat(&["ship", "webapp", "--tag", "0.3.0"]).ends(0);
    world.shipcat(&["record", "webapp", "--commit"]).ends(0).says("webapp 0.3.0 runs in dev").says("(not pushed)");
    assert_eq!(std::fs::read_to_string(root.join("manifests/webapp/dev.yml")).unwrap(), "version: 0.3.0\n");
    assert_eq!(git(root, &["status", "--porcelain"]), "");
    world.shipcat(&["record", "webapp", "--commit"]).ends(0).says("the files say this version already");
    // Of a release that was taken back there is nothing to record.
    world.shipcat(&["ship", "webapp", "--tag", "crashes"]).ends(3);
    world.shipcat(&["record", "webapp"]).ends(0).says("the files say this version already");
    world.shipcat(&["remove", "webapp"]).ends(0);
}
