//! Names and other small texts, checked at the door. A check's message and its hint are parted by a line break, which is how
//! the YAML decoder takes a hint.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(&text)?;
                Ok(Self(text))
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                text.to_owned().try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

checked_text!(
    /// A service: the name of its folder, its Deployment and its Service (an RFC 1035 label, since a Service wants one).
    ServiceName,
    |text| label(text, "service", true)
);
checked_text!(
    /// An environment of `shipcat.yml`.
    EnvironmentName,
    |text| label(text, "environment", false)
);
checked_text!(
    /// A namespace (an RFC 1123 label).
    Namespace,
    |text| label(text, "namespace", false)
);
checked_text!(
    /// A container's name.
    ContainerName,
    |text| label(text, "container", false)
);
checked_text!(
    /// The tag or the digest of an image.
    Version,
    version
);
checked_text!(
    /// An image without tag or digest.
    ImageName,
    image
);
checked_text!(
    /// The name of an environment variable, as Kubernetes takes it.
    VariableName,
    variable
);
checked_text!(
    /// A quantity of CPU or memory, as Kubernetes spells it.
    Quantity,
    quantity
);
checked_text!(
    /// An absolute path in a container.
    ContainerPath,
    container_path
);
checked_text!(
    /// A label's or an annotation's key.
    MetaKey,
    meta_key
);
checked_text!(
    /// A label's value.
    LabelValue,
    label_value
);

fn label(text: &str, what: &str, letter_first: bool) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let first = |c: char| c.is_ascii_lowercase() || (!letter_first && c.is_ascii_digit());
    if text.len() <= 63 && text.starts_with(first) && text.chars().all(inner) && !text.ends_with('-') {
        return Ok(());
    }
    let start = if letter_first { ", starting with a letter" } else { "" };
    let what = if what == "environment" { "an environment".to_owned() } else { format!("a {what}") };
    Err(format!("`{text}` is not a good name for {what}\nuse at most 63 lower case letters, digits and `-`{start}"))
}

fn version(text: &str) -> Result<(), String> {
    if let Some(hex) = text.strip_prefix("sha256:") {
        return if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(())
        } else {
            Err(format!("`{text}` is not a digest\na digest is `sha256:` and 64 hexadecimal digits"))
        };
    }
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.len() <= 128 && text.starts_with(first) && text.chars().all(|c| first(c) || c == '.' || c == '-') {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not an image tag\nuse at most 128 letters, digits, `_`, `.` and `-`, or a digest `sha256:...`"
    ))
}

fn image(text: &str) -> Result<(), String> {
    let last = text.rsplit('/').next().unwrap_or_default();
    if text.contains('@') || last.contains(':') {
        return Err(format!("the image `{text}` carries a tag or a digest\nput it into `version`"));
    }
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let (host, path) = text.split_once('/').filter(|(host, _)| is_registry(host)).unwrap_or(("", text));
    if !path.is_empty()
        && path.chars().all(good)
        && !text.contains("//")
        && !text.starts_with('/')
        && !text.ends_with('/')
        && text.len() <= 255
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
    {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not an image\nuse lower case letters, digits, `.`, `_`, `-` and `/`, as in `quay.io/acme/webapp`"
    ))
}

/// Whether the first part of an image's name is a registry, by the rule that container engines share: a dot, a port, or `localhost`.
pub fn is_registry(part: &str) -> bool {
    part.contains('.') || part.contains(':') || part == "localhost"
}

fn variable(text: &str) -> Result<(), String> {
    let first = |c: char| c.is_ascii_alphabetic() || "_-.".contains(c);
    if text.starts_with(first)
        && text.chars().all(|c| first(c) || c.is_ascii_digit())
        && text != "."
        && !text.starts_with("..")
    {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not a good name for an environment variable\nuse letters, digits, `_`, `-` and `.`, not starting with a digit"
    ))
}

