//! `/authorize/consent`: what the user decided.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use mcp_everything_store::oauth::{PendingAuthorization, Sealed};

use super::{
    Context,
    authorize::{AuthorizationRequest, AuthorizeError, PageError, Refusal, redirect},
};
use crate::{browser::Browser, events, params::Params, secret::PlainSecret};

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match decide(&context, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}

async fn decide(
    context: &Context,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, AuthorizeError> {
    let form = Params::from_body(headers, body).await?;
    let encoded = form.one("request")?.ok_or(PageError::StaleForm)?;
    let signature = form.one("signature")?.ok_or(PageError::StaleForm)?;
    let browser = Browser::of(headers, context.config.issuer.is_https())
        .filter(|browser| browser.verify(&context.keys, encoded, signature, context.clock.now()))
        .ok_or(PageError::StaleForm)?;
    // The signature says that it was good once; the client may have gone since.
    let request = AuthorizationRequest::read(context, &Params::parse(encoded.as_bytes())?).await?;
    match form.one("decision")? {
        // The form's own button sends nothing: submitting it is the consent. The signature proves
        // that this browser was shown the page.
        None | Some("allow") => allow(context, &browser, &request).await,
        Some("deny") => {
            events::consent_denied(&request.client.id);
            Ok(request.return_to.refuse(context, &Refusal::Denied))
        }
        Some(_) => Err(PageError::NoDecision.into()),
    }
}

async fn allow(
    context: &Context,
    browser: &Browser,
    request: &AuthorizationRequest,
) -> Result<Response, AuthorizeError> {
    let state = PlainSecret::for_login(&*context.random);
    let departure = context.upstream.begin(state.expose()).await.map_err(PageError::from)?;
    let pending = PendingAuthorization {
        client: request.client.id.clone(),
        redirect_uri: request.return_to.uri().to_owned(),
        state: request.return_to.state().map(String::from),
        code_challenge: request.code_challenge.clone(),
        scope: request.scope.to_string(),
        resource: request.resource.clone(),
        browser: browser.hash(),
        upstream_memo: departure.memo,
    };
    let body = Sealed::seal(&pending, state.expose(), &*context.random)?;
    let life = context.config.lifetimes.pending;
    context.store.put_pending(&state.hash(), &body, life).await?;
    events::consent_granted(&request.client.id, &pending.scope);
    let mut response = redirect(context, &departure.url);
    // Its time begins anew with the login's.
    if let Some(cookie) = browser.cookie(life) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::testing::{Form, Page, TestServer, authorize_url, client};

    async fn asked(server: &TestServer) -> Form {
        server.put_client(&client("c")).await;
        let page = server.get(&authorize_url("c", &[])).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.form()
    }

    async fn decided(server: &TestServer, form: &Form, decision: &str) -> Page {
        server.submit(form, &[("decision", decision)]).await
    }

    #[tokio::test]
    async fn who_allows_is_sent_to_the_provider() {
        let server = TestServer::new();
        let form = asked(&server).await;
        let page = decided(&server, &form, "allow").await;
        assert_eq!(page.status, 303);
        let location = page.header("location");
        assert!(
            location.starts_with("http://localhost:3232/fakeupstreamauth/authorize?"),
            "{location}"
        );
        assert!(location.contains("state="), "{location}");
        assert!(page.header("set-cookie").contains("Max-Age=600"), "as long as the login");
    }

    #[tokio::test]
    async fn who_denies_is_sent_back() {
        let server = TestServer::new();
        let form = asked(&server).await;
        let page = decided(&server, &form, "deny").await;
        assert_eq!(page.status, 303);
        let answer = page.redirected_to("https://client.example/callback");
        assert_eq!(answer["error"], "access_denied");
        assert_eq!(answer["state"], "the state");
        assert_eq!(answer["iss"], "http://localhost:3232");
        assert!(!answer.contains_key("code"));
    }

    #[tokio::test]
    async fn only_the_browser_that_was_asked_decides() {
        let server = TestServer::new();
        let form = asked(&server).await;
        let other = server.another_browser();
        assert_eq!(decided(&other, &form, "allow").await.status, 403, "no cookie");
        other.get(&authorize_url("c", &[])).await;
        assert_eq!(decided(&other, &form, "allow").await.status, 403, "its own cookie");
        assert_eq!(decided(&server, &form, "allow").await.status, 303);
    }

    #[tokio::test]
    async fn what_was_agreed_to_cannot_be_changed() {
        let server = TestServer::new();
        let form = asked(&server).await;
        let more = form.value("request").replace("scope=mcp%3Aread", "scope=mcp%3Aadmin");
        assert_ne!(more, form.value("request"));
        for change in [("request", more.as_str()), ("request", ""), ("signature", "")] {
            let page = server.submit(&form, &[("decision", "allow"), change]).await;
            assert_eq!(page.status, 403, "{change:?}");
            assert!(!page.headers.contains_key("location"));
        }
    }

    #[tokio::test]
    async fn the_form_ends_after_ten_minutes() {
        let server = TestServer::new();
        let form = asked(&server).await;
        server.clock.advance(Duration::from_secs(599));
        assert_eq!(decided(&server, &form, "allow").await.status, 303);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(decided(&server, &form, "allow").await.status, 403);
    }

    #[tokio::test]
    async fn submitting_the_form_is_the_consent_and_no_other_word_is() {
        let server = TestServer::new();
        let form = asked(&server).await;
        assert_eq!(server.submit(&form, &[]).await.status, 303);
        for decision in ["Allow", "yes", "no"] {
            let page = decided(&server, &form, decision).await;
            assert_eq!(page.status, 400, "{decision}");
            assert!(!page.headers.contains_key("location"));
        }
    }

    #[tokio::test]
    async fn a_client_that_has_gone_gets_nothing() {
        let server = TestServer::new();
        server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
        let form = server.get(&authorize_url("c", &[])).await.form();
        server.clock.advance(Duration::from_secs(60));
        let page = decided(&server, &form, "allow").await;
        assert_eq!(page.status, 400);
        assert!(page.body.contains("not registered"), "{}", page.body);
    }
}
