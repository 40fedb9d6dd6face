//! `/authorize` (RFC 6749, section 3.1): reads the request and asks the user.
//!
//! Nothing is kept until the user agrees: the page carries the request, signed for this browser.

mod error;
mod request;
mod return_to;
#[cfg(test)]
mod tests;
mod unasked;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

pub(super) use error::{AuthorizeError, PageError, Refusal};
pub(super) use request::AuthorizationRequest;
pub(super) use return_to::{ReturnTo, redirect};

use super::Context;
use crate::{
    Scope,
    browser::Browser,
    events,
    pages::{self, ConsentPage},
    params::Params,
    redirect_uri,
};

pub(super) async fn get(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match Params::parse(query.unwrap_or_default().as_bytes()) {
        Ok(params) => ask(&context, &headers, &params).await,
        Err(error) => PageError::from(error).respond(&context),
    }
}

/// The same with the parameters in the body (RFC 6749, section 3.1).
pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match Params::from_body(&headers, body).await {
        Ok(params) => ask(&context, &headers, &params).await,
        Err(error) => PageError::from(error).respond(&context),
    }
}

async fn ask(context: &Context, headers: &HeaderMap, params: &Params) -> Response {
    let encoded = match params.encode(&AuthorizationRequest::PARAMETERS) {
        Ok(encoded) => encoded,
        Err(error) => return PageError::from(error).respond(context),
    };
    match AuthorizationRequest::read(context, params).await {
        Ok(request) => show_consent(context, headers, &encoded, &request),
        Err(AuthorizeError::Redirect(return_to, refusal)) => {
            unasked::refuse(context, &return_to, &refusal)
        }
        Err(AuthorizeError::Page(error)) => error.respond(context),
    }
}

fn show_consent(
    context: &Context,
    headers: &HeaderMap,
    encoded: &str,
    request: &AuthorizationRequest,
) -> Response {
    let https = context.config.issuer.is_https();
    let browser =
        Browser::of(headers, https).unwrap_or_else(|| Browser::new(&*context.random, https));
    let life = context.config.lifetimes.pending;
    let until = context.clock.now() + life;
    let signature = browser.sign(&context.keys, encoded, until, &*context.random);
    let scopes: Vec<Scope> = request.scope.iter().collect();
    let client_host = context.vouching_host(&request.client.id);
    let page = ConsentPage {
        site: context.site(),
        client_host: client_host.as_deref(),
        client_name: request.client.name.as_deref().unwrap_or("a client without a name"),
        destination: &redirect_uri::destination(request.return_to.uri()),
        redirect_uri: request.return_to.uri(),
        provider: context.upstream.provider(),
        resource: &request.resource,
        scopes: &scopes,
        request: encoded,
        signature: &signature,
    };
    events::consent_shown(&request.client.id);
    let mut response = pages::respond(StatusCode::OK, &page);
    if let Some(cookie) = browser.cookie(life) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