fn quantity(text: &str) -> Result<(), String> {
    let number_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(number_end);
    let number_ok = number.bytes().any(|b| b.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|rest| rest.parse::<i8>().is_ok());
    let known = matches!(
        suffix,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei"
    );
    if number_ok && (known || exponent) {
        return Ok(());
    }
    Err(format!("`{text}` is not a quantity\nwrite it as Kubernetes does: `100m`, `0.5`, `128Mi`, `1Gi`"))
}

fn container_path(text: &str) -> Result<(), String> {
    let parts_ok = text.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
    if text.starts_with('/') && text.len() > 1 && parts_ok && !text.contains(':') && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "`{text}` is not the path of a file in a container\nwrite it absolute and plain, as in `/etc/webapp/app.conf`"
    ))
}

fn meta_key(text: &str) -> Result<(), String> {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let edge = |c: char| c.is_ascii_alphanumeric();
    let name_ok = name.len() <= 63
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || "-_.".contains(c));
    let prefix_ok = prefix.is_none_or(|prefix| {
        !prefix.is_empty()
            && prefix.len() <= 253
            && prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
    });
    if name_ok && prefix_ok {
        return Ok(());
    }
    Err(format!("`{text}` is not a key for a label or an annotation\nwrite it as in `team` or `example.com/team`"))
}

fn label_value(text: &str) -> Result<(), String> {
    let edge = |c: char| c.is_ascii_alphanumeric();
    if text.is_empty()
        || (text.len() <= 63
            && text.starts_with(edge)
            && text.ends_with(edge)
            && text.chars().all(|c| edge(c) || "-_.".contains(c)))
    {
        return Ok(());
    }
    Err(format!("`{text}` is not a label's value\nuse at most 63 letters, digits, `-`, `_` and `.`"))
}

/// A span of time as people write it: `90s`, `5m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Duration(pub std::time::Duration);

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a span of time\nwrite it as `90s`, `5m` or `1h30m`");
        let mut total: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            let factor = match rest.as_bytes().get(digits) {
                Some(b's') => 1,
                Some(b'm') => 60,
                Some(b'h') => 3600,
                _ => return Err(bad()),
            };
            total = number.checked_mul(factor).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
            rest = &rest[digits + 1..];
        }
        // Longer than a week is a slip, and would overflow the clock further on.
        if text.is_empty() || total == 0 || total > 7 * 86_400 {
            Err(bad())
        } else {
            Ok(Self(std::time::Duration::from_secs(total)))
        }
    }
}

impl TryFrom<String> for Duration {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(text.parse::<T>().is_ok(), "{text:?} must be good");
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text:?} must be bad");
        }
    }

    #[test]
    fn names_are_checked_at_the_door() {
        check::<ServiceName>(&["webapp", "a", "a-1"], &["", "Web", "1a", "a-", "a_b", "../x", &"a".repeat(64)]);
        check::<Namespace>(&["dev", "1a"], &["-a", "a.b"]);
        check::<Version>(
            &["1.10", "v1_2-rc.1", &format!("sha256:{}", "a".repeat(64))],
            &["", "-a", "a b", "a:b", "sha256:abc", "ü"],
        );
        check::<ImageName>(
            &["webapp", "quay.io/acme/webapp", "localhost:5000/a", "a/b"],
            &["", "webapp:1", "a@sha256:0", "/a", "a/", "a b", "Acme", "quay.io//a"],
        );
        check::<VariableName>(&["A", "_x", "a.b-c"], &["", "1A", "A B", "A=B", ".."]);
        check::<Quantity>(&["1", "0.5", "100m", "1Gi", "1e3", "5E"], &["", "Gi", "1GB", "1.2.3", "-1", "1 Gi"]);
        check::<ContainerPath>(&["/a", "/etc/x.conf"], &["", "/", "a", "/a/../b", "/a//b", "/a/", "/a:b"]);
        check::<MetaKey>(&["team", "example.com/team"], &["", "/a", "a/", "a b", "Ex.com/a"]);
        check::<LabelValue>(&["", "a", "A.b_c-1"], &["-a", "a b", "é"]);
        check::<Duration>(&["90s", "5m", "1h30m"], &["", "5", "s", "5x", "0s", "99999999999999999999s", "8000h", "é"]);
    }
}
