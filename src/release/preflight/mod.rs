//! Whether a release may begin: what stands in its way, what is worth knowing before, and what to do about each. Pure: from what
//! was read of the cluster to findings.

mod finding;
mod foreign;
mod immutable;
mod missing;
mod progress;
mod quota;
mod references;
mod scaling;

pub use finding::{Finding, Weight};
pub use foreign::{adoptable, foreign};
pub use immutable::immutable;
pub use missing::missing;
pub use progress::progress;
pub use quota::{Load, quota};
pub use references::{asked, references};
pub use scaling::scaling;

/// Where a release goes, for the commands that findings name.
#[derive(Debug, Clone, Copy)]
pub struct Where<'a> {
    /// The kube context.
    pub context: &'a str,
    /// The namespace.
    pub namespace: &'a str,
}

impl Where<'_> {
    /// kubectl as people call it there.
    pub fn kubectl(self) -> String {
        format!("kubectl --context {} -n {}", self.context, self.namespace)
    }
}
