//! What an authorization server is told about itself.

use std::time::Duration;

use crate::{BaseUri, DocumentHosts, Limits, ListedClients, Resources, ScopeSet, TrustedIssuers};

/// How long things live. Each outlives what depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// From the user's consent to the return from the upstream provider, and from the consent page
    /// to the consent.
    pub pending: Duration,
    /// A user's session of the account page.
    pub account: Duration,
    /// An authorization code.
    pub code: Duration,
    /// An access token.
    pub access_token: Duration,
    /// A refresh token, renewed by each rotation.
    pub refresh: Duration,
    /// How long a refresh token that was replaced still gets the same successor.
    pub refresh_window: Duration,
    /// A grant, renewed by each rotation.
    pub grant: Duration,
    /// A registration, renewed by each code that is redeemed and each rotation, and not by a login
    /// that is only begun.
    pub client: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            pending: 10 * MINUTE,
            account: 15 * MINUTE,
            code: 10 * MINUTE,
            access_token: 60 * MINUTE,
            refresh: 7 * DAY,
            refresh_window: MINUTE,
            grant: 7 * DAY,
            client: 30 * DAY,
        }
    }
}

/// The settings of an authorization server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its public URL, and its name in every token and response.
    pub issuer: BaseUri,
    /// What users are told they give access to.
    pub service: String,
    /// What it issues tokens for.
    pub resources: Resources,
    /// What a client gets that asks for no scope.
    pub default_scope: ScopeSet,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// Schemes of native apps, beyond those made of a domain in reverse, that a browser may be sent
    /// to.
    pub app_schemes: Vec<String>,
    /// Clients that the operator has registered.
    pub listed_clients: ListedClients,
    /// Whose Client ID Metadata Documents are read.
    pub client_documents: DocumentHosts,
    /// How often what may be asked.
    pub limits: Limits,
    /// How many registrations are kept. Those that were never renewed make room, the oldest first.
    pub max_clients: usize,
    /// Whether a client that registers itself may get tokens for itself, without any user
    /// (`client_credentials`). Then whoever can register has access.
    pub open_client_credentials: bool,
    /// The identity providers of enterprises, whose word is taken for who a user is and what the
    /// user may do here.
    pub enterprise_issuers: TrustedIssuers,
    /// Whether the server beside has a status page (`/status`) that users sign in to.
    pub status_page: bool,
    /// Whether proofs of possession must have a nonce of this server (RFC 9449, section 8).
    pub dpop_nonces: bool,
}

impl Config {
    /// The usual settings for a server that is at the same URL as the resources it protects:
    /// the URL itself, its `/mcp`, which is the default, and its `/sse`.
    pub fn integrated(base: BaseUri, service: impl Into<String>) -> Self {
        let others = [base.as_str().to_owned(), base.join("/sse")];
        Self {
            resources: Resources::with_default(base.join("/mcp"), others),
            issuer: base,
            service: service.into(),
            default_scope: ScopeSet::USUAL,
            lifetimes: Lifetimes::default(),
            app_schemes: Self::usual_app_schemes(),
            listed_clients: ListedClients::default(),
            client_documents: DocumentHosts::default(),
            limits: Limits::default(),
            max_clients: 10_000,
            open_client_credentials: false,
            enterprise_issuers: TrustedIssuers::default(),
            status_page: false,
            dpop_nonces: false,
        }
    }

    /// The schemes of apps that speak MCP.
    pub fn usual_app_schemes() -> Vec<String> {
        APP_SCHEMES.map(String::from).into()
    }

    /// The most that a client gets for itself which nobody here has registered. What a stranger
    /// says of itself must not be what it is given.
    pub(crate) fn strangers_get_for_themselves(&self) -> Option<ScopeSet> {
        self.open_client_credentials.then_some(self.default_scope)
    }
}

/// Apps that speak MCP and whose scheme is a plain word.
const APP_SCHEMES: [&str; 14] = [
    "cherrystudio",
    "claude",
    "cursor",
    "goose",
    "jetbrains",
    "kiro",
    "lmstudio",
    "raycast",
    "trae",
    "vscode",
    "vscode-insiders",
    "warp",
    "windsurf",
    "zed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_something_does_not_outlive_it() {
        let lives = Lifetimes::default();
        assert!(lives.refresh_window < lives.access_token);
        assert!(lives.access_token <= lives.refresh);
        assert!(lives.code <= lives.grant && lives.refresh <= lives.grant);
        assert!(lives.grant <= lives.client);
    }
}
