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
use tokio::{runtime::Handle, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::{
    handler::{self, Handler},
    inbox::Inbox,
    numbers::{ClientNumber, Outstanding},
    outbox::{Outbox, Outgoing},
    peers,
    voice::{CallTransport, Voice},
};
use crate::{
    Config, Faults,
    guard::Guarded,
    http::Refusal,
    lease::Lease,
    scope::{Scope, SessionHandle, StreamControl},
    shared::Shared,
};

/// What a running call is reached by.
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// `None` for `initialize`, which comes before its session, and in revisions without sessions.
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
    pub(super) inbox: Inbox,
    outstanding: Mutex<Outstanding>,
    /// Ends the call as if the server went away.
    pub(crate) abort: CancellationToken,
    /// Tells the handler to stop; it does so as well when the call is ended.
    pub(super) stop: CancellationToken,
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
        self.inbox.put(ClientJsonRpcMessage::notification(cancelled.into()));
    }

    pub(crate) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Hands the handler an answer or a progress, if it waits for one.
    pub(crate) fn deliver(&self, number: ClientNumber, mut message: ClientJsonRpcMessage) -> bool {
        let is_taken = self.outstanding().admit(number, &mut message) && !self.abort.is_cancelled();
        if is_taken {
            self.inbox.put(message);
        }
        is_taken
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

/// A call that runs. Dropping it cancels what still runs of it.
///
/// Its handler runs where its first word is waited for, as long as that is all there is to do; then
/// it is set apart, in a task of its own.
pub(crate) struct Started {
    pub(crate) call: Arc<Call>,
    outbox: Outbox,
    /// Where it runs here.
    handler: Option<Handler>,
    _voice: Box<dyn Any + Send + Sync>,
}

impl Started {
    /// The next thing it says, `None` when it is over. Nothing is lost if the future is dropped; a
    /// handler that runs here stands still then.
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        if let Some(handler) = &mut self.handler {
            tokio::select! {
                biased;
                () = handler => {}
                said = self.outbox.next() => return said,
            }
            self.handler = None;
        }
        self.outbox.next().await
    }

    /// Gives the handler a task of its own, if it does not have one.
    pub(crate) fn set_apart(&mut self) {
        if let Some(handler) = self.handler.take() {
            let handler = self.call.witnessed.clone().scope(handler);
            tokio::spawn(handler.instrument(Span::current()));
        }
    }
}

impl Drop for Started {
    /// What ends with it has its time to notice.
    fn drop(&mut self) {
        if Handle::try_current().is_ok() {
            self.set_apart();
        }
    }
}

/// What a call is started with.
pub(crate) struct Start<'a> {
    /// `None` for `initialize`, which comes before its session, and in revisions without sessions.
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
    let peer_info = match session {
        Some((_, agreed)) => Some(shared.peers.of(agreed)?),
        None => peers::named_by(&mut message),
    };
    let (outbox, outgoing) = Outbox::new();
    let abort = shared.shutdown.child_token();
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
        inbox: Inbox::default(),
        outstanding: Mutex::default(),
        stop: abort.child_token(),
        abort,
        detach: CancellationToken::new(),
        cancelled: AtomicBool::new(false),
        missed_news: AtomicBool::new(false),
    });
    let handle = session.map(|(id, _)| SessionHandle::new(id, shared));
    // With HTTP with SSE a call has no stream of its own that could be closed, and without a session
    // closing it would be the end of the call.
    let stream = (transport == Transport::StreamableHttp && session.is_some())
        .then(|| StreamControl(call.detach.clone()));
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
    let handler = Arc::new(Guarded::new(handler, Arc::clone(&shared.observer)));
    let voice = Voice { handler: Arc::clone(&handler), call: Arc::clone(&call) };
    let transport = CallTransport { outgoing: outgoing.clone(), call: Arc::clone(&call) };
    let voice = serve_directly_with_ct::<RoleServer, _, _, _, TransportAdapterIdentity>(
        voice,
        transport,
        peer_info,
        call.abort.clone(),
    );
    let handler = match message {
        JsonRpcMessage::Request(request) => {
            let (peer, grace) = (voice.peer().clone(), shared.config.cancel_grace);
            Some(handler::serve(handler, request, peer, Arc::clone(&call), outgoing, grace))
        }
        // rmcp alone can make what a handler of it is given.
        message => {
            call.inbox.put(message);
            None
        }
    };
    Ok(Started { call, outbox, handler, _voice: Box::new(voice) })
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
