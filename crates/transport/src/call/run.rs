//! Starting a call.

use std::{
    any::Any,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use mcp_everything_store::{
    CallId, Handshake, InstanceId, NewCall, Owner, RequestKey, SessionId, StoreError, Transport,
    Witnessed, spans,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientRequest,
        Extensions, GetExtensions as _, JsonRpcMessage, ProtocolVersion, RequestId,
        ServerJsonRpcMessage,
    },
    service::serve_directly_with_ct,
    transport::TransportAdapterIdentity,
};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{
    numbers::{ClientNumber, Outstanding},
    service::Ending,
    transport::CallTransport,
};
use crate::{
    Config, Faults,
    faults::Fault,
    guard::Guarded,
    http::Refusal,
    lease::Lease,
    scope::{Scope, SessionHandle, StreamControl},
    shared::Shared,
};

/// How many messages of one call may wait to be written before its handler has to.
const ROOM: usize = 64;

/// Something that a call says, on its way out.
#[expect(clippy::large_enum_variant, reason = "nearly every one is a message")]
pub(crate) enum Outgoing {
    Message {
        message: ServerJsonRpcMessage,
        last: bool,
    },
    /// What no message is.
    Fault(Fault),
}

/// What a running call is reached by.
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// `None` for `initialize`, which comes before its session.
    pub(crate) session: Option<SessionId>,
    /// The client's request id; `None` for what a notification set off.
    pub(crate) request: Option<RequestId>,
    pub(crate) started: Instant,
    /// Whether its request waits for its first word, however late that is.
    pub(crate) held: bool,
    /// Whether its client knows events without data (SEP-1699, from 2025-11-25 on).
    pub(crate) primes: bool,
    /// Whose request it is.
    pub(crate) owner: Owner,
    /// Since when it runs without the connection it began on.
    pub(super) left: OnceLock<Instant>,
    /// How long it may go on with the token it came with.
    pub(crate) lease: Lease,
    /// Before whom it was made, for what is looked up for it by others.
    pub(crate) witnessed: Witnessed,
    /// The message it serves, if that is exported.
    pub(crate) span: Span,
    inbox: mpsc::UnboundedSender<ClientJsonRpcMessage>,
    outstanding: Mutex<Outstanding>,
    /// Ends the call as if the server went away.
    pub(crate) abort: CancellationToken,
    /// Ends the connection the call began on and leaves the call alone.
    pub(crate) detach: CancellationToken,
    cancelled: AtomicBool,
    missed_news: AtomicBool,
}

impl Call {
    fn request_key(&self) -> Option<RequestKey> {
        self.request.as_ref().map(request_key)
    }

    /// What the store is told of it.
    pub(super) fn new_call(&self, instance: InstanceId, last_words: Option<Bytes>) -> NewCall {
        let (id, request) = (self.id, self.request_key());
        NewCall { id, request, instance, age: self.started.elapsed(), last_words }
    }

    /// Tells the handler that its client cancelled the request.
    pub(crate) fn cancel(&self) {
        if self.cancelled.swap(true, Ordering::SeqCst) {
            return;
        }
        let params = CancelledNotificationParam::new(self.request.clone(), None);
        let cancelled = CancelledNotification::new(params);
        // A handler that has returned has nothing to cancel.
        let _ = self.inbox.send(ClientJsonRpcMessage::notification(cancelled.into()));
    }

    pub(crate) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Hands the handler an answer or a progress, if it waits for one.
    pub(crate) fn deliver(&self, number: ClientNumber, mut message: ClientJsonRpcMessage) -> bool {
        self.outstanding().admit(number, &mut message) && self.inbox.send(message).is_ok()
    }

    /// Tells the handler that nobody will answer one of its requests.
    pub(super) fn give_up(&self, id: &RequestId, reason: &'static str) {
        if let Some(number) = ClientNumber::parse(id) {
            let error = ErrorData::internal_error(reason, None);
            self.deliver(number, ClientJsonRpcMessage::error(error, Some(id.clone())));
        }
    }

    /// Whether the call waits for an answer of its client.
    pub(crate) fn is_asking(&self) -> bool {
        !self.outstanding().is_empty()
    }

    /// Remembers that what came for the call could not be read, or that it was.
    pub(crate) fn miss_news(&self, missed: bool) {
        self.missed_news.store(missed, Ordering::SeqCst);
    }

    /// Whether something came for the call that it has not seen.
    pub(crate) fn missed_news(&self) -> bool {
        self.missed_news.load(Ordering::SeqCst)
    }

    pub(super) fn rename(&self, message: &mut ServerJsonRpcMessage) {
        self.outstanding().rename(self.id, &self.span, message);
    }

    fn outstanding(&self) -> MutexGuard<'_, Outstanding> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn request_key(id: &RequestId) -> RequestKey {
    match id {
        RequestId::Number(number) => RequestKey::number(*number),
        RequestId::String(text) => RequestKey::text(text),
    }
}

/// The messages of a call, in order.
pub(crate) struct Outbox {
    messages: mpsc::UnboundedReceiver<Outgoing>,
    room: Arc<Semaphore>,
}

