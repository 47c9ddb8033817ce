//! What Kubernetes says of a container, spelled as it spells it (core/v1 `Container`), so that people can paste it.

use super::rules::{self, LABEL, META_KEY, OBJECT, QUANTITY, RESOURCE};
use crate::yaml::{Choice, Field, Forms, Shape, Struct, field};

const MAX: i64 = i32::MAX as i64;
/// Any text.
pub static TEXT: Shape = Shape::Text;
/// `true` or `false`.
pub static FLAG: Shape = Shape::Flag;
/// A number of things, which may be none.
pub static COUNT: Shape = Shape::Whole(0, MAX);
/// A number of things, at least one.
pub static POSITIVE: Shape = Shape::Whole(1, MAX);
/// A number of 32 bits with a sign.
pub static NUMBER: Shape = Shape::Whole(-MAX - 1, MAX);
/// The number of a user or a group.
pub static ID: Shape = Shape::Whole(0, MAX);
/// A list of texts.
pub static TEXTS: Shape = Shape::List(&TEXT);
/// A name that is a DNS label.
pub static NAME: Shape = Shape::Word(&LABEL);
/// Another object's name.
pub static OBJECT_NAME: Shape = Shape::Word(&OBJECT);
/// The number of a port.
pub static PORT: Shape = Shape::Whole(1, 65535);
/// The name of a port.
pub static PORT_NAME: Shape = Shape::Word(&rules::PORT_NAME);
/// An amount of CPU, memory or storage.
pub static QUANTITY_SHAPE: Shape = Shape::Word(&QUANTITY);
/// Amounts by resource.
pub static QUANTITIES: Shape = Shape::Map(&RESOURCE, &QUANTITY_SHAPE);
/// Texts by key, as annotations are.
pub static STRINGS: Shape = Shape::Map(&META_KEY, &TEXT);
/// Labels by key.
pub static LABELS: Shape = Shape::Map(&META_KEY, &Shape::Word(&rules::LABEL_VALUE));
/// A port by its number or its name.
pub static PORT_REF: Shape = Shape::Forms(&Forms::of("a port: its number or its name").number(&PORT).text(&PORT_NAME));
/// Where a volume is found in a container.
pub static MOUNT_PATH: Shape = Shape::Word(&rules::MOUNT_PATH);
/// A key of a ConfigMap or a Secret.
pub static KEY: Shape = Shape::Word(&rules::CONFIG_KEY);

static HEADER: Shape = Shape::Struct(&Struct::new(
    "HTTPHeader",
    &[&[field("name", &TEXT, "The header's name").required(), field("value", &TEXT, "The header's value").required()]],
));
/// An HTTP request.
pub static HTTP_GET: Shape = Shape::Struct(&Struct::new(
    "HTTPGetAction",
    &[&[
        field("path", &Shape::Word(&rules::URL_PATH), "The path that is asked"),
        field("port", &PORT_REF, "The port: its number or its name").required(),
        field("scheme", &Shape::OneOf(&["HTTP", "HTTPS"]), "HTTP or HTTPS"),
        field("host", &TEXT, "Another host than the pod"),
        field("httpHeaders", &Shape::List(&HEADER), "Headers of the request"),
    ]],
));
static TCP_SOCKET: Shape = Shape::Struct(&Struct::new(
    "TCPSocketAction",
    &[&[
        field("port", &PORT_REF, "The port: its number or its name").required(),
        field("host", &TEXT, "Another host than the pod"),
    ]],
));
static EXEC: Shape =
    Shape::Struct(&Struct::new("ExecAction", &[&[field("command", &TEXTS, "The command").required()]]));
