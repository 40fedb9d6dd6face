//! `grant_type=authorization_code` (RFC 6749, section 4.1.3).

use mcp_everything_store::{
    StoreError,
    oauth::{AttemptId, ClientRecord, CodeGrant, Redemption},
};

use super::{Context, GrantType, TokenError, check_resource, shows, use_up};
use crate::{
    ScopeSet,
    dpop::Proof,
    events,
    params::Params,
    pkce,
    secret::AuthorizationCode,
    tokens::{Granted, Issued},
};

pub(super) async fn exchange(
    context: &Context,
    client: &ClientRecord,
    params: &Params,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    let code = params.one("code")?.ok_or(TokenError::Missing("code"))?;
    let code = AuthorizationCode::parse(code).ok_or(TokenError::UnknownCode)?;
    let kept = context.store.code(&code.name()).await?.ok_or(TokenError::UnknownCode)?;
    let good_for = kept.body.open(code.expose())?;
    // Everything is checked before the code is redeemed: whoever saw the code but has not the
    // verifier can neither use it nor use it up.
    check(&good_for, client, params)?;
    shows(proof, good_for.dpop_jkt.as_deref())?;
    if kept.redeemed {
        return Err(replayed(context, &code, &good_for).await?);
    }
    if !context.store.prolong_grant(&code.grant(), context.config.lifetimes.grant).await? {
        return Err(TokenError::GrantEnded);
    }
    use_up(context, proof).await?;
    let granted = Granted {
        grant: code.grant(),
        user: &good_for.user,
        client: &client.id,
        scope: ScopeSet::parse_known(&good_for.scope),
        resource: &good_for.resource,
        confirmation: proof.map(Proof::thumbprint),
    };
    let issued = mint(context, client, &granted).await?;
    // Not before a user has signed in and the client has shown its verifier: whoever only registers
    // and begins logins must not fill the table with registrations that do not make room.
    context.prolong_client(&client.id).await?;
    // Last, so that a client can try again after whatever went wrong before. Tokens that lose the
    // race are never sent, and die with the grant.
    let attempt = AttemptId::draw(&*context.random);
    match context.store.redeem_code(&code.name(), &attempt).await? {
        Redemption::Redeemed => {
            let scope = issued.scope.to_string();
            let by = GrantType::AuthorizationCode;
            events::token_issued(by, &client.id, &good_for.user, code.grant(), &scope);
            Ok(issued)
        }
        Redemption::Replayed => Err(replayed(context, &code, &good_for).await?),
        Redemption::Unknown => Err(TokenError::UnknownCode),
    }
}

fn check(good_for: &CodeGrant, client: &ClientRecord, params: &Params) -> Result<(), TokenError> {
    if good_for.client != client.id {
        return Err(TokenError::CodeOfAnother);
    }
    // OAuth 2.1 dropped the parameter, as PKCE does its work; if it is sent it must be right
    // (OAuth 2.1, section 10.2).
    if params.one("redirect_uri")?.is_some_and(|uri| uri != good_for.redirect_uri) {
        return Err(TokenError::OtherRedirectUri);
    }
    let verifier = params.one("code_verifier")?.ok_or(TokenError::Missing("code_verifier"))?;
    if !pkce::is_verifier(verifier) {
        return Err(TokenError::MalformedVerifier);
    }
    if !pkce::matches(verifier, &good_for.code_challenge) {
        return Err(TokenError::WrongVerifier);
    }
    check_resource(params, &good_for.resource)
}

async fn mint(
    context: &Context,
    client: &ClientRecord,
    granted: &Granted<'_>,
) -> Result<Issued, StoreError> {
    let access = context.issue_access_token(granted).await?;
    let refreshes = client.grant_types.iter().any(|one| one == GrantType::RefreshToken.as_str());
    // Who has a secret or key of its own shows that with each refresh (RFC 9449, section 5).
    let held = !client.auth.is_confidential();
    let refresh =
        if refreshes { Some(context.start_refresh_family(granted, held).await?) } else { None };
    let expires_in = context.config.lifetimes.access_token.as_secs();
    let bound = granted.confirmation.is_some();
    Ok(Issued { access, bound, refresh, expires_in, scope: granted.scope })
}

