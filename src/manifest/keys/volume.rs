//! What Kubernetes says of volumes and claims, spelled as it spells it (core/v1 `Volume`, `PersistentVolumeClaimSpec`).

use super::container::{
    FIELD_REF, FLAG, KEY, LABELS, OBJECT_NAME, QUANTITIES, QUANTITY_SHAPE, RESOURCE_REF, STRINGS, TEXT,
};
use super::pod::{PULL_SECRET, SELECTOR};
use super::rules;
use crate::yaml::{Choice, Field, Shape, Struct, field};

static ITEM: Shape = Shape::Struct(&Struct::new(
    "KeyToPath",
    &[&[
        field("key", &KEY, "The key").required(),
        field("path", &TEXT, "The file's path in the volume").required(),
        field("mode", &Shape::Mode, "The file's permissions"),
    ]],
));
static ITEMS: Shape = Shape::List(&ITEM);
static CONFIG_MAP: Shape = Shape::Struct(&Struct::new(
    "ConfigMapVolumeSource",
    &[&[
        field("name", &OBJECT_NAME, "The ConfigMap").required(),
        field("items", &ITEMS, "Some of its keys"),
        field("defaultMode", &Shape::Mode, "The files' permissions"),
        field("optional", &FLAG, "Whether it may be missing"),
    ]],
));
static SECRET: Shape = Shape::Struct(&Struct::new(
    "SecretVolumeSource",
    &[&[
        field("secretName", &OBJECT_NAME, "The Secret").required(),
        field("items", &ITEMS, "Some of its keys"),
        field("defaultMode", &Shape::Mode, "The files' permissions"),
        field("optional", &FLAG, "Whether it may be missing"),
    ]],
));
static EMPTY_DIR: Shape = Shape::Struct(&Struct::new(
    "EmptyDirVolumeSource",
    &[&[
        field("medium", &Shape::OneOf(&["", "Memory", "HugePages"]), "`Memory` for a file system in memory"),
        field("sizeLimit", &QUANTITY_SHAPE, "How much it may hold"),
    ]],
));
static HOST_PATH: Shape = Shape::Struct(&Struct::new(
    "HostPathVolumeSource",
    &[&[
        field("path", &TEXT, "The path on the node").required(),
        field(
            "type",
            &Shape::OneOf(&[
                "",
                "DirectoryOrCreate",
                "Directory",
                "FileOrCreate",
                "File",
                "Socket",
                "CharDevice",
                "BlockDevice",
            ]),
            "What must be there",
        ),
    ]],
));
static CLAIM: Shape = Shape::Struct(&Struct::new(
    "PersistentVolumeClaimVolumeSource",
    &[&[
        field("claimName", &OBJECT_NAME, "The claim").required(),
        field("readOnly", &FLAG, "Whether it may not be written"),
    ]],
));
static NFS: Shape = Shape::Struct(&Struct::new(
    "NFSVolumeSource",
    &[&[
        field("server", &TEXT, "The server").required(),
        field("path", &TEXT, "The path on the server").required(),
        field("readOnly", &FLAG, "Whether it may not be written"),
    ]],
));
static CSI: Shape = Shape::Struct(&Struct::new(
    "CSIVolumeSource",
    &[&[
        field("driver", &TEXT, "The driver").required(),
        field("readOnly", &FLAG, "Whether it may not be written"),
        field("fsType", &TEXT, "The file system"),
        field("volumeAttributes", &Shape::Map(&rules::ANY_KEY, &TEXT), "What the driver is told"),
        field("nodePublishSecretRef", &PULL_SECRET, "A Secret for the driver"),
    ]],
));
static IMAGE: Shape = Shape::Struct(&Struct::new(
    "ImageVolumeSource",
    &[&[
        field("reference", &TEXT, "The image"),
        field("pullPolicy", &Shape::OneOf(&["Always", "IfNotPresent", "Never"]), "When it is pulled"),
    ]],
));
static FILE: Shape = Shape::Struct(&Struct::new(
    "DownwardAPIVolumeFile",
    &[&[
        field("path", &TEXT, "The file's path in the volume").required(),
        field("fieldRef", &FIELD_REF, "A field of the pod"),
        field("resourceFieldRef", &RESOURCE_REF, "A request or limit of a container"),
        field("mode", &Shape::Mode, "The file's permissions"),
    ]],
));
static DOWNWARD: Shape = Shape::Struct(&Struct::new(
    "DownwardAPIVolumeSource",
    &[&[
        field("items", &Shape::List(&FILE), "The files"),
        field("defaultMode", &Shape::Mode, "The files' permissions"),
    ]],
));
static PROJECTED_KEYS: Struct = Struct::new(
    "Projection",
    &[&[
        field("name", &OBJECT_NAME, "The object").required(),
        field("items", &ITEMS, "Some of its keys"),
        field("optional", &FLAG, "Whether it may be missing"),
    ]],
);
static TOKEN: Shape = Shape::Struct(&Struct::new(
    "ServiceAccountTokenProjection",
    &[&[
        field("path", &TEXT, "The file's path in the volume").required(),
        field("audience", &TEXT, "For whom it is"),
        field("expirationSeconds", &Shape::Whole(600, i64::MAX), "How long it lives"),
    ]],
));
static PROJECTED: Shape = Shape::Struct(&Struct::new(
    "ProjectedVolumeSource",
    &[&[
        field(
            "sources",
            &Shape::List(&Shape::Struct(
                &Struct::new(
                    "VolumeProjection",
                    &[&[
                        field("secret", &Shape::Struct(&PROJECTED_KEYS), "Keys of a Secret"),
                        field("configMap", &Shape::Struct(&PROJECTED_KEYS), "Keys of a ConfigMap"),
                        field("downwardAPI", &DOWNWARD_PROJECTION, "Fields of the pod"),
                        field("serviceAccountToken", &TOKEN, "A token of the service account"),
                    ]],
                )
                .choosing(&[Choice::One(&[
                    "secret",
                    "configMap",
                    "downwardAPI",
                    "serviceAccountToken",
                ])]),
            )),
            "What is in it",
        ),
        field("defaultMode", &Shape::Mode, "The files' permissions"),
    ]],
));
static DOWNWARD_PROJECTION: Shape =
    Shape::Struct(&Struct::new("DownwardAPIProjection", &[&[field("items", &Shape::List(&FILE), "The files")]]));
