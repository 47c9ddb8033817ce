//! Where the release records of an environment are kept: in Secrets, or in ConfigMaps where deployers may not touch Secrets.

use super::Kubectl;

/// The kind of object that holds release records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Records {
    /// A Secret a release.
    #[default]
    Secrets,
    /// A ConfigMap a release.
    ConfigMaps,
}

impl Records {
    /// The kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secrets => "Secret",
            Self::ConfigMaps => "ConfigMap",
        }
    }

    /// The resource, as kubectl and roles name it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::ConfigMaps => "configmaps",
        }
    }

    /// The field that holds bytes, in base64.
    pub fn field(self) -> &'static str {
        match self {
            Self::Secrets => "data",
            Self::ConfigMaps => "binaryData",
        }
    }
}

impl Kubectl<'_> {
    /// Where the environment's release records are kept.
    pub fn records(&self) -> Records {
        self.records
    }
}
