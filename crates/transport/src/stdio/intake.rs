//! What comes in: lines, and the messages in them.

use std::sync::atomic::Ordering;

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetExtensions as _, GetMeta as _,
    RequestId, ServerJsonRpcMessage,
};
use serde_json::value::RawValue;

use super::{
    batches::BatchId,
    lines::Line,
    service::Cancelled,
    transport::{LineTransport, Session},
};
use crate::{
    http::Refusal,
    message::{self, Envelope, Kind, Meta, VersionHeader, Wire, check_task_ids},
    trace::{TraceContext, span_id},
    wire::batch,
};

/// What was asked, and the text of it.
struct Asked<'a> {
    id: RequestId,
    method: &'a str,
    text: &'a [u8],
    params: Option<&'a RawValue>,
    trace: Option<TraceContext>,
}

impl LineTransport {
    /// Takes a line in. What rmcp is to see of it waits in `read`.
    pub(super) fn take(&mut self, line: Line) {
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong => {
                let limit = self.config.max_line_bytes;
                let reason = format!("the message is longer than {limit} bytes");
                return self.refuse(Refusal::InvalidRequest { id: None, reason }, None);
            }
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            return;
        }
        let taken = if text.starts_with(b"[") {
            self.take_batch(text)
        } else {
            self.take_message(text, None)
        };
        if let Err(refusal) = taken {
            self.refuse(refusal, None);
        }
    }

    fn take_batch(&mut self, text: &[u8]) -> Result<(), Refusal> {
        let messages: Vec<&RawValue> = batch::read(self.config.max_batch, text)?;
        let Session::Agreed(version) = &self.session else {
            return Err(not_begun(None));
        };
        batch::exist(version.as_str())?;
        let batch = self.underway.open();
        for message in messages {
            if let Err(refusal) = self.take_message(message.get().as_bytes(), Some(batch)) {
                self.refuse(refusal, Some(batch));
            }
        }
        let answers = self.underway.close(batch);
        self.say(answers);
        Ok(())
    }

    fn take_message(&mut self, text: &[u8], batch: Option<BatchId>) -> Result<(), Refusal> {
        let envelope = Envelope::read(text)?;
        let agreed = match &self.session {
            Session::None | Session::Beginning(_) => VersionHeader::Absent,
            Session::Agreed(version) => VersionHeader::Stateful(version.as_str()),
        };
        let wire = Wire::of(&envelope, &Meta::of(&envelope), agreed)?;
        match envelope.kind {
            Kind::Request { id, method } => {
                let random = &*self.random;
                let read = |params| TraceContext::of_params(params, || span_id(random));
                let trace = envelope.params.and_then(read);
                let params = envelope.params;
                self.take_request(wire, Asked { id, method: &method, text, params, trace }, batch)
            }
            Kind::Notification { method } => {
                self.take_notification(&method, text);
                Ok(())
            }
            Kind::Response { .. } | Kind::Error { .. } => {
                match serde_json::from_slice::<ClientJsonRpcMessage>(text) {
                    Ok(answer) => self.read.push_back(answer),
                    // Nobody answers an answer.
                    Err(error) => unread("an answer", &error.to_string()),
                }
                Ok(())
            }
        }
    }

    fn take_request(
        &mut self,
        wire: Wire,
        asked: Asked<'_>,
        batch: Option<BatchId>,
    ) -> Result<(), Refusal> {
        let Asked { id, method, text, params, trace } = asked;
        let begins = wire == Wire::Stateful && method == "initialize";
        match (wire, &self.session) {
            (Wire::Stateful, Session::Agreed(_)) if begins => {
                let reason = "this session is initialized already".to_owned();
                return Err(Refusal::InvalidRequest { id: Some(id), reason });
            }
            // "ping" may come first (2025-11-25, Lifecycle, Initialization).
            (Wire::Stateful, Session::None | Session::Beginning(_))
                if !begins && method != "ping" =>
            {
                return Err(not_begun(Some(id)));
            }
            (Wire::Stateful | Wire::Stateless, _) => {}
        }
        let invalid = |reason| Refusal::InvalidParams { id: Some(id.clone()), reason };
        let request = message::request(wire, method, text).map_err(invalid)?;
        check_task_ids(&id, method, params)?;
        let version = match (&request, &self.session) {
            (ClientRequest::InitializeRequest(begins), _) => {
                Some(begins.params.protocol_version.clone())
            }
            (_, Session::Agreed(version)) if wire == Wire::Stateful => Some(version.clone()),
            _ => None,
        };
        let untyped = self.config.untyped;
        let mut request = match version {
            Some(version) => message::handed_over(untyped, version.as_str(), method, request, text)
                .map_err(invalid)?,
            None => request,
        };
        let limit = self.config.max_running;
        if self.underway.len() >= limit {
            return Err(Refusal::TooMany { id: Some(id), what: "running requests", limit });
        }
        let (token, cancelled) =
            (request.get_meta().get_progress_token(), self.abort.child_token());
        if !self.underway.begin(&id, token, batch, cancelled.clone()) {
            let reason = "another request with this `id` is still running".to_owned();
            return Err(Refusal::InvalidRequest { id: None, reason });
        }
        if begins {
            self.session = Session::Beginning(id.clone());
        }
        request.extensions_mut().insert(Cancelled(cancelled));
        if let Some(trace) = trace {
            request.extensions_mut().insert(trace);
        }
        self.read.push_back(ClientJsonRpcMessage::request(request, id));
        Ok(())
    }

    fn take_notification(&mut self, method: &str, text: &[u8]) {
        let notification = match message::notification(method, text) {
            Ok(notification) => notification,
            Err(reason) => return unread("a notification", &reason),
        };
        match &notification {
            ClientNotification::InitializedNotification(_) => match &self.session {
                Session::Agreed(_) => self.ready.store(true, Ordering::Release),
                Session::None | Session::Beginning(_) => {
                    return unread("a notification", "there is no session");
                }
            },
            // Not for rmcp, which would forget the id before the handler has ended.
            ClientNotification::CancelledNotification(cancelled) => {
                if let Some(id) = &cancelled.params.request_id {
                    let answers = self.underway.cancel(id);
                    self.say(answers);
                }
                return;
            }
            // What concerns handlers alone.
            _ => {}
        }
        self.read.push_back(ClientJsonRpcMessage::notification(notification));
    }

    fn refuse(&mut self, refusal: Refusal, batch: Option<BatchId>) {
        tracing::debug!(event = "mcp.refused", reason = %refusal, "a message was refused");
        let error = ServerJsonRpcMessage::Error(refusal.into_error());
        let line = self.underway.say(error, batch);
        self.say(line);
    }

    /// The next line is not read before there is room again.
    fn say(&mut self, line: Option<Vec<u8>>) {
        if let Some(line) = line {
            drop(self.writer.say(line));
        }
    }
}

/// There is neither a session nor what makes a request stand alone (2026-07-28, `_meta`).
fn not_begun(id: Option<RequestId>) -> Refusal {
    let reason = "there is no session: begin one with `initialize`, or name \
                  `io.modelcontextprotocol/protocolVersion` and \
                  `io.modelcontextprotocol/clientCapabilities` in `_meta`"
        .to_owned();
    Refusal::InvalidParams { id, reason }
}

fn unread(what: &str, reason: &str) {
    tracing::debug!(event = "mcp.refused", reason, "{what} was passed over");
}
