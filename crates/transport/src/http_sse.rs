//! The HTTP with SSE transport of revision 2024-11-05, which later revisions keep for their older
//! clients ("Backwards Compatibility").
//!
//! A client opens an event stream with a GET and is told there where to send its messages. What it
//! sends is accepted with 202, and everything that comes of it arrives on the stream: answers,
//! questions, notifications. A session is the same data as one of Streamable HTTP. It begins with
//! the GET and gets its handshake from `initialize`; a message is served where it lands, and what
//! it sets off waits in the session's log for whichever instance has the stream.

mod event_id;
mod handshake;
mod message;
mod reach;
mod request;
mod stream;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use futures::future::BoxFuture;
use http::{Method, Request};
use rmcp::ServerHandler;

pub(crate) use self::event_id::StreamEventId;
use crate::{
    http::{Refusal, answered, enter, pace},
    shared::Shared,
};

/// The two endpoints of HTTP with SSE, for mounting at paths of an axum or tower server. As for an
/// [`Endpoint`](crate::Endpoint), every request must carry its caller as an
/// [`Owner`](mcp_everything_store::Owner) in its extensions.
pub struct HttpSse<H> {
    /// The event stream: GET.
    pub stream: HttpSseService<H>,
    /// Where clients send their messages: POST, with the parameter `sessionId` in the query.
    pub message: HttpSseService<H>,
}

/// One of the endpoints of [`HttpSse`].
pub struct HttpSseService<H> {
    shared: Arc<Shared<H>>,
    part: Part,
}

#[derive(Clone)]
enum Part {
    Stream { message: Arc<str> },
    Message,
}

impl<H> HttpSse<H> {
    pub(crate) fn new(shared: &Arc<Shared<H>>, message: &str) -> Self {
        let stream = Part::Stream { message: message.into() };
        let service = |part| HttpSseService { shared: Arc::clone(shared), part };
        Self { stream: service(stream), message: service(Part::Message) }
    }
}

impl<H> Clone for HttpSseService<H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), part: self.part.clone() }
    }
}

impl<H: ServerHandler> HttpSseService<H> {
    /// Serves one HTTP request.
    pub async fn handle(&self, request: Request<Body>) -> Response {
        let _request = self.shared.requests.token();
        answered(self.answer(request).await, &*self.shared.random)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response, Refusal> {
        let shared = &self.shared;
        let (owner, mut parts, body) = enter(&shared.config, request)?;
        // Held while the body comes, which may take longer than a revocation is remembered.
        let _lease = shared.grants.lease(&parts.extensions, &*shared.clock);
        let body = pace(&shared.config, &owner, body).await?;
        match (&self.part, &parts.method) {
            (Part::Stream { message }, &Method::GET) => {
                stream::serve(shared, message, &owner, &mut parts).await
            }
            (Part::Message, &Method::POST) => message::serve(shared, &owner, parts, body).await,
            (Part::Stream { .. }, _) => Err(Refusal::MethodNotAllowed(parts.method, "GET")),
            (Part::Message, _) => Err(Refusal::MethodNotAllowed(parts.method, "POST")),
        }
    }
}

impl<H: ServerHandler> tower::Service<Request<Body>> for HttpSseService<H> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.handle(request).await) })
    }
}
