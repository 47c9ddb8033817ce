//! What may stand in `manifest.yml`, an environment's file and `shipcat.yml`: the one place that parser, merge, JSON Schema and
//! documentation go by.

pub mod bdd;
pub mod container;
pub mod pod;
pub mod repo;
pub mod rules;
pub mod scaling;
pub mod service;
pub mod volume;
pub mod workload;

#[cfg(test)]
mod tests;
