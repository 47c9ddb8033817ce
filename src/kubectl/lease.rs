//! Calls for the lock's Lease. They are what a fence is made of, so none of them asks one.

use serde_json::json;

use super::ahead::NOBODY;
use super::paths::{collection, path};
use super::{FIELD_MANAGER, Kubectl, Result, objects, single};
use crate::process::Cmd;
use crate::yaml::Object;

impl Kubectl<'_> {
    /// The Lease of this name, if there is one.
    ///
    /// # Errors
    /// As kubectl fails.
    pub fn lease(&self, name: &str) -> Result<Option<Object>> {
        let cmd = self.writing(&["get", "leases.coordination.k8s.io", name, "-o", "json", "--ignore-not-found"]);
        Ok(objects(&self.run_through(&cmd)?.stdout).into_iter().next())
    }

    /// Creates a Lease: of several who try at once, one succeeds. The answer has managedFields.
    ///
    /// # Errors
    /// [`super::Reason::AlreadyExists`] if there is one; else as kubectl fails.
    pub fn create_lease(&self, lease: &Object) -> Result<Object> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", collection(lease, &self.namespace));
        let cmd = self.writing(&["create", "--raw", &path, "-f", "-"]).stdin(single(std::slice::from_ref(lease)));
        let answer = self.run_through(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| lease.clone()))
    }

    /// Puts a Lease in the place of the one with the resource version that it carries. The answer has managedFields.
    ///
    /// # Errors
    /// [`super::Reason::Conflict`] if it was changed in between; else as kubectl fails.
    pub fn put_lease(&self, lease: &Object) -> Result<Object> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path(lease, &self.namespace));
        let cmd = self.writing(&["replace", "--raw", &path, "-f", "-"]).stdin(single(std::slice::from_ref(lease)));
        let answer = self.run_through(&cmd)?.stdout;
        Ok(objects(&answer).into_iter().next().unwrap_or_else(|| lease.clone()))
    }

    /// The call that [`Kubectl::delete_lease`] will make of this Lease, to be started ahead; none where the lock that is held does not go
    /// with it.
    pub fn lease_deletion_ahead(&self, lease: &Object) -> Option<Cmd> {
        self.fenced().filter(|fence| fence.goes()).map(|_| self.lease_deletion(lease))
    }

    /// Deletes the Lease with the uid and resource version that it carries.
    ///
    /// # Errors
    /// [`super::Reason::Conflict`] if it was changed in between; else as kubectl fails.
    pub fn delete_lease(&self, lease: &Object) -> Result<()> {
        let version = lease.text("/metadata/resourceVersion");
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": lease.uid(), "resourceVersion": version}});
        self.run_through(&self.lease_deletion(lease).stdin(options.to_string())).map(drop)
    }

    fn lease_deletion(&self, lease: &Object) -> Cmd {
        let path = format!("{}?{NOBODY}", path(lease, &self.namespace));
        self.writing(&["delete", "--raw", &path, "-f", "-"]).stdin("")
    }
}
