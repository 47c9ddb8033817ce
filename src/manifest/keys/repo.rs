//! `shipcat.yml`.

use super::container::POSITIVE;
use super::service::LAYER_SHAPE;
use super::{bdd, rules};
use crate::yaml::{Forms, Shape, Struct, field};

static VALUES: Shape = Shape::Map(&rules::ANY_KEY, &Shape::Free);
static DURATION: Shape = Shape::Word(&rules::DURATION);
static SHIP: Struct = Struct::new(
    "Ship",
    &[&[field(
        "config",
        &Shape::OneOf(&["allow", "refuse"]),
        "Whether a ship may bring configuration changes as well, or `update` has to bring them before (default: allow)",
    )]],
);
static LOCK: Struct = Struct::new(
    "Lock",
    &[&[field(
        "lifetime",
        &DURATION,
        "How long after its last sign of life a run that died keeps the lock, from 2s to 1h (default: 60s)",
    )]],
);
static GRACES: Struct = Struct::new(
    "Graces",
    &[&[
        field("crashes", &POSITIVE, "At which crash of a container its pod is doomed (default: 2)"),
        field("imagePull", &DURATION, "How long an image pull may fail for a reason that may pass (default: 60s)"),
        field("config", &DURATION, "How long an object that a container refers to may be missing (default: 30s)"),
        field("create", &DURATION, "How long no pod can be made, for quotas and the like (default: 30s)"),
        field("schedule", &DURATION, "How long a pod may have no place on any node (default: 2m)"),
        field("settle", &DURATION, "How long a container without a readiness probe must run (default: 5s)"),
    ]],
);
static ADDRESS: Shape = Shape::Word(&rules::CLUSTER);
static ENVIRONMENT: Shape = Shape::Struct(&Struct::new(
    "Environment",
    &[
        &[
            field(
                "contexts",
                &Shape::List(&Shape::Word(&rules::CONTEXT)),
                "The kube contexts that are accepted for it",
            ),
            field(
                "cluster",
                &Shape::Forms(
                    &Forms::of("the address of the API server, or a list of its addresses")
                        .text(&ADDRESS)
                        .list(&Shape::List(&ADDRESS)),
                ),
                "The API server that a context must lead to; where it has several addresses, all of them",
            ),
            field("namespace", &Shape::Word(&rules::NAMESPACE), "The namespace (default: the environment's name)"),
            field(
                "kubernetes",
                &Shape::Word(&rules::KUBERNETES),
                "The cluster's Kubernetes version, from 1.20 to 1.36 (default: a recent one)",
            ),
            field("registry", &Shape::Word(&rules::REGISTRY), "In front of images that name no registry"),
            field("values", &VALUES, "Values for templates, over those of the whole repo"),
            field("defaults", &LAYER_SHAPE, "What every service here gets, unless it says otherwise"),
            field("timeout", &DURATION, "How long a rollout may take (default: 5m)"),
            field("rollbackTimeout", &DURATION, "How long the way back may take (default: 5m)"),
            field(
                "protected",
                &Shape::Flag,
                "Ships only from a clean checkout that is not older than what runs, and asks before it changes anything",
            ),
            field("graces", &Shape::Struct(&GRACES), "How patient it is with what goes wrong in a rollout"),
            field("ship", &Shape::Struct(&SHIP), "What a ship may bring"),
            field("lock", &Shape::Struct(&LOCK), "The lock that every change here takes"),
            field(
                "records",
                &Shape::OneOf(&["secret", "configmap"]),
                "Where the releases are recorded; `configmap` where deployers may not touch Secrets (default: secret)",
            ),
        ],
        &bdd::FIELDS,
    ],
));
static REPO: Struct = Struct::new(
    "Repo",
    &[
        &[
            field("environments", &Shape::Map(&rules::ENVIRONMENT, &ENVIRONMENT), "The environments"),
            field("defaults", &LAYER_SHAPE, "What every service gets, unless it says otherwise"),
            field("values", &VALUES, "Values for templates, for all environments"),
        ],
        &bdd::FIELDS,
    ],
);
/// The shape of `shipcat.yml`.
pub static REPO_SHAPE: Shape = Shape::Struct(&REPO);
