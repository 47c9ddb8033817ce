//! `manifest.yml`, and everything that is layered over or under it.

use super::container::{
    self, COUNT, FLAG, LABELS, OBJECT_NAME, PORT, PORT_NAME, PORT_REF, PROTOCOL, STRINGS, TEXT, TEXTS,
};
use super::workload::{AROUND, CONFIG_FILES, CRON_JOB, JOB, META, OWN, PORTS, PROBES, ROLLOUT, SHARED, WORKER};
use super::{bdd, pod, rules};
use crate::yaml::{Choice, Field, Forms, Shape, Struct, field};

static ENVIRONMENTS: Shape = Shape::List(&Shape::Word(&rules::ENVIRONMENT));
static PLACES: [Field; 1] =
    [field("environments", &ENVIRONMENTS, "The environments that it is in; in `manifest.yml` only (default: all)")];
static NO_PLACES: [Field; 1] =
    [field("environments", &Shape::Never("`environments` belongs into `manifest.yml`"), "Belongs into `manifest.yml`")];
static IDENTITY: [Field; 9] = [
    field(
        "kind",
        &Shape::OneOf(&["Deployment", "StatefulSet", "DaemonSet", "None"]),
        "What keeps its pods running (default: Deployment); `None` if nothing does",
    ),
    field("name", &Shape::Word(&rules::SERVICE), "The workload's name (default: the service's)"),
    field("owner", &TEXT, "Whose it is"),
    field("contacts", &Shape::Map(&rules::LABEL, &TEXT), "How its people are reached, such as `slack: \"#web\"`"),
    field(
        "registry",
        &Shape::Forms(&Forms::of("a registry, or `false`").flag(&FLAG).text(&Shape::Word(&rules::REGISTRY))),
        "In front of images that name no registry, instead of the environment's; `false` for nothing",
    ),
    field("selector", &LABELS, "The labels by which its pods are found (default: `app: NAME`)"),
    field("shipcatLabels", &FLAG, "`false` for objects that are taken over as they are, without shipcat's labels"),
    field(
        "templates",
        &Shape::Map(&rules::TEMPLATE, &FLAG),
        "Built-in and repo templates that are left out: `service: false`",
    ),
    field("values", &Shape::Map(&rules::ANY_KEY, &Shape::Free), "Values for templates, over those of `shipcat.yml`"),
];

static SERVICE_PORT: Shape = Shape::Struct(&Struct::new(
    "ServicePort",
    &[&[
        field("port", &PORT, "What the Service offers").required(),
        field("name", &PORT_NAME, "Its name"),
        field("targetPort", &PORT_REF, "The pod's port"),
        field("protocol", &PROTOCOL, "TCP, UDP or SCTP"),
        field("nodePort", &PORT, "The port on each node"),
        field("appProtocol", &TEXT, "What is spoken on it"),
    ]],
));
static AFFINITY_CONFIG: Shape = Shape::Struct(&Struct::new(
    "SessionAffinityConfig",
    &[&[field(
        "clientIP",
        &Shape::Struct(&Struct::new(
            "ClientIPConfig",
            &[&[field("timeoutSeconds", &Shape::Whole(1, 86400), "How long")]],
        )),
        "By the client's address",
    )]],
));
/// What goes into the Service's `spec` as it stands.
pub static SERVICE_SPEC: [Field; 19] = [
    field("type", &Shape::OneOf(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]), "Its type"),
    field("clusterIP", &TEXT, "`None` for a headless one"),
    field("clusterIPs", &TEXTS, "Its addresses"),
    field("externalName", &TEXT, "The host that it stands for"),
    field("externalIPs", &TEXTS, "Addresses from outside"),
    field("externalTrafficPolicy", &Shape::OneOf(&["Cluster", "Local"]), "Where traffic from outside goes"),
    field("internalTrafficPolicy", &Shape::OneOf(&["Cluster", "Local"]), "Where traffic from inside goes").since(22),
    field("trafficDistribution", &TEXT, "Which endpoints are preferred").since(31),
    field("loadBalancerIP", &TEXT, "The load balancer's address"),
    field("loadBalancerClass", &TEXT, "The load balancer's class").since(22),
    field("loadBalancerSourceRanges", &Shape::List(&Shape::Word(&rules::CIDR)), "Who may connect"),
    field("allocateLoadBalancerNodePorts", &FLAG, "Whether it gets node ports").since(22),
    field("healthCheckNodePort", &PORT, "The node port of the load balancer's health check"),
    field("ipFamilies", &Shape::List(&Shape::OneOf(&["IPv4", "IPv6"])), "IPv4, IPv6 or both"),
    field("ipFamilyPolicy", &Shape::OneOf(&["SingleStack", "PreferDualStack", "RequireDualStack"]), "One or both"),
    field("publishNotReadyAddresses", &FLAG, "Whether pods that are not ready are found as well"),
    field("sessionAffinity", &Shape::OneOf(&["None", "ClientIP"]), "Whether a client stays with a pod"),
    field("sessionAffinityConfig", &AFFINITY_CONFIG, "For how long"),
    field("selector", &LABELS, "Its pods (default: the service's)"),
];
static SERVICE_FIELDS: [Field; 4] = [
    field("name", &Shape::Word(&rules::SERVICE), "Its name (default: the service's)"),
    field("labels", &LABELS, "Its labels"),
    field("annotations", &STRINGS, "Its annotations"),
    field(
        "ports",
        &Shape::List(&SERVICE_PORT),
        "Its ports as Kubernetes spells them (default: those of `port` and `ports`)",
    ),
];
static SERVICE: Shape = Shape::Struct(&Struct::new("Service", &[&SERVICE_FIELDS, &SERVICE_SPEC]));

