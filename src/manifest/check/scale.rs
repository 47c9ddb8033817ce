//! How many pods: counts, autoscalers, disruption budgets.

use super::Check;
use crate::manifest::{Part, Role};
use crate::yaml::Node;

pub fn check(part: &Part, check: &mut Check<'_>) {
    if !matches!(part.role, Role::Main | Role::Worker) {
        return;
    }
    let number = |node: Option<&Node>| node.and_then(|node| node.text().parse::<i64>().ok());
    let scaling = part.tree.get("autoscaling");
    let least = match scaling {
        Some(scaling) => number(scaling.get("minReplicas")).unwrap_or(1),
        None => number(part.tree.get("replicas")).unwrap_or(1),
    };
    if let Some(scaling) = scaling {
        if let Some(replicas) = part.tree.get("replicas") {
            check.wrong(
                replicas.place,
                "an autoscaler sets the number of pods, and so does `replicas`",
                "take one of them away",
            );
        }
        let most = scaling.get("maxReplicas");
        if let (Some(node), Some(number)) = (most, number(most))
            && number < least
        {
            check.wrong(
                node.place,
                format!("`maxReplicas` is {number}, and `minReplicas` is {least}"),
                "the most goes from the least upwards",
            );
        }
        for resource in ["cpu", "memory"] {
            let asked = part.value["resources"]["requests"]
                .get(resource)
                .or_else(|| part.value["resources"]["limits"].get(resource));
            if let (Some(node), None) = (scaling.get(resource), asked) {
                check.doubt(
                    node.place,
                    format!("the autoscaler goes by per cent of the {resource} request, and there is none"),
                    format!("add `resources: {{requests: {{{resource}: ...}}}}`, or it can never work"),
                );
            }
        }
    }
    if let Some(budget) = part.tree.get("disruptionBudget") {
        let node = budget.get("minAvailable").unwrap_or(budget);
        let must_stay = if node.text() == "100%" { Some(least) } else { number(Some(node)) };
        if must_stay.is_some_and(|stay| stay >= least && stay > 0) && budget.get("maxUnavailable").is_none() {
            check.doubt(
                node.place,
                format!(
                    "with {least} {} and {} that must stay, no node can ever be emptied",
                    if least == 1 { "pod" } else { "pods" },
                    node.text()
                ),
                "let fewer stay, or run more",
            );
        }
    }
}
