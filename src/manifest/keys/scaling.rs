//! Autoscalers and disruption budgets, spelled as Kubernetes spells them (autoscaling/v2, policy/v1) but for the short forms.

use super::container::{self, COUNT, LABELS, NAME, OBJECT_NAME, POSITIVE, STRINGS, TEXT};
use super::pod;
use super::workload::AMOUNT;
use crate::yaml::{Choice, Shape, Struct, field};

static METRIC_ID: Shape = Shape::Struct(&Struct::new(
    "MetricIdentifier",
    &[&[field("name", &TEXT, "The metric").required(), field("selector", &pod::SELECTOR, "Which of its series")]],
));
static TARGET: Shape = Shape::Struct(&Struct::new(
    "MetricTarget",
    &[&[
        field("type", &Shape::OneOf(&["Utilization", "Value", "AverageValue"]), "What is aimed at").required(),
        field("averageUtilization", &POSITIVE, "Per cent of the request"),
        field("averageValue", &container::QUANTITY_SHAPE, "For each pod"),
        field("value", &container::QUANTITY_SHAPE, "In all"),
    ]],
));
static METRIC: Shape = Shape::Struct(
    &Struct::new(
        "MetricSpec",
        &[&[
            field(
                "type",
                &Shape::OneOf(&["Resource", "ContainerResource", "Pods", "Object", "External"]),
                "Which kind",
            )
            .required(),
            field(
                "resource",
                &Shape::Struct(&Struct::new(
                    "ResourceMetric",
                    &[&[
                        field("name", &TEXT, "cpu or memory").required(),
                        field("target", &TARGET, "The target").required(),
                    ]],
                )),
                "CPU or memory of the pods",
            ),
            field(
                "containerResource",
                &Shape::Struct(&Struct::new(
                    "ContainerResourceMetric",
                    &[&[
                        field("name", &TEXT, "cpu or memory").required(),
                        field("container", &NAME, "The container").required(),
                        field("target", &TARGET, "The target").required(),
                    ]],
                )),
                "CPU or memory of one container",
            )
            .since(27),
            field("pods", &Shape::Struct(&SOME_METRIC), "A metric of each pod"),
            field("external", &Shape::Struct(&SOME_METRIC), "A metric from elsewhere"),
            field(
                "object",
                &Shape::Struct(&Struct::new(
                    "ObjectMetric",
                    &[&[
                        field("describedObject", &DESCRIBED, "The object").required(),
                        field("metric", &METRIC_ID, "The metric").required(),
                        field("target", &TARGET, "The target").required(),
                    ]],
                )),
                "A metric of an object",
            ),
        ]],
    )
    .choosing(&[Choice::One(&["resource", "containerResource", "pods", "external", "object"])]),
);
static SOME_METRIC: Struct = Struct::new(
    "PodsOrExternalMetric",
    &[&[field("metric", &METRIC_ID, "The metric").required(), field("target", &TARGET, "The target").required()]],
);
static DESCRIBED: Shape = Shape::Struct(&Struct::new(
    "CrossVersionObjectReference",
    &[&[
        field("kind", &TEXT, "Its kind").required(),
        field("name", &TEXT, "Its name").required(),
        field("apiVersion", &TEXT, "Its API version"),
    ]],
));
static SCALING_POLICY: Shape = Shape::Struct(&Struct::new(
    "HPAScalingPolicy",
    &[&[
        field("type", &Shape::OneOf(&["Pods", "Percent"]), "Pods or per cent").required(),
        field("value", &POSITIVE, "How many").required(),
        field("periodSeconds", &Shape::Whole(1, 1800), "In how long").required(),
    ]],
));
static SCALING_RULES: Shape = Shape::Struct(&Struct::new(
    "HPAScalingRules",
    &[&[
        field("stabilizationWindowSeconds", &Shape::Whole(0, 3600), "How long it looks back"),
        field("selectPolicy", &Shape::OneOf(&["Max", "Min", "Disabled"]), "Which policy counts"),
        field("policies", &Shape::List(&SCALING_POLICY), "How fast"),
        field("tolerance", &container::QUANTITY_SHAPE, "How far off the target is near enough").since(33),
    ]],
));
static BEHAVIOR: Shape = Shape::Struct(&Struct::new(
    "HPABehavior",
    &[&[field("scaleUp", &SCALING_RULES, "On the way up"), field("scaleDown", &SCALING_RULES, "On the way down")]],
));
/// An autoscaler: per cent of requests, or metrics as Kubernetes spells them.
pub static AUTOSCALER: Shape = Shape::Struct(&Struct::new(
    "Autoscaling",
    &[&[
        field("minReplicas", &COUNT, "How many pods at least (default: 1)"),
        field("maxReplicas", &POSITIVE, "How many pods at most").required(),
        field("cpu", &POSITIVE, "CPU that is aimed at, in per cent of the request"),
        field("memory", &POSITIVE, "Memory that is aimed at, in per cent of the request"),
        field("metrics", &Shape::List(&METRIC), "Further metrics, as Kubernetes spells them"),
        field("behavior", &BEHAVIOR, "How fast it goes, as Kubernetes spells it"),
        field(
            "replicas",
            &COUNT,
            "How many pods the workload itself asks for, as one that was taken over may (default: it leaves that to the autoscaler)",
        ),
        field("name", &OBJECT_NAME, "The autoscaler's name (default: the workload's)"),
        field("annotations", &STRINGS, "Its annotations"),
        field("labels", &LABELS, "Its labels"),
    ]],
));
/// A disruption budget.
pub static BUDGET: Struct = Struct::new(
    "DisruptionBudget",
    &[&[
        field("minAvailable", &AMOUNT, "How many pods must stay"),
        field("maxUnavailable", &AMOUNT, "How many pods may be missing"),
        field(
            "unhealthyPodEvictionPolicy",
            &Shape::OneOf(&["IfHealthyBudget", "AlwaysAllow"]),
            "What becomes of pods that are not ready",
        )
        .since(27),
        field("name", &OBJECT_NAME, "The budget's name (default: the workload's)"),
        field("labels", &LABELS, "Its labels"),
        field("annotations", &STRINGS, "Its annotations"),
    ]],
)
.choosing(&[Choice::One(&["minAvailable", "maxUnavailable"])]);