static PATH_TARGET: Shape = Shape::Forms(
    &Forms::of("a port's number or name, or a map with `port`, `service` and `pathType`")
        .number(&PORT)
        .text(&PORT_NAME)
        .map(&Shape::Struct(&Struct::new(
            "IngressPath",
            &[&[
                field("port", &PORT_REF, "The Service's port: its number or its name").required(),
                field("service", &OBJECT_NAME, "Another Service than the service's own"),
                field(
                    "pathType",
                    &Shape::OneOf(&["Prefix", "Exact", "ImplementationSpecific"]),
                    "How the path is compared (default: Prefix)",
                ),
            ]],
        ))),
);
static HOST: Shape = Shape::Struct(&Struct::new(
    "IngressHost",
    &[&[
        field("paths", &Shape::Map(&rules::INGRESS_PATH, &PATH_TARGET), "Path: port (default: `/` to the first port)"),
        field("tls", &OBJECT_NAME, "The Secret with its certificate"),
    ]],
));
static TLS: Shape = Shape::Struct(&Struct::new(
    "IngressTLS",
    &[&[field("hosts", &TEXTS, "The hosts"), field("secretName", &OBJECT_NAME, "The Secret with the certificate")]],
));
static INGRESS: Struct = Struct::new(
    "Ingress",
    &[&[
        field("hosts", &Shape::Map(&rules::HOST, &HOST), "Host: paths and certificate; `*` for any host").required(),
        field("className", &OBJECT_NAME, "The ingress class"),
        field("tls", &Shape::List(&TLS), "Certificates as Kubernetes spells them, beside those of `hosts`"),
        field("name", &OBJECT_NAME, "Its name (default: the service's)"),
        field("labels", &LABELS, "Its labels"),
        field("annotations", &STRINGS, "Its annotations"),
    ]],
);
static ACCOUNT: Struct = Struct::new(
    "ServiceAccount",
    &[&[
        field("name", &OBJECT_NAME, "Its name (default: the service's)"),
        field("create", &FLAG, "Whether it is made (default: true)"),
        field("labels", &LABELS, "Its labels"),
        field("annotations", &STRINGS, "Its annotations"),
        field("imagePullSecrets", &pod::PULL_SECRETS, "Secrets with which its pods' images are pulled"),
        field("automountServiceAccountToken", &FLAG, "Whether pods get its token"),
    ]],
);
static CONFIG_MAP: Shape = Shape::Struct(&Struct::new(
    "ConfigMap",
    &[&[
        field("data", &Shape::Map(&rules::CONFIG_KEY, &TEXT), "Key: text; texts are templates"),
        field("files", &CONFIG_FILES, "Key: file in the service's folder"),
        field("immutable", &FLAG, "Whether it can never change"),
        field("labels", &LABELS, "Its labels"),
        field("annotations", &STRINGS, "Its annotations"),
    ]],
));
static AMOUNT: Shape = Shape::Forms(
    &Forms::of("a number, or a percentage such as `25%`").number(&COUNT).text(&Shape::Word(&rules::PERCENT)),
);
static UPDATE: Shape = Shape::Struct(&Struct::new(
    "UpdateStrategy",
    &[&[
        field("type", &Shape::OneOf(&["RollingUpdate", "OnDelete"]), "Pod by pod, or when somebody deletes them"),
        field(
            "rollingUpdate",
            &Shape::Struct(&Struct::new(
                "RollingUpdateOfSet",
                &[&[
                    field("partition", &COUNT, "Pods with a lower number stay as they are (StatefulSet)"),
                    field("maxUnavailable", &AMOUNT, "How many pods may be missing on the way"),
                    field("maxSurge", &AMOUNT, "How many pods there may be too many on the way (DaemonSet)").since(22),
                ]],
            )),
            "How many at a time",
        ),
    ]],
));
static SETS: [Field; 5] = [
    field("updateStrategy", &UPDATE, "How a StatefulSet or a DaemonSet replaces its pods"),
    field(
        "podManagementPolicy",
        &Shape::OneOf(&["OrderedReady", "Parallel"]),
        "Whether a StatefulSet's pods come one after the other",
    ),
    field("serviceName", &OBJECT_NAME, "The Service of a StatefulSet's pods (default: SERVICE-pods, which is made)"),
    field(
        "persistentVolumeClaimRetentionPolicy",
        &Shape::Struct(&Struct::new(
            "ClaimRetention",
            &[&[
                field("whenDeleted", &Shape::OneOf(&["Retain", "Delete"]), "When the StatefulSet goes"),
                field("whenScaled", &Shape::OneOf(&["Retain", "Delete"]), "When its pod goes"),
            ]],
        )),
        "What becomes of a StatefulSet's claims",
    )
    .since(27),
    field(
        "ordinals",
        &Shape::Struct(&Struct::new("Ordinals", &[&[field("start", &COUNT, "The first number")]])),
        "The numbers of a StatefulSet's pods",
    )
    .since(27),
];
static OBJECTS: [Field; 8] = [
    field(
        "service",
        &Shape::Forms(&Forms::of("`false`, or a map").flag(&FLAG).map(&SERVICE)),
        "The Service, where it is to be other than usual; `false` for none",
    ),
    field("services", &Shape::Map(&rules::SERVICE, &SERVICE), "Further Services under names of their own"),
    field(
        "ingress",
        &Shape::Forms(
            &Forms::of("a host, or a map with `hosts`").text(&Shape::Word(&rules::HOST)).map(&Shape::Struct(&INGRESS)),
        ),
        "How it is reached from outside",
    ),
    field(
        "serviceAccount",
        &Shape::Forms(
            &Forms::of("the name of a service account, or a map").text(&OBJECT_NAME).map(&Shape::Struct(&ACCOUNT)),
        ),
        "Its service account: the name of one that is there, or a map for one that is made",
    ),
    field("configMaps", &Shape::Map(&rules::OBJECT, &CONFIG_MAP), "ConfigMaps under names of their own"),
    field(
        "workers",
        &Shape::Map(&rules::SUFFIX, &Shape::Struct(&WORKER)),
        "Further Deployments with the service's image and settings, named SERVICE-WORKER",
    ),
    field(
        "jobs",
        &Shape::Map(&rules::SUFFIX, &Shape::Struct(&JOB)),
        "Jobs that run before the rollout, such as migrations",
    ),
    field(
        "cronJobs",
        &Shape::Map(&rules::SUFFIX, &Shape::Struct(&CRON_JOB)),
        "Jobs that run by the clock, named SERVICE-JOB",
    ),
];
const RULES: &[Choice] =
    &[Choice::AtMostOne(&["health", "readinessProbe"]), Choice::AtMostOne(&["replicas", "autoscaling"])];

