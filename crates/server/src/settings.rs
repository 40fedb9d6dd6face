//! What an operator may set: flags, the environment, and a `.env` file, in that order.
//!
//! Everything is read as text first and judged afterwards in one place, so that a start with
//! three wrong values names all three.

mod clients;
mod effective;
mod grants;
mod hints;
mod otel;
mod problem;
mod public;
mod rates;
mod raw;
mod read;
mod redis;
mod separate;
mod threads;
mod tls;
mod upstream;

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use ipnet::IpNet;
use mcp_everything_oauth::{BaseUri, RemoteTokens};
use mcp_everything_store::{SecretKeys, redis::RedisAddress};
use mcp_everything_transport::{HostPolicy, OriginPolicy};

pub(crate) use clients::Clients;
pub(crate) use grants::Grants;
pub(crate) use otel::{Exported, Kept};
pub(crate) use problem::{Problem, nearest, unknown_variables};
pub(crate) use rates::RateLimits;
pub(crate) use raw::RawSettings;
pub(crate) use separate::is_loopback;
pub(crate) use threads::usual_runtime;
pub(crate) use upstream::{Known, UpstreamProvider};

use crate::net::TlsFiles;

/// Whose settings they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The MCP server: `PORT` and `BASE_URI` say where it is.
    McpServer,
    /// The standalone authorization server: `AUTH_SERVER_PORT` and `AUTH_SERVER_URL` do.
    AuthServer,
}

impl Role {
    /// In a word for the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::McpServer => "mcp-server",
            Self::AuthServer => "auth-server",
        }
    }

    /// The variable of its public URL.
    pub(crate) const fn url(self) -> &'static str {
        match self {
            Self::McpServer => "BASE_URI",
            Self::AuthServer => "AUTH_SERVER_URL",
        }
    }

    /// The variable of its port.
    pub(crate) const fn port(self) -> &'static str {
        match self {
            Self::McpServer => "PORT",
            Self::AuthServer => "AUTH_SERVER_PORT",
        }
    }
}

/// The settings of a server, checked.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) role: Role,
    /// Whether another server of this process writes to the same log.
    pub(crate) beside_another: bool,
    pub(crate) port: u16,
    pub(crate) hosts: Vec<IpAddr>,
    /// `None`: plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    /// The public URL of this server.
    pub(crate) base_uri: BaseUri,
    /// The authorization server that is not part of the MCP server.
    pub(crate) auth_server: AuthServerAt,
    /// `None`: everything is kept in memory.
    pub(crate) redis: Option<RedisAddress>,
    pub(crate) auth_mode: AuthMode,
    /// The `resource` values tokens are issued for; `None`: any loopback URL.
    pub(crate) auth_resources: Option<Vec<String>>,
    /// How else than by a user's consent.
    pub(crate) grants: Grants,
    pub(crate) clients: Clients,
    /// How separate mode checks tokens.
    pub(crate) tokens: RemoteTokens,
    /// `None`: the fake one.
    pub(crate) upstream: Option<UpstreamProvider>,
    /// `None`: made once and kept in the store.
    pub(crate) secret_keys: Option<SecretKeys>,
    pub(crate) session_ttl: Duration,
    pub(crate) allowed_hosts: HostPolicy,
    pub(crate) allowed_origins: OriginPolicy,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) conformance: bool,
    pub(crate) fault_tools: bool,
    pub(crate) drain_delay: Duration,
    pub(crate) drain_timeout: Duration,
    /// Where traces go; `None`: nowhere.
    pub(crate) traces: Option<Exported>,
    pub(crate) log_format: LogFormat,
    pub(crate) log_filter: String,
    /// What the operator may have overlooked: a sentence each, with what to do.
    pub(crate) hints: Vec<String>,
    /// Those of them that anybody may see, by variable.
    pub(crate) public: BTreeMap<String, String>,
}

impl Settings {
    /// The kind of store.
    pub(crate) fn store(&self) -> &'static str {
        if self.redis.is_some() { "redis" } else { "memory" }
    }

    /// Whether only programs on this machine reach it, as far as it can tell.
    pub(crate) fn is_private(&self) -> bool {
        self.is_local() && self.hosts.iter().all(IpAddr::is_loopback)
    }

    /// Whether its public URL is on loopback.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(self.base_uri.as_str())
    }

    /// Whether the authorization server that is trusted is on this machine.
    pub(crate) fn trusts_a_neighbour(&self) -> bool {
        self.trusts().is_some_and(|issuer| is_loopback(issuer.as_str()))
    }

    /// The authorization server elsewhere that an MCP server trusts.
    pub(crate) fn trusts(&self) -> Option<&BaseUri> {
        (self.auth_mode == AuthMode::Separate).then_some(&self.auth_server.issuer)
    }
}

/// Where the standalone authorization server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthServerAt {
    pub(crate) port: u16,
    pub(crate) issuer: BaseUri,
}

/// Who authenticates callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMode {
    /// This server is its own authorization server.
    Integrated,
    /// Another server is.
    Separate,
    /// Nobody. On loopback only.
    None,
}

impl AuthMode {
    /// As settings have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Integrated => "integrated",
            Self::Separate => "separate",
            Self::None => "none",
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}
