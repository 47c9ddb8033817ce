//! The rules for names and other small texts.

use crate::yaml::{Rule, rule};

const NUMBER: &str = r#"{"type": "number", "minimum": 0}"#;

/// A service: the name of its folder, its workload and its Service (an RFC 1035 label, since a Service wants one).
pub static SERVICE: Rule = rule(
    "a good name for a service",
    "^[a-z]([-a-z0-9]*[a-z0-9])?$",
    63,
    "use at most 63 lower case letters, digits and `-`, starting with a letter",
);
/// An environment of `shipcat.yml`.
pub static ENVIRONMENT: Rule = rule(
    "a good name for an environment",
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    63,
    "use at most 63 lower case letters, digits and `-`",
)
.numbers(r#"{"type": "integer", "minimum": 0}"#);
/// A namespace (an RFC 1123 label).
pub static NAMESPACE: Rule = rule(
    "a good name for a namespace",
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    63,
    "use at most 63 lower case letters, digits and `-`",
);
/// A container, volume, worker, job (RFC 1123 labels).
pub static LABEL: Rule =
    rule("a good name", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 63, "use at most 63 lower case letters, digits and `-`");
/// The part of an object's name behind the service's.
pub static SUFFIX: Rule =
    rule("a good name", "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 50, "use at most 50 lower case letters, digits and `-`");
/// The name of an object that others refer to (an RFC 1123 subdomain).
pub static OBJECT: Rule = rule(
    "an object's name",
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    253,
    "use lower case letters, digits, `-` and `.`",
);
/// The host of an ingress: a DNS name, whose first part may be `*`.
pub static HOST: Rule = rule(
    "a host",
    "^(\\*|(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$",
    253,
    "write it as in `shop.example.com`, in lower case and without a port",
);
/// The name of a port (an IANA service name).
pub static PORT_NAME: Rule = rule(
    "a port's name",
    "^[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$|^[a-z0-9]+(-[a-z0-9]+)*-[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    15,
    "use at most 15 lower case letters, digits and single `-`, with a letter among them",
);
/// The tag or the digest of an image.
pub static VERSION: Rule = rule(
    "an image tag",
    "^([a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}|sha256:[0-9a-f]{64})$",
    128,
    "use at most 128 letters, digits, `_`, `.` and `-`, or a digest `sha256:...`",
)
.numbers(NUMBER)
.explain(|text| {
    text.starts_with("sha256:")
        .then(|| (format!("`{text}` is not a digest"), "a digest is `sha256:` and 64 hexadecimal digits".into()))
});
/// An image without tag or digest.
pub static IMAGE: Rule = rule(
    "an image",
    "^([a-zA-Z0-9](([a-zA-Z0-9-]*\\.)+[a-zA-Z0-9-]*[a-zA-Z0-9])(:[0-9]+)?/|[a-zA-Z0-9-]+:[0-9]+/|\\[[0-9a-fA-F:]+\\](:[0-9]+)?/|localhost/)?[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$",
    255,
    "use lower case letters, digits, `.`, `_`, `-` and `/`, as in `quay.io/acme/webapp`",
)
.explain(|text| {
    let last = text.rsplit('/').next().unwrap_or_default();
    (text.contains('@') || (last.contains(':') && !last.starts_with(':'))).then(|| {
        (format!("the image `{text}` carries a tag or a digest"), "put it into `version`".into())
    })
});
/// An image with its tag or its digest, as one text.
pub static FULL_IMAGE: Rule = rule(
    "an image with its tag",
    "^([a-zA-Z0-9](([a-zA-Z0-9-]*\\.)+[a-zA-Z0-9-]*[a-zA-Z0-9])(:[0-9]+)?/|[a-zA-Z0-9-]+:[0-9]+/|\\[[0-9a-fA-F:]+\\](:[0-9]+)?/|localhost/)?[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    400,
    "write it as in `quay.io/acme/busybox:1.36`",
);
/// A network of a container engine.
pub static NETWORK: Rule = rule(
    "a network",
    "^[a-zA-Z0-9][a-zA-Z0-9_.:=-]*$",
    200,
    "write its name, as in `host`, `bridge` or `container:NAME`",
);
/// A channel of Slack's, by its name or its id, or a person.
pub static CHANNEL: Rule =
    rule("a Slack channel", "^[#@]?[^\\s#@,&<>\\x00-\\x1f]+$", 80, "write it in quotes, as in `\"#deploys\"`");
/// A registry, and perhaps a path in it.
pub static REGISTRY: Rule = rule(
    "a registry",
    "^[a-zA-Z0-9\\[][a-zA-Z0-9.:_\\[\\]-]*(/[a-z0-9._-]+)*$",
    200,
    "write it without a scheme and without a slash at its end, as in `quay.io/acme`",
);
/// The name of an environment variable, as Kubernetes takes it.
pub static VARIABLE: Rule = rule(
    "a good name for an environment variable",
    "^([a-zA-Z_-][a-zA-Z0-9_.-]*|\\.[a-zA-Z0-9_-][a-zA-Z0-9_.-]*)$",
    1000,
    "use letters, digits, `_`, `-` and `.`, not starting with a digit",
);
/// The prefix of the variables of an `envFrom`.
pub static PREFIX: Rule =
    rule("a prefix", "^[a-zA-Z_.-][a-zA-Z0-9_.-]*$", 1000, "use letters, digits, `_`, `-` and `.`");
/// A quantity of CPU or memory, as Kubernetes spells it.
pub static QUANTITY: Rule = rule(
    "a quantity",
    "^([0-9]+\\.?[0-9]*|\\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]{1,2})?$",
    40,
    "write it as Kubernetes does: `100m`, `0.5`, `128Mi`, `1Gi`",
)
.numbers(NUMBER);
/// A resource that a container asks for.
pub static RESOURCE: Rule = rule(
    "a resource",
    "^([a-zA-Z0-9.-]+/)?[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$",
    253,
    "such as `cpu`, `memory` or `ephemeral-storage`",
);
/// An absolute path in a container: of a file, or with a slash at its end, of a folder.
pub static CONTAINER_PATH: Rule = rule(
    "a path in a container",
    "^(/([^/:.\\x00-\\x1f\\x7f][^/:\\x00-\\x1f\\x7f]*|\\.[^/:.\\x00-\\x1f\\x7f][^/:\\x00-\\x1f\\x7f]*|\\.\\.[^/:\\x00-\\x1f\\x7f]+))+/?$",
    1024,
    "write it absolute and plain, as in `/etc/webapp/app.conf`",
);
/// Where a volume is mounted.
pub static MOUNT_PATH: Rule =
    rule("a path in a container", "^/[^:\\x00-\\x1f\\x7f]*$", 1024, "write it absolute, as in `/var/cache`");
/// The path of an HTTP request.
pub static URL_PATH: Rule =
    rule("a path", "^/[^\\s\\x00-\\x1f\\x7f]*$", 2048, "start it with `/`, or write a probe as Kubernetes spells it");
/// A path of an ingress.
pub static INGRESS_PATH: Rule =
    rule("a path of an ingress", "^/[^\\s\\x00-\\x1f\\x7f]*$", 1024, "start it with `/`, as in `/api`");
/// A file of the service's folder.
pub static SOURCE: Rule = rule(
    "a file of the service's folder",
    "^([^/.\\x00][^/\\x00]*|\\.[^/.\\x00][^/\\x00]*|\\.\\.[^/\\x00]+)(/([^/.\\x00][^/\\x00]*|\\.[^/.\\x00][^/\\x00]*|\\.\\.[^/\\x00]+))*/?$",
    1024,
    "name it relative to the folder, without `..`",
)
.numbers(r#"{"type": "number"}"#);
/// A key of a ConfigMap or a Secret.
pub static CONFIG_KEY: Rule = rule(
    "a key of a ConfigMap",
    "^([a-zA-Z0-9_-][a-zA-Z0-9._-]*|\\.[a-zA-Z0-9_-][a-zA-Z0-9._-]*|\\.\\.[a-zA-Z0-9_-]+[a-zA-Z0-9._-]*)$",
    253,
    "use letters, digits, `-`, `_` and `.`",
)
.numbers(r#"{"type": "number"}"#);
/// A label's or an annotation's key.
pub static META_KEY: Rule = rule(
    "a key for a label or an annotation",
    "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$",
    317,
    "write it as in `team` or `example.com/team`",
);
/// A label's value.
pub static LABEL_VALUE: Rule = rule(
    "a label's value",
    "^([a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?)?$",
    63,
    "use at most 63 letters, digits, `-`, `_` and `.`",
)
.numbers(NUMBER)
.flags();
/// A key of free values and other maps of people's own.
pub static ANY_KEY: Rule = rule("a key", "^[\\s\\S]*$", usize::MAX, "any text will do");
/// A number of things or a share of them.
pub static PERCENT: Rule = rule("a percentage", "^[0-9]+%$", 12, "write it as in `25%`");
/// A span of time as people write it.
pub static DURATION: Rule = rule("a span of time", "^([0-9]{1,6}[smh])+$", 40, "write it as `90s`, `5m` or `1h30m`");
/// The URL of an API server.
pub static CLUSTER: Rule =
    rule("the URL of an API server", "^https?://[^\\s]+$", 2000, "write it as in `https://host:6443`");
/// A version of Kubernetes.
pub static KUBERNETES: Rule =
    rule("a version of Kubernetes that is known here", "^1\\.(2[0-9]|3[0-6])$", 4, "write it as in `1.29`; known are 1.20 to 1.36")
        .numbers(r#"{"enum": [1.20, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26, 1.27, 1.28, 1.29, 1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36]}"#);
/// When a cron job runs: five fields, or one of the words that stand for them.
/// (Rules: github.com/robfig/cron v3, the standard parser, which the CronJob controller uses.)
pub static SCHEDULE: Rule = rule(
    "a schedule",
    "^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every [0-9hms.]+|[0-9a-zA-Z*?/,-]+( +[0-9a-zA-Z*?/,-]+){4})$",
    200,
    "write minute, hour, day of month, month, day of week, as in `0 3 * * *`",
);
/// An IANA time zone.
pub static TIME_ZONE: Rule =
    rule("a time zone", "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", 64, "write it as in `Europe/Berlin`");
/// A network or an address.
pub static CIDR: Rule = rule("a network", "^[0-9a-fA-F.:]+/[0-9]{1,3}$", 50, "write it as in `10.0.0.0/8`");
/// An address.
pub static ADDRESS: Rule = rule("an address", "^[0-9a-fA-F.:]+$", 45, "write it as in `10.0.0.1`");
/// The name of a cluster's kube context: anything that is not empty.
pub static CONTEXT: Rule =
    rule("a kube context", "^[\\s\\S]+$", 1000, "`kubectl config get-contexts -o name` lists them")
        .numbers(r#"{"type": "number"}"#);
/// The name of a template file.
pub static TEMPLATE: Rule =
    rule("a template", "^[a-z0-9][a-z0-9.-]*$", 200, "write it without `.yml.j2`, as in `networkpolicy`");
