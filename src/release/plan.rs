//! What a release would change, and by which road. Pure: from what is wanted, what is live, and what a dry run said.

use super::nature::{Change, Nature, What, changes_of, container_of_image};
use super::ownership;
use super::rollout::{Kind, is_complete, is_failed, is_on_delete, template_path};
use super::step::{JobRun, Step};
use crate::kubectl::RESTARTED;
use crate::yaml::Object;

/// By which road a release goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Road {
    /// Nothing differs.
    Nothing,
    /// Nothing but images differ: `kubectl set image` for each of these.
    SetImage(Vec<Images>),
    /// A server-side apply.
    Apply,
    /// Nothing differs, and pods are replaced all the same.
    Restart,
}

/// The images that one object gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// The object as kubectl takes it: `deployment/webapp`.
    pub object: String,
    /// Container and image.
    pub images: Vec<(String, String)>,
}

/// The plan of a release.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The objects, in the order in which they are applied.
    pub steps: Vec<Step>,
    /// What changes.
    pub changes: Vec<Change>,
    /// By which road.
    pub road: Road,
    /// What is live and goes once the release is deployed.
    pub leftovers: Vec<Object>,
}

impl Plan {
    /// Compares. `expected` is what the server will make of each of `desired`; `now` is the time (RFC 3339).
    pub fn new(desired: &[Object], live: &[Object], expected: &[Object], now: &str) -> Self {
        let mut steps = Vec::new();
        let mut changes = Vec::new();
        for wanted in desired {
            let live = wanted.among(live);
            let job = (Kind::of(wanted) == Some(Kind::Job)).then(|| match live {
                Some(live) if is_complete(live) => JobRun::Done,
                Some(live) if is_failed(live) => JobRun::Again(Box::new(live.clone())),
                _ => JobRun::Due,
            });
            let (before, expected) = match (&job, live) {
                (Some(JobRun::Done), Some(live)) => (Some(live), live),
                (Some(JobRun::Again(_)), _) => (None, wanted),
                _ => (live, wanted.among(expected).unwrap_or(wanted)),
            };
            let (before, expected) = (before.cloned(), expected.clone());
            let takeover = before.as_ref().and_then(|before| ownership::takeover(before, wanted, now));
            let step = Step { desired: wanted.clone(), before, expected, takeover, job, restart: None };
            let step = if step.is_applied() { step } else { Step { takeover: None, ..step } };
            changes.extend(changes_of(step.before.as_ref(), &step.expected));
            steps.push(step);
        }
        let road = road(&steps, &changes);
        Self { steps, changes, road, leftovers: Vec::new() }
    }

    /// The same plan, with live objects that go in the end.
    pub fn removing(mut self, leftovers: &[Object]) -> Self {
        let removed =
            |object: &Object| Change { object: object.to_string(), nature: Nature::Removed, what: What::Object };
        self.changes.extend(leftovers.iter().map(removed));
        self.leftovers = leftovers.to_vec();
        self
    }

    /// The same plan with other pods for every workload, also where its template stays as it is: that says `at` (RFC 3339) then. A template that
    /// changes anyhow is left as it is, since one new revision is enough.
    pub fn restarting(mut self, at: Option<&str>) -> Self {
        let Some(at) = at else { return self };
        let stays = |step: &&mut Step| step.is_workload() && step.before.is_some() && !step.replaces_pods();
        for step in self.steps.iter_mut().filter(stays) {
            let path = template_path(&step.desired);
            let Some(template) = step.expected.json_mut().pointer_mut(path) else { continue };
            template["metadata"]["annotations"][RESTARTED] = at.into();
            step.restart = Some(at.to_owned());
            self.changes.push(Change { object: step.desired.to_string(), nature: Nature::Restart, what: What::Object });
            if self.road == Road::Nothing {
                self.road = Road::Restart;
            }
        }
        self
    }

    /// A plan for images alone: `expected` is what is live with other images, `jobs` run before. Everything else stays as it is, whoever
    /// wrote it and whatever the manifest says.
    pub fn of_images(jobs: &[Object], live: &[Object], expected: &[Object]) -> Self {
        let mut plan = Self::new(jobs, live, jobs, "");
        let mut all = Vec::new();
        for object in expected {
            let Some(before) = object.among(live) else { continue };
            let changes = changes_of(Some(before), object);
            all.extend(images(object, &changes).filter(|images| !images.images.is_empty()));
            plan.changes.extend(changes);
            plan.steps.push(Step {
                desired: object.clone(),
                before: Some(before.clone()),
                expected: object.clone(),
                takeover: None,
                job: None,
                restart: None,
            });
        }
        plan.road = match (all.is_empty(), plan.steps.iter().any(|step| step.job.is_some() && step.is_job_due())) {
            (true, false) => Road::Nothing,
            _ => Road::SetImage(all),
        };
        plan
    }

