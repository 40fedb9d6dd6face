//! How often a user may ask.

use std::time::Duration;

use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use mcp_everything_store::{Owner, Subject};
use rmcp::model::RequestId;
use tokio::time::timeout;

use super::Refusal;
use crate::{
    Config,
    message::{Envelope, Kind},
};

/// How much of a refused request is read for its id, and for how long.
const LONGEST: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts a request, before anything of it is read, and gives its body back.
pub(crate) async fn pace(config: &Config, owner: &Owner, body: Body) -> Result<Body, Refusal> {
    match config.requests.take(&Subject::User(owner)).await {
        Ok(()) => Ok(body),
        Err(exceeded) => Err(Refusal::TooOften { id: id(body).await, exceeded }),
    }
}

/// Counts the messages of a batch, one of which was counted as the request it came in.
pub(crate) async fn pace_batch(
    config: &Config,
    owner: &Owner,
    messages: usize,
) -> Result<(), Refusal> {
    let others = u32::try_from(messages).unwrap_or(u32::MAX).saturating_sub(1);
    let counted = config.requests.take_many(&Subject::User(owner), others).await;
    counted.map_err(|exceeded| Refusal::TooOften { id: None, exceeded })
}

/// Counts a session that is about to begin.
pub(crate) async fn pace_session(
    config: &Config,
    owner: &Owner,
    id: Option<&RequestId>,
) -> Result<(), Refusal> {
    let counted = config.sessions.take(&Subject::User(owner)).await;
    counted.map_err(|exceeded| Refusal::TooOften { id: id.cloned(), exceeded })
}

/// The id of a request, if it is one and comes quickly.
async fn id(body: Body) -> Option<RequestId> {
    let body = timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await.ok()?.ok()?;
    match Envelope::read(&body.to_bytes()).ok()?.kind {
        Kind::Request { id, .. } => Some(id),
        Kind::Notification { .. } | Kind::Response { .. } | Kind::Error { .. } => None,
    }
}
