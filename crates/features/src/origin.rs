//! What the embedding server knows of a request and the protocol does not say.

use std::{fmt, sync::Arc};

use rmcp::model::Extensions;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{time::rfc3339, trace::Trace};

/// Reads a request's extensions, where the embedding server left what it knows.
pub type OriginHook = Arc<dyn Fn(&Extensions) -> Origin + Send + Sync>;

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Over what it came.
    pub carrier: Carrier,
    /// Who sent it; `None`: there are no callers to tell apart.
    pub caller: Option<Caller>,
    /// The trace that it belongs to, if it named one.
    pub trace: Option<Trace>,
}

/// The transport that carried a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP.
    StreamableHttp,
    /// HTTP with SSE, the transport of 2024-11-05.
    HttpSse,
}

impl Carrier {
    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::StreamableHttp => "streamable-http",
            Self::HttpSse => "http-sse",
        }
    }
}

/// For people.
impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdio => "stdio",
            Self::StreamableHttp => "Streamable HTTP",
            Self::HttpSse => "HTTP with SSE",
        })
    }
}

/// Who sent a request, as the embedding server authenticated it. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The user
    pub user: String,
    /// The OAuth client that acts for the user
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The authorization server that vouches for both
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the user allowed
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// When the access token expires, in UTC (RFC 3339); here in milliseconds since the Unix epoch
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "time")]
    #[schemars(with = "Option<String>")]
    pub expires_at: Option<u64>,
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn time<S: Serializer>(millis: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    millis.map(rfc3339).serialize(serializer)
}

/// A user, with whatever client. Where there are no callers to tell apart everybody is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct User {
    /// The user.
    pub id: String,
    /// The authorization server that vouches for the user.
    pub issuer: Option<String>,
}

impl Origin {
    /// Of what a process is told by the one that started it.
    pub fn stdio() -> Self {
        Self { carrier: Carrier::Stdio, caller: None, trace: None }
    }

    /// The user who sent it.
    pub fn user(&self) -> User {
        let caller = self.caller.as_ref();
        let user =
            |caller: &Caller| User { id: caller.user.clone(), issuer: caller.issuer.clone() };
        caller.map(user).unwrap_or_default()
    }

    /// Whom a `requestState` is sealed for. It does not change when a token is refreshed.
    pub(crate) fn principal(&self) -> Option<String> {
        let Caller { user, client_id, issuer, scopes: _, expires_at: _ } = self.caller.as_ref()?;
        Some(serde_json::json!([issuer, client_id, user]).to_string())
    }
}
