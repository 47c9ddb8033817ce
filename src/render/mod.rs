//! From a [`Manifest`] to Kubernetes objects, through tera templates that are compiled in. Pure: no files, no printing.
//! May import `manifest`, `yaml` and `error`.

mod template;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Failure, Problem, Problems, Sources};
use crate::manifest::{ConfigFile, Content, Manifest, Version};
use crate::yaml::{At, Object, Text, unappliable};

/// The label by which shipcat finds the objects of a service again.
pub const SERVICE_LABEL: &str = "shipcat.dev/service";

/// The objects of a service, in the order in which they are applied.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The YAML, one document an object.
    pub text: String,
    /// The same, read.
    pub objects: Vec<Object>,
}

/// Renders a service with the version that was chosen.
///
/// # Errors
/// Every template of the service that fails, each with its place.
pub fn render(manifest: &Manifest, version: &Version, sources: &Sources) -> Result<Rendered> {
    let image = with_version(&manifest.image, version);
    let variables = json!({
        "service": manifest.service.as_ref(),
        "environment": manifest.environment.as_ref(),
        "namespace": manifest.namespace.as_ref(),
        "version": version.as_ref(),
        "image": image,
        "values": manifest.values,
    });
    let mut problems = Vec::new();
    let env = environment_variables(&manifest.env, &variables, &mut problems);
    let config = config(manifest, &variables, sources, &mut problems);
    if let Some(problems) = Problems::new(problems, sources) {
        bail!(problems);
    }
    let parts = parts(manifest, &image, version, &env, config.as_ref());
    let mut names = Vec::new();
    if config.is_some() {
        names.push("configmap.yml.j2");
    }
    if manifest.port.is_some() {
        names.push("service.yml.j2");
    }
    names.push("deployment.yml.j2");
    let mut text = String::new();
    let mut objects = Vec::new();
    for name in names {
        let document = template::built_in(name, &parts)?;
        let value: Value =
            serde_yaml::from_str(&document).with_context(|| format!("the built-in template `{name}` made no YAML"))?;
        if let Some(bad) = strings(&value).into_iter().find(|text| unappliable(text).is_some()) {
            bail!(Failure::refused(format!(
                "`{}` has a text with a control character, which the API server does not take: {bad:?}",
                manifest.service
            )));
        }
        objects.push(Object::new(value).with_context(|| format!("the built-in template `{name}` made no object"))?);
        text.push_str("---\n");
        text.push_str(&document);
    }
    Ok(Rendered { text, objects })
}

/// The version to render with, where no cluster may be asked: the command line's, else the manifest's.
///
/// # Errors
/// If there is neither.
pub fn version_from_files(manifest: &Manifest, tag: Option<&Version>) -> Result<Version> {
    let found = tag.or(manifest.version.as_ref()).cloned();
    found.ok_or_else(|| {
        Failure::refused(format!(
            "`{}` has no version in `{}`",
            manifest.service,
            manifest.folder.join("manifest.yml").display()
        ))
        .hint("add `version: 1.2.3` to the manifest, or say which with `--tag`")
        .into()
    })
}

fn with_version(image: &str, version: &Version) -> String {
    let separator = if version.as_ref().contains(':') { '@' } else { ':' };
    format!("{image}{separator}{version}")
}

fn environment_variables(
    env: &BTreeMap<String, At<Text>>,
    variables: &Value,
    problems: &mut Vec<Problem>,
) -> Vec<Value> {
    let mut rendered = Vec::new();
    for (name, At { value: Text(source), place }) in env {
        match template::text(source, variables) {
            Ok(value) if unappliable(&value).is_some() => {
                let c = u32::from(unappliable(&value).unwrap_or_default());
                let message = format!(
                    "the environment variable `{name}` holds the control character U+{c:04X}, which the API server does not take"
                );
                problems
                    .push(Problem::at(*place, message).hint("put it into a file of `files`, where any byte may stand"));
            }
            Ok(value) if value.contains('\0') => {
                problems.push(Problem::at(
                    *place,
                    format!("the environment variable `{name}` holds a NUL, which no process can be given"),
                ));
            }
            Ok(value) => rendered.push(json!({"name": name, "value": literal(&value)})),
            Err(error) => problems.push(error.in_value(*place, &format!("`env.{name}`"))),
        }
    }
    rendered
}

/// Every text in a JSON value, keys included.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(key, value)| [vec![key.as_str()], strings(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

/// Kubernetes reads `$(NAME)` and `$$` in a variable's value; a value is to arrive as it is.
/// (Rules: k8s.io/kubernetes third_party/forked/golang/expansion; a doubled `$` is one, a lone one stands for itself.)
fn literal(value: &str) -> String {
    if value.contains("$(") || value.contains("$$") { value.replace('$', "$$") } else { value.to_owned() }
}