static GRPC: Shape = Shape::Struct(&Struct::new(
    "GRPCAction",
    &[&[
        field("port", &PORT, "The port's number").required(),
        field("service", &TEXT, "The service that is asked for"),
    ]],
));
static FULL_PROBE: Struct = Struct::new(
    "Probe",
    &[&[
        field("httpGet", &HTTP_GET, "Asks by HTTP: any status from 200 to 399 is good"),
        field("tcpSocket", &TCP_SOCKET, "Opens a connection"),
        field("exec", &EXEC, "Runs a command in the container: 0 is good"),
        field("grpc", &GRPC, "Asks by the gRPC health protocol").since(24),
        field("initialDelaySeconds", &COUNT, "How long to wait before the first time"),
        field("periodSeconds", &POSITIVE, "How often"),
        field("timeoutSeconds", &POSITIVE, "How long an answer may take"),
        field("successThreshold", &POSITIVE, "How many good answers in a row make it good"),
        field("failureThreshold", &POSITIVE, "How many bad answers in a row make it bad"),
        field("terminationGracePeriodSeconds", &POSITIVE, "How long a pod that failed it may take to stop").since(25),
    ]],
)
.choosing(&[Choice::One(&["httpGet", "tcpSocket", "exec", "grpc"])]);
/// A probe as Kubernetes spells it, or just a path.
pub static PROBE: Shape = Shape::Forms(
    &Forms::of("a path such as `/ready`, or a probe as Kubernetes spells it")
        .text(&Shape::Word(&rules::URL_PATH))
        .map(&Shape::Struct(&FULL_PROBE)),
);
static SLEEP: Shape = Shape::Struct(&Struct::new("SleepAction", &[&[field("seconds", &COUNT, "How long").required()]]));
static HANDLER: Struct = Struct::new(
    "LifecycleHandler",
    &[&[
        field("exec", &EXEC, "Runs a command in the container"),
        field("httpGet", &HTTP_GET, "Asks by HTTP"),
        field("tcpSocket", &TCP_SOCKET, "Opens a connection"),
        field("sleep", &SLEEP, "Waits").since(30),
    ]],
)
.choosing(&[Choice::One(&["exec", "httpGet", "tcpSocket", "sleep"])]);
static LIFECYCLE: Shape = Shape::Struct(&Struct::new(
    "Lifecycle",
    &[&[
        field("postStart", &Shape::Struct(&HANDLER), "After the container started"),
        field("preStop", &Shape::Struct(&HANDLER), "Before the container is stopped"),
        field("stopSignal", &TEXT, "The signal that stops it").since(33),
    ]],
));
static RESOURCE_CLAIM: Shape = Shape::Struct(&Struct::new(
    "ResourceClaim",
    &[&[
        field("name", &NAME, "A claim of the pod").required(),
        field("request", &TEXT, "One request of the claim").since(31),
    ]],
));
/// What a container needs and may use.
pub static RESOURCES: Shape = Shape::Struct(&Struct::new(
    "ResourceRequirements",
    &[&[
        field("requests", &QUANTITIES, "What is set aside for it"),
        field("limits", &QUANTITIES, "What it may use at most"),
        field("claims", &Shape::List(&RESOURCE_CLAIM), "Claims of the pod that it uses").since(26),
    ]],
));
static CAPABILITIES: Shape = Shape::Struct(&Struct::new(
    "Capabilities",
    &[&[field("add", &TEXTS, "Capabilities to add"), field("drop", &TEXTS, "Capabilities to take away")]],
));
/// SELinux labels.
pub static SELINUX: Shape = Shape::Struct(&Struct::new(
    "SELinuxOptions",
    &[&[
        field("user", &TEXT, "SELinux user"),
        field("role", &TEXT, "SELinux role"),
        field("type", &TEXT, "SELinux type"),
        field("level", &TEXT, "SELinux level"),
    ]],
));
/// A seccomp profile.
pub static SECCOMP: Shape = Shape::Struct(&Struct::new(
    "SeccompProfile",
    &[&[
        field("type", &Shape::OneOf(&["RuntimeDefault", "Unconfined", "Localhost"]), "Which profile").required(),
        field("localhostProfile", &TEXT, "A profile of the node, for `Localhost`"),
    ]],
));
/// An AppArmor profile.
pub static APPARMOR: Shape = Shape::Struct(&Struct::new(
    "AppArmorProfile",
    &[&[
        field("type", &Shape::OneOf(&["RuntimeDefault", "Unconfined", "Localhost"]), "Which profile").required(),
        field("localhostProfile", &TEXT, "A profile of the node, for `Localhost`"),
    ]],
));
/// Settings for Windows.
pub static WINDOWS: Shape = Shape::Struct(&Struct::new(
    "WindowsSecurityContextOptions",
    &[&[
        field("gmsaCredentialSpecName", &TEXT, "The GMSA credential spec"),
        field("gmsaCredentialSpec", &TEXT, "The GMSA credential spec itself"),
        field("runAsUserName", &TEXT, "The user"),
        field("hostProcess", &FLAG, "Whether it runs as a host process").since(23),
    ]],
));
static SECURITY: Shape = Shape::Struct(&Struct::new(
    "SecurityContext",
    &[&[
        field("runAsUser", &ID, "The user's number"),
        field("runAsGroup", &ID, "The group's number"),
        field("runAsNonRoot", &FLAG, "Refuse to run as root"),
        field("readOnlyRootFilesystem", &FLAG, "Whether the image's files are read-only"),
        field("allowPrivilegeEscalation", &FLAG, "Whether a process may gain more than its parent has"),
        field("privileged", &FLAG, "Whether it may do what root of the node may"),
        field("procMount", &Shape::OneOf(&["Default", "Unmasked"]), "How /proc is mounted"),
        field("capabilities", &CAPABILITIES, "Capabilities to add and to drop"),
        field("seccompProfile", &SECCOMP, "The seccomp profile"),
        field("appArmorProfile", &APPARMOR, "The AppArmor profile").since(30),
        field("seLinuxOptions", &SELINUX, "SELinux labels"),
        field("windowsOptions", &WINDOWS, "For Windows"),
    ]],
));

