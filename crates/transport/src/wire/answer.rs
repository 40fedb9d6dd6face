//! A client's answer to a request that a call sent it. It may arrive anywhere.

use bytes::Bytes;
use mcp_everything_store::{Answer, Bell, Ring, SessionId};
use rmcp::model::{ClientJsonRpcMessage, RequestId};

use crate::{away::Patience, call::ClientNumber, http::Refusal, message::bounded, shared::Shared};

pub(crate) async fn accept<H>(
    shared: &Shared<H>,
    session: SessionId,
    id: Option<&RequestId>,
    body: &Bytes,
    patience: &mut Patience<'_>,
) -> Result<(), Refusal> {
    let Some(number) = id.and_then(ClientNumber::parse) else {
        let reason = "no request of this server has that id".to_owned();
        return Err(Refusal::InvalidRequest { id: None, reason });
    };
    let message: ClientJsonRpcMessage = serde_json::from_slice(body).map_err(|error| {
        Refusal::InvalidRequest { id: None, reason: bounded(&error.to_string()) }
    })?;
    if let Some(call) = shared.calls.get(session, number.call) {
        if !call.deliver(number, message) {
            late(session, number);
        }
        return Ok(());
    }
    let answer = Answer { number: number.number, data: body.clone() };
    let waiting = patience.ask(|| shared.store.answer(session, number.call, answer.clone())).await;
    let Some(instance) = waiting.map_err(|error| Refusal::store(&error, None))? else {
        late(session, number);
        return Ok(());
    };
    if matches!(shared.bus.is_alive(&instance).await, Ok(false)) {
        late(session, number);
        return Ok(());
    }
    let bell = Bell::CallNews(session, number.call);
    if let Err(error) = shared.bus.ring(Ring::One(instance), bell).await {
        // It is kept, and a call that waits looks for itself now and then.
        tracing::warn!(event = "bus.unavailable", %error, "a call was not told of its answer");
    }
    Ok(())
}

/// An answer nobody waits for: the call was cancelled, timed out or ended, or went with its
/// instance. The client did nothing wrong.
fn late(session: SessionId, number: ClientNumber) {
    tracing::info!(event = "answer.late", %session, request = %number, "nobody waits for an answer");
}
