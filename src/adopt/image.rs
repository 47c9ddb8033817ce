//! Images: the name and the version in them.

use serde_json::Value;

use super::read::Original;
use super::roles::Role;
use crate::manifest::keys::rules;

/// The pod template of whatever runs pods.
pub fn pod_template(original: &Original) -> &Value {
    match original.kind.as_str() {
        "CronJob" => &original.value["spec"]["jobTemplate"]["spec"]["template"],
        _ => &original.value["spec"]["template"],
    }
}

/// The image of the main container: the one that is named as its workload, else the first one.
pub fn main(original: &Original) -> Option<&str> {
    let (_, container) = main_container(original)?;
    container["image"].as_str()
}

fn main_container(original: &Original) -> Option<(usize, &Value)> {
    let all = pod_template(original)["spec"]["containers"].as_array()?;
    let at = all.iter().position(|own| own["name"] == original.name).unwrap_or_default();
    Some((at, all.get(at)?))
}

/// An image's name and its tag or digest, if a manifest can say both.
pub fn split(image: &str) -> Option<(String, String)> {
    let (name, version) = match image.split_once('@') {
        Some((name, digest)) => (name, digest),
        None => {
            let slash = image.rfind('/').map_or(0, |at| at + 1);
            let colon = slash + image[slash..].find(':')?;
            (&image[..colon], &image[colon + 1..])
        }
    };
    (rules::IMAGE.holds(name) && rules::VERSION.holds(version)).then(|| (name.to_owned(), version.to_owned()))
}

/// Why a manifest cannot say the image of something that runs.
pub fn unsplit(original: &Original) -> Option<String> {
    if !matches!(original.role, Role::Main | Role::Worker(_) | Role::CronJob(_)) {
        return None;
    }
    match main_container(original) {
        None => return Some("it has no container".into()),
        Some((0, _)) => {}
        Some(_) => return Some("its main container is not the first one".into()),
    }
    let image = main(original).unwrap_or_default();
    let why = if image.contains('@') { "has both a tag and a digest" } else { "has no tag" };
    split(image).is_none().then(|| format!("its image `{image}` {why}"))
}

/// Whether an image names no registry, so that an environment's would go in front of it.
pub fn is_short(image: &str) -> bool {
    image.split_once('/').is_none_or(|(first, _)| !first.contains(['.', ':']) && first != "localhost")
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_image_is_taken_apart_at_its_tag_or_digest() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(split("nginx:1.19"), pair("nginx", "1.19"));
        assert_eq!(split("r.io:5000/a/b:v1"), pair("r.io:5000/a/b", "v1"));
        assert_eq!(split(&format!("r.io/a@{digest}")), pair("r.io/a", &digest));
        for bad in ["nginx", "r.io:5000/a", &format!("a:1@{digest}"), "", "a:", "A:1"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
