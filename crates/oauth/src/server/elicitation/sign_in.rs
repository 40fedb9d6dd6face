//! `/elicitation/{id}/sign-in`: to the upstream provider, and back to the page.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use mcp_everything_store::{ElicitationId, oauth::LoginPurpose};

use super::{Desk, ElicitationError};
use crate::{pages::ElicitationSignInPage, server::account::begin_sign_in};

/// What the form asks.
fn asked(id: ElicitationId) -> String {
    format!("elicitation {id}")
}

/// The page of a user who is not signed in. A link leads here from anywhere, so it takes a click to
/// go on, and nothing of the question is shown before.
pub(super) fn ask(desk: &Desk, id: ElicitationId, headers: &HeaderMap) -> Response {
    let browser = desk.browser(headers);
    let until = desk.pages.clock.now() + desk.life();
    let signature = browser.sign(&desk.pages.keys, &asked(id), until, &*desk.pages.random);
    let (site, id) = (desk.site(), id.to_string());
    desk.respond(&ElicitationSignInPage { site, id: &id, signature: &signature }, &browser)
}

pub(super) async fn post(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(server) = &desk.server else { return ElicitationError::NoSuch.respond(&desk) };
    let id = match desk.find(&id).await {
        Ok((id, _)) => id,
        Err(error) => return error.respond(&desk),
    };
    let purpose = LoginPurpose::Elicitation(id.to_string());
    match begin_sign_in(server, &headers, body, &asked(id), purpose).await {
        Ok(response) => response,
        Err(error) => error.respond(server),
    }
}
