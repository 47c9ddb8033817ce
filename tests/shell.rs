//! What shells are given: completions, as a real bash takes them, and manual pages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, shipcat, write};

/// What bash offers for the last of these words.
fn offered(dir: &Path, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(shipcat completions bash)\nCOMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9\n\
         _clap_complete_shipcat shipcat '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1,
        words.last().unwrap(),
    );
    let bin = Path::new(env!("CARGO_BIN_EXE_shipcat")).parent().unwrap().to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", &script]).current_dir(dir).env("PATH", path).env_remove("SHIPCAT_REPO");
    let run = Run::of(&command.output().unwrap()).ends(0);
    assert_eq!(run.stderr, "");
    run.stdout.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn bash_completes_commands_services_and_environments() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            ("shipcat.yml", "environments:\n  dev: {contexts: [here]}\n  global: {contexts: [there]}\n"),
            ("manifests/shop/manifest.yml", "version: 1.0.0\n"),
            ("manifests/web/manifest.yml", "version: 1.0.0\n"),
        ],
    );
    let offered = |words: &[&str]| offered(dir.path(), words);
    assert_eq!(offered(&["shipcat", "rol"]), ["rollback"]);
    assert_eq!(offered(&["shipcat", "ship", "w"]), ["web"]);
    assert_eq!(offered(&["shipcat", "status", "-n", ""]), ["dev", "global"]);
    let services = offered(&["shipcat", "diff", "-n", "dev", ""]);
    assert!(services.contains(&"shop".to_owned()) && services.contains(&"web".to_owned()), "{services:?}");
    assert!(offered(&["shipcat", "ship", "--to"]).contains(&"--together".to_owned()));
    // Where there is no manifests repo, nothing is offered, and nothing is said.
    let nowhere = tempfile::tempdir().unwrap();
    assert!(!self::offered(nowhere.path(), &["shipcat", "ship", "w"]).contains(&"web".to_owned()));
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Run::of(&shipcat(Path::new("/")).args(["completions", shell]).output().unwrap()).ends(0).stdout;
        assert!(script.contains("COMPLETE") && script.contains("shipcat"), "{shell}: {script}");
    }
    Run::of(&shipcat(Path::new("/")).args(["completions", "tcsh"]).output().unwrap()).ends(2);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let dir = tempfile::tempdir().unwrap();
    let one = Run::of(&shipcat(dir.path()).arg("man").output().unwrap()).ends(0).stdout;
    assert!(one.contains(".TH shipcat 1") && one.contains("Exit codes"), "{one}");
    Run::of(&shipcat(dir.path()).args(["man", "-d", "pages"]).output().unwrap()).ends(0);
    let pages = std::fs::read_dir(dir.path().join("pages")).unwrap();
    let mut pages: Vec<String> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    for page in ["shipcat.1", "shipcat-ship.1", "shipcat-lock-acquire.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    let ship = std::fs::read_to_string(dir.path().join("pages/shipcat-ship.1")).unwrap();
    assert!(ship.contains("on\\-failure"), "{ship}");
}
