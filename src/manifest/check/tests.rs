use std::path::PathBuf;

use super::*;
use crate::error::Problems;
use crate::manifest::{Loading, Repo};

/// What is wrong, and what is doubtful: `line:column message`.
fn told(manifest: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("manifests/web");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(dir.path().join("shipcat.yml"), "environments: {dev: {contexts: [c], kubernetes: 1.20}}\n").unwrap();
    std::fs::write(folder.join("manifest.yml"), manifest).unwrap();
    let repo = Repo::read(PathBuf::from(dir.path())).unwrap();
    let environment = repo.environment(Some("dev")).unwrap();
    let (problems, sources) = match repo.load("web", &environment) {
        Loading::Here(manifest, warnings) => (warnings, manifest.sources),
        Loading::Broken(broken) => (broken.problems, broken.sources),
        Loading::Elsewhere(_) => unreachable!(),
    };
    assert!(problems.iter().all(|problem| problem.hint.is_some() && problem.place.is_some()));
    let many = problems.len();
    let lines: Vec<String> = problems
        .iter()
        .map(|p| format!("{}:{} {}", p.place.unwrap().line, p.place.unwrap().column, p.message))
        .collect();
    let shown = Problems::new(problems, &sources).map_or(0, |problems| problems.len());
    assert!(shown <= many);
    lines
}

#[test]
fn each_part_must_fit_the_others() {
    for (manifest, expected) in [
        ("health: /ready\n", "1:9 `health` asks the service's port, and the service has none"),
        ("port: 80\nhealth: {tcpSocket: {port: web}}\n", "2:28 the container has no port named `web`"),
        ("port: 80\nports: {http: 81}\n", "2:15 two ports are named `http`"),
        ("port: 80\nports: {web: 80}\n", "2:14 the port 80 is here twice, as `http` and as `web`"),
        ("volumeMounts: [{name: a, mountPath: /a}]\n", "1:23 there is no volume `a`"),
        (
            "volumes: {a: {emptyDir: {}, mountPath: /a}, b: {emptyDir: {}, mountPath: /a/}}\n",
            "1:74 two things are mounted at `/a/`",
        ),
        (
            "resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}\n",
            "1:29 the request for cpu is 2, and the limit is 1500m",
        ),
        ("replicas: 2\nkind: DaemonSet\n", "1:11 `replicas` says nothing to a DaemonSet"),
        ("autoscaling: {minReplicas: 3, maxReplicas: 2}\n", "1:44 `maxReplicas` is 2, and `minReplicas` is 3"),
        (
            "autoscaling: {maxReplicas: 2, cpu: 80}\n",
            "1:36 the autoscaler goes by per cent of the cpu request, and there is none",
        ),
        ("replicas: 2\ndisruptionBudget: 2\n", "2:19 with 2 pods and 2 that must stay, no node can ever be emptied"),
        ("labels: {app: other}\n", "1:15 `labels` says `app: other`, and the pods are found by `app: web`"),
        ("ingress: a.example.com\n", "1:10 the ingress leads to the service's port, and the service has none"),
        ("port: 80\ningress: {hosts: {a.b: {paths: {/: admin}}}}\n", "2:36 the Service has no port `admin`"),
        ("version: latest\n", "1:10 `latest` is a tag that moves: nobody knows which image it is"),
        ("sidecars: [{name: web}]\n", "1:19 two containers are named `web`"),
        (
            "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}\n",
            "1:27 with no pod missing and no pod too many nothing can be replaced",
        ),
        ("livenessProbe: {grpc: {port: 1}}\n", "1:17 Kubernetes 1.20 does not know `grpc`"),
        ("securityContext: {runAsNonRoot: true, runAsUser: 0}\n", "1:50 `runAsNonRoot` refuses to run as user 0"),
        (
            "jobs: {a-very-long-name-for-a-job-that-migrates-all-thing: {}}\n",
            "1:60 `web-a-very-long-name-for-a-job-that-migrates-all-thing` is longer than 52 characters",
        ),
        (
            "volumes: {a: {emptyDir: {}, subPath: x}}\n",
            "1:38 `subPath` is of a mount, and this volume has no `mountPath`",
        ),
        ("tests: {tag: 1}\n", "1:8 `tests` has no image"),
        (
            "tests: {image: t, runner: job}\n",
            "1:27 `runner: job` needs an image with `sh` and `tar`: `tests` has no `fetcher`",
        ),
        ("tests: {image: t, timeout: 0s}\n", "1:28 `0s` is no time at all"),
    ] {
        let manifest =
            if manifest.contains("version:") { manifest.to_owned() } else { format!("{manifest}version: 1\n") };
        let told = told(&manifest);
        assert_eq!(told, [expected], "{manifest}");
    }
}

#[test]
fn what_a_worker_has_from_the_service_is_told_once() {
    let manifest = "resources: {requests: {cpu: 2}, limits: {cpu: 1}}\nworkers: {a: {}, b: {}}\n";
    let told = told(manifest);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 1, "{told:?}");
}

#[test]
fn quantities_compare_by_what_they_are() {
    let amount = |text: &str| amount(&text.into()).unwrap();
    assert!(amount("1500m") < amount("2"));
    assert!(amount("1Gi") > amount("1G"));
    assert!((amount("1e3") - amount("1k")).abs() < f64::EPSILON);
}
