//! What there is at which path, for people to read: on the page of the server, and in the answer to
//! whoever asks for a path that it does not have.

use crate::settings::{AuthMode, Role, Settings};

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) path: &'static str,
    pub(crate) what: &'static str,
    /// Whether a browser that goes there is shown something.
    pub(crate) is_shown: bool,
}

const fn shown(path: &'static str, what: &'static str) -> Listed {
    Listed { path, what, is_shown: true }
}

const fn for_programs(path: &'static str, what: &'static str) -> Listed {
    Listed { path, what, is_shown: false }
}

const MCP: [Listed; 4] = [
    for_programs("/mcp", "the MCP endpoint, over Streamable HTTP: POST, GET, DELETE"),
    for_programs("/sse", "the event stream of HTTP with SSE, for older clients: GET"),
    for_programs("/message", "where their messages go: POST"),
    shown("/status", "what goes on, live: instances, sessions, and what is done for one of yours"),
];

const RESOURCE: [Listed; 1] =
    [shown("/.well-known/oauth-protected-resource/mcp", "where clients get a token from")];

const DESCRIPTION: [Listed; 1] =
    [shown("/.well-known/oauth-authorization-server", "what the authorization server can do")];

const AUTHORIZATION_SERVER: [Listed; 6] = [
    for_programs("/register", "where clients register: POST"),
    for_programs("/authorize", "where clients send their users: GET"),
    for_programs("/token", "where codes become tokens: POST"),
    for_programs("/revoke", "where tokens end: POST"),
    for_programs("/introspect", "where clients ask about their tokens: POST"),
    shown("/account", "what you have granted to which program, and the way to end it"),
];

const OPERATIONS: [Listed; 3] = [
    shown("/healthz", "whether the process lives"),
    shown("/readyz", "whether it takes requests, and why not"),
    shown("/metrics", "what it has counted, for Prometheus; from its own machine, or with a token"),
];

/// The endpoints of the server with these settings.
pub(crate) fn endpoints(settings: &Settings) -> Vec<Listed> {
    let page = [shown("/", "what this is and how to connect")];
    let of_mcp = [&page[..], &MCP, &RESOURCE, &DESCRIPTION];
    let of_mode: &[&[Listed]] = match (settings.role, settings.auth_mode) {
        (Role::McpServer, AuthMode::None) => &of_mcp[..2],
        (Role::McpServer, AuthMode::Separate) => &of_mcp,
        (Role::McpServer, AuthMode::Integrated) => {
            &[&page, &MCP, &RESOURCE, &DESCRIPTION, &AUTHORIZATION_SERVER]
        }
        (Role::AuthServer, _) => &[&page, &DESCRIPTION, &AUTHORIZATION_SERVER],
    };
    of_mode.iter().copied().chain([&OPERATIONS[..]]).flatten().copied().collect()
}