static TEMPLATE: Shape = Shape::Struct(&Struct::new(
    "PersistentVolumeClaimTemplate",
    &[&[
        field(
            "metadata",
            &Shape::Struct(&Struct::new(
                "ClaimMetadata",
                &[&[field("labels", &LABELS, "Its labels"), field("annotations", &STRINGS, "Its annotations")]],
            )),
            "Labels and annotations",
        ),
        field("spec", &CLAIM_SPEC, "The claim").required(),
    ]],
));
static EPHEMERAL: Shape = Shape::Struct(&Struct::new(
    "EphemeralVolumeSource",
    &[&[field("volumeClaimTemplate", &TEMPLATE, "The claim that is made for each pod").required()]],
));
static CLAIM_RESOURCES: Shape = Shape::Struct(&Struct::new(
    "VolumeResourceRequirements",
    &[&[
        field("requests", &QUANTITIES, "How much it holds").required(),
        field("limits", &QUANTITIES, "How much it may hold"),
    ]],
));
/// A claim as Kubernetes spells it.
pub static CLAIM_SPEC: Shape = Shape::Struct(&Struct::new(
    "PersistentVolumeClaimSpec",
    &[
        &[
            field("accessModes", &ACCESS_MODES, "How it is used").required(),
            field("resources", &CLAIM_RESOURCES, "How much it holds").required(),
        ],
        &CLAIM_FIELDS,
    ],
));
/// What a claim may say beside its size and its modes.
pub static CLAIM_FIELDS: [Field; 5] = [
    field("storageClassName", &TEXT, "The storage class"),
    field("volumeMode", &Shape::OneOf(&["Filesystem", "Block"]), "A file system, or a raw device"),
    field("volumeName", &OBJECT_NAME, "A volume that is there already"),
    field("selector", &SELECTOR, "Volumes with these labels"),
    field("volumeAttributesClassName", &OBJECT_NAME, "Its class of attributes").since(34),
];
/// Access modes of a claim.
pub static ACCESS_MODES: Shape =
    Shape::List(&Shape::OneOf(&["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]));

/// Where a volume's content comes from, as Kubernetes spells it.
pub static SOURCES: [Field; 11] = [
    field("configMap", &CONFIG_MAP, "A ConfigMap"),
    field("secret", &SECRET, "A Secret"),
    field("emptyDir", &EMPTY_DIR, "An empty folder that lives as long as the pod"),
    field("persistentVolumeClaim", &CLAIM, "A claim that is there already"),
    field("hostPath", &HOST_PATH, "A path of the node"),
    field("projected", &PROJECTED, "Several sources in one volume"),
    field("downwardAPI", &DOWNWARD, "Fields of the pod"),
    field("csi", &CSI, "A CSI driver"),
    field("nfs", &NFS, "A path of an NFS server"),
    field("ephemeral", &EPHEMERAL, "A claim that is made for each pod").since(23),
    field("image", &IMAGE, "The files of an image").since(33),
];
/// The keys of [`SOURCES`].
pub const SOURCE_KEYS: [&str; 11] = [
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
];