    /// The workloads.
    pub fn workloads(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_workload())
    }

    /// What is watched until it is good: workloads, and Jobs that are to run.
    pub fn watched(&self) -> Vec<&Step> {
        self.steps
            .iter()
            .filter(|step| (step.is_workload() || step.is_job_due()) && !is_on_delete(&step.desired))
            .collect()
    }

    /// The steps in stages, each of which must be done before the next begins: what Jobs need, the Jobs, and the rest. One stage if
    /// no Job is to run, or nothing changes.
    pub fn stages(&self) -> Vec<Vec<&Step>> {
        let due = self.road != Road::Nothing && self.steps.iter().any(Step::is_job_due);
        let stage = |step: &Step| match due {
            false => 2,
            true if step.job.is_some() => 1,
            true if step.is_needed_by_jobs() => 0,
            true => 2,
        };
        let of = |number: u8| self.steps.iter().filter(|step| stage(step) == number).collect::<Vec<_>>();
        [0, 1, 2].map(of).into_iter().filter(|steps| !steps.is_empty()).collect()
    }
}

fn road(steps: &[Step], changes: &[Change]) -> Road {
    if changes.is_empty() && steps.iter().all(|step| step.takeover.is_none()) {
        return Road::Nothing;
    }
    set_image(steps, changes).unwrap_or(Road::Apply)
}

/// The short road, where nothing but images of one Deployment change and no Job is to run before.
fn set_image(steps: &[Step], changes: &[Change]) -> Option<Road> {
    if steps.iter().any(|step| step.takeover.is_some() || step.is_job_due()) {
        return None;
    }
    let step =
        steps.iter().find(|step| step.desired.to_string() == changes.first().map_or("", |first| &first.object))?;
    let whole = changes.iter().all(|change| change.object == changes[0].object && change.nature == Nature::Image);
    if !whole || Kind::of(&step.desired) != Some(Kind::Deployment) {
        return None;
    }
    Some(Road::SetImage(vec![images(&step.desired, changes)?]))
}

/// The images that these changes give an object; `None` if one of them is of another kind.
fn images(object: &Object, changes: &[Change]) -> Option<Images> {
    let image = |change: &Change| {
        let What::Field(difference) = &change.what else { return None };
        let container = container_of_image(object, &difference.path.to_string())?;
        Some((container, difference.to.as_ref()?.as_str()?.to_owned()))
    };
    let images = changes.iter().map(image).collect::<Option<_>>()?;
    Some(Images { object: kubectl_name(object), images })
}