/// All that `manifest.yml` may say.
pub static MANIFEST: Struct = Struct::new(
    "Manifest",
    &[
        &PLACES,
        &IDENTITY,
        &META,
        &PORTS,
        &PROBES,
        &ROLLOUT,
        &AROUND,
        &SETS,
        &OBJECTS,
        &bdd::FIELDS,
        &SHARED,
        &OWN,
        &container::PLAIN,
        &container::SECURITY_FIELD,
        &pod::PLAIN,
        &pod::RENAMED,
        &pod::SPREAD_FIELD,
    ],
)
.choosing(RULES);
/// A manifest's shape.
pub static MANIFEST_SHAPE: Shape = Shape::Struct(&MANIFEST);

/// All that defaults and an environment's file may say.
static LAYER: Struct = Struct::new(
    "Layer",
    &[
        &NO_PLACES,
        &IDENTITY,
        &META,
        &PORTS,
        &PROBES,
        &ROLLOUT,
        &AROUND,
        &SETS,
        &OBJECTS,
        &bdd::FIELDS,
        &SHARED,
        &OWN,
        &container::PLAIN,
        &container::SECURITY_FIELD,
        &pod::PLAIN,
        &pod::RENAMED,
        &pod::SPREAD_FIELD,
    ],
)
.choosing(RULES);
/// The shape of defaults and of an environment's file.
pub static LAYER_SHAPE: Shape = Shape::Struct(&LAYER);
