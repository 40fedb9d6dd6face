//! `/account/sign-out`.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};

use super::{AccountError, Context, PATH, session::Session, to_page};
use crate::{browser::is_sent_by_others, params::Params};

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match sign_out(&context, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}

async fn sign_out(
    context: &Context,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, AccountError> {
    if is_sent_by_others(headers) {
        return Err(AccountError::OtherSession);
    }
    let form = Params::from_body(headers, body).await?;
    // Whose session is over is signed out.
    if let Some(session) = Session::of(context, headers) {
        let signature = form.one("signature")?.unwrap_or_default();
        if !session.has_shown(context, signature) {
            return Err(AccountError::OtherSession);
        }
    }
    Ok(to_page(context, PATH, Session::end(context)))
}
