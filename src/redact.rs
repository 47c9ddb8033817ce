//! Secret values, so that they appear in nothing that leaves the process: masked by value, in every spelling that others give them
//! (DESIGN section 6). One set for the whole process, since every way out must know it. A leaf: imports nothing of this crate.

mod spellings;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spellings::spellings;

/// What stands for a secret value.
pub const MASK: &str = "***";

/// What is shorter is masked only in its own field: it would be found everywhere.
const SHORTEST: usize = 6;

#[derive(Debug, Default)]
struct Vault {
    values: BTreeSet<String>,
    /// Words that are no secret, whatever a Secret says: the names of services, environments and the like.
    plain: BTreeSet<String>,
    finder: Option<Finder>,
    /// How many reads of Secrets are under way: what is told meanwhile has to wait.
    reading: usize,
    /// What could not be read.
    unread: Option<String>,
}

/// The values by how they begin. An automaton over all of them would take seconds to build where a namespace has a hundred
/// certificates, for a few lines of output.
#[derive(Debug, Default)]
struct Finder(HashMap<[u8; SHORTEST], Vec<String>>);

impl Finder {
    fn new<'a>(values: impl Iterator<Item = &'a String>) -> Self {
        let mut by_start: HashMap<[u8; SHORTEST], Vec<String>> = HashMap::new();
        for value in values {
            if let Some(start) = value.as_bytes().first_chunk() {
                by_start.entry(*start).or_default().push(value.clone());
            }
        }
        for values in by_start.values_mut() {
            values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
        Self(by_start)
    }

    /// How long the longest value is with which a text begins.
    fn at(&self, text: &[u8]) -> Option<usize> {
        let values = self.0.get(text.first_chunk::<SHORTEST>()?)?;
        values.iter().find(|value| text.starts_with(value.as_bytes())).map(String::len)
    }

    fn cover<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let (mut covered, mut kept, mut at) = (String::new(), 0, 0);
        while at + SHORTEST <= bytes.len() {
            match self.at(&bytes[at..]) {
                // Values are whole characters, so that both ends are between two.
                Some(length) => {
                    covered.push_str(text.get(kept..at).unwrap_or_default());
                    covered.push_str(MASK);
                    at += length;
                    kept = at;
                }
                None => at += 1,
            }
        }
        if kept == 0 && covered.is_empty() {
            return text.into();
        }
        covered.push_str(text.get(kept..).unwrap_or_default());
        covered.into()
    }
}

static VAULT: Mutex<Option<Vault>> = Mutex::new(None);
static READ: Condvar = Condvar::new();

fn vault() -> MutexGuard<'static, Option<Vault>> {
    // Whoever panicked with it in hand left it whole: each change is one step.
    VAULT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes words that are no secret.
pub fn allow<S: AsRef<str>>(words: impl IntoIterator<Item = S>) {
    let mut vault = vault();
    let vault = vault.get_or_insert_default();
    vault.plain.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
    vault.finder = None;
}

/// Takes a secret value.
pub fn conceal(value: &[u8]) {
    let mut guard = vault();
    let vault = guard.get_or_insert_default();
    let before = vault.values.len();
    vault.values.extend(spellings(value));
    if vault.values.len() != before {
        vault.finder = None;
    }
}

/// Says that Secrets are being read from now on.
pub fn begin() {
    vault().get_or_insert_default().reading += 1;
}

/// Says that they have been read; or why they were not.
pub fn end(unread: Option<String>) {
    let mut guard = vault();
    let vault = guard.get_or_insert_default();
    vault.reading = vault.reading.saturating_sub(1);
    vault.unread = unread.or(vault.unread.take());
    READ.notify_all();
}

/// Gives up a read that takes too long: what is told from now on is masked by what is known.
pub fn end_if_reading() {
    while is_reading() {
        end(Some("the Secrets could not be read in time".into()));
    }
}

/// Whether they are being read.
pub fn is_reading() -> bool {
    vault().as_ref().is_some_and(|vault| vault.reading > 0)
}

