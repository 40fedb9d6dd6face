//! `/`: what this is and how to connect to it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use mcp_everything_features::Names;

use super::{Connect, Listed, TokenFrom, assets::POLICY};
use crate::settings::{AuthMode, Settings};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the pages of a server have in common.
#[derive(Clone)]
pub(crate) struct Site {
    /// What the public URL has before each path.
    pub(crate) path: String,
    /// The paths there are.
    pub(crate) endpoints: Arc<[Listed]>,
}

impl Site {
    /// Of the server with these settings.
    pub(crate) fn of(settings: &Settings, endpoints: Arc<[Listed]>) -> Self {
        Self { path: settings.base_uri.path().to_owned(), endpoints }
    }
}

#[derive(Template)]
#[template(path = "splash.html")]
struct Splash {
    site: Site,
    connect: Connect,
    names: Names,
    auth_mode: AuthMode,
    /// The authorization server elsewhere.
    issuer: String,
    /// Where users sign in, if that is not a fake.
    provider: Option<String>,
    /// Where Redis is, if everything is kept there.
    in_redis: bool,
}

#[derive(Template)]
#[template(path = "auth_server.html")]
struct AuthServerSplash {
    site: Site,
    issuer: String,
    provider: Option<String>,
    in_redis: bool,
}

/// The page of the MCP server.
pub(crate) fn splash(settings: &Settings, site: Site, names: Names) -> Router {
    page(Splash {
        site,
        connect: Connect::to(settings),
        names,
        auth_mode: settings.auth_mode,
        issuer: settings.auth_server.issuer.as_str().to_owned(),
        provider: settings.upstream.as_ref().map(crate::settings::UpstreamProvider::host),
        in_redis: settings.redis.is_some(),
    })
}

/// The page of the authorization server alone.
pub(crate) fn auth_server_splash(settings: &Settings, site: Site) -> Router {
    page(AuthServerSplash {
        site,
        issuer: settings.base_uri.as_str().to_owned(),
        provider: settings.upstream.as_ref().map(crate::settings::UpstreamProvider::host),
        in_redis: settings.redis.is_some(),
    })
}

fn page(page: impl Template + Send + Sync + 'static) -> Router {
    let page = Arc::new(page);
    Router::new().route("/", get(move || async move { shown(StatusCode::OK, &*page) }))
}

/// A page, with what it may load.
pub(super) fn shown(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let policy = HeaderValue::from_static(POLICY);
            (status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!(event = "error", %error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
