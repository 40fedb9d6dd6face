//! What stands before the endpoints that anybody can ask.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::{
    Exceeded, Limit, Subject,
    oauth::{ClientAuth, ClientRecord},
};

use super::{Context, authorize::PageError};
use crate::{
    RemoteAddress,
    wire::{ErrorResponse, WrongGuess},
};

/// Counts registrations.
pub(super) async fn register(
    State(context): State<Arc<Context>>,
    RemoteAddress(address): RemoteAddress,
    request: Request,
    next: Next,
) -> Response {
    match context.config.limits.register.take(&Subject::Address(address)).await {
        Ok(()) => next.run(request).await,
        Err(exceeded) => ErrorResponse::from(&exceeded).into_response(),
    }
}

/// Counts what browsers ask for.
pub(super) async fn pages(
    State(context): State<Arc<Context>>,
    RemoteAddress(address): RemoteAddress,
    request: Request,
    next: Next,
) -> Response {
    match context.config.limits.authorize.take(&Subject::Address(address)).await {
        Ok(()) => next.run(request).await,
        Err(exceeded) => PageError::from(exceeded).respond(&context),
    }
}

/// Counts wrong codes, tokens and credentials: every request that is answered as one.
pub(super) async fn guesses(
    State(context): State<Arc<Context>>,
    RemoteAddress(address): RemoteAddress,
    request: Request,
    next: Next,
) -> Response {
    let (failures, guesser) = (&context.config.limits.failures, Subject::Address(address));
    if let Err(exceeded) = failures.look(&guesser).await {
        return ErrorResponse::from(&exceeded).into_response();
    }
    let response = next.run(request).await;
    if response.extensions().get::<WrongGuess>().is_some() {
        // The answer stands; it is the next one that is refused.
        let _ = failures.take(&guesser).await;
    }
    response
}

/// Counts a request of a client that has authenticated.
pub(super) async fn pace(
    limit: &Limit,
    client: &ClientRecord,
    RemoteAddress(address): RemoteAddress,
) -> Result<(), Exceeded> {
    let subject = match &client.auth {
        ClientAuth::None => Subject::ClientAt(&client.id, address),
        ClientAuth::ClientSecretBasic { .. }
        | ClientAuth::ClientSecretPost { .. }
        | ClientAuth::PrivateKeyJwt { .. } => Subject::Client(&client.id),
    };
    limit.take(&subject).await
}
