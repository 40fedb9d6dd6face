//! `/revoke` (RFC 7009).
//!
//! A refresh token ends its whole grant, and what was opened with it at once. An access token ends
//! alone, which section 2.1 leaves to the server: nothing is opened with it any more, and what is
//! open ends when it would have expired. A client that wants that at once revokes the refresh token.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::{Exceeded, StoreError, oauth::ClientRecord};
use thiserror::Error;

use super::{Context, limits};
use crate::{
    RemoteAddress,
    client_auth::{ClientAuthError, authenticate},
    events,
    params::{FormError, Params, Repeated},
    secret::{AccessToken, RefreshToken},
    wire::{Code, ErrorResponse},
};

#[derive(Debug, Error)]
enum RevokeError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    #[error(transparent)]
    TooOften(#[from] Exceeded),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the parameter token is missing")]
    NoToken,
    #[error("the token belongs to another client")]
    TokenOfAnother,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<&RevokeError> for ErrorResponse {
    fn from(error: &RevokeError) -> Self {
        match error {
            RevokeError::Form(error) => (*error).into(),
            RevokeError::Client(error) => error.into(),
            RevokeError::TooOften(exceeded) => exceeded.into(),
            RevokeError::Repeated(error) => (*error).into(),
            RevokeError::Store(error) => error.into(),
            RevokeError::NoToken => Self::bad(Code::InvalidRequest, error.to_string()),
            // Section 2.1: refused, and the client is told.
            RevokeError::TokenOfAnother => Self::bad(Code::InvalidGrant, error.to_string()),
        }
    }
}

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    address: RemoteAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match revoke(&context, address, &headers, body).await {
        // Section 2.2: what is not there needs no revoking, so the answer is the same.
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => ErrorResponse::from(&error).into_response(),
    }
}

async fn revoke(
    context: &Context,
    address: RemoteAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), RevokeError> {
    let params = Params::from_body(headers, body).await?;
    let client = authenticate(context, headers, &params).await?;
    limits::pace(&context.config.limits.client, &client, address).await?;
    let token = params.one("token")?.ok_or(RevokeError::NoToken)?;
    // The token says itself what it is: the hint is not needed, but must not be sent twice.
    params.one("token_type_hint")?;
    if let Some(token) = AccessToken::parse(token) {
        revoke_access_token(context, &client, &token).await
    } else if let Some(token) = RefreshToken::parse(token, &context.keys) {
        revoke_grant(context, &client, &token).await
    } else {
        Ok(())
    }
}

async fn revoke_access_token(
    context: &Context,
    client: &ClientRecord,
    token: &AccessToken,
) -> Result<(), RevokeError> {
    let (name, grant) = (token.name(), token.grant());
    let Some(kept) = context.store.access_token(&name, &grant).await? else { return Ok(()) };
    let record = kept.body.open(token.expose())?;
    if record.client != client.id {
        return Err(RevokeError::TokenOfAnother);
    }
    context.store.revoke_access_token(&name).await?;
    events::token_revoked(&client.id, &record.user, grant, false);
    Ok(())
}

