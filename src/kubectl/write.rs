//! Calls that change something. Each has a request timeout, and may be made twice.

use std::process::ExitStatus;

use serde_json::json;

use super::ahead::NOBODY;
use super::paths::{collection, path};
use super::{
    FIELD_MANAGER, Kubectl, KubectlError, MARKER, RESTARTED, Reason, Result, UNCHECKED, list, objects, reading, single,
};
use crate::process::{Cmd, Output};
use crate::yaml::Object;

impl Kubectl<'_> {
    /// Applies, server-side, and gives the server's answers.
    ///
    /// # Errors
    /// As kubectl fails; some of the objects may have been applied all the same.
    pub fn apply(&self, wanted: &[Object]) -> Result<Vec<Object>> {
        Ok(objects(&self.change(&self.apply_cmd(wanted))?.stdout))
    }

    fn apply_cmd(&self, wanted: &[Object]) -> Cmd {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let cmd = self.writing(&["apply", "--server-side", "--force-conflicts", &manager, "-f", "-", "-o", "json"]);
        reading(cmd.arg(UNCHECKED).args(self.managed()), wanted, list)
    }

    /// Sets images of the containers of one object (`deployment/webapp`), in one call, and gives the server's answer.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn set_image(&self, object: &str, images: &[(String, String)]) -> Result<Option<Object>> {
        let cmd = self.image_cmd(object, images, &[]);
        Ok(objects(&self.change(&cmd)?.stdout).into_iter().next())
    }

    /// What the server would say to [`Kubectl::set_image`]: nothing is stored.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn try_image(&self, object: &str, images: &[(String, String)]) -> Result<()> {
        self.run(&self.image_cmd(object, images, &["--dry-run=server"])).map(drop)
    }

    fn image_cmd(&self, object: &str, images: &[(String, String)], more: &[&str]) -> Cmd {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let images: Vec<String> = images.iter().map(|(container, image)| format!("{container}={image}")).collect();
        let mut args = vec!["set", "image", object];
        args.extend(images.iter().map(String::as_str));
        args.extend([manager.as_str(), "-o", "json"]);
        args.extend(more);
        self.writing(&args).args(self.managed())
    }

    /// Makes the pod template of an object (`deployment/webapp`) another one by what `kubectl rollout restart` writes, with a time (RFC 3339)
    /// that is known before; gives the server's answer. It is none of the configuration, so that a later apply leaves it.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn restart(&self, object: &str, at: &str) -> Result<Option<Object>> {
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: at}}}}}).to_string();
        let manager = format!("--field-manager={MARKER}");
        let args = ["patch", object, "--type=merge", "-p", &patch, &manager, "-o", "json"];
        Ok(objects(&self.change(&self.writing(&args).args(self.managed()))?.stdout).into_iter().next())
    }

    /// Writes annotations (`key=value`, or `key-` to remove one) on some objects (`deployment/webapp`), in one call.
    ///
    /// # Errors
    /// As kubectl fails; some of the objects may have them all the same.
    pub fn annotate(&self, objects: &[String], annotations: &[String]) -> Result<()> {
        let manager = format!("--field-manager={MARKER}");
        let args = ["annotate", "--overwrite", &manager].into_iter();
        let args: Vec<&str> = args.chain(objects.iter().chain(annotations).map(String::as_str)).collect();
        self.change(&self.writing(&args)).map(drop)
    }

    /// Puts a whole object in the place of the live one, if that is still of the resource version that `object` carries.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::Conflict`] if it was changed in between.
    pub fn put(&self, object: &Object) -> Result<Object> {
        let cmd = reading(self.replacement(object), std::slice::from_ref(object), single);
        let answer = self.change(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| object.clone()))
    }

    /// The call that [`Kubectl::put`] will make of this object, to be started ahead. Without an object to read the API server refuses it.
    pub fn put_ahead(&self, object: &Object) -> Cmd {
        self.replacement(object).stdin("")
    }

    fn replacement(&self, object: &Object) -> Cmd {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path(object, &self.namespace));
        self.writing(&["replace", "--raw", &path, "-f", "-"])
    }

    /// What the server would make of [`Kubectl::put`]: nothing is stored.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn dry_put(&self, object: &Object) -> Result<Object> {
        let path = format!("{}?dryRun=All&fieldManager={FIELD_MANAGER}", path(object, &self.namespace));
        let cmd = reading(self.cmd(&["replace", "--raw", &path, "-f", "-"]), std::slice::from_ref(object), single);
        let answer = self.run(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| object.clone()))
    }

    /// Creates an object and gives it as the server made it. A raw call, which needs no discovery.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::AlreadyExists`] if there is one.
    pub fn create(&self, object: &Object) -> Result<Object> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", collection(object, &self.namespace));
        let cmd = reading(self.writing(&["create", "--raw", &path, "-f", "-"]), std::slice::from_ref(object), single);
        let answer = self.change(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| object.clone()))
    }

    /// Runs what changes something; in a rehearsal it is only noted.
    fn change(&self, cmd: &Cmd) -> Result<Output> {
        let Some(noted) = &self.rehearsal else {
            let Some(fence) = self.fenced() else { return self.run_through(cmd) };
            let lockless = |why| KubectlError { line: cmd.to_string(), reason: Reason::Lockless, said: why };
            return self.persistently_changing(|| {
                let _permit = fence.permit().map_err(lockless)?;
                self.run_through(&cmd.clone().limit(fence.half()))
            });
        };
        if let Ok(mut noted) = noted.lock() {
            noted.push(cmd.clone());
        }
        Ok(Output { status: ExitStatus::default(), stdout: String::new(), stderr: String::new() })
    }

    /// Deletes the very object with this uid, and then what it owns: it is gone when they are.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::Conflict`] if another object has that name now.
    pub fn delete(&self, object: &Object) -> Result<()> {
        self.change(&self.deletion(object)).map(drop)
    }

    /// The same of an object that holds a release, by a call that can be started ahead.
    ///
    /// # Errors
    /// As [`Kubectl::delete`].
    pub fn delete_record(&self, record: &Object) -> Result<()> {
        self.change(&self.record_deletion_ahead(record).stdin(deletion_of(record))).map(drop)
    }

    /// The call that [`Kubectl::delete_record`] will make, to be started ahead. Without its input nothing is deleted, as with the lock's Lease.
    pub fn record_deletion_ahead(&self, record: &Object) -> Cmd {
        let path = format!("{}?{NOBODY}", path(record, &self.namespace));
        self.writing(&["delete", "--raw", &path, "-f", "-"]).stdin("")
    }

    pub(super) fn deletion(&self, object: &Object) -> Cmd {
        self.writing(&["delete", "--raw", &path(object, &self.namespace), "-f", "-"]).stdin(deletion_of(object))
    }
}

/// The options of a deletion of the very object with this uid.
fn deletion_of(object: &Object) -> String {
    let uid = object.uid();
    let options = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "preconditions": {"uid": uid}});
    options.to_string()
}