static KEY_REF: Struct = Struct::new(
    "KeySelector",
    &[&[
        field("name", &OBJECT_NAME, "The object's name").required(),
        field("key", &KEY, "The key").required(),
        field("optional", &FLAG, "Whether it may be missing"),
    ]],
);
/// A field of the pod.
pub static FIELD_REF: Shape = Shape::Struct(&Struct::new(
    "ObjectFieldSelector",
    &[&[
        field("fieldPath", &TEXT, "Such as `status.podIP` or `metadata.name`").required(),
        field("apiVersion", &TEXT, "The API version of the path"),
    ]],
));
/// A request or a limit of a container.
pub static RESOURCE_REF: Shape = Shape::Struct(&Struct::new(
    "ResourceFieldSelector",
    &[&[
        field("resource", &TEXT, "Such as `limits.memory`").required(),
        field("containerName", &NAME, "The container"),
        field("divisor", &QUANTITY_SHAPE, "The unit"),
    ]],
));
static VALUE_FROM: Shape = Shape::Struct(
    &Struct::new(
        "EnvVarSource",
        &[&[
            field("secretKeyRef", &Shape::Struct(&KEY_REF), "A key of a Secret"),
            field("configMapKeyRef", &Shape::Struct(&KEY_REF), "A key of a ConfigMap"),
            field("fieldRef", &FIELD_REF, "A field of the pod"),
            field("resourceFieldRef", &RESOURCE_REF, "A request or limit of a container"),
        ]],
    )
    .choosing(&[Choice::One(&["secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"])]),
);
static VALUE_FIELDS: [Field; 7] = [
    field("secret", &OBJECT_NAME, "A Secret; `key` says which of its keys"),
    field("configMap", &OBJECT_NAME, "A ConfigMap; `key` says which of its keys"),
    field("key", &KEY, "The key of the Secret or ConfigMap (default: the variable's name)"),
    field("optional", &FLAG, "Whether the Secret or ConfigMap may be missing"),
    field("field", &TEXT, "A field of the pod, such as `status.podIP`"),
    field("value", &TEXT, "A text as Kubernetes takes it: `$(NAME)` stands for another variable"),
    field("valueFrom", &VALUE_FROM, "As Kubernetes spells it"),
];
/// A variable that is no text: a reference, or as Kubernetes spells it.
pub static VALUE: Struct = Struct::new("Variable", &[&VALUE_FIELDS])
    .choosing(&[
        Choice::One(&["secret", "configMap", "field", "value", "valueFrom"]),
        Choice::AtMostOne(&["key", "field"]),
        Choice::AtMostOne(&["key", "value"]),
        Choice::AtMostOne(&["key", "valueFrom"]),
        Choice::AtMostOne(&["optional", "field"]),
        Choice::AtMostOne(&["optional", "value"]),
        Choice::AtMostOne(&["optional", "valueFrom"]),
    ])
    .atomic();
