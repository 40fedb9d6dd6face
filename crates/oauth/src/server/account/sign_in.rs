//! `/account/sign-in`: to the upstream provider, and back to the page.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use mcp_everything_store::oauth::{AttemptId, LoginPurpose};

use super::{Context, session::Session, to_page};
use crate::{
    browser::{Browser, is_sent_by_others},
    events,
    pages::{self, AccountSignInPage},
    params::Params,
    server::{
        authorize::PageError,
        login::{self, Login},
    },
    upstream::UserId,
};

/// What the form asks.
const ASKED: &str = "account";

/// The page of a user who is not signed in. A link leads here from anywhere, so it takes a click to
/// go on: nobody is signed in by being sent here.
pub(super) fn ask(context: &Context, headers: &HeaderMap) -> Response {
    let https = context.config.issuer.is_https();
    let browser =
        Browser::of(headers, https).unwrap_or_else(|| Browser::new(&*context.random, https));
    let life = context.config.lifetimes.pending;
    let until = context.clock.now() + life;
    let signature = browser.sign(&context.keys, ASKED, until, &*context.random);
    let page = AccountSignInPage { site: context.site(), signature: &signature };
    let mut response = pages::respond(StatusCode::OK, &page);
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
    match begin(&context, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}

async fn begin(context: &Context, headers: &HeaderMap, body: Body) -> Result<Response, PageError> {
    if is_sent_by_others(headers) {
        return Err(PageError::StaleForm);
    }
    let form = Params::from_body(headers, body).await?;
    let signature = form.one("signature")?.ok_or(PageError::StaleForm)?;
    let browser =
        Browser::of(headers, context.config.issuer.is_https()).ok_or(PageError::StaleForm)?;
    let state = browser
        .verify(&context.keys, ASKED, signature, "", context.clock.now())
        .ok_or(PageError::StaleForm)?;
    login::begin(context, &browser, &state, LoginPurpose::Account).await
}

/// The user has come back from the provider.
pub(in crate::server) async fn signed_in(
    context: &Context,
    login: &Login,
    user: &UserId,
    attempt: &AttemptId,
) -> Result<Response, PageError> {
    login.end(context, attempt).await?;
    events::account_opened(user.as_str());
    Ok(to_page(context, Session::begin(context, user)))
}
