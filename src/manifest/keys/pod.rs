//! What Kubernetes says of a pod, spelled as it spells it (core/v1 `PodSpec`), so that people can paste it.

use super::container::{
    APPARMOR, COUNT, FLAG, ID, LABELS, NAME, NUMBER, OBJECT_NAME, POSITIVE, SECCOMP, SELINUX, TEXT, TEXTS, WINDOWS,
};
use super::rules;
use crate::yaml::{Field, Forms, Shape, Struct, field};

static REQUIREMENT: Shape = Shape::Struct(&Struct::new(
    "LabelSelectorRequirement",
    &[&[
        field("key", &TEXT, "The label").required(),
        field("operator", &Shape::OneOf(&["In", "NotIn", "Exists", "DoesNotExist"]), "How it is compared").required(),
        field("values", &TEXTS, "With what"),
    ]],
));
/// Which objects, by their labels.
pub static SELECTOR: Shape = Shape::Struct(&Struct::new(
    "LabelSelector",
    &[&[
        field("matchLabels", &LABELS, "Labels with these values"),
        field("matchExpressions", &Shape::List(&REQUIREMENT), "Labels by other rules"),
    ]],
));
static NODE_REQUIREMENT: Shape = Shape::Struct(&Struct::new(
    "NodeSelectorRequirement",
    &[&[
        field("key", &TEXT, "The label").required(),
        field("operator", &Shape::OneOf(&["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]), "How it is compared")
            .required(),
        field("values", &TEXTS, "With what"),
    ]],
));
static NODE_TERM: Struct = Struct::new(
    "NodeSelectorTerm",
    &[&[
        field("matchExpressions", &Shape::List(&NODE_REQUIREMENT), "By the node's labels"),
        field("matchFields", &Shape::List(&NODE_REQUIREMENT), "By the node's fields"),
    ]],
);
static PREFERRED_NODE: Shape = Shape::Struct(&Struct::new(
    "PreferredSchedulingTerm",
    &[&[
        field("weight", &Shape::Whole(1, 100), "How much it counts").required(),
        field("preference", &Shape::Struct(&NODE_TERM), "Which nodes").required(),
    ]],
));
static NODE_SELECTOR: Shape = Shape::Struct(&Struct::new(
    "NodeSelector",
    &[&[field("nodeSelectorTerms", &Shape::List(&Shape::Struct(&NODE_TERM)), "One of these must hold").required()]],
));
static NODE_AFFINITY: Shape = Shape::Struct(&Struct::new(
    "NodeAffinity",
    &[&[
        field("requiredDuringSchedulingIgnoredDuringExecution", &NODE_SELECTOR, "Nodes on which it must run"),
        field(
            "preferredDuringSchedulingIgnoredDuringExecution",
            &Shape::List(&PREFERRED_NODE),
            "Nodes on which it had better run",
        ),
    ]],
));
static POD_TERM: Shape = Shape::Struct(&Struct::new(
    "PodAffinityTerm",
    &[&[
        field("topologyKey", &TEXT, "The node label that tells places apart").required(),
        field("labelSelector", &SELECTOR, "Which pods"),
        field("namespaces", &TEXTS, "In which namespaces"),
        field("namespaceSelector", &SELECTOR, "In namespaces with these labels").since(22),
        field("matchLabelKeys", &TEXTS, "Labels that must be the same as the pod's").since(29),
        field("mismatchLabelKeys", &TEXTS, "Labels that must be others than the pod's").since(29),
    ]],
));
static PREFERRED_POD: Shape = Shape::Struct(&Struct::new(
    "WeightedPodAffinityTerm",
    &[&[
        field("weight", &Shape::Whole(1, 100), "How much it counts").required(),
        field("podAffinityTerm", &POD_TERM, "Which pods, and where").required(),
    ]],
));
static POD_AFFINITY: Struct = Struct::new(
    "PodAffinity",
    &[&[
        field("requiredDuringSchedulingIgnoredDuringExecution", &Shape::List(&POD_TERM), "What must hold"),
        field("preferredDuringSchedulingIgnoredDuringExecution", &Shape::List(&PREFERRED_POD), "What had better hold"),
    ]],
);
static AFFINITY: Shape = Shape::Struct(&Struct::new(
    "Affinity",
    &[&[
        field("nodeAffinity", &NODE_AFFINITY, "By nodes"),
        field("podAffinity", &Shape::Struct(&POD_AFFINITY), "Near which pods"),
        field("podAntiAffinity", &Shape::Struct(&POD_AFFINITY), "Away from which pods"),
    ]],
));
static TOLERATION: Shape = Shape::Struct(&Struct::new(
    "Toleration",
    &[&[
        field("key", &TEXT, "The taint's key"),
        field("operator", &Shape::OneOf(&["Exists", "Equal"]), "How its value is compared"),
        field("value", &TEXT, "The taint's value"),
        field("effect", &Shape::OneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"]), "Which effect"),
        field("tolerationSeconds", &NUMBER, "For how long"),
    ]],
));
static SPREAD: Shape = Shape::Struct(&Struct::new(
    "TopologySpreadConstraint",
    &[&[
        field("maxSkew", &POSITIVE, "How uneven it may be").required(),
        field("topologyKey", &TEXT, "The node label that tells places apart").required(),
        field("whenUnsatisfiable", &Shape::OneOf(&["DoNotSchedule", "ScheduleAnyway"]), "What if it cannot be")
            .required(),
        field("labelSelector", &SELECTOR, "Which pods are counted"),
        field("minDomains", &POSITIVE, "How many places there must be").since(25),
        field("matchLabelKeys", &TEXTS, "Labels that must be the same as the pod's").since(27),
        field("nodeAffinityPolicy", &Shape::OneOf(&["Honor", "Ignore"]), "Whether node affinity counts").since(26),
        field("nodeTaintsPolicy", &Shape::OneOf(&["Honor", "Ignore"]), "Whether taints count").since(26),
    ]],
));
static SYSCTL: Shape = Shape::Struct(&Struct::new(
    "Sysctl",
    &[&[field("name", &TEXT, "The setting").required(), field("value", &TEXT, "Its value").required()]],
));
static SECURITY: Shape = Shape::Struct(&Struct::new(
    "PodSecurityContext",
    &[&[
        field("runAsUser", &ID, "The user's number"),
        field("runAsGroup", &ID, "The group's number"),
        field("runAsNonRoot", &FLAG, "Refuse to run as root"),
        field("fsGroup", &ID, "The group that owns volumes"),
        field(
            "fsGroupChangePolicy",
            &Shape::OneOf(&["OnRootMismatch", "Always"]),
            "When the owner of volumes is changed",
        ),
        field("supplementalGroups", &Shape::List(&ID), "Further groups"),
        field("supplementalGroupsPolicy", &Shape::OneOf(&["Merge", "Strict"]), "How they meet the image's groups")
            .since(33),
        field("sysctls", &Shape::List(&SYSCTL), "Kernel settings"),
        field("seccompProfile", &SECCOMP, "The seccomp profile"),
        field("appArmorProfile", &APPARMOR, "The AppArmor profile").since(30),
        field("seLinuxOptions", &SELINUX, "SELinux labels"),
        field("seLinuxChangePolicy", &Shape::OneOf(&["MountOption", "Recursive"]), "How volumes get SELinux labels")
            .since(33),
        field("windowsOptions", &WINDOWS, "For Windows"),
    ]],
));
static ALIAS: Shape = Shape::Struct(&Struct::new(
    "HostAlias",
    &[&[field("ip", &Shape::Word(&rules::ADDRESS), "The address").required(), field("hostnames", &TEXTS, "Its names")]],
));
static DNS_OPTION: Shape = Shape::Struct(&Struct::new(
    "PodDNSConfigOption",
    &[&[field("name", &TEXT, "The option").required(), field("value", &TEXT, "Its value")]],
));
static DNS: Shape = Shape::Struct(&Struct::new(
    "PodDNSConfig",
    &[&[
        field("nameservers", &TEXTS, "Addresses of name servers"),
        field("searches", &TEXTS, "Domains that are searched"),
        field("options", &Shape::List(&DNS_OPTION), "Options of the resolver"),
    ]],
));
static GATE: Shape = Shape::Struct(&Struct::new(
    "PodReadinessGate",
    &[&[field("conditionType", &TEXT, "The pod's condition").required()]],
));
/// A Secret by its name.
pub static PULL_SECRET: Shape =
    Shape::Struct(&Struct::new("LocalObjectReference", &[&[field("name", &OBJECT_NAME, "The Secret").required()]]));
/// Secrets with which images are pulled: names, or as Kubernetes spells them.
pub static PULL_SECRETS: Shape =
    Shape::List(&Shape::Forms(&Forms::of("the name of a Secret").text(&OBJECT_NAME).map(&PULL_SECRET)));

/// What goes into the pod as it stands.
pub static PLAIN: [Field; 22] = [
    field("affinity", &AFFINITY, "Where it runs, by nodes and by other pods"),
    field("nodeSelector", &LABELS, "Labels of the nodes on which it may run"),
    field("tolerations", &Shape::List(&TOLERATION), "Taints that it can live with"),
    field("priorityClassName", &OBJECT_NAME, "How important it is"),
    field(
        "preemptionPolicy",
        &Shape::OneOf(&["PreemptLowerPriority", "Never"]),
        "Whether it may drive out less important pods",
    ),
    field("terminationGracePeriodSeconds", &COUNT, "How long it may take to stop"),
    field("hostAliases", &Shape::List(&ALIAS), "Entries of /etc/hosts"),
    field(
        "dnsPolicy",
        &Shape::OneOf(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
        "Where names are looked up",
    ),
    field("dnsConfig", &DNS, "How names are looked up"),
    field("enableServiceLinks", &FLAG, "Whether it gets variables about other Services"),
    field("hostNetwork", &FLAG, "Whether it uses the node's network"),
    field("hostPID", &FLAG, "Whether it sees the node's processes"),
    field("hostIPC", &FLAG, "Whether it shares the node's IPC"),
    field("hostUsers", &FLAG, "Whether it shares the node's users").since(30),
    field("hostname", &NAME, "Its host name"),
    field("subdomain", &NAME, "Its subdomain"),
    field("setHostnameAsFQDN", &FLAG, "Whether its host name is the full one").since(22),
    field("runtimeClassName", &OBJECT_NAME, "The container runtime"),
    field("schedulerName", &OBJECT_NAME, "The scheduler"),
    field("shareProcessNamespace", &FLAG, "Whether its containers see each other's processes"),
    field("readinessGates", &Shape::List(&GATE), "Further conditions of its being ready"),
    field("automountServiceAccountToken", &FLAG, "Whether it gets its service account's token"),
];
/// What is the pod's, and is spelled as the pod's where the container has the like.
pub static RENAMED: [Field; 2] = [
    field("podSecurityContext", &SECURITY, "Security settings of the pod"),
    field("imagePullSecrets", &PULL_SECRETS, "Secrets with which images are pulled"),
];
/// Where pods of one workload are spread.
pub static SPREAD_FIELD: [Field; 1] =
    [field("topologySpreadConstraints", &Shape::List(&SPREAD), "How its pods are spread over places")];
