//! A release of images alone: what runs, with other images in it. Pure.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::diff::identity;
use super::rollout::{Kind, template_path};
use crate::yaml::Object;

/// What a release of images alone makes.
#[derive(Debug)]
pub struct Moved {
    /// The live objects, with their new images.
    pub expected: Vec<Object>,
    /// The Jobs that run before, with the new images and what they had else.
    pub jobs: Vec<Object>,
    /// What the record says was applied: what the release that runs had, with the new images; without one, what of the rendered objects
    /// is live, as it is live.
    pub objects: Vec<Object>,
}

/// Moves the images of what is live to those of the rendered objects, container by container, and nothing else. What is rendered and not
/// live is configuration, and left out.
pub fn images(rendered: &[Object], live: &[Object], recorded: Option<&[Object]>) -> Moved {
    let with = |object: &Object| match object.among(rendered) {
        Some(wanted) if Kind::of(object) != Some(Kind::Job) => moved(object, wanted),
        _ => object.clone(),
    };
    let is_job = |object: &&Object| Kind::of(object) == Some(Kind::Job);
    let jobs: Vec<Object> = match recorded {
        Some(recorded) => recorded.iter().filter(is_job).map(|job| job_of(job, rendered)).collect(),
        // Nothing says that it ever ran: it is configuration.
        None => Vec::new(),
    };
    let others = |object: &&Object| !is_job(object);
    let expected = live.iter().filter(others).map(with).collect();
    let mut objects: Vec<Object> = match recorded {
        Some(recorded) => recorded.iter().filter(others).map(with).collect(),
        None => {
            let own = |wanted: &Object| wanted.among(live).map(|live| moved(&project(live, wanted), wanted));
            rendered.iter().filter(others).filter_map(own).collect()
        }
    };
    objects.extend(jobs.iter().cloned());
    Moved { expected, jobs, objects }
}

/// Whether an object has containers with images that run.
pub fn has_images(object: &Object) -> bool {
    matches!(Kind::of(object), Some(Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet))
        || object.kind() == "CronJob"
}

/// The objects with the images of the live ones, container by container. Of a Job none is live that could be changed.
pub fn keep_images(objects: &[Object], live: &[Object]) -> Vec<Object> {
    let kept = |object: &Object| match object.among(live).filter(|_| has_images(object)) {
        Some(live) => moved(object, live),
        None => object.clone(),
    };
    objects.iter().map(kept).collect()
}

/// An object with the images of another.
fn moved(object: &Object, wanted: &Object) -> Object {
    let mut object = object.clone();
    for list in ["containers", "initContainers"] {
        let path = format!("{}/spec/{list}", template_path(wanted));
        for container in object.json_mut().pointer_mut(&path).and_then(Value::as_array_mut).into_iter().flatten() {
            let same = wanted.list(&path).iter().find(|other| other["name"] == container["name"]);
            if let Some(image) = same.and_then(|same| same["image"].as_str()) {
                container["image"] = image.into();
            }
        }
    }
    object
}

/// A Job as it was, with the image of the rendered one that stands in its place; that very one, where nothing else differs. Its name changes
/// with what it does.
fn job_of(job: &Object, rendered: &[Object]) -> Object {
    let stem = |object: &Object| object.name().rsplit_once('-').map(|(stem, _)| stem.to_owned());
    let successor = rendered
        .iter()
        .find(|other| Kind::of(other) == Some(Kind::Job) && stem(other) == stem(job) && stem(job).is_some());
    let Some(successor) = successor else { return job.clone() };
    let mut next = moved(job, successor);
    if next.json()["spec"] == successor.json()["spec"] {
        return successor.clone();
    }
    if next != *job {
        let hash = Sha256::digest(next.json()["spec"].to_string());
        let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
        next.json_mut()["metadata"]["name"] = format!("{}-{hash}", stem(job).unwrap_or_default()).into();
    }
    next
}

/// What of an object another one also says, as it is in the first.
fn project(live: &Object, wanted: &Object) -> Object {
    let value = projected(live.json(), wanted.json());
    // Kind and name are in both.
    Object::new(value).unwrap_or_else(|_| wanted.clone())
}

fn projected(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let fields =
                wanted.iter().filter_map(|(key, wanted)| Some((key.clone(), projected(live.get(key)?, wanted))));
            Value::Object(fields.collect())
        }
        (Value::Array(live), Value::Array(wanted)) => match identity(&[live, wanted]) {
            Some(key) => {
                let item = |wanted: &Value| {
                    let live = live.iter().find(|live| live.get(key) == wanted.get(key))?;
                    Some(projected(live, wanted))
                };
                Value::Array(wanted.iter().filter_map(item).collect())
            }
            None => Value::Array(live.clone()),
        },
        (live, _) => live.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(image: &str, level: &str) -> Object {
        let env = json!([{"name": "LEVEL", "value": level}]);
        let containers = json!([{"name": "w", "image": image, "env": env}, {"name": "side", "image": "s:1"}]);
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"},
            "spec": {"template": {"spec": {"containers": containers}}}});
        Object::new(value).unwrap()
    }

    fn job(name: &str, image: &str, level: &str) -> Object {
        let mut value = deployment(image, level).json().clone();
        value["apiVersion"] = "batch/v1".into();
        value["kind"] = "Job".into();
        value["metadata"]["name"] = name.into();
        Object::new(value).unwrap()
    }

    #[test]
    fn nothing_but_images_moves() {
        let live = [deployment("a:1", "info")];
        let rendered = [deployment("a:2", "debug"), job("w-migrate-1", "a:2", "debug")];
        let moved = images(&rendered, &live, Some(&live));
        assert_eq!(moved.expected, [deployment("a:2", "info")]);
        assert_eq!((moved.objects, moved.jobs.len()), (vec![deployment("a:2", "info")], 0));
        // Without a record: what is live, as far as the manifest has it.
        let mut more = live[0].clone();
        more.json_mut()["spec"]["paused"] = false.into();
        assert_eq!(images(&rendered, &[more], None).objects, [deployment("a:2", "info")]);
    }

    #[test]
    fn a_job_goes_along_with_what_it_had() {
        let live = [deployment("a:1", "info")];
        let recorded = [deployment("a:1", "info"), job("w-migrate-1", "a:1", "info")];
        let same = [deployment("a:2", "info"), job("w-migrate-2", "a:2", "info")];
        assert_eq!(images(&same, &live, Some(&recorded)).jobs, [job("w-migrate-2", "a:2", "info")]);
        let other = [deployment("a:2", "debug"), job("w-migrate-3", "a:2", "debug")];
        let jobs = images(&other, &live, Some(&recorded)).jobs;
        assert_eq!(jobs[0].json()["spec"], job("", "a:2", "info").json()["spec"]);
        assert!(jobs[0].name().starts_with("w-migrate-") && jobs[0].name() != "w-migrate-3");
        // The same image: the one that ran.
        assert_eq!(images(&recorded, &live, Some(&recorded)).jobs, [job("w-migrate-1", "a:1", "info")]);
    }
}
