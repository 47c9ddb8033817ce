//! The releases of a service.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use serde_json::Value;

use super::record::{Outcome, RECORD_LABEL, Release};
use crate::kubectl::{Kubectl, Reason};

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

impl History {
    /// Reads them.
    ///
    /// # Errors
    /// If the records cannot be read, by the cluster's will or by their content.
    pub fn read(kubectl: &Kubectl<'_>, service: &str, cancel: &AtomicBool) -> Result<Self> {
        let secrets = kubectl
            .labelled("secrets", &format!("{RECORD_LABEL}={service}"), cancel)
            .map_err(|error| error.refused("cannot read the release records"))?;
        let releases = secrets.iter().map(Release::read).collect::<Result<Vec<_>>>()?;
        Ok(Self::of(releases))
    }

    /// Reads those of several services in one call. That they may not be read is no error here.
    ///
    /// # Errors
    /// As [`History::read`], for any other reason.
    pub fn read_all(kubectl: &Kubectl<'_>, services: &[&str], cancel: &AtomicBool) -> Result<Histories> {
        let selector = match services {
            [one] => format!("{RECORD_LABEL}={one}"),
            // A selector with a hundred names is too long for some proxies.
            several if several.len() > 20 => RECORD_LABEL.to_owned(),
            several => format!("{RECORD_LABEL} in ({})", several.join(",")),
        };
        let secrets = match kubectl.labelled("secrets", &selector, cancel) {
            Err(error) if error.reason == Reason::Forbidden => {
                return Ok(Histories { refused: Some(error.said), ..Histories::default() });
            }
            other => other.map_err(|error| error.refused("cannot read the release records"))?,
        };
        let mut read: BTreeMap<String, Vec<Release>> = BTreeMap::new();
        for secret in &secrets {
            let service = secret.json()["metadata"]["labels"][RECORD_LABEL].as_str().unwrap_or_default();
            if services.contains(&service) {
                read.entry(service.to_owned()).or_default().push(Release::read(secret)?);
            }
        }
        let read = read.into_iter().map(|(service, releases)| (service, Self::of(releases))).collect();
        Ok(Histories { read, refused: None })
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
        assert_eq!(history.before_running(Some("c")).unwrap().number, 1);
        assert_eq!(history.before_running(Some("by hand")).unwrap().number, 4);
        assert!(History(vec![release(1, Outcome::Deployed, "a")]).before_running(None).is_none());
        assert!(History(vec![release(1, Outcome::TakenBack, "a")]).running().is_none());
    }
}