impl Outbox {
    /// The next message, `None` when the call is over. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        let outgoing = self.messages.recv().await?;
        if let Outgoing::Message { .. } = outgoing {
            self.room.add_permits(1);
        }
        Some(outgoing)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // Nobody reads any more: whoever waits for room goes on.
        self.room.close();
    }
}

/// A call that runs. Dropping it cancels what still runs of it.
pub(crate) struct Started {
    pub(crate) call: Arc<Call>,
    pub(crate) outbox: Outbox,
    _service: Box<dyn Any + Send + Sync>,
}

/// What a call is started with.
pub(crate) struct Start<'a> {
    /// `None` for `initialize`, which comes before its session.
    pub(crate) session: Option<(SessionId, &'a Handshake)>,
    pub(crate) transport: Transport,
    pub(crate) owner: &'a Owner,
    pub(crate) message: ClientJsonRpcMessage,
    pub(crate) parts: http::request::Parts,
}

/// Whether a message calls a tool that may break the protocol.
fn is_faulty(config: &Config, message: &ClientJsonRpcMessage) -> bool {
    matches!(message, JsonRpcMessage::Request(request) if matches!(
        &request.request,
        ClientRequest::CallToolRequest(call) if config.faulty.has(&call.params.name)
    ))
}

/// Makes a handler and lets it serve the message.
pub(crate) fn start<H: ServerHandler>(
    shared: &Shared<H>,
    start: Start<'_>,
) -> Result<Started, CorruptSession> {
    let Start { session, transport, owner, mut message, mut parts } = start;
    let held = is_faulty(&shared.config, &message);
    let peer_info = session.map(|(id, agreed)| shared.peers.of(id, agreed)).transpose()?;
    let (inbox, inbox_messages) = mpsc::unbounded_channel();
    let (outgoing, messages) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(ROOM));
    let ended = CancellationToken::new();
    let call = Arc::new(Call {
        id: CallId::random(&*shared.random),
        session: session.map(|(id, _)| id),
        request: match &message {
            JsonRpcMessage::Request(request) => Some(request.id.clone()),
            JsonRpcMessage::Notification(_)
            | JsonRpcMessage::Response(_)
            | JsonRpcMessage::Error(_) => None,
        },
        started: Instant::now(),
        held,
        primes: session.is_some_and(|(_, agreed)| primes(&agreed.protocol_version)),
        owner: owner.clone(),
        left: OnceLock::new(),
        lease: shared.grants.lease(&parts.extensions, &*shared.clock),
        witnessed: Witnessed::here(),
        span: spans::current(),
        inbox,
        outstanding: Mutex::default(),
        abort: shared.shutdown.child_token(),
        detach: CancellationToken::new(),
        cancelled: AtomicBool::new(false),
        missed_news: AtomicBool::new(false),
    });
    let handle = session.map(|(id, _)| SessionHandle::new(id, shared));
    // With HTTP with SSE a call has no stream of its own that could be closed.
    let stream =
        (transport == Transport::StreamableHttp).then(|| StreamControl(call.detach.clone()));
    let scope = Scope { owner, session: handle.as_ref(), stream: stream.as_ref() };
    let mut nowhere = Extensions::new();
    let extensions = match &mut message {
        JsonRpcMessage::Request(request) => request.request.extensions_mut(),
        JsonRpcMessage::Notification(notification) => notification.notification.extensions_mut(),
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => &mut nowhere,
    };
    let handler = (shared.factory)(&scope, extensions);
    if held {
        parts.extensions.insert(Faults::new(outgoing.clone()));
    }
    extensions.insert(parts);
    if let (Some((_, agreed)), Some(handle)) = (session, handle) {
        extensions.insert(agreed.clone());
        extensions.insert(handle);
    }
    let service = Ending {
        inner: Guarded::new(handler, Arc::clone(&shared.observer)),
        ended: ended.clone(),
        grace: shared.config.cancel_grace,
        witnessed: call.witnessed.clone(),
    };
    let transport = CallTransport {
        first: Some(message),
        inbox: inbox_messages,
        outgoing,
        room: Arc::clone(&room),
        ended,
        call: Arc::clone(&call),
    };
    let running = serve_directly_with_ct::<RoleServer, _, _, _, TransportAdapterIdentity>(
        service,
        transport,
        peer_info,
        call.abort.clone(),
    );
    Ok(Started { call, outbox: Outbox { messages, room }, _service: Box::new(running) })
}

/// Whether clients of a version know events without data. Older ones take such an event for a
/// message and fail to read it.
pub(crate) fn primes(version: &str) -> bool {
    version >= ProtocolVersion::V_2025_11_25.as_str()
}

/// A session whose `initialize` parameters cannot be read.
#[derive(Debug)]
pub(crate) struct CorruptSession(String);

impl CorruptSession {
    pub(crate) fn refused(self, session: SessionId, id: Option<RequestId>) -> Refusal {
        Refusal::store(&StoreError::Corrupt { key: session.to_string(), reason: self.0 }, id)
    }
}

impl From<serde_json::Error> for CorruptSession {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}
