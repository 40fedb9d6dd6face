//! Revisions without sessions: rmcp serves them, each request for itself.

mod faulty;

use std::{borrow::Cow, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Request, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Full};
use mcp_everything_store::Owner;
use rmcp::{
    ServerHandler,
    model::{ErrorCode, ErrorData, Extensions, JsonRpcError, RequestId},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::faulty::{Became, Until};
use crate::{
    Config, Faults, Scope,
    call::{CUT_SHORT, said},
    guard::Guarded,
    http::{Refusal, SseEvent, json_response},
    lease::Lease,
    message::{Envelope, Kind, Wire, bounded, check_task_ids, request},
    observe::Observer,
    shared::{Factory, Shared},
};

tokio::task_local! {
    /// The caller of the request at hand: rmcp's factory is told nothing of it.
    static OWNER: Owner;
}

pub(crate) fn service<H: ServerHandler>(
    factory: Arc<Factory<H>>,
    config: &Config,
    observer: Arc<dyn Observer>,
    shutdown: &CancellationToken,
) -> StreamableHttpService<Guarded<H>, NeverSessionManager> {
    let rmcp_config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(Some(config.keep_alive))
        .with_sse_retry(None)
        // Hosts and origins are checked for both wires before a request comes here.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(config.max_body_bytes)
        .with_cancellation_token(shutdown.clone());
    let make = move || {
        OWNER
            .try_with(|owner| {
                let scope = Scope { owner, session: None, stream: None };
                let handler = factory(&scope, &mut Extensions::new());
                Guarded::new(handler, Arc::clone(&observer))
            })
            .map_err(std::io::Error::other)
    };
    // No event store: on this wire closing the stream cancels the request ("Cancellation").
    StreamableHttpService::new(make, Arc::new(NeverSessionManager::default()), rmcp_config)
}

pub(crate) async fn serve<H: ServerHandler>(
    shared: &Shared<H>,
    owner: &Owner,
    mut parts: Parts,
    envelope: &Envelope<'_>,
    body: Bytes,
) -> Result<Response, Refusal> {
    if let Kind::Request { id, method } = &envelope.kind {
        if method == "initialize" {
            let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "initialize", None);
            let error = JsonRpcError::new(Some(id.clone()), error);
            return Ok(json_response(StatusCode::NOT_FOUND, &error));
        }
        if method.ends_with("/list")
            && let Err(reason) = request(Wire::Stateless, method, &body)
        {
            return Err(Refusal::InvalidParams { id: Some(id.clone()), reason });
        }
        check_task_ids(id, method, envelope.params)?;
    }
    let lease = shared.grants.lease(&parts.extensions, &*shared.clock);
    // Wildcards were accepted; rmcp wants both types by name.
    let both = HeaderValue::from_static("application/json, text/event-stream");
    parts.headers.insert(header::ACCEPT, both);
    let id = match &envelope.kind {
        Kind::Request { id, .. } => Some(id.clone()),
        Kind::Notification { .. } | Kind::Response { .. } | Kind::Error { .. } => None,
    };
    let (lease, response) = if is_faulty(&shared.config, envelope) {
        let (faults, heard) = mpsc::unbounded_channel();
        parts.extensions.insert(Faults::new(faults));
        let served = served(shared, owner, Request::from_parts(parts, Full::new(body)));
        let until = Until {
            lease,
            cut: shared.cut.clone(),
            id: id.clone(),
            _request: shared.requests.token(),
        };
        let became = faulty::serve(Box::pin(served), heard, &shared.config, until);
        match shared.cut.run_until_cancelled(became).await {
            Some(Became::Usual(usual, until)) => (until.lease, Some(usual)),
            Some(Became::Faulty(response)) => return Ok(response),
            None => return Err(Refusal::Unavailable { id }),
        }
    } else {
        let served = served(shared, owner, Request::from_parts(parts, Full::new(body)));
        (lease, shared.cut.run_until_cancelled(served).await)
    };
    let Some(response) = response else { return Err(Refusal::Unavailable { id }) };
    let (parts, body) = response.into_parts();
    let told = parts.headers.get(header::CONTENT_TYPE);
    if told.is_some_and(|told| told == "text/event-stream") {
        let listens = matches!(&envelope.kind,
            Kind::Request { method, .. } if method == "subscriptions/listen");
        if listens {
            // Who listens, listens elsewhere: it is seen off by its handler.
            let departure = shared.departures.token();
            let over = async move {
                let _departure = departure;
                lease.over().await;
            };
            let events = Body::new(body).into_data_stream().take_until(Box::pin(over));
            return Ok(Response::from_parts(parts, Body::from_stream(events)));
        }
        let events = until_cut(shared, Body::new(body), lease, id);
        return Ok(Response::from_parts(parts, events));
    }
    if parts.status.is_success() || told.is_some_and(|told| told == "application/json") {
        return Ok(Response::from_parts(parts, Body::new(body)));
    }
    let text = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Err(reshaped(parts.status, &text, envelope))
}

/// rmcp's answer.
fn served<H: ServerHandler>(
    shared: &Shared<H>,
    owner: &Owner,
    request: Request<Full<Bytes>>,
) -> impl Future<Output = Response> + Send + use<H> {
    let rmcp = shared.stateless.clone();
    OWNER.scope(owner.clone(), async move { rmcp.handle(request).await.map(Body::new) })
}

/// Whether a request calls a tool that may break the protocol.
fn is_faulty(config: &Config, envelope: &Envelope<'_>) -> bool {
    #[derive(Deserialize)]
    struct Called<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    let (Kind::Request { method, .. }, Some(params)) = (&envelope.kind, envelope.params) else {
        return false;
    };
    method == "tools/call"
        && !config.faulty.is_empty()
        && serde_json::from_str::<Called<'_>>(params.get())
            .is_ok_and(|called| config.faulty.has(&called.name))
}

/// A call's events. One that is cut short because its instance goes away says so: nobody can come
/// back for the rest on this wire.
fn until_cut<H>(shared: &Shared<H>, body: Body, lease: Lease, id: Option<RequestId>) -> Body {
    let cut = shared.cut.clone();
    let open = Some((body.into_data_stream(), lease, shared.requests.token()));
    let events = stream::unfold(open, move |open| {
        let (cut, id) = (cut.clone(), id.clone());
        async move {
            let (mut body, lease, request) = open?;
            tokio::select! {
                biased;
                () = lease.revoked() => None,
                piece = body.next() => Some((piece?, Some((body, lease, request)))),
                () = cut.cancelled() => Some((Ok(cut_short(id.as_ref()?)), None)),
            }
        }
    });
    Body::from_stream(events)
}

fn cut_short(id: &RequestId) -> Bytes {
    SseEvent::Message { id: None, data: said(id, CUT_SHORT) }.into()
}

/// rmcp's refusals in plain text, as JSON-RPC errors.
fn reshaped(status: StatusCode, text: &[u8], envelope: &Envelope<'_>) -> Refusal {
    let id = match &envelope.kind {
        Kind::Request { id, .. } => Some(id.clone()),
        Kind::Notification { .. } | Kind::Response { .. } | Kind::Error { .. } => None,
    };
    if status.is_server_error() {
        return Refusal::Internal { id };
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let reason = "the message is none of this protocol".to_owned();
        return Refusal::InvalidRequest { id, reason };
    }
    Refusal::InvalidRequest { id, reason: bounded(&String::from_utf8_lossy(text)) }
}
