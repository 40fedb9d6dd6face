//! `grant_type=refresh_token` (RFC 6749, section 6), with rotation (OAuth 2.1, section 4.3.1).

use mcp_everything_store::oauth::{ClientRecord, RefreshFamily, Rotation};

use super::{Context, TokenError, check_resource, shows, use_up};
use crate::{
    ScopeSet,
    dpop::Proof,
    events,
    params::Params,
    secret::RefreshToken,
    tokens::{Granted, Issued},
};

pub(super) async fn exchange(
    context: &Context,
    client: &ClientRecord,
    params: &Params,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    let text = params.one("refresh_token")?.ok_or(TokenError::Missing("refresh_token"))?;
    let token = RefreshToken::parse(text, &context.keys).ok_or(TokenError::UnknownRefreshToken)?;
    let (name, grant) = (token.family().name(), token.family().grant());
    let family =
        context.store.refresh_family(&name).await?.ok_or(TokenError::UnknownRefreshToken)?;
    let family = family.open(token.family().expose())?;
    if family.client != client.id {
        return Err(TokenError::RefreshTokenOfAnother);
    }
    check_resource(params, &family.resource)?;
    shows(proof, family.confirmation.as_deref())?;
    let scope = narrow(&family, params.one("scope")?)?;

    // Everything that depends on the family is made to outlive it, and the token to be sent is
    // kept; only then is it rotated. So a client whose request failed can send it again.
    let lifetimes = &context.config.lifetimes;
    if !context.store.prolong_grant(&grant, lifetimes.grant).await? {
        return Err(TokenError::GrantEnded);
    }
    use_up(context, proof).await?;
    context.prolong_client(&client.id).await?;
    let granted = Granted {
        grant,
        user: &family.user,
        client: &client.id,
        scope,
        resource: &family.resource,
        confirmation: proof.map(Proof::thumbprint),
    };
    let access = context.issue_access_token(&granted).await?;
    let (window, life) = (lifetimes.refresh_window, lifetimes.refresh);
    let rotation = context.store.rotate_refresh(&name, token.generation(), window, life).await?;
    let (next, repeated) = match rotation {
        Rotation::Rotated { next } => (next, false),
        Rotation::Repeated { next } => (next, true),
        Rotation::Reused => {
            context.revoke_grant(grant).await?;
            events::refresh_reused(&client.id, &family.user, grant);
            return Err(TokenError::ReusedRefreshToken);
        }
        Rotation::Unknown => return Err(TokenError::UnknownRefreshToken),
    };
    events::token_refreshed(&client.id, &family.user, grant, repeated);
    let refresh = Some(token.at_generation(next).expose(&context.keys));
    let (bound, expires_in) = (proof.is_some(), lifetimes.access_token.as_secs());
    Ok(Issued { access, bound, refresh, expires_in, scope })
}

