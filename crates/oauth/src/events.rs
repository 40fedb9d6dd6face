//! What is logged. Each line has the field `event` with one of these names, and never a secret.

use std::time::Duration;

use mcp_everything_store::{
    Settlement, StoreError,
    oauth::{DocumentKind, GrantId},
};
use tracing::{error, info, warn};

use crate::{clients::DocumentError, server::GrantType};

/// Every event of this crate, with what it means.
pub const EVENTS: &[(&str, &str)] = &[
    ("auth.client.registered", "a client registered"),
    ("auth.client.refused", "a registration was refused"),
    ("auth.client.rejected", "a client did not prove who it is"),
    ("auth.client.document_fetched", "a client's document or its keys were fetched"),
    ("auth.client.document_refused", "a client's document or its keys cannot be used"),
    ("auth.request.refused", "an authorization request was refused"),
    ("auth.consent.shown", "a user was asked for consent"),
    ("auth.consent.granted", "a user agreed"),
    ("auth.consent.denied", "a user refused"),
    ("auth.login.failed", "a login did not come to an end"),
    ("auth.code.issued", "a code was sent to a client"),
    ("auth.code.replayed", "a code came a second time; everything it gave was revoked"),
    (
        "auth.token.issued",
        "tokens were issued for a code or an assertion, or to a client for itself",
    ),
    ("auth.token.refreshed", "tokens were issued for a refresh token"),
    ("auth.token.refused", "a token request was refused"),
    ("auth.token.revoked", "a client gave up a token or its whole grant"),
    ("auth.token.rejected", "a request to the resource had no token that is good for it"),
    ("auth.refresh.reused", "a replaced refresh token came late; its grant was revoked"),
    ("auth.account.opened", "a user signed in to see what they granted"),
    ("auth.account.revoked", "a user revoked a grant"),
    ("auth.account.refused", "a form of the account page was refused"),
    (
        "auth.elicitation.settled",
        "a user answered on a page what a client had them asked, or refused",
    ),
    ("auth.elicitation.refused", "the page of such a question, or its form, was refused"),
    ("auth.server.awaited", "the authorization server that is trusted is not found"),
    ("auth.server.found", "the authorization server that is trusted is there"),
    ("auth.server.registered", "this server became a client of it, to ask about tokens"),
    ("auth.server.unavailable", "it did not say whether a token is good"),
    ("auth.upstream.found", "the identity provider was found, and logins can begin"),
    ("auth.upstream.failed", "the identity provider is away, or does not fit"),
    ("auth.store.failed", "the store gave no answer"),
    ("bus.unavailable", "other instances were not told of a revocation"),
];

pub(crate) fn client_registered(client_id: &str, auth_method: &str) {
    info!(event = "auth.client.registered", client_id, auth_method, "client registered");
}

pub(crate) fn client_refused(reason: &dyn std::error::Error) {
    info!(event = "auth.client.refused", %reason, "registration refused");
}

pub(crate) fn client_rejected(client_id: Option<&str>, reason: &dyn std::error::Error) {
    warn!(event = "auth.client.rejected", client_id, %reason, "client authentication failed");
}

pub(crate) fn document_fetched(url: &str, kind: DocumentKind, life: Duration) {
    info!(
        event = "auth.client.document_fetched",
        url = loggable(url), %kind, life_s = life.as_secs(), "document fetched"
    );
}

pub(crate) fn document_refused(client_id: &str, error: &DocumentError) {
    let reason = error.reason();
    info!(event = "auth.client.document_refused", client_id, reason, %error, "document refused");
}

pub(crate) fn request_refused(
    client_id: Option<&str>,
    reason: &dyn std::error::Error,
    redirected: bool,
) {
    info!(
        event = "auth.request.refused",
        client_id, %reason, redirected, "authorization request refused"
    );
}

pub(crate) fn consent_shown(client_id: &str) {
    info!(event = "auth.consent.shown", client_id, "consent asked for");
}

pub(crate) fn consent_granted(client_id: &str, scope: &str) {
    info!(event = "auth.consent.granted", client_id, scope, "consent given");
}

pub(crate) fn consent_denied(client_id: &str) {
    info!(event = "auth.consent.denied", client_id, "consent refused");
}

pub(crate) fn login_failed(client_id: Option<&str>, reason: &dyn std::error::Error) {
    info!(event = "auth.login.failed", client_id, %reason, "login failed");
}

pub(crate) fn code_issued(client_id: &str, user_id: &str, grant: GrantId) {
    info!(event = "auth.code.issued", client_id, user_id, %grant, "code issued");
}

pub(crate) fn code_replayed(client_id: &str, user_id: &str, grant: GrantId) {
    warn!(event = "auth.code.replayed", client_id, user_id, %grant, "code replayed, grant revoked");
}

pub(crate) fn token_issued(
    by: GrantType,
    client_id: &str,
    user_id: &str,
    grant: GrantId,
    scope: &str,
) {
    let grant_type = by.as_str();
    info!(
        event = "auth.token.issued",
        grant_type, client_id, user_id, %grant, scope, "token issued"
    );
}

pub(crate) fn token_refreshed(client_id: &str, user_id: &str, grant: GrantId, repeated: bool) {
    let grant_type = GrantType::RefreshToken.as_str();
    info!(
        event = "auth.token.refreshed",
        grant_type, client_id, user_id, %grant, repeated, "token refreshed"
    );
}

