//! The page, and what it is made of. It has neither script nor style in it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension, Router,
    extract::{Query, State},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use mcp_everything_store::{Session, SessionId};
use serde::Deserialize;

use super::{
    StatusPage,
    door::{SignIn, Viewer},
};

const STYLE: &str = include_str!("../../../assets/status.css");
const SCRIPT: &str = include_str!("../../../assets/status.js");
const DIAGRAM: &str = include_str!("../../../assets/status-diagram.js");
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "status.html")]
struct Page<'a> {
    version: &'static str,
    /// What the public URL has before each path.
    path: &'a str,
    instance: &'a str,
    /// Where what is kept is.
    store: &'static str,
    all: bool,
    user: Option<&'a str>,
    /// Whether a user who is not signed in can be.
    signs_in: bool,
    by_token: bool,
    session: Option<String>,
}

#[derive(Template)]
#[template(path = "status_door.html")]
struct SignInPage<'a> {
    path: &'a str,
    signs_in: bool,
    why: Option<&'a str>,
}

/// What the page is about.
#[derive(Deserialize)]
pub(super) struct About {
    session: Option<String>,
}

pub(super) async fn show(
    State(page): State<Arc<StatusPage>>,
    Extension(viewer): Extension<Viewer>,
    Query(about): Query<About>,
) -> Response {
    let session = match about.session.map(|id| id.parse::<SessionId>()) {
        None => None,
        Some(id) => match known(&page, &viewer, id.ok()).await {
            Ok((id, _)) => Some(id.to_string()),
            Err(status) => return status.into_response(),
        },
    };
    let user = viewer.user.as_ref().map(|user| user.id.as_str());
    respond(&Page {
        version: env!("CARGO_PKG_VERSION"),
        path: page.base.path().trim_end_matches('/'),
        instance: page.status.instance.as_str(),
        store: page.store,
        all: viewer.all,
        user,
        by_token: viewer.by_token,
        signs_in: user.is_none() && matches!(page.door.sign_in, SignIn::Here(_)),
        session,
    })
}

/// A session of another user does not exist for whoever may see their own alone.
pub(super) async fn known(
    page: &StatusPage,
    viewer: &Viewer,
    id: Option<SessionId>,
) -> Result<(SessionId, Arc<Session>), StatusCode> {
    let id = id.ok_or(StatusCode::NOT_FOUND)?;
    let found = page.status.store.glance(id).await;
    let found = found.map_err(|error| {
        tracing::warn!(event = "store.unavailable", %error, "a session could not be looked at");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    let session = found.filter(|session| viewer.may_see(&session.owner));
    session.map(|session| (id, session)).ok_or(StatusCode::NOT_FOUND)
}

/// The page of whoever is not known; `why` a token was not taken.
pub(super) fn sign_in(page: &StatusPage, why: Option<&str>) -> Response {
    respond(&SignInPage {
        path: page.base.path().trim_end_matches('/'),
        signs_in: matches!(page.door.sign_in, SignIn::Here(_)),
        why,
    })
}

fn respond(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!(event = "error", %error, "the status page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What is the same for everybody.
pub(super) fn assets() -> Router {
    const CSS: &str = "text/css; charset=utf-8";
    const JS: &str = "text/javascript; charset=utf-8";
    let asset = |kind: &'static str, content: &'static str| {
        let kind: (HeaderName, &str) = (header::CONTENT_TYPE, kind);
        get(async move || ([kind], content))
    };
    Router::new()
        .route("/status/page.css", asset(CSS, STYLE))
        .route("/status/page.js", asset(JS, SCRIPT))
        .route("/status/diagram.js", asset(JS, DIAGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_make_no_markup_and_talk_to_nobody_else() {
        for script in [SCRIPT, DIAGRAM] {
            for word in ["innerHTML", "outerHTML", "eval", "document.write", "http:", "https:"] {
                assert!(!script.replace("http://www.w3.org/2000/svg", "").contains(word), "{word}");
            }
        }
    }
}
