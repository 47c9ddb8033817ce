//! Parts of a manifest that are plain Kubernetes, spelled as Kubernetes spells them so that people can paste them, and
//! their short forms. The field names are those of the core/v1 API.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::names::{ContainerName, ImageName, Quantity};
use crate::yaml::Text;

/// A port: `8080`, or `{container: 8080, service: 80}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Port {
    /// What the container listens on.
    pub container: u16,
    /// What the Service offers.
    pub service: u16,
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            container: u16,
            service: Option<u16>,
        }
        struct PortVisitor;
        impl<'de> Visitor<'de> for PortVisitor {
            type Value = Port;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port, or a map with `container` and `service`")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Port, E> {
                let port = u16::try_from(number).ok().filter(|port| *port > 0);
                let port =
                    port.ok_or_else(|| E::custom(format_args!("`{number}` is not a port\nports go from 1 to 65535")))?;
                Ok(Port { container: port, service: port })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Port, E> {
                let hint = if text.parse::<u16>().is_ok() { "\ntake the quotes away" } else { "" };
                Err(E::custom(format_args!(
                    "expected a port, or a map with `container` and `service`, found the text \"{text}\"{hint}"
                )))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Port, A::Error> {
                let long = Long::deserialize(MapAccessDeserializer::new(map))?;
                let service = long.service.unwrap_or(long.container);
                if long.container == 0 || service == 0 {
                    return Err(A::Error::custom("`0` is not a port\nports go from 1 to 65535"));
                }
                Ok(Port { container: long.container, service })
            }
        }
        deserializer.deserialize_any(PortVisitor)
    }
}

/// A probe's port: a number, or the name `http` of the service's own port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProbePort(Value);

impl<'de> Deserialize<'de> for ProbePort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) if number.as_u64().is_some_and(|n| (1..=65535).contains(&n)) => {
                Ok(Self(Value::Number(number)))
            }
            Value::String(name) if name == "http" => Ok(Self(Value::String(name))),
            other => Err(D::Error::custom(format_args!(
                "{other} is not a port here\nuse a number, or `http` for the service's own port"
            ))),
        }
    }
}

impl ProbePort {
    /// Whether it speaks of the service's own port by its name.
    pub fn is_name(&self) -> bool {
        self.0.is_string()
    }
}

/// A probe, as Kubernetes spells it; or just a path, for an HTTP GET on the service's port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Probe(pub FullProbe);

/// Kubernetes' own spelling of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FullProbe {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_socket: Option<TcpSocket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<Exec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
}

/// The `httpGet` of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HttpGet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub port: ProbePort,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_headers: Option<Vec<HttpHeader>>,
}

/// A header of an `httpGet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpHeader {
    pub name: String,
    pub value: String,
}

/// The `tcpSocket` of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpSocket {
    pub port: ProbePort,
}

/// The `exec` of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    pub command: Vec<String>,
}

impl<'de> Deserialize<'de> for Probe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ProbeVisitor;
        impl<'de> Visitor<'de> for ProbeVisitor {
            type Value = Probe;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path such as `/ready`, or a probe as Kubernetes spells it")
            }
            fn visit_str<E: Error>(self, path: &str) -> Result<Probe, E> {
                if !path.starts_with('/') {
                    return Err(E::custom(format_args!(
                        "`{path}` is not a path\nstart it with `/`, or write a probe as Kubernetes spells it"
                    )));
                }
                let port = ProbePort(Value::String("http".into()));
                let http_get = HttpGet { path: Some(path.into()), port, scheme: None, host: None, http_headers: None };
                // Kubernetes asks every 10 s by default, which makes a rollout wait for nothing.
                Ok(Probe(FullProbe {
                    http_get: Some(http_get),
                    period_seconds: Some(1),
                    timeout_seconds: Some(2),
                    ..FullProbe::default()
                }))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Probe, A::Error> {
                let probe = FullProbe::deserialize(MapAccessDeserializer::new(map))?;
                let ways = [probe.http_get.is_some(), probe.tcp_socket.is_some(), probe.exec.is_some()];
                match ways.iter().filter(|way| **way).count() {
                    1 => Ok(Probe(probe)),
                    _ => Err(A::Error::custom(
                        "a probe asks in one way\ngive it exactly one of `httpGet`, `tcpSocket` and `exec`",
                    )),
                }
            }
        }
        deserializer.deserialize_any(ProbeVisitor)
    }
}

impl Probe {
    /// Whether it asks the service's own port by name.
    pub fn needs_port(&self) -> bool {
        let http = self.0.http_get.as_ref().is_some_and(|get| get.port.is_name());
        http || self.0.tcp_socket.as_ref().is_some_and(|tcp| tcp.port.is_name())
    }
}

/// Requests and limits of the main container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    pub requests: Option<BTreeMap<String, Quantity>>,
    pub limits: Option<BTreeMap<String, Quantity>>,
}

impl Resources {
    /// As Kubernetes takes it.
    pub fn to_json(&self) -> Value {
        let mut out = serde_json::Map::new();
        for (key, part) in [("requests", &self.requests), ("limits", &self.limits)] {
            if let Some(part) = part {
                let part =
                    part.iter().map(|(name, quantity)| (name.clone(), Value::String(quantity.to_string()))).collect();
                out.insert(key.into(), Value::Object(part));
            }
        }
        Value::Object(out)
    }
}

/// A container that runs to its end before the service starts; without an image of its own it runs the service's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitContainer {
    pub name: ContainerName,
    pub image: Option<ImageName>,
    pub version: Option<super::Version>,
    pub command: Option<Vec<Text>>,
    pub args: Option<Vec<Text>>,
}
