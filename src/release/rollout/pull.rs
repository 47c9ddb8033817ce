//! Images that cannot be pulled: what the error says, and whether it can pass.

use super::picture::text;
use crate::yaml::Object;

/// Whether a pull failed for a reason that does not pass: the registry says that there is no such image or that we may not have it,
/// or the name leads nowhere at all. In the words of containerd, CRI-O, dockerd and the registries.
pub fn pull_is_hopeless(error: &str, image: &str) -> bool {
    let error = error.to_lowercase();
    let passing = [
        "toomanyrequests",
        "too many requests",
        "timeout",
        "deadline",
        "connection reset",
        "temporary",
        "try again",
        "unexpected eof",
    ];
    let certain = [
        "not found",
        "notfound",
        "manifest unknown",
        "name unknown",
        "does not exist",
        "denied",
        "unauthorized",
        "authentication required",
        "forbidden",
        "invalid reference",
        "no such host",
        "no match for platform",
        "no matching manifest",
    ];
    // `localhost/x` is how engines call an image that was built and never pushed: there is no registry to wait for.
    let local = image.starts_with("localhost/") && error.contains("connection refused");
    !passing.iter().any(|word| error.contains(word)) && (local || certain.iter().any(|word| error.contains(word)))
}

/// The end of a chain of errors that each repeat the image's name.
pub fn pull_error(error: &str) -> &str {
    let error = error.rsplit("failed to resolve reference").next().unwrap_or(error);
    let error = error.split_once("\": ").map_or(error, |(_, rest)| rest);
    error.trim()
}

/// The image that a container of a pod is of.
pub fn image_of<'a>(pod: &'a Object, container: &str) -> &'a str {
    let all = pod.list("/spec/containers").iter().chain(pod.list("/spec/initContainers"));
    all.filter(|entry| text(entry, "name") == container).map(|entry| text(entry, "image")).next().unwrap_or_default()
}