/// Two hold the code and one of them stole it: nobody keeps anything (RFC 6749, section 4.1.2).
async fn replayed(
    context: &Context,
    code: &AuthorizationCode,
    good_for: &CodeGrant,
) -> Result<TokenError, StoreError> {
    context.revoke_grant(code.grant()).await?;
    events::code_replayed(&good_for.client, &good_for.user, code.grant());
    Ok(TokenError::ReplayedCode)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::oauth::{ClientRecord, Limits};

    use super::AuthorizationCode;
    use crate::testing::{TestServer, VERIFIER, client, form};

    const REDIRECT_URI: &str = "https://client.example/callback";

    fn request<'a>(code: &'a str, changes: &[(&'a str, &'a str)]) -> String {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "c"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT_URI),
            ("resource", "http://localhost:3232/mcp"),
        ];
        form(&usual, changes)
    }

    #[tokio::test]
    async fn a_code_is_exchanged_for_tokens() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        let response = server.post_form("/token", &request(&code, &[])).await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.header("content-type"), "application/json");
        let tokens = response.json();
        assert!(tokens["access_token"].as_str().unwrap().starts_with("mca_"));
        assert!(tokens["refresh_token"].as_str().unwrap().starts_with("mcr_"));
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 3600);
        assert_eq!(tokens["scope"], "mcp:read");
        assert_eq!(tokens.as_object().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn what_oauth_2_1_made_optional_may_be_left_out() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        let request = request(&code, &[("redirect_uri", ""), ("resource", "")]);
        assert_eq!(server.post_form("/token", &request).await.status, 200);
    }

    #[tokio::test]
    async fn a_client_that_does_not_refresh_gets_nothing_to_refresh_with() {
        let server = TestServer::new();
        let code_only =
            ClientRecord { grant_types: vec!["authorization_code".into()], ..client("c") };
        server.put_client(&code_only).await;
        let code = server.code("c", "alice", &[]).await;
        let tokens = server.post_form("/token", &request(&code, &[])).await.json();
        assert!(tokens["access_token"].is_string() && tokens.get("refresh_token").is_none());
    }

    /// None of these may use the code up.
    #[tokio::test]
    async fn a_wrong_request_gets_nothing_and_changes_nothing() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        server.put_client(&client("d")).await;
        let code = server.code("c", "alice", &[]).await;
        let (mut other_code, short) = (code.clone(), &VERIFIER[..42]);
        other_code.replace_range(40..44, "AAAA");
        let other_verifier = VERIFIER.replace('d', "e");
        for (changes, status, error) in [
            (("code", ""), 400, "invalid_request"),
            (("code", "x"), 400, "invalid_grant"),
            (("code", other_code.as_str()), 400, "invalid_grant"),
            (("client_id", "d"), 400, "invalid_grant"),
            (("client_id", "e"), 401, "invalid_client"),
            (("redirect_uri", "https://client.example/"), 400, "invalid_grant"),
            (("redirect_uri", "https://client.example/callback/"), 400, "invalid_grant"),
            (("code_verifier", ""), 400, "invalid_request"),
            (("code_verifier", short), 400, "invalid_request"),
            (("code_verifier", other_verifier.as_str()), 400, "invalid_grant"),
            (("resource", "http://localhost:3232/sse"), 400, "invalid_target"),
            (("resource", "https://elsewhere.example"), 400, "invalid_target"),
        ] {
            let response = server.post_form("/token", &request(&code, &[changes])).await;
            response.assert_error(status, error);
        }
        for name in ["code", "code_verifier", "redirect_uri"] {
            let repeated = format!("{}&{name}=x", request(&code, &[]));
            server.post_form("/token", &repeated).await.assert_error(400, "invalid_request");
        }
        assert_eq!(server.post_form("/token", &request(&code, &[])).await.status, 200);
    }

    #[tokio::test]
    async fn a_code_is_worth_nothing_without_its_grant() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        let grant = AuthorizationCode::parse(&code).unwrap().grant();
        server.store.revoke_grant(&grant).await.unwrap();
        let response = server.post_form("/token", &request(&code, &[])).await;
        response.assert_error(400, "invalid_grant");
    }

    #[tokio::test]
    async fn a_code_ends_after_ten_minutes() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        server.clock.advance(Duration::from_secs(600));
        let response = server.post_form("/token", &request(&code, &[])).await;
        response.assert_error(400, "invalid_grant");
    }

    #[tokio::test]
    async fn a_replayed_code_takes_everything_back() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        let tokens = server.post_form("/token", &request(&code, &[])).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();

        let wrong = [("code_verifier", "x".repeat(43))];
        let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
        server
            .post_form("/token", &request(&code, &wrong))
            .await
            .assert_error(400, "invalid_grant");
        assert!(server.is_active(access).await, "a stranger's attempt must not matter");

        assert_eq!(server.bus.revoked(), []);
        let drawn = server.random.drawn();
        for _ in 0..2 {
            let replay = server.post_form("/token", &request(&code, &[])).await;
            replay.assert_error(400, "invalid_grant");
            assert!(replay.body.contains("used before"), "{}", replay.body);
            assert_eq!(server.bus.revoked(), [TestServer::grant_of(access)]);
        }
        assert_eq!(server.random.drawn(), drawn, "nothing is made for a replay");
        assert!(!server.is_active(access).await);
        let again =
            [("grant_type", "refresh_token"), ("client_id", "c"), ("refresh_token", refresh)];
        server.post_form("/token", &form(&again, &[])).await.assert_error(400, "invalid_grant");
    }

    #[tokio::test]
    async fn of_two_redemptions_at_a_time_one_wins() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let code = server.code("c", "alice", &[]).await;
        let request = request(&code, &[]);
        let (one, two) = tokio::join!(
            server.post_form("/token", &request),
            server.post_form("/token", &request)
        );
        let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(won.status, 200, "{}", won.body);
        lost.assert_error(400, "invalid_grant");
        let access = won.tokens().access;
        assert!(!server.is_active(&access).await, "one of them was a thief");
        assert_eq!(server.bus.revoked(), [TestServer::grant_of(&access)]);
    }

    #[tokio::test]
    async fn a_registration_whose_codes_are_redeemed_does_not_end() {
        let server = TestServer::new();
        server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
        let code = server.code("c", "alice", &[]).await;
        server.post_form("/token", &request(&code, &[])).await.tokens();
        server.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 - 1));
        assert!(server.store.client("c").await.unwrap().is_some());
    }

    /// Whoever only begins logins would else fill the table with registrations that do not make
    /// room, and nobody else could register.
    #[tokio::test]
    async fn a_registration_that_only_begins_logins_ends_and_makes_room() {
        let server = TestServer::with_config(|config| config.max_clients = 1);
        server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
        let code = server.code("c", "alice", &[]).await;
        let wrong = [("code_verifier", "x".repeat(43))];
        let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
        server
            .post_form("/token", &request(&code, &wrong))
            .await
            .assert_error(400, "invalid_grant");
        let document = "{\"redirect_uris\":[\"http://localhost/callback\"]}";
        let another = server.post("/register", "application/json", document).await;
        assert_eq!(another.status, 201, "{}", another.body);
        assert!(server.store.client("c").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_code_stays_good_where_there_is_no_room_for_tokens() {
        for limits in [
            Limits { access_tokens: 1, ..Limits::default() },
            Limits { refresh_families: 1, ..Limits::default() },
        ] {
            let server = TestServer::with_limits(limits);
            server.put_client(&client("c")).await;
            server.log_in("c", "alice", &[]).await;
            let code = server.code("c", "bob", &[]).await;
            let full = server.post_form("/token", &request(&code, &[])).await;
            full.assert_error(503, "temporarily_unavailable");
            assert_eq!(full.header("retry-after"), "60");
            let code = AuthorizationCode::parse(&code).unwrap();
            assert!(!server.store.code(&code.name()).await.unwrap().unwrap().redeemed);
        }
    }
}
