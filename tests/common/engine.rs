//! The container engine that runs tests: a real one, which `tests/engine` brings.

use std::process::Command;

use super::world::World;

/// The folder of the engine's command, if it is there; empty for the one on PATH.
fn found() -> Result<String, String> {
    if let Ok(folder) = std::env::var("SHIPCAT_TEST_ENGINE") {
        return Ok(folder);
    }
    let cache = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cache");
    let cache = std::env::var("SHIPCAT_TEST_CACHE").unwrap_or_else(|_| cache + "/shipcat-test");
    let folder = format!("{cache}/engine/bin");
    if std::path::Path::new(&folder).join("podman").is_file() { Ok(folder) } else { Err(folder) }
}

/// The same; without an engine the test fails and says how to get one.
fn folder() -> String {
    found().unwrap_or_else(|folder| {
        panic!("there is no container engine in `{folder}`: these tests need a real one. `make test` brings it and runs them, or run `tests/engine`")
    })
}

fn before(folder: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    if folder.is_empty() { path } else { format!("{folder}:{path}") }
}

/// PATH with the engine in front.
pub fn path() -> String {
    before(&folder())
}

/// The same, where there is one.
pub fn path_if_there() -> Option<String> {
    found().ok().map(|folder| before(&folder))
}

/// The containers of tests of a world's namespace that are there.
pub fn containers(world: &World) -> Vec<String> {
    let engine = if folder().is_empty() { "docker" } else { "podman" };
    let label = format!("label=shipcat.dev/namespace={}", world.namespace);
    let args = ["ps", "--all", "--quiet", "--filter", &label];
    let output = Command::new(engine_program(engine)).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn engine_program(engine: &str) -> std::path::PathBuf {
    std::env::split_paths(&path()).map(|dir| dir.join(engine)).find(|program| program.is_file()).unwrap()
}
