//! `/authorize/consent`: what the user decided.
//!
//! A form that comes back is the consent. It is signed for one request and one browser, and the
//! signature stands nowhere but on the page that asks: another site can neither read that page,
//! which is of another origin, nor have it clicked unseen, as it cannot be framed. A signature that
//! was made for a browser of the attacker's does not fit the cookie of the user's, which comes along
//! from no other site (`SameSite`) and which, over TLS, nobody else can set (`__Host-`). Without TLS
//! another port of this host can; but a browser says that it was not our page that had this sent.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use mcp_everything_store::oauth::{LoginPurpose, PendingAuthorization};

use super::{
    Context,
    authorize::{AuthorizationRequest, AuthorizeError, PageError, Refusal},
    login,
};
use crate::{
    Scope, ScopeSet,
    browser::{Browser, is_sent_by_others},
    events,
    params::Params,
    secret::PlainSecret,
};

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
    if is_sent_by_others(headers) {
        return Err(PageError::StaleForm.into());
    }
    let form = Params::from_body_with_query(headers, body).await?;
    let encoded = form.one("request")?.ok_or(PageError::StaleForm)?;
    let signature = form.one("signature")?.ok_or(PageError::StaleForm)?;
    let browser =
        Browser::of(headers, context.config.issuer.is_https()).ok_or(PageError::StaleForm)?;
    let refused = refused(&form)?;
    let answer = refused.to_string();
    let state = browser
        .verify(&context.keys, encoded, signature, &answer, context.clock.now())
        .ok_or(PageError::StaleForm)?;
    // The signature says that it was good once; the client may have gone since.
    let request = AuthorizationRequest::read(context, &Params::parse(encoded.as_bytes())?).await?;
    match form.one("decision")? {
        // The button that allows has no name: whoever submits the form's inputs agrees.
        None | Some("allow") if !refused.covers(request.scope) => {
            let scope = request.scope.without(refused);
            allow(context, &browser, &state, &request, scope).await
        }
        // Whoever gives nothing of what was asked for, denies it.
        None | Some("allow" | "deny") => {
            events::consent_denied(&request.client.id);
            Ok(request.return_to.refuse(context, &Refusal::Denied))
        }
        Some(_) => Err(PageError::NoDecision.into()),
    }
}

async fn allow(
    context: &Context,
    browser: &Browser,
    state: &PlainSecret,
    request: &AuthorizationRequest,
    scope: ScopeSet,
) -> Result<Response, AuthorizeError> {
    let scope = scope.to_string();
    events::consent_granted(&request.client.id, &scope);
    let authorization = PendingAuthorization {
        client: request.client.id.clone(),
        redirect_uri: request.return_to.uri().to_owned(),
        state: request.return_to.state().map(String::from),
        code_challenge: request.code_challenge.clone(),
        scope,
        resource: request.resource.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
    };
    let purpose = LoginPurpose::Authorize(authorization);
    Ok(login::begin(context, browser, state, purpose).await?)
}

