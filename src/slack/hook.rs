//! The webhook. Its URL is a secret: it comes from our environment alone, and no word of ours or of the HTTP library tells it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, http};

use crate::redact;

/// Where the URL comes from.
const VARIABLE: &str = "SLACK_SHIPCAT_HOOK_URL";
/// Certificates to trust instead of the usual ones, as other programs take them: a file in PEM.
const CERTIFICATES: &str = "SSL_CERT_FILE";
/// How long all messages of a run may take together, retries included.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read.
const ANSWER: u64 = 2000;

/// An incoming webhook.
pub struct Hook {
    url: String,
    agent: Agent,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

impl Hook {
    /// The webhook that our environment names; nothing if it names none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_env() -> Result<Option<Self>, String> {
        let Some(url) = std::env::var_os(VARIABLE) else { return Ok(None) };
        let url = url.into_string().map_err(|_| format!("{VARIABLE} holds no text"))?;
        match url.trim() {
            "" => Ok(None),
            url => Self::new(url).map(Some),
        }
    }

    /// A webhook at this URL: over https, or on this very machine.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(url: &str) -> Result<Self, String> {
        conceal(url);
        let uri: http::Uri = url.parse().map_err(|_| format!("{VARIABLE} holds no URL"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| format!("{VARIABLE} holds no URL"))?;
        let is_loopback = host.eq_ignore_ascii_case("localhost")
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback => {}
            _ => return Err(format!("{VARIABLE} holds a URL that is not https")),
        }
        let tls = TlsConfig::builder().root_certs(roots()?).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // Whatever leads elsewhere would be told the message.
            .max_redirects(0)
            .user_agent(concat!("shipcat/", env!("CARGO_PKG_VERSION")));
        let agent = if is_loopback { agent.proxy(None) } else { agent };
        Ok(Self { url: url.to_owned(), agent: agent.build().into() })
    }

    /// Posts a message, masked as everything that leaves. It is tried again where Slack asks for that or fails itself, until `deadline`.
    ///
    /// # Errors
    /// Why it did not arrive.
    pub fn post(&self, message: &Value, deadline: Instant) -> Result<(), String> {
        let mut message = message.clone();
        redact::cover_json(&mut message);
        let text = message.to_string();
        let mut pause = Duration::from_millis(500);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("Slack did not answer in time".into());
            }
            let (why, wait) = match self.once(&text, left) {
                Ok(None) => return Ok(()),
                Ok(Some((why, wait))) => (why, wait.unwrap_or(pause)),
                Err(why) => return Err(why),
            };
            // A wait that would end behind the time is no use.
            if Instant::now() + wait >= deadline {
                return Err(why);
            }
            std::thread::sleep(wait);
            pause *= 2;
        }
    }

    /// Tries it once: nothing if it arrived; else why not and how long to wait, where it is worth another try.
    fn once(&self, text: &str, limit: Duration) -> Result<Option<(String, Option<Duration>)>, String> {
        let request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json; charset=utf-8")
            .config()
            .timeout_global(Some(limit))
            .build();
        let mut answer = match request.send(text) {
            Ok(answer) => answer,
            Err(error) => return self.broken(&error),
        };
        let status = answer.status().as_u16();
        match status {
            200..300 => Ok(None),
            429 => {
                let after = answer.headers().get("retry-after").and_then(|after| after.to_str().ok());
                let after = after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
                Ok(Some(("Slack wants fewer messages (429)".into(), after)))
            }
            500.. => Ok(Some((format!("Slack answers {status}"), None))),
            _ => {
                let said = answer.body_mut().with_config().limit(ANSWER).read_to_string().unwrap_or_default();
                let said: String = said.lines().next().unwrap_or_default().trim().chars().take(100).collect();
                Err(match said.as_str() {
                    "" => format!("Slack answers {status}"),
                    said => format!("Slack answers {status}: {said}"),
                })
            }
        }
    }

    /// The library's own words may hold the URL, or a part of it: they are never told.
    fn broken(&self, error: &ureq::Error) -> Result<Option<(String, Option<Duration>)>, String> {
        match error {
            ureq::Error::Timeout(_) => Err("Slack did not answer in time".into()),
            ureq::Error::HostNotFound => Err("the host of Slack's webhook is not known".into()),
            // What TLS refuses comes as data that is no good.
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(untrusted()),
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => Err(untrusted()),
            ureq::Error::Io(_) | ureq::Error::ConnectionFailed => {
                Ok(Some(("Slack's webhook cannot be reached".into(), None)))
            }
            ureq::Error::InvalidProxyUrl | ureq::Error::ConnectProxyFailed(_) => {
                Err("Slack's webhook cannot be reached by the proxy of the environment".into())
            }
            _ => Err("the message could not be sent to Slack's webhook".into()),
        }
    }
}

/// Keeps the URL, and what of it is secret, out of whatever leaves.
fn conceal(url: &str) {
    redact::conceal(url.as_bytes());
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    if let Some(path) = path {
        redact::conceal(path.as_bytes());
        // Of https://hooks.slack.com/services/T../B../SECRET the last part is all that keeps others out.
        path.rsplit('/').take(1).for_each(|last| redact::conceal(last.as_bytes()));
    }
}

fn untrusted() -> String {
    format!("the certificate of Slack's webhook is not trusted (see {CERTIFICATES})")
}

/// Whom to trust.
fn roots() -> Result<RootCerts, String> {
    let Some(path) = std::env::var_os(CERTIFICATES).filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let cannot = || format!("the certificates of {CERTIFICATES} cannot be read");
    let text = std::fs::read(path).map_err(|_| cannot())?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { Err(cannot()) } else { Ok(RootCerts::Specific(Arc::new(certificates))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in [
            "https://hooks.slack.com/services/T0/B0/abcdefgh",
            "http://127.0.0.1:80/x",
            "http://localhost/x",
            "http://[::1]:8/x",
        ] {
            assert!(Hook::new(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.slack.com/services/x",
            "http://127.0.0.1.evil.com/",
            "ftp://127.0.0.1/",
            "hooks.slack.com",
            "https://",
            "x y",
        ] {
            let why = Hook::new(bad).unwrap_err();
            assert!(why.starts_with(VARIABLE) && !why.contains(bad), "{why}");
        }
    }

    #[test]
    fn no_part_of_it_that_is_secret_is_told() {
        drop(Hook::new("https://hooks.slack.com/services/T0AAAA/B0BBBB/s3cr3tt0ken"));
        let told = redact::cover("POST /services/T0AAAA/B0BBBB/s3cr3tt0ken, s3cr3tt0ken").into_owned();
        assert!(!told.contains("s3cr3t"), "{told}");
    }
}
