//! What an operator may set: flags, the environment, and a `.env` file, in that order.
//!
//! Everything is read as text first and judged afterwards in one place, so that a start with
//! three wrong values names all three.

mod effective;
mod grants;
mod problem;
mod raw;
mod read;
mod redis;

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use mcp_everything_oauth::BaseUri;
use mcp_everything_store::{SecretKeys, redis::RedisAddress};
use mcp_everything_transport::{HostPolicy, OriginPolicy};

pub(crate) use grants::Grants;
pub(crate) use problem::{Problem, unknown_variables, unsupported};
pub(crate) use raw::RawSettings;

/// The settings of `serve`, checked.
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) hosts: Vec<IpAddr>,
    pub(crate) base_uri: BaseUri,
    /// `None`: everything is kept in memory.
    pub(crate) redis: Option<RedisAddress>,
    pub(crate) auth_mode: AuthMode,
    /// The `resource` values tokens are issued for.
    pub(crate) auth_resources: Vec<String>,
    /// How else than by a user's consent.
    pub(crate) grants: Grants,
    /// `None`: made once and kept in the store.
    pub(crate) secret_keys: Option<SecretKeys>,
    pub(crate) session_ttl: Duration,
    pub(crate) allowed_hosts: HostPolicy,
    pub(crate) allowed_origins: OriginPolicy,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) conformance: bool,
    pub(crate) drain_delay: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) log_format: LogFormat,
    pub(crate) log_filter: String,
}

impl Settings {
    /// The kind of store.
    pub(crate) fn store(&self) -> &'static str {
        if self.redis.is_some() { "redis" } else { "memory" }
    }
}

/// Who authenticates callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMode {
    /// This server is its own authorization server.
    Integrated,
    /// Nobody. On loopback only.
    None,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}
