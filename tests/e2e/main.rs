//! Everything that claims something about a cluster, on a real one. One binary, so that its tests fill the machine to the end: what waits for
//! a pod costs nothing, and what does not can run beside it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod alone;
mod answers;
mod bdd;
mod checkout;
mod diff;
mod documents;
mod examples;
mod init;
mod kill;
mod lock;
mod origin;
mod outage;
mod pipelines;
mod pod;
mod preflight;
mod rbac;
mod records;
mod redaction;
mod restart;
mod several;
mod ship;
mod slack;
mod starts;
mod status;
mod verdicts;
mod workloads;
