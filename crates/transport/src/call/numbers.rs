//! The names of what a call sends its client.
//!
//! rmcp numbers requests and progress tokens from 0 in every service, and a service lives for one
//! call. On the wire each becomes `{call}-{n}`: unguessable, never used twice in a session (a MUST
//! of every revision's "Requests"), and it tells any instance which call waits for the answer.

use std::{collections::HashMap, fmt};

use mcp_everything_store::{CallId, spans::Place};
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetMeta as _, JsonRpcMessage, NumberOrString,
    ProgressToken, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use tracing::Span;

use crate::trace;

/// What a client echoes: which call, and which of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientNumber {
    pub(crate) call: CallId,
    pub(crate) number: u64,
}

impl fmt::Display for ClientNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.call, self.number)
    }
}

impl ClientNumber {
    pub(crate) fn parse(id: &RequestId) -> Option<Self> {
        let RequestId::String(text) = id else {
            return None;
        };
        let (call, rest) = text.split_at_checked(CallId::LENGTH)?;
        let number = rest.strip_prefix('-')?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { call: call.parse().ok()?, number: number.parse().ok()? })
    }

    fn on_the_wire(self) -> NumberOrString {
        NumberOrString::String(self.to_string().into())
    }

    fn inside(self) -> NumberOrString {
        NumberOrString::Number(i64::try_from(self.number).unwrap_or(i64::MAX))
    }
}

/// The call whose request a client reports progress on.
pub(crate) fn parse_progress_token(token: &ProgressToken) -> Option<ClientNumber> {
    ClientNumber::parse(&token.0)
}

/// The requests of one call that wait for their answers, with the span that each is until then.
#[derive(Debug, Default)]
pub(crate) struct Outstanding(HashMap<u64, Span>);

impl Outstanding {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Renames what a call sends, and remembers its requests, which are spans below the call's.
    pub(crate) fn rename(
        &mut self,
        call: CallId,
        below: &Span,
        message: &mut ServerJsonRpcMessage,
    ) {
        let wire = |id: &NumberOrString| match id {
            NumberOrString::Number(number) => u64::try_from(*number).ok(),
            NumberOrString::String(_) => None,
        };
        let named = |number| ClientNumber { call, number }.on_the_wire();
        match message {
            JsonRpcMessage::Request(request) => {
                let span = trace::asks(below, &request.request);
                let meta = request.request.get_meta_mut();
                if let Some(place) = Place::of(&span) {
                    meta.set_traceparent(place.to_string());
                }
                if let Some(number) = wire(&request.id) {
                    self.0.insert(number, span);
                    request.id = named(number);
                }
                if let Some(number) = meta.get_progress_token().and_then(|token| wire(&token.0)) {
                    meta.set_progress_token(ProgressToken(named(number)));
                }
            }
            // rmcp cancels a request of its own that timed out.
            JsonRpcMessage::Notification(notification) => {
                if let ServerNotification::CancelledNotification(cancelled) =
                    &mut notification.notification
                    && let Some(number) = cancelled.params.request_id.as_ref().and_then(wire)
                {
                    self.0.remove(&number);
                    cancelled.params.request_id = Some(named(number));
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
    }

    /// Names an answer or a progress as rmcp knows it, if the call waits for it.
    pub(crate) fn admit(
        &mut self,
        number: ClientNumber,
        message: &mut ClientJsonRpcMessage,
    ) -> bool {
        match message {
            JsonRpcMessage::Response(response) if self.0.remove(&number.number).is_some() => {
                response.id = number.inside();
                true
            }
            JsonRpcMessage::Error(error) if self.0.remove(&number.number).is_some() => {
                error.id = Some(number.inside());
                true
            }
            JsonRpcMessage::Notification(notification) if self.0.contains_key(&number.number) => {
                if let ClientNotification::ProgressNotification(progress) =
                    &mut notification.notification
                {
                    progress.params.progress_token = ProgressToken(number.inside());
                }
                true
            }
            JsonRpcMessage::Response(_)
            | JsonRpcMessage::Error(_)
            | JsonRpcMessage::Notification(_)
            | JsonRpcMessage::Request(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;
    use rmcp::model::{
        CancelledNotification, CancelledNotificationParam, ClientResult, PingRequest, ServerRequest,
    };

    use super::*;

    #[test]
    fn ids_tokens_and_cancellations_are_renamed_alike() {
        let call = CallId::random(&TestRandom::seeded(4));
        let mut outstanding = Outstanding::default();
        let mut ping = ServerRequest::PingRequest(PingRequest::default());
        ping.get_meta_mut().set_progress_token(ProgressToken(NumberOrString::Number(0)));
        let mut message = ServerJsonRpcMessage::request(ping, RequestId::Number(0));
        outstanding.rename(call, &Span::none(), &mut message);
        let text = serde_json::to_value(&message).unwrap();
        assert_eq!(text["id"], format!("{call}-0"));
        assert_eq!(text["params"]["_meta"]["progressToken"], format!("{call}-0"));

        let cancelled = CancelledNotification::new(CancelledNotificationParam::new(
            Some(RequestId::Number(0)),
            None,
        ));
        let mut message = ServerJsonRpcMessage::notification(cancelled.into());
        outstanding.rename(call, &Span::none(), &mut message);
        let text = serde_json::to_value(&message).unwrap();
        assert_eq!(text["params"]["requestId"], format!("{call}-0"));
        assert!(outstanding.0.is_empty(), "a cancelled request waits for nothing");
    }

    #[test]
    fn an_answer_is_admitted_once_and_only_if_it_was_asked_for() {
        let call = CallId::random(&TestRandom::seeded(5));
        let mut outstanding = Outstanding(HashMap::from([(3, Span::none())]));
        let answer = |number| {
            let number = ClientNumber { call, number };
            let result = ClientResult::empty(());
            (number, ClientJsonRpcMessage::response(result, number.on_the_wire()))
        };
        let (number, mut unasked) = answer(4);
        assert!(!outstanding.admit(number, &mut unasked));
        let (number, mut asked) = answer(3);
        assert!(outstanding.admit(number, &mut asked));
        let JsonRpcMessage::Response(inside) = asked else { unreachable!("it is a response") };
        assert_eq!(inside.id, RequestId::Number(3));
        let (number, mut again) = answer(3);
        assert!(!outstanding.admit(number, &mut again));
    }

    #[test]
    fn foreign_ids_are_no_numbers_of_ours() {
        let call = CallId::random(&TestRandom::seeded(6)).to_string();
        let parse = |text: &str| ClientNumber::parse(&RequestId::String(text.into()));
        assert!(parse(&format!("{call}-1")).is_some());
        for foreign in ["", "1", "-1", &call, &format!("{call}-"), &format!("{call}-x")] {
            assert_eq!(parse(foreign), None, "{foreign}");
        }
        for foreign in [format!("{call}1"), format!("{call}-+1"), format!("{}-1", "é".repeat(11))]
        {
            assert_eq!(parse(&foreign), None, "{foreign}");
        }
        assert_eq!(ClientNumber::parse(&RequestId::Number(1)), None);
    }
}
