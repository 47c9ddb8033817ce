//! The releases of a service.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use serde_json::Value;

use super::record::{Outcome, Release};
use super::store::{PART_LABEL, RECORD_LABEL, is_split};
use crate::error::Failure;
use crate::kubectl::{Kubectl, KubectlError, Reason};
use crate::yaml::Object;

/// The releases of a service, the newest first.
#[derive(Debug, Clone, Default)]
pub struct History(pub Vec<Release>);

/// The releases of several services.
#[derive(Debug, Default)]
pub struct Histories {
    /// By service; of one that was never shipped there is none.
    pub read: BTreeMap<String, History>,
    /// Why none could be read, if the user may not.
    pub refused: Option<String>,
}

impl Histories {
    /// Those that were read.
    ///
    /// # Errors
    /// If none could be read, since the user may not.
    pub fn permitted(self) -> Result<BTreeMap<String, History>> {
        match self.refused {
            Some(why) => Err(Failure::refused(format!("cannot read the release records: {why}"))
                .hint("ask for the permission that is missing, or use a context that has it")
                .into()),
            None => Ok(self.read),
        }
    }
}

impl History {
    /// Reads them.
    ///
    /// # Errors
    /// If the records cannot be read, by the cluster's will or by their content.
    pub fn read(kubectl: &Kubectl<'_>, service: &str, cancel: &AtomicBool) -> Result<Self> {
        let mut read = Self::read_all(kubectl, &[service], cancel)?.permitted()?;
        Ok(read.remove(service).unwrap_or_default())
    }

    /// Reads those of several services in one call. That they may not be read is no error here.
    ///
    /// # Errors
    /// As [`History::read`], for any other reason.
    pub fn read_all(kubectl: &Kubectl<'_>, services: &[&str], cancel: &AtomicBool) -> Result<Histories> {
        let (records, parts) = match objects(kubectl, services, cancel) {
            Err(error) if error.reason == Reason::Forbidden => {
                return Ok(Histories { refused: Some(error.said), ..Histories::default() });
            }
            other => other.map_err(|error| error.refused("cannot read the release records"))?,
        };
        let mut read: BTreeMap<String, Vec<Release>> = BTreeMap::new();
        for record in &records {
            let service = record.json()["metadata"]["labels"][RECORD_LABEL].as_str().unwrap_or_default();
            if services.is_empty() || services.contains(&service) {
                read.entry(service.to_owned()).or_default().push(Release::read(record, &parts)?);
            }
        }
        let read = read.into_iter().map(|(service, releases)| (service, Self::of(releases))).collect();
        Ok(Histories { read, refused: None })
    }

    /// Reads those of all services that were ever shipped to the environment.
    ///
    /// # Errors
    /// As [`History::read_all`].
    pub fn read_everything(kubectl: &Kubectl<'_>) -> Result<Histories> {
        Self::read_all(kubectl, &[], &false.into())
    }

    fn of(mut releases: Vec<Release>) -> Self {
        releases.sort_by_key(|release| std::cmp::Reverse(release.number));
        Self(releases)
    }

    /// The newest release, however it ended.
    pub fn newest(&self) -> Option<&Release> {
        self.0.first()
    }

    /// The number of the newest release.
    pub fn newest_number(&self) -> Option<u32> {
        self.newest().map(|release| release.number)
    }

    /// The release that runs, as far as shipcat knows: the newest that was deployed.
    pub fn running(&self) -> Option<&Release> {
        self.0.iter().find(|release| release.outcome == Outcome::Deployed)
    }

    /// The newest release that was not taken back, if it failed: what it left is what runs.
    pub fn broken(&self) -> Option<&Release> {
        let newest = self.0.iter().find(|release| release.outcome != Outcome::TakenBack);
        newest.filter(|release| release.outcome == Outcome::Broken)
    }

    /// The release of that number.
    pub fn get(&self, number: u32) -> Option<&Release> {
        self.0.iter().find(|release| release.number == number)
    }

    /// The newest deployed release that differs from what runs: where `rollback` goes. `live` is the version that is
    /// live: if somebody set another one by hand since, that is what is gone back from.
    pub fn before_running(&self, live: Option<&str>) -> Option<&Release> {
        let running = self.running()?;
        if live.is_some_and(|live| live != running.body.version) {
            return Some(running);
        }
        self.0.iter().find(|release| {
            release.outcome == Outcome::Deployed && !same_objects(&release.body.objects, &running.body.objects)
        })
    }
}

/// The records of these services, or of all, and their parts, where one has some.
fn objects(
    kubectl: &Kubectl<'_>,
    services: &[&str],
    cancel: &AtomicBool,
) -> std::result::Result<(Vec<Object>, Vec<Object>), KubectlError> {
    let resource = kubectl.records().resource();
    let read = |label: &str| {
        let selector = match services {
            [one] => format!("{label}={one}"),
            // A selector with a hundred names is too long for some proxies.
            several if several.is_empty() || several.len() > 20 => label.to_owned(),
            several => format!("{label} in ({})", several.join(",")),
        };
        kubectl.labelled(resource, &selector, cancel)
    };
    let records = read(RECORD_LABEL)?;
    let parts = if records.iter().any(is_split) { read(PART_LABEL)? } else { Vec::new() };
    Ok((records, parts))
}

/// Whether two releases want the same objects. Jobs aside: what they did is done, and a rollback has none.
pub fn same_objects(one: &[Value], other: &[Value]) -> bool {
    let is_job = |object: &&Value| object["kind"] == "Job" && object["apiVersion"] == "batch/v1";
    one.iter().filter(|object| !is_job(object)).eq(other.iter().filter(|object| !is_job(object)))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::release;
    use super::*;

    #[test]
    fn rollback_goes_to_the_newest_good_one_that_is_different() {
        let history = History(vec![
            release(5, Outcome::TakenBack, "d"),
            release(4, Outcome::Deployed, "c"),
            release(3, Outcome::Deployed, "c"),
            release(2, Outcome::Broken, "b"),
            release(1, Outcome::Deployed, "a"),
        ]);
        assert_eq!(history.running().unwrap().number, 4);
        assert!(history.broken().is_none());
        let left = History(vec![release(3, Outcome::TakenBack, "c"), release(2, Outcome::Broken, "b")]);
        assert_eq!(left.broken().unwrap().number, 2);
        assert_eq!(history.before_running(Some("c")).unwrap().number, 1);
        assert_eq!(history.before_running(Some("by hand")).unwrap().number, 4);
        assert!(History(vec![release(1, Outcome::Deployed, "a")]).before_running(None).is_none());
        assert!(History(vec![release(1, Outcome::TakenBack, "a")]).running().is_none());
    }
}