pub(crate) fn token_refused(client_id: &str, reason: &dyn std::error::Error) {
    info!(event = "auth.token.refused", client_id, %reason, "token request refused");
}

pub(crate) fn token_revoked(client_id: &str, user_id: &str, grant: GrantId, whole_grant: bool) {
    info!(event = "auth.token.revoked", client_id, user_id, %grant, whole_grant, "token revoked");
}

pub(crate) fn token_rejected(resource: &str, reason: &str) {
    info!(
        event = "auth.token.rejected",
        resource, reason, "request without a token that is good for it"
    );
}

pub(crate) fn refresh_reused(client_id: &str, user_id: &str, grant: GrantId) {
    warn!(
        event = "auth.refresh.reused",
        client_id, user_id, %grant, "refresh token reused, grant revoked"
    );
}

pub(crate) fn account_opened(user_id: &str) {
    info!(event = "auth.account.opened", user_id, "account page opened");
}

pub(crate) fn account_revoked(client_id: &str, user_id: &str, grant: GrantId) {
    info!(event = "auth.account.revoked", client_id, user_id, %grant, "grant revoked by its user");
}

pub(crate) fn account_refused(reason: &dyn std::error::Error) {
    info!(event = "auth.account.refused", %reason, "form of the account page refused");
}

pub(crate) fn elicitation_settled(client_id: &str, user_id: &str, to: Settlement) {
    let outcome = match to {
        Settlement::Completed | Settlement::Used => "completed",
        Settlement::Declined => "declined",
    };
    info!(
        event = "auth.elicitation.settled",
        client_id, user_id, outcome, "a question on a page ended"
    );
}

pub(crate) fn elicitation_refused(reason: &dyn std::error::Error) {
    info!(event = "auth.elicitation.refused", %reason, "page of a question refused");
}

pub(crate) fn server_awaited(issuer: &str, reason: &str) {
    warn!(
        event = "auth.server.awaited",
        issuer, reason, "the authorization server is not found; it is looked for again and again"
    );
}

pub(crate) fn server_found(issuer: &str) {
    info!(event = "auth.server.found", issuer, "the authorization server is found");
}

pub(crate) fn registered_elsewhere(issuer: &str, client_id: &str) {
    info!(
        event = "auth.server.registered",
        issuer, client_id, "registered as a client that asks about tokens"
    );
}

pub(crate) fn server_unavailable(issuer: &str, reason: &str) {
    warn!(event = "auth.server.unavailable", issuer, reason, "a token could not be checked");
}

pub(crate) fn upstream_found(host: &str) {
    info!(event = "auth.upstream.found", host, "identity provider found");
}

pub(crate) fn upstream_failed(reason: &dyn std::error::Error) {
    warn!(event = "auth.upstream.failed", %reason, "the identity provider failed");
}

pub(crate) fn store_failed(reason: &StoreError) {
    error!(event = "auth.store.failed", %reason, "the store failed");
}

pub(crate) fn bus_unavailable(grant: GrantId, error: &StoreError) {
    warn!(event = "bus.unavailable", %grant, %error, "a revocation was not announced");
}

/// What may be logged of an identifier that anybody can send: its beginning, on one line.
pub(crate) fn loggable(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// The same of a sentence with something in it that others chose.
pub(crate) fn one_line(text: &str) -> String {
    let shown = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    text.chars().take(256).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::logs;

    #[test]
    fn the_table_lists_what_is_logged() {
        let reason: &dyn std::error::Error = &StoreError::Unavailable { reason: "x".into() };
        let grant = GrantId::from_bytes([1; 16]);
        let logged = logs::during(|| {
            client_registered("c", "none");
            client_refused(reason);
            client_rejected(Some("c"), reason);
            document_fetched("https://c.example/x", DocumentKind::Client, Duration::ZERO);
            document_refused("https://c.example/x", &DocumentError::NotJson);
            request_refused(Some("c"), reason, true);
            consent_shown("c");
            consent_granted("c", "s");
            consent_denied("c");
            login_failed(None, reason);
            code_issued("c", "u", grant);
            code_replayed("c", "u", grant);
            token_issued(GrantType::AuthorizationCode, "c", "u", grant, "s");
            token_refreshed("c", "u", grant, false);
            token_refused("c", reason);
            token_revoked("c", "u", grant, true);
            token_rejected("r", "x");
            refresh_reused("c", "u", grant);
            account_opened("u");
            account_revoked("c", "u", grant);
            account_refused(reason);
            elicitation_settled("c", "u", Settlement::Completed);
            elicitation_refused(reason);
            server_awaited("i", "x");
            server_found("i");
            registered_elsewhere("i", "c");
            server_unavailable("i", "x");
            upstream_found("h");
            upstream_failed(reason);
            store_failed(&StoreError::Unavailable { reason: "x".into() });
            bus_unavailable(grant, &StoreError::Unavailable { reason: "x".into() });
        });
        let listed: Vec<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(logs::events(&logged), listed);
    }

    #[test]
    fn identifiers_stay_on_one_line() {
        assert_eq!(loggable("a\nb\u{202e}c"), "a?b?c");
        assert_eq!(loggable(&"x".repeat(100)).len(), 64);
        assert_eq!(one_line("a b\nc"), "a b?c");
        assert_eq!(one_line(&"x".repeat(1000)).len(), 256);
    }
}
