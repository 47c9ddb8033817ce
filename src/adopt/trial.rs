//! Drafts are tried out: written to a folder, rendered in each environment, and compared with the originals. What does not come out as
//! it went in is written in a less short form, in the end as a template: so what comes out of here is right.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::bare::bare;
use super::clean::clean;
use super::draft::{Draft, Ground, draft};
use super::read::Original;
use super::roles::{Role, Way};
use super::write::Written;
use crate::error::{Failure, Problems};
use crate::manifest::{Environment, Loading, Repo};
use crate::render::{Rendered, Templates, render, version_from_files};
use crate::yaml::Object;

/// Where drafts are tried out.
pub struct Trial<'a> {
    /// The repo, with a root of its own in which drafts may be written.
    pub repo: Repo,
    /// The environments in which it has to be right.
    pub environments: Vec<Environment>,
    /// The repo's templates.
    pub templates: &'a Templates,
    /// What is written for.
    pub ground: Ground<'a>,
    /// The first lines of the manifest.
    pub head: String,
}

/// What a trial found wrong: an object, and why it cannot stay as it is written.
struct Wrong {
    owner: Option<usize>,
    why: String,
}

impl Trial<'_> {
    /// Finds the best way for each object with which all of them come out as they went in.
    ///
    /// # Errors
    /// If files cannot be written, or there is no such way.
    pub fn settle(&self, originals: &mut [Original]) -> Result<(Draft, Written)> {
        // Each round takes at least one object one step down.
        for _ in 0..=originals.len() * 5 {
            follow(originals);
            let draft = draft(&self.ground, originals);
            let written = draft.manifest(&self.head);
            self.write(&draft, &written)?;
            let wrong = self.wrong(&draft, &written, originals);
            if wrong.is_empty() {
                return Ok((draft, written));
            }
            let mut changed = false;
            for Wrong { owner, why } in wrong {
                let owner = owner.or_else(|| scapegoat(originals));
                let Some(own) = owner.and_then(|owner| originals.get_mut(owner)) else { continue };
                changed |= step_down(own, why);
            }
            if !changed {
                break;
            }
        }
        Err(Failure::refused("these objects cannot be made again from a manifest")
            .hint("this should not happen: please report it with the objects, without their secrets")
            .into())
    }

    fn folder(&self) -> std::path::PathBuf {
        self.repo.root.join("manifests").join(self.ground.service)
    }

    fn write(&self, draft: &Draft, written: &Written) -> Result<()> {
        let folder = self.folder();
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot clear `{}`", folder.display()))?;
        }
        write(&folder, draft, written)
    }

    fn wrong(&self, draft: &Draft, written: &Written, originals: &[Original]) -> Vec<Wrong> {
        let each = self.environments.iter().map(|environment| match self.rendered(environment) {
            Ok(rendered) => compare(&rendered, originals),
            Err(error) => blame(&error, draft, written),
        });
        each.into_iter().find(|wrong| !wrong.is_empty()).unwrap_or_default()
    }

    fn rendered(&self, environment: &Environment) -> Result<Rendered> {
        match self.repo.load(self.ground.service, environment) {
            Loading::Here(manifest, _) => {
                version_from_files(&manifest, None).and_then(|version| render(self.templates, &manifest, &version))
            }
            Loading::Broken(broken) => Err(broken.told().into()),
            Loading::Elsewhere(_) => Err(anyhow::anyhow!("the service is not in `{}`", environment.name)),
        }
    }
}

/// Writes a draft to a folder.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, draft: &Draft, written: &Written) -> Result<()> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, bytes))
            .with_context(|| format!("cannot write `{}`", path.display()))
    };
    put("manifest.yml", written.text.as_bytes())?;
    for (name, bytes) in &draft.files.list {
        put(name, bytes)?;
    }
    for (name, (_, text)) in &draft.templates {
        put(&format!("templates/{name}"), text.as_bytes())?;
    }
    Ok(())
}

/// The next way for an object; whether there is one.
fn step_down(own: &mut Original, why: String) -> bool {
    let next = match own.way {
        Way::Short => Way::Plain,
        Way::Plain => Way::Template,
        Way::Template => Way::Escaped,
        Way::Escaped => Way::Out,
        Way::Out => return false,
    };
    own.way = next;
    if !next.in_keys() && own.why.is_empty() || next == Way::Out {
        own.why = why;
    }
    true
}

/// What goes with a workload that is a template is one as well.
fn follow(originals: &mut [Original]) {
    for i in 0..originals.len() {
        let of = match originals[i].role {
            Role::Autoscaler(of) | Role::Budget(of) => Some(of),
            Role::Claim(_) => originals.iter().position(|own| own.role == Role::Main),
            _ => None,
        };
        if let Some(of) = of.filter(|of| !originals[*of].way.in_keys() && originals[i].way.in_keys()) {
            originals[i].why = format!("it goes with {}", originals[of].shown());
            originals[i].way = Way::Template;
        }
    }
}

/// Where nobody is to blame: what runs, for most is in it; else whatever is still in keys.
fn scapegoat(originals: &[Original]) -> Option<usize> {
    let main = originals.iter().position(|own| own.role == Role::Main && own.way.in_keys());
    main.or_else(|| originals.iter().position(|own| own.way.in_keys()))
        .or_else(|| originals.iter().position(|own| own.way == Way::Template))
}

fn blame(error: &anyhow::Error, draft: &Draft, written: &Written) -> Vec<Wrong> {
    let Some(problems) = error.downcast_ref::<Problems>() else {
        return vec![Wrong { owner: None, why: format!("{error:#}") }];
    };
    let wrong = problems.each().map(|(path, line, text)| {
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let owner = match draft.templates.get(file) {
            Some((owner, _)) => Some(*owner),
            None if file == "manifest.yml" => draft.owner(written, line),
            None => None,
        };
        Wrong { owner, why: message }
    });
    wrong.collect()
}

fn compare(rendered: &Rendered, originals: &[Original]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut seen = vec![false; rendered.objects.len()];
    let group = |value: &Value| value["apiVersion"].as_str().and_then(|api| Some(api.split_once('/')?.0.to_owned()));
    for (i, own) in originals.iter().enumerate().filter(|(_, own)| own.way != Way::Out) {
        let same = |object: &Object| {
            object.kind() == own.kind
                && object.name() == own.name
                && (own.known || group(object.json()) == group(&own.value))
        };
        let Some(at) = rendered.objects.iter().position(same) else {
            wrong.push(Wrong { owner: Some(i), why: "nothing in a manifest makes it".into() });
            continue;
        };
        seen[at] = true;
        let cleaned = clean(rendered.objects[at].json().clone()).object;
        let made = if own.known { bare(&cleaned).unwrap_or_default() } else { cleaned };
        let mut path = Vec::new();
        if differs(&own.value, &made, &mut path) {
            wrong.push(Wrong { owner: Some(i), why: format!("a manifest cannot say its `{}`", path.join(".")) });
        }
    }
    if wrong.is_empty() && seen.iter().any(|seen| !seen) {
        wrong.push(Wrong { owner: None, why: "a manifest would make more of it".into() });
    }
    wrong
}

/// Whether two values differ, and where first. A workload that leaves its count to its autoscaler may leave it out.
fn differs(a: &Value, b: &Value, path: &mut Vec<String>) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                path.push(key.clone());
                if differs(a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), path) {
                    return true;
                }
                path.pop();
            }
            false
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                path.push(i.to_string());
                if differs(a, b, path) {
                    return true;
                }
                path.pop();
            }
            false
        }
        _ => a != b,
    }
}
