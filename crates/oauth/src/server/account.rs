//! `/account`: what a user granted, and the way to revoke it.
//!
//! A user signs in at the upstream provider, as for a client, and gets a session of the browser:
//! a cookie that is signed for this issuer, good for a few minutes and on every instance. It opens
//! this page, and those on which its user is asked something, and nothing else. Each form on it is signed for that session, so no other site can
//! submit one, nor can this browser submit what was made for another user.

mod error;
mod listed;
mod revoke;
mod session;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};

use self::error::AccountError;
use super::{Context, authorize::redirect};
use crate::pages::{self, AccountPage};
pub(crate) use listed::ListedGrant;
pub use session::SignedIn;

pub(super) use self::{
    session::Session,
    sign_in::{Page, begin as begin_sign_in, shown as sign_in_page, signed_in},
};

/// The path of the page, below that of the issuer.
pub(crate) const PATH: &str = "/account";

/// The most grants that one page shows.
const MOST: usize = 100;

pub(super) fn router() -> Router<Arc<Context>> {
    Router::new()
        .route("/account", get(show))
        .route("/account/sign-in", post(sign_in::post))
        .route("/account/revoke", post(revoke::post))
        .route("/account/sign-out", post(sign_out::post))
}

async fn show(State(context): State<Arc<Context>>, headers: HeaderMap) -> Response {
    match Session::of(&context, &headers) {
        Some(session) => match list(&context, &session).await {
            Ok(response) => response,
            Err(error) => error.respond(&context),
        },
        None => sign_in::ask(&context, &headers),
    }
}

async fn list(context: &Context, session: &Session) -> Result<Response, AccountError> {
    // One more than is shown says that there are more.
    let mut grants = context.store.grants_of(session.user(), MOST + 1).await?;
    let are_more = grants.len() > MOST;
    grants.truncate(MOST);
    let now = context.clock.now();
    let grants = grants.into_iter().map(|grant| {
        let host = context.vouching_host(&grant.record.client);
        ListedGrant::new(grant, host, now)
    });
    let grants: Vec<_> = grants.collect();
    let page = AccountPage {
        site: context.site(),
        user: session.user(),
        grants: &grants,
        are_more,
        signature: &session.sign_form(context),
    };
    Ok(pages::respond(StatusCode::OK, &page))
}

/// Sends the browser to a page. With a cookie it begins or ends a session.
pub(super) fn to_page(context: &Context, path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = redirect(context, &context.config.issuer.join(path));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
