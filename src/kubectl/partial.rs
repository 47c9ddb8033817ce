//! Reads of several kinds in one call, of which some may be forbidden: kubectl prints what it got and says of the rest that it may not.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use super::{Kubectl, KubectlError, Result, objects};
use crate::process::Cmd;
use crate::threads;
use crate::yaml::Object;

/// How many objects one kubectl reads by name without slowing itself down: client-go's default is ten requests at once, then five a
/// second (rest.Config `Burst` and `QPS`).
const BURST: usize = 8;

/// What could be read, and of what it may not.
#[derive(Debug, Clone, Default)]
pub struct Partial {
    /// What was read.
    pub objects: Vec<Object>,
    /// The resources that may not be read: `secrets`.
    pub forbidden: BTreeSet<String>,
}

impl Kubectl<'_> {
    /// Objects by resource and name, those that are there.
    ///
    /// # Errors
    /// As kubectl fails for another reason than that something is forbidden.
    pub fn referred(&self, names: &BTreeSet<(&'static str, String)>, cancel: &AtomicBool) -> Result<Partial> {
        let names: Vec<String> = names.iter().map(|(resource, name)| format!("{resource}/{name}")).collect();
        let chunks: Vec<&[String]> = names.chunks(BURST).collect();
        let read = threads::waiting(&chunks, |names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let args = [&["get"], names.as_slice(), &["-o", "json", "--ignore-not-found"]].concat();
            self.partial(&self.cmd(&args), cancel)
        });
        let mut all = Partial::default();
        for partial in read {
            let partial = partial?;
            all.objects.extend(partial.objects);
            all.forbidden.extend(partial.forbidden);
        }
        Ok(all)
    }

    /// The namespace's quotas, limit ranges and horizontal autoscalers.
    ///
    /// # Errors
    /// As [`Kubectl::referred`].
    pub fn limits(&self, cancel: &AtomicBool) -> Result<Partial> {
        let kinds = "resourcequotas,limitranges,horizontalpodautoscalers.autoscaling";
        self.partial(&self.cmd(&["get", kinds, "-o", "json"]), cancel)
    }

    fn partial(&self, cmd: &Cmd, cancel: &AtomicBool) -> Result<Partial> {
        self.told(cmd);
        let output = cmd.run_while(|| self.is_wanted(cancel)).map_err(|broken| KubectlError::broken(cmd, broken))?;
        if output.status.success() {
            return Ok(Partial { objects: objects(&output.stdout), forbidden: BTreeSet::new() });
        }
        match forbidden(&output.stderr) {
            Some(forbidden) => Ok(Partial { objects: objects(&output.stdout), forbidden }),
            None => Err(KubectlError::said(cmd, &output)),
        }
    }
}

/// The resources of which it says that they are forbidden; `None` if it says anything else.
fn forbidden(said: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for line in said.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("Warning: ")) {
        let rest = line.strip_prefix("Error from server (Forbidden): ")?;
        let resource = rest.split([' ', '.']).next().filter(|word| !word.is_empty())?;
        found.insert(resource.to_owned());
    }
    (!found.is_empty()).then_some(found)
}

impl Partial {
    /// Those of one kind.
    pub fn of(&self, kind: &str) -> Vec<Object> {
        self.objects.iter().filter(|object| object.kind() == kind).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_is_told_from_what_went_wrong() {
        let may_not = "Error from server (Forbidden): secrets \"a\" is forbidden: User \"x\" cannot get resource \"secrets\" in API group \"\"\n\
             Error from server (Forbidden): horizontalpodautoscalers.autoscaling is forbidden: User \"x\" cannot list\n";
        let found: Vec<String> = forbidden(may_not).unwrap().into_iter().collect();
        assert_eq!(found, ["horizontalpodautoscalers", "secrets"]);
        assert_eq!(forbidden(&format!("{may_not}Unable to connect to the server: x\n")), None);
        assert_eq!(forbidden(""), None);
    }
}