/// Environment variables by name.
pub static ENV: Shape = Shape::Map(
    &rules::VARIABLE,
    &Shape::Forms(
        &Forms::of("text, or a map with `secret`, `configMap`, `field`, `value` or `valueFrom`")
            .number(&TEXT)
            .flag(&TEXT)
            .text(&TEXT)
            .map(&Shape::Struct(&VALUE)),
    ),
);
static ENTRY: Shape = Shape::Struct(
    &Struct::new(
        "EnvVar",
        &[&[
            field("name", &Shape::Word(&rules::VARIABLE), "The variable").required(),
            field("value", &TEXT, "Its value"),
            field("valueFrom", &VALUE_FROM, "Where its value comes from"),
        ]],
    )
    .choosing(&[Choice::AtMostOne(&["value", "valueFrom"])]),
);
/// Variables by name, or the list that Kubernetes has, for what a map cannot say: one name twice, or another order than a layer's.
pub static VARIABLES: Shape = Shape::Forms(
    &Forms::of("a map of variables, or a list as Kubernetes spells it").map(&ENV).list(&Shape::List(&ENTRY)),
);
static SOURCE_REF: Shape = Shape::Struct(&Struct::new(
    "EnvSource",
    &[&[
        field("name", &OBJECT_NAME, "The object's name").required(),
        field("optional", &FLAG, "Whether it may be missing"),
    ]],
));
/// Variables from whole Secrets and ConfigMaps.
pub static ENV_FROM: Shape = Shape::List(&Shape::Struct(
    &Struct::new(
        "EnvFromSource",
        &[&[
            field("prefix", &Shape::Word(&rules::PREFIX), "Goes in front of each name"),
            field("secretRef", &SOURCE_REF, "All keys of a Secret"),
            field("configMapRef", &SOURCE_REF, "All keys of a ConfigMap"),
        ]],
    )
    .choosing(&[Choice::One(&["secretRef", "configMapRef"])]),
));
static MOUNT: Shape = Shape::Struct(
    &Struct::new(
        "VolumeMount",
        &[
            &[
                field("name", &NAME, "The volume").required(),
                field("mountPath", &MOUNT_PATH, "Where it is found").required(),
            ],
            &MOUNT_FIELDS,
        ],
    )
    .choosing(&[Choice::AtMostOne(&["subPath", "subPathExpr"])]),
);
/// What a mount may say beside its volume and its path.
pub static MOUNT_FIELDS: [Field; 5] = [
    field("readOnly", &FLAG, "Whether it may not be written"),
    field("subPath", &TEXT, "A path in the volume, instead of its root"),
    field("subPathExpr", &TEXT, "Likewise, with variables"),
    field(
        "mountPropagation",
        &Shape::OneOf(&["None", "HostToContainer", "Bidirectional"]),
        "Who sees mounts made later",
    ),
    field(
        "recursiveReadOnly",
        &Shape::OneOf(&["Disabled", "IfPossible", "Enabled"]),
        "Whether mounts below are read-only too",
    )
    .since(30),
];
/// Mounts of volumes, as Kubernetes spells them.
pub static MOUNTS: Shape = Shape::List(&MOUNT);
static CONTAINER_PORT: Shape = Shape::Struct(&Struct::new(
    "ContainerPort",
    &[&[
        field("containerPort", &PORT, "The port's number").required(),
        field("name", &PORT_NAME, "Its name"),
        field("protocol", &PROTOCOL, "TCP, UDP or SCTP"),
        field("hostPort", &PORT, "A port of the node"),
        field("hostIP", &Shape::Word(&rules::ADDRESS), "An address of the node"),
    ]],
));
/// What a port speaks below its own protocol.
pub static PROTOCOL: Shape = Shape::OneOf(&["TCP", "UDP", "SCTP"]);
static RESIZE: Shape = Shape::Struct(&Struct::new(
    "ContainerResizePolicy",
    &[&[
        field("resourceName", &TEXT, "The resource").required(),
        field("restartPolicy", &Shape::OneOf(&["NotRequired", "RestartContainer"]), "Whether a change restarts it")
            .required(),
    ]],
));
static DEVICE: Shape = Shape::Struct(&Struct::new(
    "VolumeDevice",
    &[&[
        field("name", &NAME, "The claim").required(),
        field("devicePath", &MOUNT_PATH, "The device's path").required(),
    ]],
));

