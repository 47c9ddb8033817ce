//! Which version of a service runs, by its objects. Pure.

use super::rollout::{is_workload, template_path};
use crate::yaml::Object;

/// The object whose image is the service's version: the workload that is named like it, else its first one; where it has none, the
/// CronJob that is, else the first.
pub fn main_object<'a>(objects: impl IntoIterator<Item = &'a Object>, service: &str) -> Option<&'a Object> {
    let rank = |object: &Object| match (is_workload(object), object.kind(), object.name() == service) {
        (true, _, true) => Some(0),
        (true, _, false) => Some(1),
        (false, "CronJob", true) => Some(2),
        (false, "CronJob", false) => Some(3),
        _ => None,
    };
    // Of equals the first is taken.
    objects.into_iter().filter(|object| rank(object).is_some()).min_by_key(|object| rank(object))
}

/// The image with which a service runs, by its live workload or CronJob: that of the container with the service's name.
pub fn image_of(object: &Object, service: &str) -> Option<String> {
    let containers = object.list(&format!("{}/spec/containers", template_path(object)));
    let named = |container: &&serde_json::Value| container.get("name").and_then(|name| name.as_str()) == Some(service);
    Some(containers.iter().find(named).or(containers.first())?.get("image")?.as_str()?.to_owned())
}

/// An image without its tag and digest.
pub fn repository(image: &str) -> String {
    let image = image.split_once('@').map_or(image, |(repository, _)| repository);
    let slash = image.rfind('/').map_or(0, |at| at + 1);
    let colon = image[slash..].find(':').map_or(image.len(), |at| slash + at);
    image[..colon].to_owned()
}

/// The tag or digest with which a service runs, by its live workload or CronJob.
pub fn version_of(object: &Object, service: &str) -> Option<String> {
    let image = image_of(object, service)?;
    match image.split_once('@') {
        Some((_, digest)) => Some(digest.to_owned()),
        None => image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api: &str, kind: &str, name: &str, images: &[(&str, &str)]) -> Object {
        let containers: Vec<_> = images.iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
        let mut spec = json!({"template": {"spec": {"containers": containers}}});
        if kind == "CronJob" {
            spec = json!({"jobTemplate": {"spec": spec}});
        }
        Object::new(json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec})).unwrap()
    }

    #[test]
    fn the_running_version_is_read_from_the_image() {
        let version = |image| version_of(&object("apps/v1", "Deployment", "w", &[("side", "x:9"), ("w", image)]), "w");
        assert_eq!(version("r:5000/a/w:1.2").as_deref(), Some("1.2"));
        assert_eq!(version("r/w@sha256:ab").as_deref(), Some("sha256:ab"));
        assert_eq!(version("r:5000/w"), None);
        let cron = object("batch/v1", "CronJob", "w-nightly", &[("w-nightly", "r/w:3")]);
        assert_eq!(version_of(&cron, "w").as_deref(), Some("3"));
    }

    #[test]
    fn a_repository_is_what_stands_before_tag_and_digest() {
        for (image, repository) in [("r:5000/a/w:1", "r:5000/a/w"), ("r:5000/w", "r:5000/w"), ("w:1@sha256:ab", "w")] {
            assert_eq!(super::repository(image), repository);
        }
    }

    #[test]
    fn the_main_object_is_the_one_with_the_services_name() {
        let worker = object("apps/v1", "Deployment", "w-mail", &[]);
        let main = object("apps/v1", "StatefulSet", "w", &[]);
        let cron = object("batch/v1beta1", "CronJob", "w", &[]);
        let job = object("batch/v1", "Job", "w", &[]);
        let name = |objects: &[&Object]| main_object(objects.iter().copied(), "w").map(ToString::to_string);
        assert_eq!(name(&[&job, &cron, &worker, &main]).as_deref(), Some("StatefulSet/w"));
        assert_eq!(name(&[&cron, &worker]).as_deref(), Some("Deployment/w-mail"));
        assert_eq!(name(&[&job, &cron]).as_deref(), Some("CronJob/w"));
        assert_eq!(name(&[&job]), None);
    }
}
