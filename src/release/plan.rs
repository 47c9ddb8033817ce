//! What a release would change, and by which road. Pure: from what is wanted, what is live, and what a dry run said.

use super::diff::{Difference, differences, significant};
use super::ownership::{self, Takeover};
use crate::yaml::Object;

/// Of what nature a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// The object is not there yet.
    New,
    /// The image of a container.
    Image,
    /// How many pods.
    Scale,
    /// Anything else.
    Config,
}

impl Nature {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Image => "image",
            Self::Scale => "scale",
            Self::Config => "config",
        }
    }
}

/// One change, to be told.
#[derive(Debug, Clone)]
pub struct Change {
    /// `Deployment/webapp`.
    pub object: String,
    /// Of what nature.
    pub nature: Nature,
    /// The field; none for a new object.
    pub difference: Option<Difference>,
}

/// What becomes of one object.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is wanted.
    pub desired: Object,
    /// What is live, if it is.
    pub before: Option<Object>,
    /// What the server will make of it, as far as can be known before.
    pub expected: Object,
    /// The fields that must change hands first.
    pub takeover: Option<Takeover>,
}

/// By which road a release goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Road {
    /// Nothing differs.
    Nothing,
    /// Nothing but images of one Deployment differ: `kubectl set image` with these containers and images.
    SetImage {
        /// The Deployment.
        deployment: String,
        /// Container and image.
        images: Vec<(String, String)>,
    },
    /// A server-side apply.
    Apply,
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
}

impl Plan {
    /// Compares. `expected` is what the server will make of each of `desired`; `now` is the time (RFC 3339).
    pub fn new(desired: &[Object], live: &[Object], expected: &[Object], now: &str) -> Self {
        let mut steps = Vec::new();
        let mut changes = Vec::new();
        for wanted in desired {
            let before = wanted.among(live).cloned();
            let expected = wanted.among(expected).unwrap_or(wanted).clone();
            let takeover = before.as_ref().and_then(|before| ownership::takeover(before, wanted, now));
            changes.extend(changes_of(before.as_ref(), &expected));
            steps.push(Step { desired: wanted.clone(), before, expected, takeover });
        }
        let road = road(&steps, &changes);
        Self { steps, changes, road }
    }

    /// The Deployment's step.
    pub fn deployment(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.desired.kind() == "Deployment")
    }

    /// The objects that are wanted.
    pub fn desired(&self) -> Vec<Object> {
        self.steps.iter().map(|step| step.desired.clone()).collect()
    }

    /// Whether the pods will be others than now.
    pub fn restarts_pods(&self) -> bool {
        self.deployment().is_none_or(|step| {
            let template = |object: &Object| significant(object.json()).pointer("/spec/template").cloned();
            step.before.as_ref().and_then(template) != template(&step.expected)
        })
    }
}

/// Leaves the number of pods to an autoscaler: a release that wrote its own would take 6 pods back to 2. What is applied, and
/// what is expected of it, get the count that is live; dropping the field would make it 1, since our apply owned it.
/// Returns whether an autoscaler is there.
pub fn leave_autoscaled(
    desired: &mut [Object],
    expected: &mut [Object],
    live: &[Object],
    autoscalers: &[Object],
) -> bool {
    let mut left = false;
    for wanted in desired.iter_mut().filter(|wanted| wanted.kind() == "Deployment") {
        let scales = |autoscaler: &Object| {
            autoscaler.text("/spec/scaleTargetRef/kind") == "Deployment"
                && autoscaler.text("/spec/scaleTargetRef/name") == wanted.name()
        };
        let count = wanted.among(live).and_then(|live| live.number("/spec/replicas"));
        // At zero an autoscaler is switched off, and the count is the manifest's again.
        if let Some(count) = count.filter(|count| *count > 0 && autoscalers.iter().any(scales)) {
            left = true;
            for object in expected.iter_mut().filter(|other| wanted.is(other)) {
                object.json_mut()["spec"]["replicas"] = count.into();
            }
            wanted.json_mut()["spec"]["replicas"] = count.into();
        }
    }
    left
}

/// Where pods are replaced and fewer are wanted than run, the number that runs is kept until the new ones are known to be good:
/// else Kubernetes stops the surplus of the old ones at once. Returns what is applied then.
pub fn keep_count(
    desired: &mut [Object],
    expected: &mut [Object],
    live: &[Object],
    plan: &Plan,
) -> Option<Vec<Object>> {
    let count = |object: &Object| object.number("/spec/replicas");
    let wanted = desired.iter().find(|object| object.kind() == "Deployment")?;
    let runs = wanted.among(live).and_then(count)?;
    if !plan.restarts_pods() || count(wanted).is_none_or(|wanted| wanted == 0 || wanted >= runs) {
        return None;
    }
    let afterwards = desired.to_vec();
    for object in desired.iter_mut().chain(expected).filter(|object| object.kind() == "Deployment") {
        object.json_mut()["spec"]["replicas"] = runs.into();
    }
    Some(afterwards)
}