/// An object of a kind of Kubernetes' own as kubectl takes it: `deployment/webapp`.
pub fn kubectl_name(object: &Object) -> String {
    format!("{}/{}", object.kind().to_lowercase(), object.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(image: &str, replicas: u32, env: &str) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": {
            "replicas": replicas, "template": {"spec": {"containers": [{"name": "w", "image": image, "env": [{"name": "A", "value": env}]}]}}}}))
        .unwrap()
    }

    fn plan(live: &[Object], expected: &Object) -> Plan {
        Plan::new(std::slice::from_ref(expected), live, std::slice::from_ref(expected), "now")
    }

    #[test]
    fn the_road_is_by_what_changes() {
        let live = deployment("a:1", 2, "x");
        assert_eq!(plan(std::slice::from_ref(&live), &live).road, Road::Nothing);
        let image = plan(std::slice::from_ref(&live), &deployment("a:2", 2, "x"));
        assert_eq!(
            image.road,
            Road::SetImage(vec![Images { object: "deployment/w".into(), images: vec![("w".into(), "a:2".into())] }])
        );
        assert!(image.steps[0].replaces_pods());
        let both = plan(std::slice::from_ref(&live), &deployment("a:2", 2, "y"));
        assert_eq!(both.road, Road::Apply);
        let scale = plan(std::slice::from_ref(&live), &deployment("a:1", 3, "x"));
        assert_eq!(
            (scale.road.clone(), scale.changes[0].nature, scale.steps[0].replaces_pods()),
            (Road::Apply, Nature::Scale, false)
        );
        let new = plan(&[], &live);
        assert_eq!((new.road.clone(), new.changes[0].nature), (Road::Apply, Nature::New));
    }

    #[test]
    fn a_restart_is_for_what_would_keep_its_pods() {
        let live = deployment("a:1", 2, "x");
        let again = plan(std::slice::from_ref(&live), &live).restarting(Some("2026-01-02T03:04:05Z"));
        let step = &again.steps[0];
        assert_eq!((&again.road, again.changes[0].nature, again.changes.len()), (&Road::Restart, Nature::Restart, 1));
        assert!(step.replaces_pods() && step.is_changed() && step.restart.is_some());
        // What is applied, and kept in the record, is as it was.
        assert_eq!(step.desired, live);
        let image = plan(std::slice::from_ref(&live), &deployment("a:2", 2, "x")).restarting(Some("t"));
        assert!(
            matches!(image.road, Road::SetImage(_)) && image.steps[0].restart.is_none() && image.changes.len() == 1
        );
        let scale = plan(std::slice::from_ref(&live), &deployment("a:1", 3, "x")).restarting(Some("t"));
        assert!(scale.road == Road::Apply && scale.steps[0].restart.is_some() && scale.changes.len() == 2);
        let new = plan(&[], &live).restarting(Some("t"));
        assert!(new.steps[0].restart.is_none() && new.changes.len() == 1);
        let same = plan(std::slice::from_ref(&live), &live).restarting(None);
        assert!(same.road == Road::Nothing && same.changes.is_empty());
    }

    fn job(name: &str, condition: &str) -> Object {
        let status = json!({"conditions": [{"type": condition, "status": "True"}]});
        let value = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "status": status});
        Object::new(value).unwrap()
    }

    #[test]
    fn a_job_runs_once() {
        let wanted = [job("w-migrate-1", "")];
        let plan = |live: &[Object]| Plan::new(&wanted, live, &wanted, "now");
        let new = plan(&[]);
        assert!(new.steps[0].is_job_due() && new.changes[0].nature == Nature::New);
        let done = plan(&[job("w-migrate-1", "Complete")]);
        assert!(!done.steps[0].is_job_due() && done.road == Road::Nothing && done.watched().is_empty());
        let failed = plan(&[job("w-migrate-1", "Failed")]);
        assert!(matches!(failed.steps[0].job, Some(JobRun::Again(_))));
        assert!(failed.changes[0].nature == Nature::New && failed.steps[0].before.is_none());
        let runs = plan(&[job("w-migrate-1", "")]);
        assert!(runs.steps[0].is_job_due() && runs.road == Road::Nothing);
    }

    #[test]
    fn jobs_run_between_what_they_need_and_the_rest() {
        let object = |api: &str, kind: &str| {
            Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}})).unwrap()
        };
        let wanted = [
            deployment("a:1", 2, "x"),
            job("j", ""),
            object("v1", "ConfigMap"),
            object("external-secrets.io/v1", "ExternalSecret"),
            object("networking.k8s.io/v1", "Ingress"),
            object("monitoring.coreos.com/v1", "ServiceMonitor"),
            object("batch/v1", "CronJob"),
        ];
        let kinds = |live: &[Object]| -> Vec<Vec<String>> {
            let plan = Plan::new(&wanted, live, &wanted, "now");
            let kinds = |steps: Vec<&Step>| steps.into_iter().map(|step| step.desired.kind().to_owned()).collect();
            plan.stages().into_iter().map(kinds).collect()
        };
        assert_eq!(
            kinds(&[]),
            [
                vec!["ConfigMap", "ExternalSecret"],
                vec!["Job"],
                vec!["Deployment", "Ingress", "ServiceMonitor", "CronJob"]
            ]
        );
        assert_eq!(kinds(&[job("j", "Complete")]).len(), 1);
    }

    #[test]
    fn images_count_in_every_kind_and_the_short_road_is_for_one_deployment() {
        let cron = |image: &str| {
            let spec = json!({"template": {"spec": {"containers": [{"name": "w", "image": image}]}}});
            let value = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "w"}, "spec": {"jobTemplate": {"spec": spec}}});
            Object::new(value).unwrap()
        };
        let set = |image: &str| {
            let mut value = deployment(image, 2, "x").json().clone();
            value["kind"] = json!("StatefulSet");
            Object::new(value).unwrap()
        };
        for of in [&cron as &dyn Fn(&str) -> Object, &set] {
            let plan = plan(&[of("a:1")], &of("a:2"));
            assert_eq!((plan.changes[0].nature, plan.road), (Nature::Image, Road::Apply));
        }
        let (live, wanted) = ([deployment("a:1", 2, "x"), cron("a:1")], [deployment("a:2", 2, "x"), cron("a:2")]);
        assert_eq!(Plan::new(&wanted, &live, &wanted, "now").road, Road::Apply);
    }
}