/// The ConfigMap: `{name, data: [{key, value}], binary: [{key, value}], mounts: [{path, key}]}`. Its name carries a hash of its
/// content, so a changed file is another ConfigMap and changes the pod template, and pods of the old revision never see it.
fn config(manifest: &Manifest, variables: &Value, sources: &Sources, problems: &mut Vec<Problem>) -> Option<Value> {
    if manifest.files.is_empty() {
        return None;
    }
    let keys = config_keys(&manifest.files);
    let (mut data, mut binary, mut mounts) = (Vec::new(), Vec::new(), Vec::new());
    for (file, key) in manifest.files.iter().zip(keys) {
        let text = match &file.content {
            Content::Text(text) => Some(text.clone()),
            Content::Template(id) => match template::text(sources.text(*id), variables) {
                Ok(text) => Some(text),
                Err(error) => {
                    problems.push(error.in_file(*id));
                    continue;
                }
            },
            Content::Bytes(bytes) => {
                binary.push(json!({"key": key, "value": STANDARD.encode(bytes)}));
                None
            }
        };
        match text {
            // As bytes it arrives whatever it is.
            Some(text) if unappliable(&text).is_some() => {
                binary.push(json!({"key": key, "value": STANDARD.encode(text)}));
            }
            Some(text) => data.push(json!({"key": key, "value": text})),
            None => {}
        }
        mounts.push(json!({"path": file.target, "key": key}));
    }
    // Of the JSON, in which every part has its end.
    let hash = Sha256::digest(json!([data, binary]).to_string());
    let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Some(json!({"name": format!("{}-{hash}", manifest.service), "data": data, "binary": binary, "mounts": mounts}))
}

/// A key for each file: its base name, or where two files share one, the whole path.
fn config_keys(files: &[ConfigFile]) -> Vec<String> {
    let clean = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
    };
    let base = |file: &ConfigFile| clean(file.target.rsplit('/').next().unwrap_or_default());
    let mut taken = BTreeSet::new();
    files
        .iter()
        .map(|file| {
            let same = files.iter().filter(|other| base(other) == base(file)).count();
            let mut key = if same == 1 { base(file) } else { clean(file.target.trim_start_matches('/')) };
            while !taken.insert(key.clone()) {
                key.push('-');
            }
            key
        })
        .collect()
}

/// What the built-in templates may use; a part that the manifest does not have is not defined.
fn parts(manifest: &Manifest, image: &str, version: &Version, env: &[Value], config: Option<&Value>) -> Value {
    let mut labels = manifest.labels.clone();
    labels.insert("app.kubernetes.io/name".into(), manifest.service.to_string());
    labels.insert("app.kubernetes.io/managed-by".into(), "shipcat".into());
    labels.insert(SERVICE_LABEL.into(), manifest.service.to_string());
    labels.extend(manifest.selector.clone());
    let init: Vec<Value> =
        manifest.init_containers.iter().map(|container| init_container(container, image, version)).collect();
    let mut parts = json!({
        "name": manifest.service.as_ref(),
        "namespace": manifest.namespace.as_ref(),
        "labels": labels,
        "pod_labels": labels,
        "annotations": manifest.annotations,
        "selector": manifest.selector,
        "replicas": manifest.replicas,
        "image": image,
        "env": env,
        "init_containers": init,
    });
    if let Value::Object(map) = &mut parts {
        let mut define = |key: &str, value: Option<Value>| map.extend(value.map(|value| (key.to_owned(), value)));
        define("command", manifest.command.as_ref().map(|command| json!(command)));
        define("args", manifest.args.as_ref().map(|args| json!(args)));
        define("port", manifest.port.as_ref().map(|port| json!(port)));
        define("readiness", manifest.readiness.as_ref().map(|probe| json!(probe)));
        define("liveness", manifest.liveness.as_ref().map(|probe| json!(probe)));
        define("startup", manifest.startup.as_ref().map(|probe| json!(probe)));
        define("resources", manifest.resources.as_ref().map(|resources| resources.to_json()));
        define("min_ready_seconds", manifest.min_ready_seconds.map(Value::from));
        define("termination_grace_period_seconds", manifest.termination_grace.map(Value::from));
        define("config", config.cloned());
    }
    parts
}

fn init_container(container: &crate::manifest::InitContainer, image: &str, version: &Version) -> Value {
    let own =
        container.image.as_ref().map(|own| with_version(own.as_ref(), container.version.as_ref().unwrap_or(version)));
    let mut map = Map::new();
    map.insert("name".into(), container.name.as_ref().into());
    map.insert("image".into(), own.unwrap_or_else(|| image.to_owned()).into());
    for (key, list) in [("command", &container.command), ("args", &container.args)] {
        if let Some(list) = list {
            map.insert(key.into(), list.iter().map(|text| Value::from(text.0.as_str())).collect());
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests;
