//! The namespace's Secrets, for their values to be masked in whatever is told.

use std::time::Instant;

use serde_json::Value;

use super::persist::{PAUSE, QUICK};
use super::{Kubectl, KubectlError, Reason, documents};
use crate::process::Cmd;
use crate::redact;
use crate::yaml::Object;

/// The kinds of Secrets that are packed, and hold nothing that appears as it is: our records and Helm's.
const PACKED: [&str; 2] = ["shipcat.dev/release", "helm.sh/release.v1"];

impl Kubectl<'_> {
    /// Starts to read the namespace's Secrets, side by side with whatever is read next; until that is done, nothing is told.
    pub fn conceal_secrets(&self) {
        redact::begin();
        let cmd = self.secrets_cmd();
        self.ui.command(cmd.pasted());
        let namespace = self.namespace.clone();
        std::thread::spawn(move || redact::end(read(&cmd, &namespace)));
    }

    /// A raw call needs no discovery, which would try five times where nobody answers.
    fn secrets_cmd(&self) -> Cmd {
        let packed = PACKED.map(|kind| format!("type%21%3D{}", kind.replace('/', "%2F"))).join("%2C");
        let path = format!("/api/v1/namespaces/{}/secrets?fieldSelector={packed}", self.namespace);
        self.cmd(&["get", "--raw", &path])
    }
}

/// Reads and takes them; or why they could not be read.
fn read(cmd: &Cmd, namespace: &str) -> Option<String> {
    // What is not known cannot be masked: where nobody answered at once, it is asked for once more.
    let started = Instant::now();
    let mut result = cmd.run();
    let is_silent = match &result {
        Ok(output) => !output.status.success() && KubectlError::said(cmd, output).reason == Reason::Unreachable,
        Err(_) => true,
    };
    if is_silent && started.elapsed() < QUICK {
        std::thread::sleep(PAUSE);
        result = cmd.run();
    }
    let error = match result {
        Ok(output) if output.status.success() => {
            for secret in documents(&output.stdout) {
                conceal_data(&secret);
            }
            return None;
        }
        Ok(output) => KubectlError::said(cmd, &output),
        Err(broken) => KubectlError::broken(cmd, broken),
    };
    match error.reason {
        Reason::Forbidden => Some(format!("you may not list Secrets in namespace `{namespace}`")),
        // Whatever else goes wrong is told by those who need the cluster for more.
        _ => None,
    }
}

/// Takes the values of a Secret that was read, or is sent.
pub fn conceal(object: &Object) {
    if object.kind() == "Secret" && object.group().is_empty() && !PACKED.contains(&object.text("/type")) {
        conceal_data(object.json());
    }
}

/// A Secret without what it holds.
pub fn hidden(secret: &Object) -> Object {
    let mut secret = secret.clone();
    for field in ["data", "stringData"] {
        for (_, value) in secret.json_mut().get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
            *value = redact::MASK.into();
        }
    }
    secret
}

fn conceal_data(secret: &Value) {
    use base64::Engine as _;
    let values = |field: &str| secret[field].as_object().cloned().unwrap_or_default();
    for (_, value) in values("data") {
        let decoded =
            value.as_str().and_then(|text| base64::engine::general_purpose::STANDARD.decode(text.trim()).ok());
        if let Some(bytes) = decoded {
            redact::conceal(&bytes);
        }
    }
    for (_, value) in values("stringData") {
        redact::conceal(value.as_str().unwrap_or_default().as_bytes());
    }
}
