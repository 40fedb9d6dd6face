//! Which of the two wires a message belongs to.
//!
//! Revisions before 2026-07-28 open with `initialize` and keep a session; 2026-07-28 has neither
//! and carries its version and the client's capabilities in each request's `_meta`. Both share one
//! URL ("Versioning": a server may serve both).

use http::{HeaderMap, HeaderName};
use rmcp::model::{ProtocolVersion, RequestId};

use super::{Envelope, Kind, Meta};
use crate::http::Refusal;

/// The `MCP-Protocol-Version` header of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionHeader<'a> {
    Absent,
    /// A revision with `initialize`.
    Stateful(&'a str),
    /// A revision without it: 2026-07-28.
    Stateless,
    /// No revision this server speaks.
    Unknown(&'a str),
}

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// How a message is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Stateful,
    Stateless,
}

impl<'a> VersionHeader<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(VERSION).iter();
        let Some(value) = values.next() else {
            return Self::Absent;
        };
        let Ok(text) = value.to_str() else {
            return Self::Unknown("?");
        };
        if values.next().is_some_and(|second| second != value) {
            return Self::Unknown(text);
        }
        match ProtocolVersion::KNOWN_VERSIONS.iter().find(|known| known.as_str() == text) {
            Some(known) if known.has_initialize() => Self::Stateful(text),
            Some(_) => Self::Stateless,
            None => Self::Unknown(text),
        }
    }
}

impl Wire {
    /// Whether a method that this server knows exists on this wire. Methods that 2026-07-28 took
    /// away or added are unknown on the other one.
    pub(crate) fn has(self, method: &str) -> bool {
        match method {
            "initialize"
            | "ping"
            | "logging/setLevel"
            | "resources/subscribe"
            | "resources/unsubscribe" => self == Self::Stateful,
            "server/discover"
            | "subscriptions/listen"
            | "tasks/get"
            | "tasks/update"
            | "tasks/cancel" => self == Self::Stateless,
            _ => true,
        }
    }

    /// The wire of a message, by what it carries itself first and by its header second.
    pub(crate) fn of(
        envelope: &Envelope<'_>,
        meta: &Meta<'_>,
        header: VersionHeader<'_>,
    ) -> Result<Self, Refusal> {
        let request = match &envelope.kind {
            Kind::Request { id, method } => Some((id, method.as_ref())),
            Kind::Notification { .. } | Kind::Response { .. } | Kind::Error { .. } => None,
        };
        let Some((id, method)) = request else {
            return Self::of_header(header, None);
        };
        match method {
            // The handshake exists on the stateful wire only, whatever version it names; one that
            // carries the other wire's metadata is that wire's unknown method.
            "initialize" if !meta.is_complete() => Ok(Self::Stateful),
            "server/discover" => Ok(Self::Stateless),
            _ if meta.is_complete() => Ok(Self::Stateless),
            _ if !meta.names_version() => Self::of_header(header, Some(id)),
            _ if meta.version().is_some_and(|version| version.has_initialize()) => {
                Ok(Self::Stateful)
            }
            _ => Ok(Self::Stateless),
        }
    }

    pub(crate) fn of_header(
        header: VersionHeader<'_>,
        id: Option<&RequestId>,
    ) -> Result<Self, Refusal> {
        match header {
            // Absent: "the server SHOULD assume protocol version 2025-03-26".
            VersionHeader::Absent | VersionHeader::Stateful(_) => Ok(Self::Stateful),
            VersionHeader::Stateless => Ok(Self::Stateless),
            VersionHeader::Unknown(version) => Err(Refusal::UnsupportedVersion {
                id: id.cloned(),
                requested: super::envelope::bounded(version),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str, header: VersionHeader<'_>) -> Result<Wire, Refusal> {
        let envelope = Envelope::read(text.as_bytes()).unwrap();
        Wire::of(&envelope, &Meta::of(&envelope), header)
    }

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    #[test]
    fn a_message_is_served_by_what_it_carries() {
        use VersionHeader::{Absent, Stateful, Stateless};
        let request = |method: &str, params: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
        };
        for (text, header, expected) in [
            (request("initialize", ""), Absent, Wire::Stateful),
            (request("initialize", ""), Stateless, Wire::Stateful),
            (request("initialize", META), Stateless, Wire::Stateless),
            (request("tools/list", ""), Absent, Wire::Stateful),
            (request("tools/list", ""), Stateful("2025-11-25"), Wire::Stateful),
            (request("tools/list", ""), Stateless, Wire::Stateless),
            (request("tools/list", META), Stateless, Wire::Stateless),
            (request("tools/list", META), Absent, Wire::Stateless),
            (request("server/discover", ""), Absent, Wire::Stateless),
        ] {
            assert_eq!(wire(&text, header).unwrap(), expected, "{text} {header:?}");
        }
    }

    #[test]
    fn an_unknown_version_is_refused_unless_the_request_names_its_own() {
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        assert!(matches!(
            wire(text, VersionHeader::Unknown("1999-01-01")),
            Err(Refusal::UnsupportedVersion { id: Some(_), .. })
        ));
    }
}