/// Waits until they have been read, or for as long as this.
pub fn wait(limit: Duration) {
    let started = Instant::now();
    let mut guard = vault();
    while guard.as_ref().is_some_and(|vault| vault.reading > 0) {
        let Some(left) = limit.checked_sub(started.elapsed()) else { return };
        guard = match READ.wait_timeout(guard, left) {
            Ok((guard, _)) => guard,
            Err(broken) => broken.into_inner().0,
        };
    }
}

/// What could not be read, and so cannot be masked; once.
pub fn unread() -> Option<String> {
    vault().as_mut().and_then(|vault| vault.unread.take())
}

/// A text with every secret value masked.
pub fn cover(text: &str) -> Cow<'_, str> {
    let mut guard = vault();
    let Some(vault) = guard.as_mut().filter(|vault| !vault.values.is_empty()) else { return text.into() };
    let Vault { values, plain, finder, .. } = vault;
    finder.get_or_insert_with(|| Finder::new(values.iter().filter(|value| !plain.contains(*value)))).cover(text)
}

/// JSON with every secret value in its texts masked. Of the keys only those below `from` and `to`, where they are the user's.
pub fn cover_json(value: &mut serde_json::Value) {
    cover_within(value, false);
}

fn cover_within(value: &mut serde_json::Value, keys: bool) {
    use serde_json::Value;
    match value {
        Value::String(text) => {
            if let Cow::Owned(covered) = cover(text) {
                *text = covered;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cover_within(item, keys)),
        Value::Object(map) => {
            let entries = std::mem::take(map);
            for (key, mut value) in entries {
                cover_within(&mut value, keys || key == "from" || key == "to");
                map.insert(if keys { cover(&key).into_owned() } else { key }, value);
            }
        }
        // A number may be a secret as well.
        Value::Number(number) => {
            let text = number.to_string();
            if let Cow::Owned(covered) = cover(&text) {
                *value = covered.into();
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    #[test]
    fn every_spelling_is_masked() {
        let value = "p@ss \"w'rd\" <&> $x\\y";
        conceal(value.as_bytes());
        let json = serde_json::Value::from(value).to_string();
        for text in [
            value.to_owned(),
            json.clone(),
            serde_json::Value::from(json.as_str()).to_string(),
            r#"p@ss \"w'rd\" \u003c\u0026\u003e $x\\y"#.into(),
            STANDARD.encode(value),
            URL_SAFE_NO_PAD.encode(value),
            "p%40ss%20%22w%27rd%22%20%3C%26%3E%20%24x%5Cy".into(),
            "p%40ss+%22w%27rd%22+%3c%26%3e+%24x%5cy".into(),
            value.replace('\'', r"'\''"),
            "p@ss &quot;w'rd&quot; &lt;&amp;&gt; $x\\y".into(),
        ] {
            let told = cover(&format!("a {text} b")).into_owned();
            assert!(told.contains(MASK) && !told.contains("ss"), "{text}: {told}");
        }
    }

    #[test]
    fn lines_and_ends_of_lines() {
        conceal(b"hunter2secret\n");
        conceal(b"-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\n}\nend\n-----END KEY-----\n");
        conceal(b"five5");
        assert_eq!(cover("x hunter2secret y"), "x *** y");
        assert_eq!(cover(&STANDARD.encode("hunter2secret")), MASK);
        assert_eq!(cover("log: MIIEowIBAAKCAQEA"), "log: ***");
        assert_eq!(cover("} end five5"), "} end five5");
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        allow(["webapp-plain"]);
        conceal(b"webapp-plain");
        assert_eq!(cover("Deployment/webapp-plain"), "Deployment/webapp-plain");
    }

    #[test]
    fn json_stays_json() {
        conceal(b"\"kind\"");
        conceal(b"1234567");
        let mut value = serde_json::json!({"kind": "x", "a": ["\"kind\""], "n": 1_234_567});
        cover_json(&mut value);
        assert_eq!(value, serde_json::json!({"kind": "x", "a": ["***"], "n": "***"}));
    }
}