async fn revoke_grant(
    context: &Context,
    client: &ClientRecord,
    token: &RefreshToken,
) -> Result<(), RevokeError> {
    let family = token.family();
    let Some(kept) = context.store.refresh_family(&family.name()).await? else { return Ok(()) };
    let record = kept.open(family.expose())?;
    if record.client != client.id {
        return Err(RevokeError::TokenOfAnother);
    }
    // Any generation will do: whoever holds an old one wants the family gone as well.
    context.revoke_grant(family.grant()).await?;
    events::token_revoked(&client.id, &record.user, family.grant(), true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Page, TestServer, Tokens, basic, client, confidential, form, logs};

    async fn logged_in(server: &TestServer) -> Tokens {
        server.put_client(&client("c")).await;
        server.log_in("c", "alice", &[]).await
    }

    async fn revoke(server: &TestServer, token: &str, changes: &[(&str, &str)]) -> Page {
        server.post_form("/revoke", &form(&[("client_id", "c"), ("token", token)], changes)).await
    }

    async fn refresh(server: &TestServer, token: &str) -> Page {
        let usual = [("grant_type", "refresh_token"), ("client_id", "c"), ("refresh_token", token)];
        server.post_form("/token", &form(&usual, &[])).await
    }

    #[tokio::test]
    async fn an_access_token_ends_alone() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let second = refresh(&server, &first.refresh).await.tokens();
        for _ in 0..2 {
            let response = revoke(&server, &first.access, &[]).await;
            assert_eq!((response.status, response.body.as_str()), (200, ""));
        }
        assert!(!server.is_active(&first.access).await);
        assert!(server.is_active(&second.access).await);
        assert_eq!(refresh(&server, &second.refresh).await.status, 200);
    }

    #[tokio::test]
    async fn a_refresh_token_ends_everything() {
        for generation in [0, 1] {
            let server = TestServer::new();
            let first = logged_in(&server).await;
            let second = refresh(&server, &first.refresh).await.tokens();
            let token = [&first.refresh, &second.refresh][generation];
            assert_eq!(revoke(&server, token, &[]).await.status, 200);
            assert!(!server.is_active(&first.access).await);
            assert!(!server.is_active(&second.access).await);
            refresh(&server, &second.refresh).await.assert_error(400, "invalid_grant");
        }
    }

    #[tokio::test]
    async fn what_is_open_with_a_grant_is_told_of_its_end() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        let grant = TestServer::grant_of(&tokens.access);
        assert_eq!(revoke(&server, &tokens.access, &[]).await.status, 200);
        assert_eq!(server.bus.revoked(), [], "its grant goes on");
        let forged = tokens.refresh.replacen(".0.", ".1.", 1);
        revoke(&server, &forged, &[]).await;
        revoke(&server, &tokens.refresh, &[("client_id", "d")]).await;
        assert_eq!(server.bus.revoked(), []);
        // Repeated, as a client does that got no answer.
        for _ in 0..2 {
            assert_eq!(revoke(&server, &tokens.refresh, &[]).await.status, 200);
            assert_eq!(server.bus.revoked(), [grant]);
        }
    }

    #[tokio::test]
    async fn nobody_is_told_of_what_did_not_happen() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        server.faults.is_away_after(2);
        let response = revoke(&server, &tokens.refresh, &[]).await;
        response.assert_error(503, "temporarily_unavailable");
        assert_eq!(server.bus.revoked(), []);
    }

    #[tokio::test]
    async fn a_bus_that_is_away_is_logged_and_no_failure() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        server.bus.is_away();
        let captured = logs::Capture::start();
        assert_eq!(revoke(&server, &tokens.refresh, &[]).await.status, 200);
        assert!(!server.is_active(&tokens.access).await);
        let lines = captured.lines();
        let warned: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
        let expected = format!(
            "WARN event=\"bus.unavailable\" grant={}",
            TestServer::grant_of(&tokens.access)
        );
        assert!(warned.len() == 1 && warned[0].starts_with(&expected), "{lines:#?}");
    }

    #[tokio::test]
    async fn the_hint_may_be_wrong() {
        for hint in ["access_token", "refresh_token", "unknown"] {
            let server = TestServer::new();
            let tokens = logged_in(&server).await;
            let response = revoke(&server, &tokens.refresh, &[("token_type_hint", hint)]).await;
            assert_eq!(response.status, 200, "{hint}");
            assert!(!server.is_active(&tokens.access).await, "{hint}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_needs_no_revoking() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        let unknown = format!("mca_{}", "A".repeat(64));
        let forged = tokens.refresh.replacen(".0.", ".1.", 1);
        for token in ["x", unknown.as_str(), forged.as_str()] {
            assert_eq!(revoke(&server, token, &[]).await.status, 200, "{token}");
        }
        assert!(server.is_active(&tokens.access).await);
    }

    #[tokio::test]
    async fn others_cannot_revoke() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        server.put_client(&client("d")).await;
        for token in [&tokens.access, &tokens.refresh] {
            for (changes, status, error) in [
                (("client_id", "d"), 400, "invalid_grant"),
                (("client_id", "e"), 401, "invalid_client"),
                (("client_id", ""), 401, "invalid_client"),
                (("client_secret", "x"), 401, "invalid_client"),
                (("token", ""), 400, "invalid_request"),
            ] {
                revoke(&server, token, &[changes]).await.assert_error(status, error);
            }
            for twice in [format!("token={token}"), "token_type_hint=a&token_type_hint=b".into()] {
                let twice = format!("client_id=c&token={token}&{twice}");
                server.post_form("/revoke", &twice).await.assert_error(400, "invalid_request");
            }
        }
        assert!(server.is_active(&tokens.access).await);
        assert_eq!(refresh(&server, &tokens.refresh).await.status, 200);
    }

    #[tokio::test]
    async fn a_confidential_client_must_prove_itself() {
        let server = TestServer::new();
        server.put_client(&confidential("s", "secret")).await;
        let unproven = server.post_form("/revoke", "client_id=s&token=x").await;
        unproven.assert_error(401, "invalid_client");
        let proven = server.post_form_as(&basic("s", "secret"), "/revoke", "token=x").await;
        assert_eq!(proven.status, 200);
        let away = TestServer::with_broken_store();
        let response = away.post_form("/revoke", "client_id=c&token=x").await;
        response.assert_error(503, "temporarily_unavailable");
    }
}
