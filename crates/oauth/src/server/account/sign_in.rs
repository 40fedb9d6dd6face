//! `/account/sign-in`: to the upstream provider, and back to the page. The other pages on which users
//! sign in for this server alone do it in the same way.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use mcp_everything_store::{
    ElicitationId,
    oauth::{AttemptId, LoginPurpose},
};

use super::{Context, PATH, session::Session, to_page};
use crate::{
    browser::{Browser, is_sent_by_others},
    events,
    pages::{self, AccountSignInPage},
    params::Params,
    server::{
        authorize::PageError,
        elicitation,
        login::{self, Login},
        status,
    },
    upstream::UserId,
};

/// What the form asks.
const ASKED: &str = "account";

/// The page of a user who is not signed in. A link leads here from anywhere, so it takes a click to
/// go on: nobody is signed in by being sent here.
pub(super) fn ask(context: &Context, headers: &HeaderMap) -> Response {
    shown(context, headers, ASKED, |signature| {
        let page = AccountSignInPage { site: context.site(), signature };
        pages::respond(StatusCode::OK, &page)
    })
}

/// A page with a form that asks this of the browser that it is shown in; `page` is made with the
/// form's signature.
pub(in crate::server) fn shown(
    context: &Context,
    headers: &HeaderMap,
    asked: &str,
    page: impl FnOnce(&str) -> Response,
) -> Response {
    let https = context.config.issuer.is_https();
    let browser =
        Browser::of(headers, https).unwrap_or_else(|| Browser::new(&*context.random, https));
    let life = context.config.lifetimes.pending;
    let until = context.clock.now() + life;
    let mut response = page(&browser.sign(&context.keys, asked, until, &*context.random));
    if let Some(cookie) = browser.cookie(life) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match begin(&context, &headers, body, ASKED, LoginPurpose::Account).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}

/// Sends the browser away to sign in, if it was shown a form that asks this.
pub(in crate::server) async fn begin(
    context: &Context,
    headers: &HeaderMap,
    body: Body,
    asked: &str,
    purpose: LoginPurpose,
) -> Result<Response, PageError> {
    if is_sent_by_others(headers) {
        return Err(PageError::StaleForm);
    }
    let form = Params::from_body(headers, body).await?;
    let signature = form.one("signature")?.ok_or(PageError::StaleForm)?;
    let browser =
        Browser::of(headers, context.config.issuer.is_https()).ok_or(PageError::StaleForm)?;
    let state = browser
        .verify(&context.keys, asked, signature, "", context.clock.now())
        .ok_or(PageError::StaleForm)?;
    login::begin(context, &browser, &state, purpose).await
}

/// The user has come back from the provider.
pub(in crate::server) async fn signed_in(
    context: &Context,
    login: &Login,
    user: &UserId,
    attempt: &AttemptId,
    page: Page,
) -> Result<Response, PageError> {
    login.end(context, attempt).await?;
    events::account_opened(user.as_str());
    Ok(page.back(context, Session::begin(context, user)))
}

/// The page that a user signs in to.
#[derive(Clone, Copy)]
pub(in crate::server) enum Page {
    Account,
    Status,
    Elicitation(ElicitationId),
}

impl Page {
    /// Sends the browser to it. With a cookie a session begins.
    pub(in crate::server) fn back(
        self,
        context: &Context,
        cookie: Option<HeaderValue>,
    ) -> Response {
        match self {
            Self::Account => to_page(context, PATH, cookie),
            Self::Status => to_page(context, status::PATH, cookie),
            Self::Elicitation(id) => elicitation::to(&context.config.issuer, id, cookie),
        }
    }
}
