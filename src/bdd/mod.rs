//! The BDD tests of a service: run in a container by `docker` or `podman`, or in the cluster by a Job, and their JUnit files fetched
//! (DESIGN section 6). May import `kubectl`, `junit`, `process`, `yaml`, `ui` and `error`.

mod container;
mod engine;
mod fetched;
mod job;
mod pod;
mod run;
mod suite;
mod summary;

pub use engine::Engine;
pub use job::{Going, permissions, trial};
pub use run::{Means, Ran, run};
pub use suite::{Pull, Runner, Suite};
pub use summary::Summary;