/// The access token may allow less than was granted; the next one may again allow all of it.
fn narrow(family: &RefreshFamily, asked: Option<&str>) -> Result<ScopeSet, TokenError> {
    let granted = ScopeSet::parse_known(&family.scope);
    let asked = ScopeSet::parse(asked.unwrap_or_default())?;
    granted.narrowed(asked).ok_or(TokenError::WiderScope)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::oauth::Limits;

    use crate::testing::{Page, TestServer, Tokens, client, form};

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    async fn logged_in(server: &TestServer) -> Tokens {
        server.put_client(&client("c")).await;
        server.log_in("c", "alice", &[("scope", "mcp:read mcp:tools")]).await
    }

    async fn refresh(server: &TestServer, token: &str, changes: &[(&str, &str)]) -> Page {
        let usual = [("grant_type", "refresh_token"), ("client_id", "c"), ("refresh_token", token)];
        server.post_form("/token", &form(&usual, changes)).await
    }

    #[tokio::test]
    async fn each_use_gives_new_tokens() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let response = refresh(&server, &first.refresh, &[]).await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.json()["scope"], "mcp:read mcp:tools");
        let second = response.tokens();
        assert_ne!(second.access, first.access);
        assert_ne!(second.refresh, first.refresh);
        assert!(server.is_active(&first.access).await && server.is_active(&second.access).await);
        assert_eq!(refresh(&server, &second.refresh, &[]).await.status, 200);
    }

    #[tokio::test]
    async fn asked_again_at_once_it_gives_the_same_successor() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let second = refresh(&server, &first.refresh, &[]).await.tokens();
        server.clock.advance(MINUTE);
        let again = refresh(&server, &first.refresh, &[]).await.tokens();
        assert_eq!(again.refresh, second.refresh);
        assert!(server.is_active(&second.access).await && server.is_active(&again.access).await);
    }

    #[tokio::test]
    async fn two_at_a_time_get_the_same_successor() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let (one, two) = tokio::join!(
            refresh(&server, &first.refresh, &[]),
            refresh(&server, &first.refresh, &[])
        );
        assert_eq!(one.tokens().refresh, two.tokens().refresh);
    }

    #[tokio::test]
    async fn a_stolen_one_that_comes_late_kills_the_family() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let second = refresh(&server, &first.refresh, &[]).await.tokens();
        server.clock.advance(MINUTE + Duration::from_millis(1));
        assert_eq!(server.bus.revoked(), []);
        refresh(&server, &first.refresh, &[]).await.assert_error(400, "invalid_grant");
        assert_eq!(server.bus.revoked(), [TestServer::grant_of(&first.access)]);
        refresh(&server, &second.refresh, &[]).await.assert_error(400, "invalid_grant");
        for access in [&first.access, &second.access] {
            assert!(!server.is_active(access).await);
        }
    }

    #[tokio::test]
    async fn a_wrong_request_gets_nothing_and_changes_nothing() {
        let server = TestServer::new();
        server.put_client(&client("d")).await;
        let tokens = logged_in(&server).await;
        let forged = tokens.refresh.replacen(".0.", ".5.", 1);
        assert_ne!(forged, tokens.refresh);
        for (changes, status, error) in [
            (("refresh_token", ""), 400, "invalid_request"),
            (("refresh_token", "x"), 400, "invalid_grant"),
            (("refresh_token", tokens.access.as_str()), 400, "invalid_grant"),
            (("refresh_token", forged.as_str()), 400, "invalid_grant"),
            (("client_id", "d"), 400, "invalid_grant"),
            (("client_id", "e"), 401, "invalid_client"),
            (("scope", "mcp:read mcp:admin"), 400, "invalid_scope"),
            (("scope", "unknown"), 400, "invalid_scope"),
            (("resource", "http://localhost:3232/sse"), 400, "invalid_target"),
        ] {
            refresh(&server, &tokens.refresh, &[changes]).await.assert_error(status, error);
        }
        let response = refresh(&server, &tokens.refresh, &[]).await;
        assert_eq!(response.status, 200, "it must still be the newest: {}", response.body);
    }

    #[tokio::test]
    async fn a_token_may_allow_less_and_the_next_one_everything_again() {
        let server = TestServer::new();
        let first = logged_in(&server).await;
        let less = refresh(&server, &first.refresh, &[("scope", "mcp:read")]).await;
        assert_eq!(less.json()["scope"], "mcp:read");
        let all = refresh(&server, &less.tokens().refresh, &[]).await;
        assert_eq!(all.json()["scope"], "mcp:read mcp:tools");
    }

    #[tokio::test]
    async fn it_ends_seven_days_after_it_was_last_used() {
        let server = TestServer::new();
        let mut tokens = logged_in(&server).await;
        // Past the life of the first grant and of the registration.
        for _ in 0..6 {
            server.clock.advance(DAY * 6);
            tokens = refresh(&server, &tokens.refresh, &[]).await.tokens();
            assert!(server.is_active(&tokens.access).await);
        }
        server.clock.advance(DAY * 7);
        refresh(&server, &tokens.refresh, &[]).await.assert_error(400, "invalid_grant");
    }

    #[tokio::test]
    async fn it_may_end_before_its_grant() {
        let server = TestServer::with_config(|config| config.lifetimes.refresh = DAY);
        let mut tokens = logged_in(&server).await;
        for _ in 0..2 {
            server.clock.advance(DAY / 2);
            tokens = refresh(&server, &tokens.refresh, &[]).await.tokens();
        }
        server.clock.advance(DAY);
        refresh(&server, &tokens.refresh, &[]).await.assert_error(400, "invalid_grant");
    }

    #[tokio::test]
    async fn where_there_is_no_room_for_a_token_the_old_one_stays_good() {
        let server = TestServer::with_limits(Limits { access_tokens: 1, ..Limits::default() });
        let first = logged_in(&server).await;
        let full = refresh(&server, &first.refresh, &[]).await;
        full.assert_error(503, "temporarily_unavailable");
        assert_eq!(full.header("retry-after"), "60");
        server.clock.advance(MINUTE * 60);
        assert_eq!(refresh(&server, &first.refresh, &[]).await.status, 200);
    }

    #[tokio::test]
    async fn an_access_token_ends_after_an_hour() {
        let server = TestServer::new();
        let tokens = logged_in(&server).await;
        server.clock.advance(Duration::from_millis(60 * 60 * 1000 - 1));
        assert!(server.is_active(&tokens.access).await);
        server.clock.advance(Duration::from_millis(1));
        assert!(!server.is_active(&tokens.access).await);
    }
}
