//! What the log says when a server has started.

use mcp_everything_oauth::BaseUri;
use mcp_everything_store::InstanceId;

use super::greeting::Telling;
use crate::{
    command::unknown_settings,
    settings::{AuthMode, Role, Settings},
};

pub(in crate::command) fn warn_of_unknown_settings() {
    for (name, meant) in unknown_settings() {
        tracing::warn!(event = "config.unknown", name, "this variable is no setting{meant}");
    }
}

/// Says that a server takes requests, and what is unusual about it.
pub(super) fn announce(settings: &Settings, instance: &InstanceId, telling: Telling) {
    // A text for all servers of the process follows.
    if telling == Telling::Lines {
        started(settings, instance);
    }
    for hint in &settings.hints {
        tracing::warn!(event = "config.hint", "{hint}");
    }
    warn_of_unusual(settings);
}

fn started(settings: &Settings, instance: &InstanceId) {
    let base = settings.base_uri.as_str();
    let (store, redis) = (settings.store(), settings.redis.as_ref().map(ToString::to_string));
    let (server, version) = (settings.role.as_str(), env!("CARGO_PKG_VERSION"));
    match settings.role {
        Role::McpServer => tracing::info!(
            event = "server.started",
            server,
            endpoint = settings.base_uri.join("/mcp"),
            port = settings.port,
            auth = settings.auth_mode.as_str(),
            auth_server = settings.trusts().map(BaseUri::as_str),
            store,
            redis,
            instance = %instance,
            version,
            "open {base} in a browser, or point an MCP client at the endpoint"
        ),
        Role::AuthServer => tracing::info!(
            event = "server.started",
            server,
            issuer = base,
            port = settings.port,
            store,
            redis,
            instance = %instance,
            version,
            "the authorization server is at {base}"
        ),
    }
}

fn warn_of_unusual(settings: &Settings) {
    if settings.auth_mode == AuthMode::None {
        tracing::warn!(event = "auth.off", "authentication is off: every caller is `anonymous`");
    }
    if settings.role == Role::AuthServer
        && settings.auth_resources.is_none()
        && !settings.is_local()
    {
        tracing::warn!(
            event = "config.loopback_only",
            "AUTH_RESOURCES is not set: tokens are issued for servers on loopback alone"
        );
    }
    if settings.role == Role::McpServer {
        warn_of_fixtures(settings);
    }
}

pub(in crate::command) fn warn_of_fixtures(settings: &Settings) {
    if settings.conformance {
        tracing::warn!(event = "conformance.on", "the conformance suite's fixtures are listed");
    }
    if settings.fault_tools {
        let whose = if settings.is_private() {
            "tools that misbehave are listed"
        } else {
            "tools that misbehave are listed, and HOST or BASE_URI is not loopback: whoever may \
             call tools can keep connections open and have large answers made"
        };
        tracing::warn!(event = "faults.on", "{whose}");
    }
}
