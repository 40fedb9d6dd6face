//! Where a fault is possible, and what a tool says there.

use std::{fmt, sync::Arc, time::Duration};

use rmcp::model::{
    CallToolResult, CustomNotification, NumberOrString, RequestId, ServerNotification,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Delivery, FaultyWire};
use crate::{Call, CallError, Wire, origin::Carrier, text};

/// What carries a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Streamable HTTP with a session.
    Session,
    /// Streamable HTTP without, from 2026-07-28.
    NoSession,
    /// HTTP with SSE.
    HttpSse,
    /// Standard input and output.
    Stdio,
}

pub(super) const EVERYWHERE: &[Place] =
    &[Place::Session, Place::NoSession, Place::HttpSse, Place::Stdio];
pub(super) const HTTP: &[Place] = &[Place::Session, Place::NoSession, Place::HttpSse];
/// Where a call has a stream of its own.
pub(super) const OWN_STREAM: &[Place] = &[Place::Session, Place::NoSession];
/// Where the rest of a stream can be come back for.
pub(super) const RESUMABLE: &[Place] = &[Place::Session];

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "Streamable HTTP with a session",
            Self::NoSession => "Streamable HTTP without a session",
            Self::HttpSse => "HTTP with SSE",
            Self::Stdio => "stdio",
        })
    }
}

/// A call that is to misbehave.
pub(super) struct Faulty<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) place: Place,
    named: String,
    wire: Option<Arc<dyn FaultyWire>>,
}

impl<'a> Faulty<'a> {
    /// Fails if the fault `kind` is not possible where the call is.
    pub(super) fn new(
        call: &'a Call<'a>,
        kind: impl Serialize,
        possible: &[Place],
    ) -> Result<Self, CallError> {
        let named = json!(kind).as_str().unwrap_or_default().to_owned();
        let place = match (call.origin().carrier, call.wire()) {
            (Carrier::Stdio, _) => Place::Stdio,
            (Carrier::HttpSse, _) => Place::HttpSse,
            (Carrier::StreamableHttp, Wire::Stateful) => Place::Session,
            (Carrier::StreamableHttp, Wire::Stateless) => Place::NoSession,
        };
        if !possible.contains(&place) {
            let possible: Vec<_> = possible.iter().map(ToString::to_string).collect();
            return Err(CallError::failed(format!(
                "The fault {named} is not possible over {place}. It is over {}.",
                possible.join(", ")
            )));
        }
        Ok(Self { call, place, named, wire: call.faulty_wire() })
    }

    /// The exchange of the call.
    pub(super) fn wire(&self) -> Result<&dyn FaultyWire, CallError> {
        let none = || CallError::failed("This server gives its tools no way to do that.");
        self.wire.as_deref().ok_or_else(none)
    }

    /// Waits, unless the call is cancelled.
    pub(super) async fn wait(&self, span: Duration) -> Result<(), CallError> {
        tokio::select! {
            () = self.call.cancelled() => Err(CallError::Cancelled),
            () = sleep(span) => Ok(()),
        }
    }

    /// Sends a notification, whatever it is.
    pub(super) async fn notify(&self, method: &str, params: Value) {
        if let Some(wire) = &self.wire {
            wire.event(notification(method, &params), Delivery::Once);
            return;
        }
        let custom = CustomNotification::new(method, Some(params));
        let told = ServerNotification::CustomNotification(custom);
        // A lost connection shows itself as a cancelled call.
        let _ = self.call.peer().send_notification(told).await;
    }

    /// The `number`th of `total` events that the client may be sent: progress if it wants that, else
    /// a log message.
    pub(super) fn news(&self, number: u32, total: u32) -> Result<(&'static str, Value), CallError> {
        if let Some(token) = self.call.progress_token() {
            let params = json!({ "progressToken": token, "progress": number, "total": total });
            return Ok(("notifications/progress", params));
        }
        if !self.call.is_sent_logs() {
            return Err(CallError::failed(
                "This fault shows in events. Ask for some: with a progressToken, or a logLevel.",
            ));
        }
        let data = format!("event {number} of {total}");
        let params = json!({ "level": "emergency", "logger": "faults", "data": data });
        Ok(("notifications/message", params))
    }

    /// The same, as the text of a message.
    pub(super) fn event(&self, number: u32, total: u32) -> Result<Vec<u8>, CallError> {
        let (method, params) = self.news(number, total)?;
        Ok(notification(method, &params))
    }

    /// The result of a call whose fault came before it.
    pub(super) fn after(&self) -> CallToolResult {
        text(format!("This is the answer; {} came before it.", self.named))
    }

    /// The answer to the call, as a message, for those who say it themselves.
    pub(super) fn answer(&self, said: &str) -> Value {
        let mut result = json!({ "content": [{ "type": "text", "text": said }] });
        if self.place == Place::NoSession {
            result["resultType"] = json!("complete");
        }
        json!({ "jsonrpc": "2.0", "id": self.call.request_id(), "result": result })
    }

    /// An id that is written as the request's, in the other of the two types; or not at all like it.
    pub(super) fn id_of_another_type(&self) -> Value {
        match self.call.request_id() {
            RequestId::Number(number) => json!(number.to_string()),
            NumberOrString::String(text) => {
                text.parse::<i64>().map_or_else(|_| json!(0), |number| json!(number))
            }
        }
    }
}

fn notification(method: &str, params: &Value) -> Vec<u8> {
    bytes(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

pub(super) fn bytes(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}
