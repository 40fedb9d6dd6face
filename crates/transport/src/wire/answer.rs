//! A client's answer to a request that a call sent it. It may arrive anywhere.

use bytes::Bytes;
use mcp_everything_store::{Answer, Bell, Ring, SessionId};
use rmcp::model::{ClientJsonRpcMessage, RequestId};

use crate::{call::ClientNumber, http::Refusal, message::bounded, shared::Shared};

pub(crate) async fn accept<H>(
    shared: &Shared<H>,
    session: SessionId,
    id: Option<&RequestId>,
    body: &Bytes,
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
    let waiting = shared.store.answer(session, number.call, answer).await;
    let Some(instance) = waiting.map_err(|error| Refusal::store(&error, None))? else {
        late(session, number);
        return Ok(());
    };
    let bell = Bell::CallNews(session, number.call);
    if let Err(error) = shared.bus.ring(Ring::One(instance), bell).await {
        // It is kept, and a call that waits looks for itself now and then.
        tracing::warn!(event = "bus.unavailable", %error, "a call was not told of its answer");
    }
    Ok(())
}

/// An answer nobody waits for: the call was cancelled, timed out or ended.
fn late(session: SessionId, number: ClientNumber) {
    tracing::debug!(event = "answer.late", %session, request = %number, "nobody waits for an answer");
}
