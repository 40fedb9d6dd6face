//! `/status/token`: a browser shows an access token once, and is let in by a cookie from then on.
//! `/status/leave` ends that.

use std::sync::Arc;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mcp_everything_oauth::is_sent_by_others;
use serde::Deserialize;

use super::{StatusPage, door::Viewer, page};

/// What the form sends. It has no `Debug`.
#[derive(Deserialize)]
pub(super) struct Shown {
    token: String,
}

pub(super) async fn post(
    State(page): State<Arc<StatusPage>>,
    headers: HeaderMap,
    form: Result<Form<Shown>, FormRejection>,
) -> Response {
    let refused = |status: StatusCode, why: &str| {
        let mut response = page::sign_in(&page, Some(why));
        *response.status_mut() = status;
        response
    };
    if is_sent_by_others(&headers) {
        return refused(StatusCode::FORBIDDEN, "the form was sent by a page of somebody else");
    }
    let Ok(Form(Shown { token })) = form else {
        return refused(StatusCode::BAD_REQUEST, "the form could not be read");
    };
    match page.door.lookers.by_token(token.trim()).await {
        Ok(caller) => to_page(&page, page.door.cookie(&Viewer::from(&caller))),
        Err(error) => refused(error.status(), &error.to_string()),
    }
}

pub(super) async fn leave(State(page): State<Arc<StatusPage>>, headers: HeaderMap) -> Response {
    if is_sent_by_others(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    to_page(&page, page.door.no_cookie())
}

fn to_page(page: &StatusPage, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&page.base.join("/status")) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
