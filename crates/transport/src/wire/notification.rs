//! A notification within a session.

use std::sync::Arc;

use http::request::Parts;
use mcp_everything_store::{Bell, Ring, SessionId, witnessed};
use rmcp::{
    ServerHandler,
    model::{
        CancelledNotificationParam, ClientJsonRpcMessage, ClientNotification,
        ProgressNotificationParam,
    },
};
use tracing::Instrument as _;

use super::call::Caller;
use crate::{
    away::Patience,
    call::{self, Promoted, Start, Waiting, parse_progress_token, request_key},
    http::Refusal,
    message,
    shared::Shared,
};

/// The largest progress that is passed on to another instance, in bytes: it travels with the bell.
const MAX_PROGRESS: usize = 4 << 10;

pub(crate) async fn accept<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    caller: Caller<'_>,
    parts: Parts,
    method: &str,
    body: &[u8],
    patience: &mut Patience<'_>,
) -> Result<(), Refusal> {
    let notification = message::notification(method, body)
        .map_err(|reason| Refusal::InvalidRequest { id: None, reason })?;
    match notification {
        ClientNotification::CancelledNotification(cancelled) => {
            cancel(shared, caller.session, &cancelled.params, patience).await
        }
        ClientNotification::ProgressNotification(progress) => {
            let params = progress.params.clone();
            let message = ClientJsonRpcMessage::notification(progress.into());
            report(shared, caller.session, &params, message, body, patience).await
        }
        other => hand_over(shared, caller, parts, other),
    }
}

/// Cancels the calls that bear the request's id, wherever they run. A short call is over before
/// its cancellation matters, and one that has ended already is none ("Cancellation").
async fn cancel<H>(
    shared: &Shared<H>,
    session: SessionId,
    params: &CancelledNotificationParam,
    patience: &mut Patience<'_>,
) -> Result<(), Refusal> {
    let Some(request) = &params.request_id else {
        return Ok(());
    };
    let request = request_key(request);
    let running = patience.ask(|| shared.store.cancel(session, &request)).await;
    let running = running.map_err(|error| Refusal::store(&error, None))?;
    for call in running {
        tracing::debug!(event = "call.cancelled", %session, call = %call.id,
            "a client cancelled a request");
        if call.instance == shared.instance {
            if let Some(call) = shared.calls.get(session, call.id) {
                call.cancel();
            }
        } else {
            let bell = Bell::CallNews(session, call.id);
            if let Err(error) = shared.bus.ring(Ring::One(call.instance), bell).await {
                // It is marked, and nobody is told more than that it was asked for.
                tracing::warn!(event = "bus.unavailable", %error, "a call was not told to end");
            }
        }
    }
    Ok(())
}

/// Passes a client's progress on to the call that waits for its answer.
async fn report<H>(
    shared: &Shared<H>,
    session: SessionId,
    params: &ProgressNotificationParam,
    message: ClientJsonRpcMessage,
    body: &[u8],
    patience: &mut Patience<'_>,
) -> Result<(), Refusal> {
    let Some(number) = parse_progress_token(&params.progress_token) else {
        return Ok(());
    };
    if let Some(call) = shared.calls.get(session, number.call) {
        call.deliver(number, message);
        return Ok(());
    }
    if body.len() > MAX_PROGRESS {
        return Ok(());
    }
    let log = patience.ask(|| shared.store.read_call(session, number.call, u64::MAX, None)).await;
    if let Some(log) = log.map_err(|error| Refusal::store(&error, None))? {
        let bell = Bell::Progressed(session, number.call, body.to_vec().into());
        // Progress may be lost, so a bus that is away is no reason to refuse it.
        drop(shared.bus.ring(Ring::One(log.instance), bell).await);
    }
    Ok(())
}

/// Lets the handler see a notification. What it sends in turn goes to the standalone stream.
fn hand_over<H: ServerHandler>(
    shared: &Arc<Shared<H>>,
    caller: Caller<'_>,
    parts: Parts,
    notification: ClientNotification,
) -> Result<(), Refusal> {
    let Caller { owner, session, transport, agreed } = caller;
    let message = ClientJsonRpcMessage::notification(notification);
    let start = Start { session: Some((session, agreed)), transport, owner, message, parts };
    let started = call::start(shared, start).map_err(|corrupt| corrupt.refused(session, None))?;
    let span = started.call.span.clone();
    let mut waiting = Waiting::new(shared, started);
    let served = async move {
        let first = match waiting.first().await {
            Ok(None) => return waiting.done(),
            Ok(first) => first,
            Err(_) => None,
        };
        if let Err(error) = waiting.promote(first, Promoted::Standalone).await {
            tracing::debug!(event = "stream.lost", %session, %error,
                "what a notification set off has nowhere to go");
        }
    };
    tokio::spawn(witnessed(served.instrument(span)));
    Ok(())
}
