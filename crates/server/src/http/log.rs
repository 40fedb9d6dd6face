//! One line for each request and its answer.
//!
//! Of the request only what names no secret: never the query, which carries codes and states, and
//! never a header but the ids.

mod exported;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{extract::Request, response::Response};
use http::{HeaderValue, Method, StatusCode};
use mcp_everything_oauth::RemoteAddress;
use mcp_everything_store::{Random, Refused};
use mcp_everything_transport::{LogSpan, TraceContext};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    Proxies, health,
    names::{REQUEST_ID, SESSION_ID},
};
use crate::{
    metrics::{Metrics, Severity},
    status::SeenSessions,
};

/// The target of its lines.
pub(crate) const TARGET: &str = module_path!();

/// What the log of requests needs.
pub(crate) struct Requests {
    /// Which server this is, where several write to one log.
    pub(crate) server: Option<&'static str>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) proxies: Proxies,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sessions: Arc<SeenSessions>,
}

impl Requests {
    /// Has `next` answer a request of `peer`, and writes what became of it.
    pub(super) async fn log(
        &self,
        peer: SocketAddr,
        mut request: Request,
        next: impl AsyncFnOnce(Request) -> Response,
    ) -> Response {
        let Self { server, random, proxies, .. } = self;
        let address = proxies.client(peer, request.headers());
        request.extensions_mut().insert(RemoteAddress(address));
        let request_id = random.token::<9>();
        let span = tracing::info_span!(
            "request",
            server,
            request_id,
            trace_id = Empty,
            span_id = Empty,
            parent_id = Empty
        );
        let exported = exported::begin(&request, address, &span);
        let trace = TraceContext::of_headers(request.headers(), &**random);
        if let Some(trace) = TraceContext::exported(trace, &exported) {
            trace.record(&span);
            request.extensions_mut().insert(trace);
        }
        if !exported.is_disabled() {
            request.extensions_mut().insert(LogSpan(span.clone()));
        }
        let mut line = Line {
            requests: self,
            started: Instant::now(),
            span: span.clone(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            address,
            session: session(&request).map(str::to_owned),
            status: None,
            refused: None,
        };
        let seen = exported.clone();
        async move {
            tracing::debug!(event = "http.request", method = %line.method, path = line.path,
                "request begun");
            let mut response = next(request).await;
            line.status = Some(response.status());
            exported::end(&seen, &line.method, &line.path, response.status());
            line.refused = response.extensions().get::<Refused>().copied();
            drop(line);
            if let Ok(value) = HeaderValue::try_from(request_id) {
                response.headers_mut().insert(REQUEST_ID, value);
            }
            response
        }
        .instrument(exported)
        .instrument(span)
        .await
    }
}

/// The session that a request names: in a header, or with HTTP with SSE in the query.
fn session(request: &Request) -> Option<&str> {
    if request.uri().path() == "/message" {
        let mut parameters = request.uri().query()?.split('&');
        return parameters.find_map(|parameter| parameter.strip_prefix("sessionId="));
    }
    request.headers().get(SESSION_ID)?.to_str().ok()
}

/// What is told of a request, also of one whose client did not wait for the answer.
struct Line<'a> {
    requests: &'a Requests,
    started: Instant,
    span: Span,
    method: Method,
    path: String,
    address: IpAddr,
    session: Option<String>,
    status: Option<StatusCode>,
    refused: Option<Refused>,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let _request = self.span.enter();
        let Self { requests, started, method, path, address, session, status, refused, .. } = self;
        let Requests { metrics, sessions, .. } = requests;
        let took = started.elapsed();
        metrics.http.answered(method, path, *status, *refused, took);
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let session = session.as_deref();
        let Some(status) = *status else {
            metrics.events.told(Severity::Info, "http.abandoned");
            tracing::info!(event = "http.abandoned", %method, path, duration_ms, %address, session,
                "the client hung up before it was answered");
            return;
        };
        if let Some(session) = session {
            sessions.answered(session, status);
        }
        let reason = refused.map(|Refused(reason)| reason);
        // An event's level is fixed where it stands. All but lines for debugging are counted.
        macro_rules! line {
            ($level:ident $(, $severity:ident)?) => {{
                $(metrics.events.told(Severity::$severity, "http.response");)?
                tracing::$level!(event = "http.response", %method, path, status = status.as_u16(),
                    duration_ms, %address, session, reason, "request answered");
            }};
        }
        if health::PATHS.contains(&path.as_str()) || *refused == Some(Refused::TOO_OFTEN) {
            // What makes the former red is told once, where it happens; and a flood of requests is no
            // flood of lines.
            line!(debug);
        } else if status.is_server_error() {
            line!(warn, Warning);
        } else {
            line!(info, Info);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Mutex};

    use axum::body::Body;
    use futures::FutureExt as _;
    use mcp_everything_store::{InstanceId, SystemRandom};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_request_that_was_given_up_has_a_line() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _here = tracing::subscriber::set_default(subscriber);
        let random = Arc::new(SystemRandom);
        let instance = InstanceId::random("test", &SystemRandom);
        let metrics = Arc::new(Metrics::new(&instance));
        let (proxies, sessions) = (Proxies::default(), Arc::default());
        let requests = Requests { server: None, random, proxies, metrics, sessions };
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let request = Request::get("/slow").body(Body::empty()).unwrap();
        let answer = requests.log(peer, request, async |_| std::future::pending().await);
        assert!(answer.now_or_never().is_none(), "it waits, and is given up");
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("http.abandoned") && text.contains("/slow"), "{text}");
    }
}
