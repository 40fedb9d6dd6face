//! `/status/sign-in`: how a user signs in to the status page of the server beside.
//!
//! It is the session of the account page that begins: [`SignedIn`](super::SignedIn) says whose.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use mcp_everything_store::oauth::LoginPurpose;

use super::{
    Context,
    account::{begin_sign_in, sign_in_page},
};
use crate::pages::{self, StatusSignInPage};

/// The path of the page, below that of the issuer.
pub(super) const PATH: &str = "/status";

/// What the form asks.
const ASKED: &str = "status";

pub(super) fn router(context: &Context) -> Router<Arc<Context>> {
    if context.config.status_page {
        Router::new().route("/status/sign-in", get(ask).post(post))
    } else {
        Router::new()
    }
}

/// A link leads here from anywhere, so it takes a click to go on.
async fn ask(State(context): State<Arc<Context>>, headers: HeaderMap) -> Response {
    sign_in_page(&context, &headers, ASKED, |signature| {
        pages::respond(StatusCode::OK, &StatusSignInPage { site: context.site(), signature })
    })
}

async fn post(State(context): State<Arc<Context>>, headers: HeaderMap, body: Body) -> Response {
    match begin_sign_in(&context, &headers, body, ASKED, LoginPurpose::Status).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}
