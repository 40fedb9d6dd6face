//! Where the upstream provider gives the browser back: the code is issued here, or a page of
//! this server is opened.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use mcp_everything_store::{
    StoreError,
    oauth::{AttemptId, CodeGrant, GrantId, GrantRecord, Sealed},
};

use super::{
    Context, account,
    authorize::{PageError, Refusal},
    login::{Awaited, ClientWaits, Login},
};
use crate::{
    events,
    params::Params,
    secret::AuthorizationCode,
    upstream::{Answer, UpstreamError, UserId},
};

pub(super) async fn get(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    respond(&context, &headers, params.map_err(PageError::from)).await
}

/// Some providers send their answer as a form.
pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let params = Params::from_body(&headers, body).await;
    respond(&context, &headers, params.map_err(PageError::from)).await
}

async fn respond(
    context: &Context,
    headers: &HeaderMap,
    params: Result<Params, PageError>,
) -> Response {
    let response = match params {
        Ok(params) => finish(context, headers, &params).await,
        Err(error) => Err(error),
    };
    response.unwrap_or_else(|error| error.respond(context))
}

async fn finish(
    context: &Context,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, PageError> {
    let login = Login::find(context, headers, params).await?;
    let attempt = AttemptId::draw(&*context.random);
    match context.upstream.identify(&Answer(params), &login.memo).await {
        Ok(user) => match &login.awaited {
            Awaited::ByClient(client) => issue(context, &login, client, &user, &attempt).await,
            Awaited::ByPage(page) => {
                account::signed_in(context, &login, &user, &attempt, *page).await
            }
        },
        Err(UpstreamError::Denied) => {
            login.end(context, &attempt).await?;
            Ok(match &login.awaited {
                Awaited::ByClient(client) => {
                    let id = &client.authorization.client;
                    events::login_failed(Some(id), &UpstreamError::Denied);
                    client.return_to.refuse(context, &Refusal::Denied)
                }
                Awaited::ByPage(page) => {
                    events::login_failed(None, &UpstreamError::Denied);
                    page.back(context, None)
                }
            })
        }
        // The login goes on: the user can go back and try again.
        Err(
            error @ (UpstreamError::BadAnswer { .. }
            | UpstreamError::Unavailable { .. }
            | UpstreamError::Faulty { .. }),
        ) => Err(error.into()),
    }
}

async fn issue(
    context: &Context,
    login: &Login,
    waits: &ClientWaits,
    user: &UserId,
    attempt: &AttemptId,
) -> Result<Response, PageError> {
    match keep(context, login, waits, user, attempt).await {
        Ok(code) => Ok(waits.return_to.grant(context, code.expose())),
        // Waiting here will not help, so the client is told and the login is over (RFC 6749,
        // section 4.1.2.1).
        Err(PageError::Store(error @ StoreError::LimitReached { .. })) => {
            events::store_failed(&error);
            login.end(context, attempt).await?;
            Ok(waits.return_to.refuse(context, &Refusal::Full))
        }
        Err(error) => Err(error),
    }
}

/// Keeps everything first and ends the login last: whatever fails before can be tried again, and
/// of two answers to one login only one gets out.
async fn keep(
    context: &Context,
    login: &Login,
    waits: &ClientWaits,
    user: &UserId,
    attempt: &AttemptId,
) -> Result<AuthorizationCode, PageError> {
    let ClientWaits { authorization: pending, client_name, .. } = waits;
    let lifetimes = &context.config.lifetimes;
    let grant = GrantId::draw(&*context.random);
    let record = GrantRecord {
        user: user.as_str().to_owned(),
        client: pending.client.clone(),
        client_name: client_name.clone(),
        redirect_uri: Some(pending.redirect_uri.clone()),
        scope: pending.scope.clone(),
        resource: pending.resource.clone(),
        created_at: context.clock.now(),
    };
    // No longer than the code: it lives on only if the code is redeemed.
    context.store.create_grant(&grant, &record, lifetimes.code).await?;
    let code = AuthorizationCode::draw(grant, &*context.random);
    let good_for = CodeGrant {
        client: record.client,
        user: record.user,
        redirect_uri: pending.redirect_uri.clone(),
        code_challenge: pending.code_challenge.clone(),
        scope: record.scope,
        resource: record.resource,
        dpop_jkt: pending.dpop_jkt.clone(),
    };
    let body = Sealed::seal(&good_for, code.expose(), &*context.random)?;
    context.store.put_code(&code.name(), &body, lifetimes.code).await?;
    login.end(context, attempt).await?;
    events::code_issued(&pending.client, user.as_str(), grant);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::oauth::Limits;

    use super::AuthorizationCode;
    use crate::testing::{Page, TestServer, authorize_url, client, logs};

    const BACK: &str = "https://client.example/callback";

    /// The query with which the provider's page is left.
    async fn departed(server: &TestServer) -> String {
        server.put_client(&client("c")).await;
        let consent = server.get(&authorize_url("c", &[])).await.form();
        let away = server.submit(&consent, &[("decision", "allow")]).await;
        let page = server.get(away.header("location")).await;
        format!("state={}", page.form().value("state"))
    }

    async fn back(server: &TestServer, query: &str) -> Page {
        server.get(&format!("/fakeupstreamauth/redirect?{query}")).await
    }

    #[tokio::test]
    async fn the_code_is_sent_with_state_and_issuer() {
        let server = TestServer::new();
        let state = departed(&server).await;
        let page = back(&server, &format!("{state}&userId=alice")).await;
        assert_eq!(page.status, 303);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let answer = page.redirected_to(BACK);
        assert!(answer["code"].starts_with("mcc_"));
        assert_eq!(answer["state"], "the state");
        assert_eq!(answer["iss"], "http://localhost:3232");
        assert_eq!(answer.len(), 3);
    }

    #[tokio::test]
    async fn a_grant_nobody_redeems_ends_with_its_code() {
        let server = TestServer::new();
        let state = departed(&server).await;
        let code = back(&server, &format!("{state}&userId=a")).await.redirected_to(BACK);
        let grant = AuthorizationCode::parse(&code["code"]).unwrap().grant();
        let record = server.store.grant(&grant).await.unwrap().unwrap().record;
        assert_eq!((record.user.as_str(), record.client.as_str()), ("a", "c"));
        assert_eq!(record.scope, "mcp:read");
        assert_eq!(record.resource, "http://localhost:3232/mcp");
        server.clock.advance(Duration::from_secs(600));
        assert!(server.store.grant(&grant).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn of_two_answers_at_a_time_one_gets_out() {
        let server = TestServer::new();
        let query = format!("{}&userId=a", departed(&server).await);
        let (one, two) = tokio::join!(back(&server, &query), back(&server, &query));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 400]);
    }

    #[tokio::test]
    async fn the_alias_and_a_form_do_the_same() {
        let server = TestServer::new();
        let state = departed(&server).await;
        let page = server.get(&format!("/fakeupstreamauth/callback?{state}&userId=a")).await;
        assert_eq!(page.status, 303);
        let state = departed(&server).await;
        let page =
            server.post_form("/fakeupstreamauth/redirect", &format!("{state}&userId=a")).await;
        assert_eq!(page.status, 303);
    }

    #[tokio::test]
    async fn a_login_ends_once() {
        let server = TestServer::new();
        let state = departed(&server).await;
        assert_eq!(back(&server, &format!("{state}&userId=a")).await.status, 303);
        let again = back(&server, &format!("{state}&userId=a")).await;
        assert_eq!(again.status, 400);
        assert!(again.body.contains("has ended"), "{}", again.body);
    }

    #[tokio::test]
    async fn a_login_takes_ten_minutes_at_most() {
        let server = TestServer::new();
        let state = departed(&server).await;
        server.clock.advance(Duration::from_secs(600));
        assert_eq!(back(&server, &format!("{state}&userId=a")).await.status, 400);
    }

    #[tokio::test]
    async fn another_browser_cannot_finish_it() {
        let server = TestServer::new();
        let state = departed(&server).await;
        let other = server.another_browser();
        assert_eq!(back(&other, &format!("{state}&userId=mallory")).await.status, 403);
        other.get(&authorize_url("c", &[])).await;
        assert_eq!(back(&other, &format!("{state}&userId=mallory")).await.status, 403);
        assert_eq!(back(&server, &format!("{state}&userId=alice")).await.status, 303);
    }

    #[tokio::test]
    async fn a_bad_user_id_can_be_corrected() {
        let server = TestServer::new();
        let state = departed(&server).await;
        for bad in ["", "&userId=", "&userId=a%20b", "&userId=a&userId=b"] {
            let page = back(&server, &format!("{state}{bad}")).await;
            assert_eq!(page.status, 400, "{bad}");
            assert!(page.body.contains("who you are"), "{}", page.body);
        }
        assert_eq!(back(&server, &format!("{state}&userId=a")).await.status, 303);
    }

    #[tokio::test]
    async fn who_cancels_is_sent_back_and_the_login_ends() {
        let server = TestServer::new();
        let state = departed(&server).await;
        let page = back(&server, &format!("{state}&userId=a&error=access_denied")).await;
        let answer = page.redirected_to(BACK);
        assert_eq!(answer["error"], "access_denied");
        assert_eq!(answer["iss"], "http://localhost:3232");
        assert_eq!(back(&server, &format!("{state}&userId=a")).await.status, 400);
    }

    #[tokio::test]
    async fn without_a_state_of_ours_nothing_happens() {
        let server = TestServer::new();
        let state = departed(&server).await;
        for query in ["userId=a", "state=&userId=a", "state=x&userId=a"] {
            assert_eq!(back(&server, query).await.status, 400, "{query}");
        }
        let twice = back(&server, &format!("{state}&{state}&userId=a")).await;
        assert_eq!(twice.status, 400);
    }

    #[tokio::test]
    async fn the_user_agreed_to_one_place() {
        let server = TestServer::new();
        server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
        let state = departed(&server).await;
        server.clock.advance(Duration::from_secs(60));
        let page = back(&server, &format!("{state}&userId=a")).await;
        assert_eq!(page.status, 400, "the client has gone");
        let moved = ["https://elsewhere.example/".to_owned()];
        let moved = mcp_everything_store::oauth::ClientRecord {
            redirect_uris: moved.into(),
            ..client("c")
        };
        server.put_client(&moved).await;
        let page = back(&server, &format!("{state}&userId=a")).await;
        assert_eq!(page.status, 400, "it has registered another place");
        assert!(page.body.contains("not been sent there"), "{}", page.body);
    }

    #[tokio::test]
    async fn a_login_does_not_prolong_the_registration() {
        let server = TestServer::new();
        server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
        let state = departed(&server).await;
        assert_eq!(back(&server, &format!("{state}&userId=a")).await.status, 303);
        server.clock.advance(Duration::from_secs(60));
        assert!(server.store.client("c").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn where_there_is_no_room_the_client_is_told() {
        for limits in
            [Limits { grants: 1, ..Limits::default() }, Limits { codes: 1, ..Limits::default() }]
        {
            let server = TestServer::with_limits(limits);
            let state = departed(&server).await;
            assert!(
                back(&server, &format!("{state}&userId=a"))
                    .await
                    .redirected_to(BACK)
                    .contains_key("code")
            );
            let state = departed(&server).await;
            let captured = logs::Capture::start();
            let answer = back(&server, &format!("{state}&userId=b")).await.redirected_to(BACK);
            assert_eq!(answer["error"], "temporarily_unavailable");
            assert_eq!(answer["state"], "the state");
            assert_eq!(answer["iss"], "http://localhost:3232");
            let lines = captured.lines();
            assert_eq!(logs::events(&lines).iter().filter(|e| e.starts_with("auth.")).count(), 1);
            let again = back(&server, &format!("{state}&userId=b")).await;
            assert_eq!(again.status, 400, "a client is told once");
        }
    }
}
