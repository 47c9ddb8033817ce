//! What a manifest says of the pods of the service, its workers and its jobs: our short forms, and what is plain Kubernetes.

use super::container::{
    self, CONTAINERS, COUNT, ENV_FROM, FLAG, LABELS, MOUNT_FIELDS, MOUNT_PATH, MOUNTS, NAME, OBJECT_NAME, PORT,
    PORT_NAME, POSITIVE, PROBE, PROTOCOL, STRINGS, TEXT, TEXTS, VARIABLES,
};
use super::pod;
use super::rules;
use super::scaling::{AUTOSCALER, BUDGET};
use super::volume::{self, ACCESS_MODES, CLAIM_FIELDS, SOURCES};
use crate::yaml::{Choice, Field, Forms, Shape, Struct, field};

static PERCENT: Shape = Shape::Word(&rules::PERCENT);
/// A number of pods, or a share of them.
pub static AMOUNT: Shape =
    Shape::Forms(&Forms::of("a number, or a percentage such as `25%`").number(&COUNT).text(&PERCENT));
/// An image without its tag.
pub static IMAGE: Shape = Shape::Word(&rules::IMAGE);
/// An image's tag or digest.
pub static VERSION: Shape = Shape::Word(&rules::VERSION);
static SOURCE: Shape = Shape::Word(&rules::SOURCE);

static PORT_FORM: Struct = Struct::new(
    "Port",
    &[&[
        field("container", &PORT, "What the container listens on").required(),
        field(
            "service",
            &Shape::Forms(&Forms::of("a port, or `false`").number(&PORT).flag(&FLAG)),
            "What the Service offers (default: the same); `false` if it does not offer it",
        ),
        field("protocol", &PROTOCOL, "TCP, UDP or SCTP"),
        field("nodePort", &PORT, "The port on each node, for a Service of type NodePort or LoadBalancer"),
        field("hostPort", &PORT, "A port of the node that leads to the pod"),
        field("appProtocol", &TEXT, "What is spoken on it"),
    ]],
);
static PORT_SHAPE: Shape = Shape::Forms(
    &Forms::of("a port, or a map with `container` and `service`").number(&PORT).map(&Shape::Struct(&PORT_FORM)),
);
static CONTAINER_PORT: Shape = Shape::Struct(&Struct::new(
    "PlainPort",
    &[&[
        field("containerPort", &PORT, "The port's number").required(),
        field("name", &PORT_NAME, "Its name"),
        field("protocol", &PROTOCOL, "TCP, UDP or SCTP"),
        field("hostPort", &PORT, "A port of the node"),
        field("hostIP", &Shape::Word(&rules::ADDRESS), "An address of the node"),
    ]],
));
/// The ports of the main container.
pub static PORTS: [Field; 2] = [
    field("port", &PORT_SHAPE, "The port that it listens on, named `http`; it makes a Service"),
    field(
        "ports",
        &Shape::Forms(
            &Forms::of("a map of ports by name, or a list as Kubernetes spells it")
                .map(&Shape::Map(&rules::PORT_NAME, &PORT_SHAPE))
                .list(&Shape::List(&CONTAINER_PORT)),
        ),
        "Its ports by name, which make a Service; or a list as Kubernetes spells it, which makes none by itself",
    ),
];
/// How it is asked whether it is well.
pub static PROBES: [Field; 4] = [
    field("health", &PROBE, "Whether it is ready: a path, or a probe as Kubernetes spells it"),
    field("readinessProbe", &PROBE, "The same under Kubernetes' name"),
    field("livenessProbe", &PROBE, "Whether it must be restarted"),
    field("startupProbe", &PROBE, "Whether it has started"),
];

static CLAIM: Struct = Struct::new(
    "Claim",
    &[
        &[
            field("storage", &Shape::Word(&rules::QUANTITY), "How much it holds").required(),
            field("accessModes", &ACCESS_MODES, "How it is used (default: ReadWriteOnce)"),
            field("name", &OBJECT_NAME, "The claim's name (default: SERVICE-VOLUME)"),
            field("labels", &LABELS, "Its labels"),
            field("annotations", &STRINGS, "Its annotations"),
        ],
        &CLAIM_FIELDS,
    ],
);
static OWN_SOURCE: [Field; 1] =
    [field("claim", &Shape::Struct(&CLAIM), "A claim of the service's own; for a StatefulSet, one for each pod")];
