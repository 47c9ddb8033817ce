//! Which services a change is about, and with which versions: `webapp`, `webapp=1.2`, or all.

use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::{Result, bail};

use super::Context;
use super::context::elsewhere;
use crate::error::{Failure, Problems};
use crate::manifest::{Loading, Manifest, Version};
use crate::threads;
use crate::ui::Tone;

/// A service, and the version that was asked for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The service.
    pub service: String,
    /// Its version, where the command line says one.
    pub tag: Option<Version>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once('=') {
            Some(("", _)) => return Err("write it as in `webapp=1.4.2`".to_owned()),
            Some((service, tag)) => Self { service: service.to_owned(), tag: Some(tag.parse()?) },
            None => Self { service: text.to_owned(), tag: None },
        })
    }
}

/// How several services go out in one go.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Company {
    /// How many services are rolled out side by side; with `--together` all are
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// All services or none: if one fails, all are taken back
    #[arg(long)]
    pub together: bool,
}

impl Company {
    /// One service, that goes alone.
    pub const ALONE: Self = Self { jobs: 1, together: false };
}

/// The manifests of these services, or where there are none named of every service of the environment; what is wrong with any is told in one
/// go, and so are warnings.
///
/// # Errors
/// If there is no such service, one is named twice, or what is wrong with the files.
pub fn manifests(context: &Context, targets: &[Target]) -> Result<Vec<(Manifest, Option<Version>)>> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !seen.insert(&target.service)) {
        bail!(Failure::refused(format!("`{}` is named twice", twice.service)).hint("name each service once"));
    }
    let all = targets.is_empty();
    let targets: Vec<Target> = match all {
        true => context.repo.services()?.into_iter().map(|service| Target { service, tag: None }).collect(),
        false => targets.to_vec(),
    };
    let names: Vec<String> = targets.iter().map(|target| target.service.clone()).collect();
    if !all {
        context.repo.must_have(&names)?;
    }
    let (mut found, mut errors, mut warned) = (Vec::new(), Problems::default(), Problems::default());
    let loaded = threads::each(&names, |name| context.repo.load(name, &context.environment));
    for (target, loading) in targets.into_iter().zip(loaded) {
        match loading {
            Loading::Here(manifest, warnings) => {
                warned.add("warning", &warnings, &manifest.sources);
                found.push((*manifest, target.tag));
            }
            Loading::Elsewhere(environments) if !all => {
                bail!(elsewhere(&target.service, &context.environment, &environments))
            }
            Loading::Elsewhere(_) => {}
            Loading::Broken(broken) => errors.append(broken.told()),
        }
    }
    if !warned.is_empty() {
        context.ui.say(Tone::Warn, warned.to_string());
    }
    if !errors.is_empty() {
        bail!(errors);
    }
    if found.is_empty() {
        let name = &context.environment.name;
        bail!(Failure::refused(format!("there is no service in the environment `{name}`")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_have_its_version_beside_it() {
        let target: Target = "webapp=1.2".parse().unwrap();
        assert_eq!((target.service.as_str(), target.tag.unwrap().as_ref()), ("webapp", "1.2"));
        let digest: Target = "webapp".parse().unwrap();
        assert!(digest.tag.is_none());
        assert!("webapp=".parse::<Target>().is_err() && "=1".parse::<Target>().is_err());
    }
}
