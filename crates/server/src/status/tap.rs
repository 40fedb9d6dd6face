//! Sees the requests of sessions that are watched, and what is done for them.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use futures::future::BoxFuture;
use http::{Method, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use mcp_everything_store::{Bell, Owner, OwnerMark, Random, Ring, SessionId, Witness, Witnessed};
use tower::Service;

use super::{
    Recorder,
    recorder::Done,
    step::{self, Message, What},
};
use crate::http::names::{FORWARDED_FOR, SESSION_ID};

/// How much of a body is looked at, in bytes. More of it is counted.
const LOOKED_AT: usize = 256 * 1024;

/// Where endpoints are tapped.
#[derive(Clone)]
pub(crate) struct Tap {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) random: Arc<dyn Random>,
}

/// An endpoint whose requests are seen. What is done for one is written down if its session is
/// watched, and is its caller's: what somebody else sends in its name is refused, and no business
/// of its owner's.
///
/// A request costs a look at a counter while nothing is watched. A stream may become one that is
/// watched while it is open, so each of its events costs as much.
#[derive(Clone)]
pub(crate) struct Tapped<S> {
    endpoint: S,
    tap: Arc<Tap>,
}

type Answer = BoxFuture<'static, Result<Response, Infallible>>;

impl Tap {
    pub(crate) fn before<S>(&self, endpoint: S) -> Tapped<S> {
        Tapped { endpoint, tap: Arc::new(self.clone()) }
    }

    /// What is to be written down of a request, if anything may be.
    fn line(&self, request: &Request) -> Option<Line> {
        let is_stream = request.method() == Method::GET;
        if !is_stream && self.recorder.is_idle() {
            return None;
        }
        let owner = request.extensions().get::<Owner>()?;
        let named = session(request);
        // The stream of HTTP with SSE says itself which session it is of.
        if named.is_none() && !(is_stream && request.uri().path() == "/sse") {
            return None;
        }
        let line = Line {
            recorder: Arc::clone(&self.recorder),
            session: named.map(OnceLock::from).unwrap_or_default(),
            owner: OwnerMark::from(owner),
            id: self.random.token::<6>(),
            proxied: request.headers().contains_key(FORWARDED_FOR),
        };
        (is_stream || line.is_watched()).then_some(line)
    }
}

impl<S> Service<Request> for Tapped<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future = Answer>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.endpoint.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answer {
        let Some(line) = self.tap.line(&request) else { return self.endpoint.call(request) };
        let line = Arc::new(line);
        let received = Arc::clone(&line);
        let request = request.map(|body| {
            Body::new(Seen::new(body, move |bytes: &[u8], length| received.received(bytes, length)))
        });
        let witnessed = Witnessed::by(Arc::<Line>::clone(&line));
        let answer = witnessed.clone().scope(self.endpoint.call(request));
        Box::pin(async move { answer.await.map(|response| line.answered(response, witnessed)) })
    }
}

/// The session that a request names: in a header, or with HTTP with SSE in the query.
fn session(request: &Request) -> Option<SessionId> {
    let named = match request.uri().path() {
        "/message" => {
            let mut parameters = request.uri().query()?.split('&');
            parameters.find_map(|parameter| parameter.strip_prefix("sessionId="))?
        }
        _ => request.headers().get(SESSION_ID)?.to_str().ok()?,
    };
    named.parse().ok()
}

/// A request whose session is watched, or may come to be.
struct Line {
    recorder: Arc<Recorder>,
    session: OnceLock<SessionId>,
    owner: OwnerMark,
    id: String,
    proxied: bool,
}

impl Line {
    fn is_watched(&self) -> bool {
        let session = self.session.get();
        session.is_some_and(|session| self.recorder.owner(*session) == Some(self.owner))
    }

    fn note(&self, done: Done) {
        if let Some(session) = self.session.get()
            && self.is_watched()
        {
            self.recorder.note(*session, done);
        }
    }

    /// Sees what goes back.
    fn answered(self: Arc<Self>, response: Response, witnessed: Witnessed) -> Response {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_events = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        self.note(Done::named(&self.id, What::Answered, response.status().as_u16().to_string()));
        response.map(|body| {
            if is_events {
                Body::new(Events { body, line: self, witnessed })
            } else {
                Body::new(Seen::new(body, move |bytes: &[u8], length| self.sent(bytes, length)))
            }
        })
    }

    fn received(&self, body: &[u8], length: usize) {
        self.messages(What::Received, step::messages(body), length);
    }

    fn sent(&self, body: &[u8], length: usize) {
        self.messages(What::Sent, step::messages(body), length);
    }

    /// Part of an event stream. The first of HTTP with SSE says which session it is of.
    fn streamed(&self, frame: &[u8]) {
        if self.session.get().is_none() {
            let text = String::from_utf8_lossy(frame);
            let named = text.split_once("sessionId=").map(|(_, rest)| rest);
            let id = named.and_then(|named| named.get(..36)?.parse().ok());
            if let Some(id) = id {
                let _ = self.session.set(id);
            }
        } else if self.is_watched() {
            self.messages(What::Sent, step::events(frame), frame.len());
        }
    }

    fn messages(&self, what: What, messages: Vec<Message>, length: usize) {
        for Message { kind, name, id, contents } in messages {
            self.note(Done {
                of: self.id.clone(),
                what,
                name,
                kind: Some(kind.to_owned()),
                id,
                bytes: Some(length),
                proxied: self.proxied,
                contents,
            });
        }
    }
}

impl Witness for Line {
    fn asked(&self, operation: &'static str) {
        if self.is_watched() {
            self.note(Done::named(&self.id, What::Asked, operation));
        }
    }

    fn rang(&self, _: &Ring, bell: &Bell) {
        if self.is_watched() {
            self.note(Done::named(&self.id, What::Rang, bell.kind()));
        }
    }
}

/// A body of which a copy is looked at when it is over.
struct Seen<F: FnOnce(&[u8], usize)> {
    body: Body,
    copy: Vec<u8>,
    length: usize,
    look: Option<F>,
}

impl<F: FnOnce(&[u8], usize)> Seen<F> {
    fn new(body: Body, look: F) -> Self {
        Self { body, copy: Vec::new(), length: 0, look: Some(look) }
    }

    fn look(&mut self) {
        if let Some(look) = self.look.take() {
            look(&self.copy, self.length);
        }
    }
}

impl<F: FnOnce(&[u8], usize) + Unpin> HttpBody for Seen<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
            let data = data.map_or(&[][..], |data| &data[..]);
            let room = LOOKED_AT.saturating_sub(self.copy.len()).min(data.len());
            let (copied, length) = (&data[..room], data.len());
            self.copy.extend_from_slice(copied);
            self.length += length;
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.look();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An event stream, of which each part is looked at as it is sent. What is done to make it is done
/// before the witness.
struct Events {
    body: Body,
    line: Arc<Line>,
    witnessed: Witnessed,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, line, witnessed } = &mut *self;
        let frame = ready!(witnessed.run(|| Pin::new(body).poll_frame(context)));
        if let Some(Ok(part)) = &frame
            && let Some(data) = part.data_ref()
        {
            line.streamed(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