static MOUNTED: [Field; 1] = [field("mountPath", &MOUNT_PATH, "Where the container finds it")];
const ALL_SOURCES: [&str; 12] = [
    "configMap",
    "secret",
    "emptyDir",
    "persistentVolumeClaim",
    "hostPath",
    "projected",
    "downwardAPI",
    "csi",
    "nfs",
    "ephemeral",
    "image",
    "claim",
];
static VOLUME: Shape = Shape::Struct(
    &Struct::new("MountedVolume", &[&MOUNTED, &MOUNT_FIELDS, &SOURCES, &OWN_SOURCE])
        .choosing(&[Choice::One(&ALL_SOURCES), Choice::AtMostOne(&["subPath", "subPathExpr"])]),
);
static PLAIN_VOLUME: Shape = Shape::Struct(
    &Struct::new("Volume", &[&[field("name", &NAME, "Its name").required()], &SOURCES])
        .choosing(&[Choice::One(&volume::SOURCE_KEYS)]),
);
static FILES: Shape = Shape::Map(
    &rules::CONTAINER_PATH,
    &Shape::Forms(
        &Forms::of("a file of the service's folder, or for a folder (`/etc/app/`) a map of names and files")
            .number(&SOURCE)
            .text(&SOURCE)
            .map(&Shape::Map(&rules::CONFIG_KEY, &SOURCE)),
    ),
);

/// What the main container and the pod of anything that runs may say; a worker, a job or a cron job gets the service's own where
/// it does not say it itself.
pub static SHARED: [Field; 7] = [
    field("env", &VARIABLES, "Environment variables; texts in a map are templates"),
    field("envFrom", &ENV_FROM, "Variables from whole Secrets and ConfigMaps"),
    field("files", &FILES, "Path in the container: file in the service's folder. They become an immutable ConfigMap"),
    field("filesMode", &Shape::Mode, "The permissions of `files` (default: 0644)"),
    field(
        "volumes",
        &Shape::Forms(
            &Forms::of("a map of volumes by name, or a list as Kubernetes spells it")
                .map(&Shape::Map(&rules::LABEL, &VOLUME))
                .list(&Shape::List(&PLAIN_VOLUME)),
        ),
        "Volumes by name, each with its `mountPath`; or a list as Kubernetes spells it, with `volumeMounts`",
    ),
    field("volumeMounts", &MOUNTS, "Where the container finds volumes, as Kubernetes spells it"),
    field("image", &IMAGE, "The image without its tag (default: the service's name)"),
];
/// What each says for itself.
pub static OWN: [Field; 8] = [
    field("version", &VERSION, "The image's tag or digest"),
    field("command", &TEXTS, "Instead of the image's entry point"),
    field("args", &TEXTS, "Instead of the image's arguments"),
    field("initContainers", &CONTAINERS, "Containers that run to their end before"),
    field("sidecars", &CONTAINERS, "Containers that run beside it"),
    field("containerName", &NAME, "The main container's name"),
    field("podLabels", &LABELS, "Labels of the pods, beside those of all objects"),
    field("podAnnotations", &STRINGS, "Annotations of the pods"),
];
/// Labels and annotations of the object itself.
pub static META: [Field; 3] = [
    field("labels", &LABELS, "Labels of the objects and their pods"),
    field("objectLabels", &LABELS, "Labels of the object alone, beside `labels`"),
    field("annotations", &STRINGS, "Annotations of the object"),
];

static ROLLING: Shape = Shape::Struct(&Struct::new(
    "RollingUpdate",
    &[&[
        field("maxUnavailable", &AMOUNT, "How many pods may be missing on the way"),
        field("maxSurge", &AMOUNT, "How many pods there may be too many on the way"),
    ]],
));
static STRATEGY: Shape = Shape::Struct(&Struct::new(
    "DeploymentStrategy",
    &[&[
        field("type", &Shape::OneOf(&["RollingUpdate", "Recreate"]), "Pod by pod, or all at once"),
        field("rollingUpdate", &ROLLING, "How many at a time"),
    ]],
));
/// How a Deployment goes from one revision to the next.
pub static ROLLOUT: [Field; 5] = [
    field("replicas", &COUNT, "How many pods (default: 1)"),
    field("strategy", &STRATEGY, "How a Deployment replaces its pods"),
    field(
        "minReadySeconds",
        &COUNT,
        "How long a pod must be ready before it counts (default: 5 where a container has no readiness probe)",
    ),
    field("progressDeadlineSeconds", &POSITIVE, "When Kubernetes calls a rollout stuck"),
    field("revisionHistoryLimit", &COUNT, "How many old revisions stay (default: 10)"),
];

