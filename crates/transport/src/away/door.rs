//! Holding a request before anybody knows whose it is.
//!
//! Whoever looks callers up before the endpoint finds the same store away first.

use axum::body::Body;
use http::{Method, Request, header};
use rmcp::model::RequestId;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use super::Held;
use crate::{
    http::Refusal,
    message::{Envelope, Kind},
    shared::Shared,
};

/// Returns when it is worth looking the caller up again; fails if the request must not wait, or
/// not any longer.
pub(crate) async fn hold<H>(
    shared: &Shared<H>,
    request: &mut Request<Body>,
) -> Result<(), Refusal> {
    let away = &shared.away;
    let held = match request.extensions().get::<Held>() {
        Some(held) => held.clone(),
        None => place(shared, request).await?,
    };
    if away.pause(&held).await { Ok(()) } else { Err(Refusal::Unavailable { id: None }) }
}

/// Finds a place for a request that may wait.
async fn place<H>(shared: &Shared<H>, request: &mut Request<Body>) -> Result<Held, Refusal> {
    let full = || Refusal::Unavailable { id: None };
    let until = Instant::now() + shared.away.hold_for;
    let held = match *request.method() {
        Method::GET | Method::DELETE => shared.away.place(until, 0).ok_or_else(full)?,
        Method::POST => {
            let limit = shared.config.max_body_bytes;
            let length = request.headers().get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            let length = length.unwrap_or(limit).min(limit);
            let held = shared.away.place(until, length).ok_or_else(full)?;
            let body = std::mem::take(request.body_mut());
            let body = timeout_at(until, shared.bodies.read(body))
                .await
                .map_err(|_| Refusal::BodyTooSlow)??;
            asks_nothing(&body).map_err(|id| Refusal::Unavailable { id })?;
            *request.body_mut() = Body::from(body);
            held
        }
        _ => return Err(full()),
    };
    request.extensions_mut().insert(held.clone());
    Ok(held)
}

/// Whether a body has no request in it. If it has one, its id, where that can be told.
fn asks_nothing(body: &[u8]) -> Result<(), Option<RequestId>> {
    let text = body.trim_ascii_start();
    if !text.starts_with(b"[") {
        return match Envelope::read(text).map_err(|_| None)?.kind {
            Kind::Request { id, .. } => Err(Some(id)),
            Kind::Notification { .. } | Kind::Response { .. } | Kind::Error { .. } => Ok(()),
        };
    }
    let messages: Vec<&RawValue> = serde_json::from_slice(text).map_err(|_| None)?;
    let asks = messages.iter().any(|message| Envelope::is_request(message.get().as_bytes()));
    if asks { Err(None) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_nothing_waits() {
        let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
        let noted = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let answer = r#"{"jsonrpc":"2.0","id":"x-1","result":{}}"#;
        let error = r#"{"jsonrpc":"2.0","id":"x-1","error":{"code":1,"message":""}}"#;
        for body in [noted, answer, error, &format!(" [{noted},{answer}]")] {
            assert_eq!(asks_nothing(body.as_bytes()), Ok(()), "{body}");
        }
        assert_eq!(asks_nothing(ping.as_bytes()), Err(Some(RequestId::Number(7))));
        for body in [&format!("[{noted},{ping}]"), "[", "{", "", "7"] {
            assert_eq!(asks_nothing(body.as_bytes()), Err(None), "{body}");
        }
    }
}
