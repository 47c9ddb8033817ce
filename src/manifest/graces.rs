//! How patient an environment is with what goes wrong in a rollout. What it does not say has its usual value.

use std::str::FromStr;
use std::time::Duration;

use super::names;
use crate::error::{closest, join_and};

/// The names, as `shipcat.yml` and `--grace` have them.
pub const NAMES: [&str; 6] = ["crashes", "imagePull", "config", "create", "schedule", "settle"];

/// What was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Graces {
    /// At which crash of a container its pod is doomed.
    pub crashes: Option<u32>,
    /// How long an image pull may fail for a reason that may pass.
    pub image_pull: Option<Duration>,
    /// How long an object that a container refers to may be missing.
    pub config: Option<Duration>,
    /// How long no pod can be made.
    pub create: Option<Duration>,
    /// How long a pod may have no place.
    pub schedule: Option<Duration>,
    /// How long a container without a readiness probe must run.
    pub settle: Option<Duration>,
}

/// One of them, as the command line says it: `imagePull=2m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grace {
    name: String,
    value: String,
}

impl Graces {
    /// Takes one in.
    ///
    /// # Errors
    /// If there is none of that name, or the value is none; behind a line's end what to do.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let span = || value.parse::<names::Duration>().map(|span| Some(span.0));
        match name {
            "crashes" => {
                let count = value.parse().ok().filter(|count| (1..=100).contains(count));
                let wrong = || format!("`{value}` is no number of crashes\nwrite a number from 1 to 100");
                self.crashes = Some(count.ok_or_else(wrong)?);
            }
            "imagePull" => self.image_pull = span()?,
            "config" => self.config = span()?,
            "create" => self.create = span()?,
            "schedule" => self.schedule = span()?,
            "settle" => self.settle = span()?,
            _ => {
                let hint = match closest(name, NAMES) {
                    Some(candidate) => format!("did you mean `{candidate}`?"),
                    None => format!("there are {}", join_and(&NAMES)),
                };
                return Err(format!("there is no grace `{name}`\n{hint}"));
            }
        }
        Ok(())
    }

    /// These, with others over them.
    pub fn with(mut self, others: &[Grace]) -> Self {
        for Grace { name, value } in others {
            // They were looked at when they were read.
            drop(self.set(name, value));
        }
        self
    }
}

impl FromStr for Grace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| "write it as in `imagePull=2m`".to_owned())?;
        Graces::default().set(name, value).map_err(|message| message.replace('\n', ": "))?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_name_and_the_later_word_counts() {
        let mut graces = Graces::default();
        graces.set("imagePull", "2m").unwrap();
        let said: Vec<Grace> = ["imagePull=90s", "crashes=3"].map(|text| text.parse().unwrap()).to_vec();
        let graces = graces.with(&said);
        assert_eq!((graces.image_pull, graces.crashes, graces.settle), (Some(Duration::from_secs(90)), Some(3), None));
        for name in NAMES {
            let value = if name == "crashes" { "1" } else { "1s" };
            assert!(Graces::default().set(name, value).is_ok(), "{name}");
        }
        assert_eq!("pull=2m".parse::<Grace>().unwrap_err().lines().count(), 1);
        assert!("crashes=0".parse::<Grace>().is_err() && "settle=soon".parse::<Grace>().is_err());
    }
}