/// What goes with a workload that runs all the time.
pub static AROUND: [Field; 2] = [
    field("autoscaling", &AUTOSCALER, "A HorizontalPodAutoscaler, instead of `replicas`"),
    field(
        "disruptionBudget",
        &Shape::Forms(
            &Forms::of("how many pods must stay, or a map with `minAvailable` or `maxUnavailable`")
                .number(&COUNT)
                .text(&PERCENT)
                .map(&Shape::Struct(&BUDGET)),
        ),
        "A PodDisruptionBudget: how many pods must stay when nodes are emptied",
    ),
];

/// What a part of a service may be called.
static CALLED: [Field; 1] = [field("name", &OBJECT_NAME, "The object's name (default: SERVICE-KEY)")];
static ALONE: [Field; 1] = [field(
    "inherit",
    &FLAG,
    "`false` if it has nothing from the service but its image and version (default: env, files, volumes, service account and the like)",
)];
static FOUND_BY: [Field; 1] =
    [field("selector", &LABELS, "The labels by which its pods are found (default: `app: NAME`)")];
/// A Deployment beside the service's own.
pub static WORKER: Struct = Struct::new(
    "Worker",
    &[
        &ALONE,
        &ACCOUNT,
        &CALLED,
        &FOUND_BY,
        &META,
        &PORTS,
        &PROBES,
        &ROLLOUT,
        &AROUND,
        &SHARED,
        &OWN,
        &container::PLAIN,
        &container::SECURITY_FIELD,
        &pod::PLAIN,
        &pod::RENAMED,
        &pod::SPREAD_FIELD,
    ],
)
.heir();
static JOB_FIELDS: [Field; 7] = [
    field("backoffLimit", &COUNT, "How often it is tried again"),
    field("activeDeadlineSeconds", &POSITIVE, "How long it may take"),
    field("ttlSecondsAfterFinished", &COUNT, "How long it stays when it is done").since(21),
    field("completions", &COUNT, "How many pods must succeed"),
    field("parallelism", &COUNT, "How many pods at a time"),
    field("completionMode", &Shape::OneOf(&["NonIndexed", "Indexed"]), "Whether its pods are numbered").since(22),
    field(
        "restartPolicy",
        &Shape::OneOf(&["Never", "OnFailure"]),
        "Whether a failed container is started again in its pod (default: Never)",
    ),
];
/// Who a part is.
static ACCOUNT: [Field; 1] = [field("serviceAccountName", &OBJECT_NAME, "Another service account than the service's")];
static RELEASE_JOB: [Field; 1] =
    [field("reversible", &FLAG, "`false` if what it does cannot be undone by going back to an older release")];
/// A job that runs before the rollout.
pub static JOB: Struct = Struct::new(
    "Job",
    &[
        &ALONE,
        &ACCOUNT,
        &META,
        &JOB_FIELDS,
        &RELEASE_JOB,
        &SHARED,
        &OWN,
        &container::PLAIN,
        &container::SECURITY_FIELD,
        &pod::PLAIN,
        &pod::RENAMED,
    ],
)
.heir();
static SCHEDULE: [Field; 7] = [
    field("schedule", &Shape::Word(&rules::SCHEDULE), "When it runs").required(),
    field("timeZone", &Shape::Word(&rules::TIME_ZONE), "The time zone of the schedule").since(25),
    field("concurrencyPolicy", &Shape::OneOf(&["Allow", "Forbid", "Replace"]), "What if the last run is not over"),
    field("startingDeadlineSeconds", &COUNT, "How late it may start"),
    field("suspend", &FLAG, "Whether it rests"),
    field("successfulJobsHistoryLimit", &COUNT, "How many good runs stay"),
    field("failedJobsHistoryLimit", &COUNT, "How many bad runs stay"),
];
/// A job that runs by the clock.
pub static CRON_JOB: Struct = Struct::new(
    "CronJob",
    &[
        &ALONE,
        &ACCOUNT,
        &CALLED,
        &META,
        &SCHEDULE,
        &JOB_FIELDS,
        &SHARED,
        &OWN,
        &container::PLAIN,
        &container::SECURITY_FIELD,
        &pod::PLAIN,
        &pod::RENAMED,
    ],
)
.heir();

/// A key of a file in a ConfigMap.
pub static CONFIG_FILES: Shape = Shape::Map(&rules::CONFIG_KEY, &SOURCE);
