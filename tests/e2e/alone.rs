//! A static shipcat in a root folder with nothing else in it but a kubectl, a kubeconfig and the manifests: no shell, no libraries, no git, no
//! users, no certificates, no devices, no home and no folder for temporary files.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::world::{World, kubeconfig};
use crate::common::{Run, write};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// A root with nothing in it but these programs.
fn root(programs: &[(&str, &Path)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("bin")).unwrap();
    for (name, program) in programs {
        std::fs::copy(program, root.path().join("bin").join(name)).unwrap();
    }
    root
}

pub fn static_shipcat() -> PathBuf {
    // It is there already where `make` runs the tests, and this takes a moment.
    let built = Run::of(&Command::new(script("static")).stdin(Stdio::null()).output().unwrap()).ends(0);
    PathBuf::from(built.stdout.trim())
}

fn is_static(program: &Path) -> bool {
    let headers = Command::new("readelf").args(["--program-headers", "--wide"]).arg(program).output().unwrap();
    headers.status.success() && !String::from_utf8_lossy(&headers.stdout).contains("INTERP")
}

/// A kubectl that needs nothing beside it: the first on PATH, or the one that comes with the test cluster.
pub fn static_kubectl() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let cache = std::env::var("SHIPCAT_TEST_CACHE").unwrap_or_else(|_| {
        let caches = std::env::var("XDG_CACHE_HOME").unwrap_or_else(|_| std::env::var("HOME").unwrap() + "/.cache");
        caches + "/shipcat-test"
    });
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push(Path::new(&cache).join("bin-1.20.2"));
    let mut kubectls = folders.iter().map(|folder| folder.join("kubectl")).filter(|kubectl| kubectl.is_file());
    kubectls
        .find(|kubectl| is_static(kubectl))
        .unwrap_or_else(|| panic!("there is no kubectl that is static, as those of Kubernetes' own releases are"))
}

fn alone(root: &Path, variables: &[&str], args: &[&str]) -> Run {
    let mut command = Command::new(script("alone"));
    command.arg(root).args(["PATH=/bin", "KUBECONFIG=/kubeconfig"]).args(variables).arg("shipcat").args(args);
    Run::of(&command.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn all_of_a_ship_works_where_there_is_nothing_but_shipcat_and_kubectl() {
    let world = World::new("alone");
    let root = root(&[("shipcat", &static_shipcat()), ("kubectl", &static_kubectl())]);
    std::fs::copy(kubeconfig(), root.path().join("kubeconfig")).unwrap();
    for file in ["shipcat.yml", "manifests/webapp/manifest.yml", "manifests/webapp/app.conf"] {
        let text = std::fs::read_to_string(world.repo.path().join(file)).unwrap();
        write(root.path(), &[(&format!("repo/{file}"), &text)]);
    }
    let shipcat = |args: &[&str]| alone(root.path(), &[], &[&["-C", "/repo"], args].concat());
    shipcat(&["diff", "-n", "dev", "webapp"]).ends(1);
    let shipped = shipcat(&["ship", "-n", "dev", "webapp"]).ends(0);
    assert!(!shipped.stderr.contains("warning"), "{}", shipped.stderr);
    assert_eq!(world.image(), "0.1.0");
    shipcat(&["diff", "-n", "dev", "webapp"]).ends(0);
    // Without git there is no revision of the manifests to tell.
    let status = shipcat(&["status", "-n", "dev", "webapp"]).ends(0);
    assert!(
        status.stdout.contains("health    well, 2 pods ready") && !status.stdout.contains("manifests"),
        "{status:?}"
    );
    shipcat(&["ship", "-n", "dev", "webapp", "--tag", "crashes"]).ends(3).says("webapp 0.1.0 runs in dev as before");
    assert_eq!(world.image(), "0.1.0");
}

#[test]
fn a_webhook_is_looked_up_and_told_without_a_library_or_a_certificate_of_the_machine() {
    let root = root(&[("shipcat", &static_shipcat())]);
    let say = |url: &str| alone(root.path(), &[&format!("SLACK_SHIPCAT_HOOK_URL={url}")], &["slack", "hi"]).ends(0);
    let unknown = say("https://hooks.shipcat.invalid/services/x");
    assert!(
        unknown.stderr.starts_with("warning: Slack was not told: ") && unknown.stderr.lines().count() == 1,
        "{unknown:?}"
    );
    // One that /etc/hosts knows is reached: it is greeted by its name. What it says is no TLS.
    write(root.path(), &[("etc/hosts", "127.0.0.1 hooks.shipcat.invalid\n")]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let greeted = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = vec![0; 1000];
        let length = stream.read(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 x\r\n\r\n").unwrap();
        String::from_utf8_lossy(&hello[..length]).into_owned()
    });
    let refused = say(&format!("https://hooks.shipcat.invalid:{port}/services/x"));
    assert_eq!(
        refused.stderr,
        "warning: Slack was not told: the certificate of Slack's webhook is not trusted (see SSL_CERT_FILE)\n"
    );
    assert!(greeted.join().unwrap().contains("hooks.shipcat.invalid"));
}
