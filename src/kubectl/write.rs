//! Calls that change something. Each has a request timeout, and none is tried again blindly.

use serde_json::{Value, json};

use super::paths::path;
use super::{FIELD_MANAGER, Kubectl, Result, list, objects};
use crate::process::Cmd;
use crate::yaml::{Object, safe};

impl Kubectl<'_> {
    /// Applies, server-side, and gives the server's answers.
    ///
    /// # Errors
    /// As kubectl fails; some of the objects may have been applied all the same.
    pub fn apply(&self, wanted: &[Object]) -> Result<Vec<Object>> {
        Ok(objects(&self.run(&self.apply_cmd(wanted))?.stdout))
    }

    fn apply_cmd(&self, wanted: &[Object]) -> Cmd {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        self.cmd(&["apply", "--server-side", "--force-conflicts", &manager, "-f", "-", "-o", "json"])
            .args(self.managed())
            .stdin(list(wanted))
    }

    /// Sets images of one Deployment's containers, in one call, and gives the server's answer.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn set_image(&self, deployment: &str, images: &[(String, String)]) -> Result<Option<Object>> {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let name = format!("deployment/{deployment}");
        let images: Vec<String> = images.iter().map(|(container, image)| format!("{container}={image}")).collect();
        let mut args = vec!["set", "image", name.as_str()];
        args.extend(images.iter().map(String::as_str));
        args.extend([manager.as_str(), "-o", "json"]);
        let cmd = self.cmd(&args).args(self.managed());
        Ok(objects(&self.run(&cmd)?.stdout).into_iter().next())
    }

    /// Puts a whole object in the place of the live one, if that is still of the resource version that `object` carries.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::Conflict`] if it was changed in between.
    pub fn put(&self, object: &Object) -> Result<Object> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path(object, &self.namespace));
        let cmd = self.cmd(&["replace", "--raw", &path, "-f", "-"]).stdin(safe(&object.json().to_string()));
        let answer = self.run(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| object.clone()))
    }

    /// What the server would make of [`Kubectl::put`]: nothing is stored.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn dry_put(&self, object: &Object) -> Result<Object> {
        let path = format!("{}?dryRun=All&fieldManager={FIELD_MANAGER}", path(object, &self.namespace));
        let cmd = self.cmd(&["replace", "--raw", &path, "-f", "-"]).stdin(safe(&object.json().to_string()));
        let answer = self.run(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| object.clone()))
    }

    /// Creates an object.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::AlreadyExists`] if there is one.
    pub fn create(&self, object: &Object) -> Result<()> {
        let manager = format!("--field-manager={FIELD_MANAGER}");
        let cmd = self.cmd(&["create", &manager, "-f", "-", "-o", "name"]).stdin(safe(&object.json().to_string()));
        self.run(&cmd).map(drop)
    }

    /// Changes labels and annotations of an object.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn mark(&self, kind: &str, name: &str, labels: &Value, annotations: &Value) -> Result<()> {
        let patch = json!({"metadata": {"labels": labels, "annotations": annotations}}).to_string();
        let manager = format!("--field-manager={FIELD_MANAGER}");
        self.run(&self.cmd(&["patch", kind, name, "--type=merge", &manager, "-p", &patch, "-o", "name"])).map(drop)
    }

    /// Deletes the very object with this uid, and then what it owns: it is gone when they are.
    ///
    /// # Errors
    /// As kubectl fails; [`super::Reason::Conflict`] if another object has that name now.
    pub fn delete(&self, object: &Object) -> Result<()> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "preconditions": {"uid": object.uid()}});
        let cmd = self.cmd(&["delete", "--raw", &path(object, &self.namespace), "-f", "-"]).stdin(options.to_string());
        self.run(&cmd).map(drop)
    }
}