/// The scopes that the user does not want to give. A form that says nothing of one gives it.
fn refused(form: &Params) -> Result<ScopeSet, PageError> {
    let mut refused = ScopeSet::EMPTY;
    for scope in Scope::ALL {
        refused = match form.one(scope.as_str())? {
            None | Some("allow") => refused,
            Some("refuse") => refused.with(scope),
            Some(_) => return Err(PageError::NoDecision),
        };
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{body::Body, http::Request};
    use mcp_everything_store::oauth::Limits;

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

    /// The form asks of each scope, if there is more than one, and no input has to be sent for it.
    #[tokio::test]
    async fn a_user_may_give_less_than_is_asked_for() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let url = authorize_url("c", &[("scope", "mcp:read mcp:tools mcp:admin")]);
        let page = server.get(&url).await;
        assert_eq!(page.body.matches("<select ").count(), 3, "{}", page.body);
        for (answers, given) in [
            (&[][..], "mcp:read mcp:tools mcp:admin"),
            (&[("mcp:read", "allow"), ("mcp:admin", "refuse")], "mcp:read mcp:tools"),
            (&[("mcp:tools", "refuse"), ("mcp:admin", "refuse")], "mcp:read"),
        ] {
            let away = server.submit(&page.form(), answers).await;
            let sign_in = server.get(away.header("location")).await.form();
            let back = server.submit(&sign_in, &[("userId", "alice")]).await;
            let code = &back.query_of_location()["code"];
            let grant = crate::secret::AuthorizationCode::parse(code).unwrap().grant();
            let kept = server.store.grant(&grant).await.unwrap().unwrap().record;
            assert_eq!(kept.scope, given, "a form that was answered before is answered anew");
        }
        let nothing: Vec<_> =
            crate::Scope::ALL.iter().map(|scope| (scope.as_str(), "refuse")).collect();
        let back = server.submit(&page.form(), &nothing).await;
        let answer = back.redirected_to("https://client.example/callback");
        assert_eq!(answer["error"], "access_denied");
        for answer in [("mcp:tools", "perhaps"), ("mcp:admin", "refuse&mcp:admin=allow")] {
            let body = format!("{}&{}={}", page.form().encode(&[]), answer.0, answer.1);
            let refused = server.post_form("/authorize/consent", &body).await;
            assert_eq!(refused.status, 400, "{answer:?}");
        }
        let one = server.get(&authorize_url("c", &[])).await;
        assert!(!one.body.contains("<select"), "that is what Deny is for: {}", one.body);
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
        for decision in ["Allow", "yes", "no", "deny ", "Deny"] {
            let page = decided(&server, &form, decision).await;
            assert_eq!(page.status, 400, "{decision}");
            assert!(!page.headers.contains_key("location"));
        }
        for twice in ["deny&decision=allow", "allow&decision=deny", "allow&decision=allow"] {
            let body = format!("{}&decision={twice}", form.encode(&[]));
            let page = server.post_form(&form.action, &body).await;
            assert_eq!(page.status, 400, "{twice}");
            assert!(!page.headers.contains_key("location"), "{twice}");
        }
    }

    /// What another site can make a browser send: a form of its own, without the cookie (which is
    /// `SameSite`), or with a signature that was made for a browser of its own.
    #[tokio::test]
    async fn no_other_site_can_consent() {
        let server = TestServer::new();
        let form = asked(&server).await;
        let attacker = server.another_browser();
        let theirs = asked(&attacker).await;
        let request = form.value("request");
        for (from, body) in [
            (&attacker, "decision=allow".to_owned()),
            (&server, "decision=allow".to_owned()),
            (&server, crate::testing::form(&[("request", &request)], &[])),
            (&server, theirs.encode(&[])),
            (&server.another_browser(), form.encode(&[])),
        ] {
            let page = from.post_form("/authorize/consent", &body).await;
            assert_eq!(page.status, 403, "{body}");
            assert!(!page.headers.contains_key("location"), "{body}");
        }
        let query = form.encode(&[]);
        assert_eq!(server.get(&format!("/authorize/consent?{query}")).await.status, 405);
    }

    /// Another port of the same host can give a browser a cookie and has its requests taken for those
    /// of the same site.
    #[tokio::test]
    async fn nor_can_another_port_of_this_host() {
        let server = TestServer::new();
        let body = asked(&server).await.encode(&[]);
        for (site, status) in [
            ("cross-site", 403),
            ("same-site", 403),
            // From the page that asks, and by a reload.
            ("same-origin", 303),
            ("none", 303),
        ] {
            let request = Request::post("/authorize/consent")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("sec-fetch-site", site);
            let page = server.send(request.body(Body::from(body.clone())).unwrap()).await;
            assert_eq!(page.status, status, "{site}");
        }
    }

    #[tokio::test]
    async fn one_form_is_one_login_however_often_it_is_submitted() {
        let server = TestServer::with_limits(Limits { pending: 2, ..Limits::default() });
        let (first, second) = (asked(&server).await, server.another_browser());
        let second_form = asked(&second).await;
        let submitted = server.submit(&first, &[]).await;
        for _ in 0..20 {
            let again = second.submit(&second_form, &[]).await;
            assert_eq!(again.status, 303);
        }
        let again = server.submit(&first, &[]).await;
        assert_eq!(again.header("location"), submitted.header("location"));

        let sign_in = server.get(submitted.header("location")).await.form();
        assert_eq!(server.submit(&sign_in, &[("userId", "alice")]).await.status, 303);
        let late = server.submit(&first, &[]).await;
        assert_eq!(late.status, 400, "what it began is over");
        assert!(late.body.contains("has ended"), "{}", late.body);
        assert_eq!(server.submit(&asked(&server).await, &[]).await.status, 303);
    }

    #[tokio::test]
    async fn the_oldest_login_makes_room() {
        let server = TestServer::with_limits(Limits { pending: 2, ..Limits::default() });
        let mut sign_in = Vec::new();
        for _ in 0..3 {
            server.clock.advance(Duration::from_millis(1));
            let away = server.submit(&asked(&server).await, &[]).await;
            sign_in.push(server.get(away.header("location")).await.form());
        }
        for (form, status) in sign_in.iter().zip([400, 303, 303]) {
            assert_eq!(server.submit(form, &[("userId", "alice")]).await.status, status);
        }
    }

    /// Encoded twice, a request is longer than it was.
    #[tokio::test]
    async fn a_long_request_that_was_shown_can_be_agreed_to() {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let state = "+/=".repeat(1700);
        let form = server.get(&authorize_url("c", &[("state", &state)])).await.form();
        let away = server.submit(&form, &[]).await;
        assert_eq!(away.status, 303, "{}", away.body);
        let sign_in = server.get(away.header("location")).await.form();
        let back = server.submit(&sign_in, &[("userId", "alice")]).await;
        assert_eq!(back.query_of_location()["state"], state);
        let raw =
            format!("{}&x=y&state={}", authorize_url("c", &[("state", "")]), "/".repeat(6000));
        assert_eq!(server.get(&raw).await.status, 413, "before anybody agrees");
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
