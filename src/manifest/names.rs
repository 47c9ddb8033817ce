//! Names that leave this room, checked at the door. The rules are those of the files.

use std::fmt;
use std::str::FromStr;

use super::keys::rules;
use crate::yaml::Rule;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl FromStr for $name {
            /// The message, and behind a line break a hint.
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let rule: &Rule = &$rule;
                rule.check(text).map(|()| Self(text.to_owned()))
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

name!(
    /// A service: the name of its folder, its workload and its Service.
    ServiceName,
    rules::SERVICE
);
name!(
    /// An environment of `shipcat.yml`.
    EnvironmentName,
    rules::ENVIRONMENT
);
name!(
    /// A namespace.
    Namespace,
    rules::NAMESPACE
);
name!(
    /// The tag or the digest of an image.
    Version,
    rules::VERSION
);

/// A span of time as people write it: `90s`, `5m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub std::time::Duration);

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        rules::DURATION.check(text)?;
        let mut total: u64 = 0;
        for part in text.split_inclusive(['s', 'm', 'h']) {
            let (number, unit) = part.split_at(part.len() - 1);
            let factor = match unit {
                "s" => 1,
                "m" => 60,
                _ => 3600,
            };
            // The rule keeps the numbers short.
            total += number.parse::<u64>().unwrap_or_default() * factor;
        }
        // Longer than a week is a slip, and would overflow the clock further on.
        if total == 0 || total > 7 * 86_400 {
            Err(format!(
                "`{text}` is {}\nwrite a time up to a week, as in `90s`, `5m` or `1h30m`",
                if total == 0 { "no time at all" } else { "longer than a week" }
            ))
        } else {
            Ok(Self(std::time::Duration::from_secs(total)))
        }
    }
}

/// Whether the first part of an image's name is a registry, by the rule that container engines share: a dot, a port, or `localhost`.
pub fn is_registry(part: &str) -> bool {
    part.contains('.') || part.contains(':') || part == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &Rule, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule.holds(text), "{text:?} must be good for {}", rule.what);
        }
        for text in bad {
            assert!(!rule.holds(text), "{text:?} must be bad for {}", rule.what);
        }
    }

    #[test]
    fn names_are_checked_at_the_door() {
        check(
            &rules::SERVICE,
            &["webapp", "a", "a-1"],
            &["", "Web", "1a", "a-", "a_b", "../x", &"a".repeat(64), "a\n"],
        );
        check(&rules::NAMESPACE, &["dev", "1a"], &["-a", "a.b"]);
        let digest = format!("sha256:{}", "a".repeat(64));
        check(
            &rules::VERSION,
            &["1.10", "v1_2-rc.1", &digest],
            &["", "-a", "a b", "a:b", "sha256:abc", "ü", &"a".repeat(129)],
        );
        check(
            &rules::IMAGE,
            &[
                "webapp",
                "quay.io/acme/webapp",
                "localhost:5000/a",
                "localhost/a",
                "a/b",
                "r.io:5000/a_b/c--d",
                "[::1]:5000/a",
            ],
            &["", "webapp:1", "a@sha256:0", "/a", "a/", "a b", "Acme", "quay.io//a", "a..b"],
        );
        check(&rules::VARIABLE, &["A", "_x", "a.b-c", ".a"], &["", "1A", "A B", "A=B", "..", "..a", "."]);
        check(
            &rules::QUANTITY,
            &["1", "0.5", "100m", "1Gi", "1e3", "5E", ".5", "1."],
            &["", "Gi", "1GB", "1.2.3", "-1", "1 Gi", "."],
        );
        check(
            &rules::CONTAINER_PATH,
            &["/a", "/etc/x.conf", "/etc/app/", "/.env"],
            &["", "/", "a", "/a/../b", "/a//b", "/a:b", "/..", "/./a"],
        );
        check(&rules::META_KEY, &["team", "example.com/team"], &["", "/a", "a/", "a b", "Ex.com/a"]);
        check(&rules::LABEL_VALUE, &["", "a", "A.b_c-1"], &["-a", "a b", "é"]);
        check(&rules::PORT_NAME, &["http", "http-2", "a1"], &["", "80", "a--b", "-a", "Http", "waytoolongforaport"]);
        check(&rules::HOST, &["a.example.com", "*.example.com", "*"], &["", "a..b", "A.com", "a.com:80", "*.*.com"]);
        check(
            &rules::SCHEDULE,
            &["0 3 * * *", "*/5 0-6 1,2 JAN mon", "@daily", "@every 1h"],
            &["", "* * * *", "0 3 * * * *", "@never"],
        );
        check(&rules::KUBERNETES, &["1.20", "1.36"], &["1.2", "1.19", "1.37", "v1.20", "1.20.2"]);
        check(&rules::SOURCE, &["a", "conf/a.b", ".env", "conf/"], &["", "/a", "../a", "a/../b", "a//b", "./a"]);
    }

    #[test]
    fn spans_of_time() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h30m", 5400)] {
            assert_eq!(text.parse(), Ok(Duration(std::time::Duration::from_secs(seconds))));
        }
        for text in ["", "5", "s", "5x", "0s", "99999999999999999999s", "8000h", "é"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
