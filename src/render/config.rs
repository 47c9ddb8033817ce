//! The ConfigMap of a part's `files`. Its name carries a hash of its content, so a changed file is another ConfigMap and changes the
//! pod template, and pods of the old revision never see it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::template::Texts;
use crate::error::Problem;
use crate::manifest::{ConfigFile, Content, Folder, Manifest, Part};
use crate::yaml::unappliable;

/// What a ConfigMap may hold in all (the API server's limit is on the object: 1 MiB, and etcd's 1.5 MiB on the request).
pub const LARGEST: usize = 1_048_576;

/// A rendered ConfigMap, and where its keys are found.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// Texts by key.
    pub data: Map<String, Value>,
    /// Bytes by key, in base64.
    pub binary: Map<String, Value>,
    /// Which key is found where.
    pub mounts: Vec<Mount>,
}

/// Where a key is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path in the container.
    pub path: String,
    /// The folder that is mounted as a whole, if it is.
    pub folder: Option<String>,
    /// The key.
    pub key: String,
}

/// The ConfigMap of a part's files, if it has any.
pub fn config(manifest: &Manifest, part: &Part, texts: &mut Texts, problems: &mut Vec<Problem>) -> Option<Config> {
    let files = manifest.files.of(part);
    if files.is_empty() {
        return None;
    }
    let keys = config_keys(&files);
    let (mut data, mut binary, mut mounts) = (Map::new(), Map::new(), Vec::new());
    for (file, key) in files.iter().zip(keys) {
        put(&manifest.files, &file.source, &key, texts, &mut data, &mut binary, problems);
        mounts.push(Mount { path: file.target.clone(), folder: file.folder.clone(), key });
    }
    if size(&data, &binary) > LARGEST {
        let place = part.tree.place_of(&["files"]);
        let problem =
            Problem::at(place, "these files are larger than 1 MiB in all, which is what a ConfigMap can hold");
        problems.push(problem.hint("put large files into the image or a volume"));
    }
    // Of the JSON, in which every part has its end.
    let hash = Sha256::digest(json!([data, binary]).to_string());
    let hash: String = hash.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Some(Config { name: format!("{}-{hash}", manifest.service), data, binary, mounts })
}

/// How much a ConfigMap holds, in bytes as the API server counts them.
pub fn size(data: &Map<String, Value>, binary: &Map<String, Value>) -> usize {
    let texts = data.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len));
    let bytes = binary.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, |text| text.len() / 4 * 3));
    texts.chain(bytes).sum()
}

/// Renders a file into one of the two halves of a ConfigMap.
pub fn put(
    folder: &Folder,
    source: &str,
    key: &str,
    texts: &mut Texts,
    data: &mut Map<String, Value>,
    binary: &mut Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    let text = match folder.get(source) {
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Template(id)) => match texts.render_file(*id) {
            Ok(text) => text,
            Err(problem) => {
                problems.push(problem);
                return;
            }
        },
        Some(Content::Bytes(bytes)) => {
            binary.insert(key.to_owned(), STANDARD.encode(bytes).into());
            return;
        }
        None => return,
    };
    // As bytes it arrives whatever it is.
    if unappliable(&text).is_some() {
        binary.insert(key.to_owned(), STANDARD.encode(text).into());
    } else {
        data.insert(key.to_owned(), text.into());
    }
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
