//! The BDD tests, and who is told how they went. `shipcat.yml`, its environments and the services say it alike.

use super::container::{FLAG, RESOURCES, TEXT, TEXTS};
use super::rules;
use super::workload::{IMAGE, VERSION};
use crate::yaml::{Field, Forms, Shape, Struct, field};

static TESTS: Struct = Struct::new(
    "Tests",
    &[&[
        field("image", &IMAGE, "The image without its tag"),
        field("tag", &VERSION, "Its tag or digest (default: latest)"),
        field("command", &TEXTS, "Instead of the image's entry point"),
        field("env", &Shape::Map(&rules::VARIABLE, &TEXT), "Environment variables; texts are templates"),
        field(
            "junit",
            &Shape::Word(&rules::CONTAINER_PATH),
            "Where the container leaves its JUnit files: a folder, or one file (default: /junit)",
        ),
        field("timeout", &Shape::Word(&rules::DURATION), "How long they may take (default: 10m)"),
        field("network", &Shape::Word(&rules::NETWORK), "The container engine's network, such as `host`"),
        field(
            "runner",
            &Shape::OneOf(&["container", "docker", "podman", "job"]),
            "What runs them: docker or else podman, one of the two, or a Job in the cluster (default: container)",
        ),
        field(
            "pull",
            &Shape::OneOf(&["always", "missing"]),
            "When the image is pulled (default: always for `latest`, else where it is missing)",
        ),
        field(
            "fetcher",
            &Shape::Word(&rules::FULL_IMAGE),
            "An image with `sh` and `tar`, and its tag: with it a Job's files are fetched (`runner: job`)",
        ),
        field("resources", &RESOURCES, "What a Job's containers need and may use (`runner: job`)"),
    ]],
);

/// Tests, and a Slack channel.
pub static FIELDS: [Field; 2] = [
    field(
        "tests",
        &Shape::Forms(&Forms::of("`false`, or a map").flag(&FLAG).map(&Shape::Struct(&TESTS))),
        "The BDD tests of the service; `false` for none",
    ),
    field(
        "slack",
        &Shape::Forms(&Forms::of("a channel, or `false`").flag(&FLAG).text(&Shape::Word(&rules::CHANNEL))),
        "The Slack channel that is told what becomes of it (default: the webhook's own); `false` for none",
    ),
];
