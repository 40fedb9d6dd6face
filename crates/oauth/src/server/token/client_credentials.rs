//! `grant_type=client_credentials` (RFC 6749, section 4.4): a client acts for itself.
//!
//! There is no refresh token (section 4.4.3): the client can ask again. Nobody is asked for consent,
//! so what the client registered is a limit here and not a default.

use mcp_everything_store::oauth::ClientRecord;

use super::{Context, GrantType, TokenError, alone, select_resource, use_up};
use crate::{ScopeSet, dpop::Proof, params::Params, subject, tokens::Issued};

pub(super) async fn exchange(
    context: &Context,
    client: &ClientRecord,
    params: &Params,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    if !client.auth.is_confidential() {
        return Err(TokenError::PublicClient);
    }
    // It may have registered while that was open to everybody.
    if !context.is_listed(&client.id) && context.config.strangers_get_for_themselves().is_none() {
        return Err(TokenError::OtherGrantType);
    }
    let scope = scope(context, client, params.one("scope")?)?;
    let resource = select_resource(context, params)?;
    use_up(context, proof).await?;
    let (by, user) = (GrantType::ClientCredentials, subject::of_client(&client.id));
    let wanted = alone::Wanted { by, user: &user, scope, resource };
    alone::issue(context, client, wanted, proof).await
}

fn scope(
    context: &Context,
    client: &ClientRecord,
    asked: Option<&str>,
) -> Result<ScopeSet, TokenError> {
    let registered = ScopeSet::parse_known(client.scope.as_deref().unwrap_or_default());
    let most = if registered.is_empty() { context.config.default_scope } else { registered };
    let asked = ScopeSet::parse(asked.unwrap_or_default())?;
    most.narrowed(asked).ok_or(TokenError::UnregisteredScope)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::oauth::ClientRecord;

    use crate::testing::{Page, TestServer, basic, confidential, form};

    /// A server where whoever registers may act for itself.
    fn open() -> TestServer {
        TestServer::with_config(|config| config.open_client_credentials = true)
    }

    /// A client that may act for itself, and read.
    async fn machine(server: &TestServer) {
        let client = ClientRecord {
            grant_types: vec!["client_credentials".into()],
            scope: Some("mcp:read mcp:tools".into()),
            redirect_uris: Vec::new(),
            ..confidential("m", "secret")
        };
        server.put_client(&client).await;
    }

    async fn ask(server: &TestServer, changes: &[(&str, &str)]) -> Page {
        let body = form(&[("grant_type", "client_credentials")], changes);
        server.post_form_as(&basic("m", "secret"), "/token", &body).await
    }

    #[tokio::test]
    async fn a_client_gets_a_token_for_itself() {
        let server = open();
        machine(&server).await;
        let response = ask(&server, &[("resource", "http://localhost:3232/sse")]).await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("cache-control"), "no-store");
        let tokens = response.json();
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 3600);
        assert_eq!(tokens["scope"], "mcp:read mcp:tools");
        assert_eq!(tokens.as_object().unwrap().len(), 4, "no refresh token: {tokens}");
        let token = tokens["access_token"].as_str().unwrap();
        let who = basic("m", "secret");
        let about = server.post_form_as(&who, "/introspect", &format!("token={token}")).await;
        let about = about.json();
        assert_eq!(about["sub"], "client m");
        assert_eq!(about["client_id"], "m");
        assert_eq!(about["aud"], "http://localhost:3232/sse");
        assert_eq!(about["scope"], "mcp:read mcp:tools");
    }

    #[tokio::test]
    async fn whoever_registered_while_it_was_open_gets_nothing_once_it_is_not() {
        let server = TestServer::new();
        machine(&server).await;
        ask(&server, &[]).await.assert_error(400, "unauthorized_client");
    }

    #[tokio::test]
    async fn what_it_registered_is_the_most_it_gets() {
        let server = open();
        machine(&server).await;
        let less = ask(&server, &[("scope", "mcp:read")]).await;
        assert_eq!(less.json()["scope"], "mcp:read", "{}", less.body);
        for scope in ["mcp:admin", "mcp:read mcp:admin", "nonsense"] {
            ask(&server, &[("scope", scope)]).await.assert_error(400, "invalid_scope");
        }
    }

    #[tokio::test]
    async fn one_that_registered_no_scope_gets_the_usual() {
        let server = open();
        let client = ClientRecord {
            grant_types: vec!["client_credentials".into()],
            ..confidential("m", "secret")
        };
        server.put_client(&client).await;
        assert_eq!(ask(&server, &[]).await.json()["scope"], "mcp:read mcp:tools");
        ask(&server, &[("scope", "mcp:admin")]).await.assert_error(400, "invalid_scope");
    }

    #[tokio::test]
    async fn a_wrong_request_gets_nothing() {
        let server = open();
        machine(&server).await;
        let grant_types = vec!["client_credentials".to_owned()];
        let public = ClientRecord { grant_types, ..crate::testing::client("public") };
        server.put_client(&public).await;
        server.put_client(&confidential("users-only", "secret")).await;
        let own = "grant_type=client_credentials";
        for (authorization, body, status, error) in [
            (Some(basic("m", "wrong")), own, 401, "invalid_client"),
            (Some(basic("users-only", "secret")), own, 400, "unauthorized_client"),
            (None, "grant_type=client_credentials&client_id=public", 400, "unauthorized_client"),
            (None, "grant_type=client_credentials&client_id=m", 401, "invalid_client"),
        ] {
            let page = match authorization {
                Some(authorization) => server.post_form_as(&authorization, "/token", body).await,
                None => server.post_form("/token", body).await,
            };
            page.assert_error(status, error);
        }
        for (name, value) in
            [("resource", "https://elsewhere.example"), ("resource", "http://localhost:3232/mcp#x")]
        {
            ask(&server, &[(name, value)]).await.assert_error(400, "invalid_target");
        }
        let two = "grant_type=client_credentials&resource=http://localhost:3232/mcp\
                   &resource=http://localhost:3232/sse";
        let page = server.post_form_as(&basic("m", "secret"), "/token", two).await;
        page.assert_error(400, "invalid_target");
        let twice = format!("{own}&scope=mcp:read&scope=mcp:read");
        let page = server.post_form_as(&basic("m", "secret"), "/token", &twice).await;
        page.assert_error(400, "invalid_request");
    }

    #[tokio::test]
    async fn the_token_ends_when_its_grant_is_revoked_and_after_an_hour() {
        let server = open();
        machine(&server).await;
        let tokens = [ask(&server, &[]).await.json(), ask(&server, &[]).await.json()];
        let [one, two] = tokens.each_ref().map(|all| all["access_token"].as_str().unwrap());
        let grant = TestServer::grant_of(one);
        assert_eq!(server.store.grant(&grant).await.unwrap().unwrap().record.client, "m");
        server.store.revoke_grant(&grant).await.unwrap();
        assert!(!server.is_active(one).await && server.is_active(two).await);
        server.clock.advance(Duration::from_secs(3600));
        assert!(!server.is_active(two).await);
    }
}