/// What goes into the container as it stands.
pub static PLAIN: [Field; 11] = [
    field("workingDir", &TEXT, "Instead of the image's working directory"),
    field("resources", &RESOURCES, "What it needs and what it may use"),
    field("lifecycle", &LIFECYCLE, "What is done after its start and before its end"),
    field("imagePullPolicy", &Shape::OneOf(&["Always", "IfNotPresent", "Never"]), "When the image is pulled"),
    field("stdin", &FLAG, "Whether it has a standard input"),
    field("stdinOnce", &FLAG, "Whether its standard input ends with the first client"),
    field("tty", &FLAG, "Whether it has a terminal"),
    field("terminationMessagePath", &MOUNT_PATH, "Where it leaves its last words"),
    field(
        "terminationMessagePolicy",
        &Shape::OneOf(&["File", "FallbackToLogsOnError"]),
        "Where its last words are taken from",
    ),
    field("resizePolicy", &Shape::List(&RESIZE), "Which resources can change while it runs").since(27),
    field("volumeDevices", &Shape::List(&DEVICE), "Raw block devices of claims"),
];
/// How the container's own security is set; the pod's is `podSecurityContext`.
pub static SECURITY_FIELD: [Field; 1] = [field("securityContext", &SECURITY, "Security settings of the container")];

/// What an init container or a sidecar may say beside [`PLAIN`].
static OTHER: [Field; 13] = [
    field("name", &NAME, "Its name").required(),
    field("image", &Shape::Word(&rules::IMAGE), "Its image without tag (default: the service's, with its version)"),
    field("version", &Shape::Word(&rules::VERSION), "The tag or digest of its own image"),
    field("command", &TEXTS, "Instead of the image's entry point"),
    field("args", &TEXTS, "Instead of the image's arguments"),
    field("ports", &Shape::List(&CONTAINER_PORT), "Its ports"),
    field("env", &VARIABLES, "Its environment variables; texts in a map are templates"),
    field("envFrom", &ENV_FROM, "Variables from whole Secrets and ConfigMaps"),
    field("volumeMounts", &MOUNTS, "Where it finds volumes"),
    field("readinessProbe", &PROBE, "Whether it is ready"),
    field("livenessProbe", &PROBE, "Whether it must be restarted"),
    field("startupProbe", &PROBE, "Whether it has started"),
    field("restartPolicy", &Shape::OneOf(&["Always"]), "`Always` makes an init container one that stays").since(29),
];
/// Another container of the pod.
pub static CONTAINERS: Shape =
    Shape::List(&Shape::Struct(&Struct::new("Container", &[&OTHER, &PLAIN, &SECURITY_FIELD])));
