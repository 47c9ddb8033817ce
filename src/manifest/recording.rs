//! Writing the version that was shipped into the environment's file of a service, and nothing else.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Manifest, Version};
use crate::error::{Failure, Sources};
use crate::yaml;

/// A version that is to be written, looked at before anything is changed.
#[derive(Debug)]
pub struct Recording {
    /// The file, from the repo's folder.
    pub shown: PathBuf,
    path: PathBuf,
    version: Version,
    /// What it will hold; none if the files say this version already.
    text: Option<String>,
}

impl Recording {
    /// Sees that a version can be written into the environment's file of a service.
    ///
    /// # Errors
    /// If the file cannot be read or written, or is written in a way in which the version cannot be changed alone.
    pub fn prepare(root: &Path, manifest: &Manifest, version: &Version) -> Result<Self> {
        let shown =
            Path::new("manifests").join(manifest.service.as_ref()).join(format!("{}.yml", manifest.environment));
        let named = root.join(&shown);
        // A link stays one: what it leads to is written.
        let path = std::fs::canonicalize(&named).unwrap_or(named);
        if manifest.version().as_ref() == Some(version) {
            return Ok(Self { shown, path, version: version.clone(), text: None });
        }
        let mut recording = Self { shown, path, version: version.clone(), text: None };
        recording.text = Some(recording.edited()?);
        // Written to the same folder now, and taken away again: that it cannot be must be known before the ship.
        drop(recording.beside()?);
        Ok(recording)
    }

    /// Whether there is anything to write.
    pub fn is_needed(&self) -> bool {
        self.text.is_some()
    }

    /// The file as it is now, with the version in it.
    fn edited(&self) -> Result<String> {
        let (shown, version) = (&self.shown, &self.version);
        let old = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => bail!(Failure::refused(format!("cannot read `{}`: {error}", shown.display()))),
        };
        let file = Sources::default().add(shown, old.clone());
        let text = yaml::with_scalar(&old, file, "version", version.as_ref());
        text.ok_or_else(|| {
            let what = format!("the version cannot be written into `{}` without a change to the rest", shown.display());
            Failure::refused(what).hint(format!("write it there by hand: `version: {version}`")).into()
        })
    }

    /// Writes it: as a whole or not at all. What somebody has written into the file during the ship stays.
    ///
    /// # Errors
    /// If it cannot be written; the file is as it was.
    pub fn write(&mut self) -> Result<()> {
        if self.text.is_none() {
            return Ok(());
        }
        self.text = Some(self.edited()?);
        let file = self.beside()?;
        file.persist(&self.path).with_context(|| format!("cannot write `{}`", self.shown.display()))?;
        Ok(())
    }

    /// The new text in a file of its own, in the same folder and with the same permissions.
    fn beside(&self) -> Result<tempfile::NamedTempFile> {
        let cannot = || format!("cannot write to the folder of `{}`", self.shown.display());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".shipcat-").tempfile_in(folder).with_context(cannot)?;
        file.write_all(self.text.as_deref().unwrap_or_default().as_bytes()).with_context(cannot)?;
        let permissions = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata.permissions(),
            // Those of its neighbour: what git would make of a new file.
            Err(_) => std::fs::metadata(folder.join("manifest.yml")).with_context(cannot)?.permissions(),
        };
        if permissions.readonly() {
            bail!(Failure::refused(format!("`{}` is read-only", self.shown.display())));
        }
        file.as_file().set_permissions(permissions).with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        Ok(file)
    }
}
