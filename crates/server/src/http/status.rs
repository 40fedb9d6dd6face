//! `/status`: what goes on here, live. `docs/status.md` describes it, and `docs/security.md` says who
//! sees what.

mod door;
mod events;
mod page;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use mcp_everything_oauth::BaseUri;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    door::{Door, SignIn},
    events::Viewers,
};
use crate::{status::Status, telemetry::Lines};

/// What the page needs.
pub(crate) struct StatusPage {
    pub(crate) status: Arc<Status>,
    pub(crate) lines: Lines,
    pub(crate) viewers: Viewers,
    pub(crate) base: BaseUri,
    /// What is kept is here or in Redis.
    pub(crate) store: &'static str,
    pub(crate) door: Door,
    /// Event streams end with it.
    pub(crate) draining: CancellationToken,
}

/// The page, what it is made of, and its event stream.
pub(crate) fn status(page: StatusPage) -> Router {
    let page = Arc::new(page);
    let looking = Router::new()
        .route("/status", get(page::show))
        .route("/status/events", get(events::stream))
        .with_state(Arc::clone(&page));
    let looking = page.door.before(looking, &page);
    Router::new()
        .route("/status/token", post(token::post))
        .route("/status/leave", post(token::leave))
        .with_state(page)
        .merge(looking)
        .merge(page::assets())
}