fn changes_of(before: Option<&Object>, expected: &Object) -> Vec<Change> {
    let object = expected.to_string();
    let Some(before) = before else {
        return vec![Change { object, nature: Nature::New, difference: None }];
    };
    differences(before.json(), expected.json())
        .into_iter()
        .map(|difference| Change {
            object: object.clone(),
            nature: nature(expected, &difference),
            difference: Some(difference),
        })
        .collect()
}

fn nature(object: &Object, difference: &Difference) -> Nature {
    let path = difference.path.to_string();
    if path == "spec.replicas" {
        Nature::Scale
    } else if object.kind() == "Deployment"
        && container_of_image(&path).is_some()
        && difference.from.is_some()
        && difference.to.is_some()
    {
        Nature::Image
    } else {
        Nature::Config
    }
}

/// The container, if the path is that of its image.
fn container_of_image(path: &str) -> Option<&str> {
    ["spec.template.spec.containers[", "spec.template.spec.initContainers["]
        .iter()
        .find_map(|start| path.strip_prefix(start)?.strip_suffix("].image"))
}

fn road(steps: &[Step], changes: &[Change]) -> Road {
    if changes.is_empty() && steps.iter().all(|step| step.takeover.is_none()) {
        return Road::Nothing;
    }
    let one_object = changes.windows(2).all(|pair| pair[0].object == pair[1].object);
    let only_images = changes.iter().all(|change| change.nature == Nature::Image);
    if changes.is_empty() || !one_object || !only_images || steps.iter().any(|step| step.takeover.is_some()) {
        return Road::Apply;
    }
    let image = |change: &Change| {
        let difference = change.difference.as_ref()?;
        let container = container_of_image(&difference.path.to_string())?.to_owned();
        Some((container, difference.to.as_ref()?.as_str()?.to_owned()))
    };
    let deployment = changes[0].object.split_once('/').map_or("", |(_, name)| name).to_owned();
    match changes.iter().map(image).collect() {
        Some(images) => Road::SetImage { deployment, images },
        None => Road::Apply,
    }
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
        assert_eq!(image.road, Road::SetImage { deployment: "w".into(), images: vec![("w".into(), "a:2".into())] });
        assert!(image.restarts_pods());
        let both = plan(std::slice::from_ref(&live), &deployment("a:2", 2, "y"));
        assert_eq!(both.road, Road::Apply);
        let scale = plan(std::slice::from_ref(&live), &deployment("a:1", 3, "x"));
        assert_eq!(
            (scale.road.clone(), scale.changes[0].nature, scale.restarts_pods()),
            (Road::Apply, Nature::Scale, false)
        );
        let new = plan(&[], &live);
        assert_eq!((new.road.clone(), new.changes[0].nature), (Road::Apply, Nature::New));
    }

    #[test]
    fn fewer_pods_come_after_new_ones() {
        let live = [deployment("a:1", 4, "x")];
        let keep = |image: &str, wanted: u32| {
            let (mut desired, mut expected) = ([deployment(image, wanted, "x")], [deployment(image, wanted, "x")]);
            let plan = plan(&live, &expected[0]);
            let afterwards = keep_count(&mut desired, &mut expected, &live, &plan);
            let count = |object: &Object| object.number("/spec/replicas");
            (count(&desired[0]), count(&expected[0]), afterwards.and_then(|objects| count(&objects[0])))
        };
        assert_eq!(keep("a:2", 1), (Some(4), Some(4), Some(1)));
        assert_eq!(keep("a:1", 1), (Some(1), Some(1), None));
        assert_eq!(keep("a:2", 5), (Some(5), Some(5), None));
        assert_eq!(keep("a:2", 0), (Some(0), Some(0), None));
    }

    #[test]
    fn an_autoscalers_count_is_left_to_it() {
        let scaler = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "w"}}});
        let scalers = [Object::new(scaler).unwrap()];
        let live = [deployment("a:1", 6, "x")];
        let counts = |scalers: &[Object], live: &[Object]| {
            let (mut desired, mut expected) = ([deployment("a:2", 2, "x")], [deployment("a:2", 2, "x")]);
            let left = leave_autoscaled(&mut desired, &mut expected, live, scalers);
            (left, desired[0].number("/spec/replicas"), expected[0].number("/spec/replicas"))
        };
        assert_eq!(counts(&scalers, &live), (true, Some(6), Some(6)));
        assert_eq!(counts(&[], &live), (false, Some(2), Some(2)));
        assert_eq!(counts(&scalers, &[]), (false, Some(2), Some(2)));
    }
}
