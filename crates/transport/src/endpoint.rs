//! The MCP endpoint: one URL, both wires.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use futures::future::BoxFuture;
use http::{Method, Request};
use mcp_everything_store::{
    Bus, Clock, InstanceId, Owner, Random, SessionId, SessionState, SessionStore, StoreError,
};
use rmcp::{
    ServerHandler,
    model::{Extensions, ServerNotification},
};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    ChangeFeed, Config, ElicitationDesk, Scope, TaskDesk,
    away::{self, Away},
    call::{Peers, RunningCalls},
    changes,
    http::{Bodies, Refusal, answered, enter, pace},
    http_sse::HttpSse,
    instance,
    lease::{Grants, Standing},
    leaving::SPREAD,
    observe::Observer,
    resume::Readers,
    scope::{SessionError, message_bytes, push},
    shared::{Factory, Shared},
    standalone::{Holding, OpenStreams},
    wire,
};

/// How long what ends with its instance may take to say so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What an endpoint stands on.
#[derive(Clone)]
pub struct Backends {
    /// Where sessions are kept.
    pub store: Arc<dyn SessionStore>,
    /// How instances ring each other.
    pub bus: Arc<dyn Bus>,
    /// The news of what changed, over the same store and bus.
    pub changes: ChangeFeed,
    /// The tasks that its handlers begin, over the same store and bus.
    pub tasks: TaskDesk,
    /// What users are asked on pages, over the same store and bus.
    pub elicitations: ElicitationDesk,
    /// The clock by which tokens expire.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// This process.
    pub instance: InstanceId,
    /// Who knows which grants were revoked; `None` where nothing is opened with grants of its own.
    pub standing: Option<Arc<dyn Standing>>,
    /// Who is told of each request; `Arc::new(())` where nobody is.
    pub observer: Arc<dyn Observer>,
}

/// How much of what is open at an endpoint in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Standalone streams.
    pub streams: usize,
    /// Requests that are being answered, streams not included.
    pub requests: usize,
    /// Connections of clients that came back for the rest of a call.
    pub resumed: usize,
    /// Calls that are more than short.
    pub calls: usize,
    /// How many of them there may be ([`Config::max_running_calls`]).
    pub calls_limit: usize,
    /// Requests that wait for a store that is away.
    pub held: usize,
    /// How many of them there may be ([`Config::held_requests`]).
    pub held_limit: usize,
    /// Tasks that are worked on.
    pub tasks: usize,
}

/// An MCP endpoint over Streamable HTTP, for mounting at one path of an axum or tower server.
///
/// Every request must carry its caller as an [`Owner`] in its extensions: a bearer layer puts it
/// there, or `Extension(Owner::anonymous())` where there is no authentication. A request without
/// one is answered 500, never served.
pub struct Endpoint<H>(Arc<Shared<H>>);

impl<H> Clone for Endpoint<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: ServerHandler> Endpoint<H> {
    /// Starts an endpoint. `factory` makes the handler of one request; the handler finds what it
    /// puts into the extensions in its context, and beside that, in revisions with sessions, the
    /// `Handshake` and the [`SessionHandle`](crate::SessionHandle) of its session. It is called once here
    /// as well, for nobody, to ask which versions its handlers speak.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the bus cannot be listened to or the store does not answer:
    /// start again, there is nothing to clean up.
    pub async fn start<F>(
        backends: Backends,
        config: Config,
        factory: F,
    ) -> Result<Self, StoreError>
    where
        F: Fn(&Scope<'_>, &mut Extensions) -> H + Send + Sync + 'static,
    {
        let Backends {
            store,
            bus,
            changes,
            tasks,
            elicitations,
            clock,
            random,
            instance,
            standing,
            observer,
        } = backends;
        let bells = bus.listen(&instance).await?;
        let newest = store.newest().await?;
        let shutdown = CancellationToken::new();
        let factory: Arc<Factory<H>> = Arc::new(factory);
        let nobody = Owner::anonymous();
        let scope = Scope { owner: &nobody, session: None, stream: None };
        let versions = factory(&scope, &mut Extensions::new()).supported_protocol_versions();
        let versions = versions.into_owned();
        let bodies = Bodies::new(config.max_body_bytes, config.body_timeout);
        let draining = shutdown.child_token();
        let away = Away::new(&config, Arc::clone(&random), draining.clone());
        let shared = Arc::new(Shared {
            config,
            bodies,
            factory,
            versions,
            store,
            bus,
            changes,
            tasks,
            elicitations,
            teller: Arc::default(),
            clock,
            random,
            instance,
            grants: Grants::default(),
            standing,
            peers: Peers::default(),
            observer,
            calls: RunningCalls::default(),
            readers: Readers::default(),
            streams: OpenStreams::default(),
            away,
            requests: TaskTracker::new(),
            departures: TaskTracker::new(),
            draining,
            cut: shutdown.child_token(),
            shutdown,
        });
        tokio::spawn(instance::run(Arc::downgrade(&shared), shared.shutdown.clone(), bells));
        let teller = Arc::clone(&shared.teller);
        tokio::spawn(changes::run(
            Arc::downgrade(&shared),
            teller,
            shared.shutdown.clone(),
            newest,
        ));
        Ok(Self(shared))
    }

    /// Serves one HTTP request.
    pub async fn handle(&self, request: Request<Body>) -> Response {
        let _request = self.0.requests.token();
        answered(self.answer(request).await, &*self.0.random)
    }

    /// Holds a request whose caller cannot be looked up because the store is away: what a layer
    /// before this endpoint does in place of refusing it. Returns when it is worth looking again,
    /// or else what to answer.
    ///
    /// GET, DELETE and a POST without a request in it wait for
    /// [`hold_for`](crate::Config::hold_for) in all, here and in the endpoint; to tell, the body of
    /// a POST is read and put back. Anything else is answered at once.
    pub async fn hold(&self, request: &mut Request<Body>) -> Result<(), Box<Response>> {
        let held = away::hold(&self.0, request).await;
        held.map_err(|refusal| Box::new(refusal.respond(&*self.0.random)))
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response, Refusal> {
        let (owner, mut parts, body) = enter(&self.0.config, request)?;
        // Held while the body comes, which may take longer than a revocation is remembered.
        let _lease = self.0.grants.lease(&parts.extensions, &*self.0.clock);
        let body = pace(&self.0.config, &owner, body).await?;
        match parts.method {
            Method::POST => wire::post::serve(&self.0, &owner, parts, body).await,
            Method::GET => wire::get::serve(&self.0, &owner, &mut parts).await,
            Method::DELETE => wire::delete::serve(&self.0, &owner, &mut parts).await,
            other => Err(Refusal::MethodNotAllowed(other, "GET, POST, DELETE")),
        }
    }

    /// The endpoints of the HTTP with SSE transport of 2024-11-05, for mounting at paths of their
    /// own; `message` is what clients of the event stream are told to send their messages to, as a
    /// path or a URL. Its sessions are served by the same handlers, from the same store.
    pub fn http_sse(&self, message: &str) -> HttpSse<H> {
        HttpSse::new(&self.0, message)
    }

    /// The sessions whose standalone stream is open here, and what their clients have set by now.
    /// Of all instances one names a session: where a client has several streams open, the newest
    /// is the one that speaks.
    pub async fn open_streams(&self) -> Result<Vec<(SessionId, SessionState)>, StoreError> {
        self.states(self.0.streams.holding()).await
    }

    /// Those of them in whose sessions a switch is on. Sessions in which none was at the last look,
    /// and none was flipped since, are not asked about: a flip whose bell is lost is seen at the next
    /// look at [all of them](Self::open_streams).
    pub async fn switched_streams(&self) -> Result<Vec<(SessionId, SessionState)>, StoreError> {
        let streams = self.0.streams.take_switched();
        let sessions: Vec<_> = streams.iter().map(|open| open.session).collect();
        let states = self.states(streams).await;
        if states.is_err() {
            for session in sessions {
                self.0.streams.switched(session);
            }
        }
        let is_on = |(_, state): &(SessionId, SessionState)| !state.switches.is_empty();
        states.map(|states| states.into_iter().filter(is_on).collect())
    }

    async fn states(
        &self,
        streams: Vec<Holding>,
    ) -> Result<Vec<(SessionId, SessionState)>, StoreError> {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        let streams: Vec<_> = streams.iter().map(|open| (open.session, open.epoch)).collect();
        let held = self.0.store.held(&streams).await?;
        let open = streams.into_iter().zip(held);
        let states: Vec<_> =
            open.filter_map(|((session, _), held)| Some((session, held?.state))).collect();
        for (session, state) in &states {
            if !state.switches.is_empty() {
                self.0.streams.switched(*session);
            }
        }
        Ok(states)
    }

    /// How much is open here, now.
    pub fn figures(&self) -> Figures {
        let Shared { config, streams, readers, calls, away, tasks, requests, .. } = &*self.0;
        Figures {
            streams: streams.count(),
            requests: requests.len(),
            resumed: readers.count(),
            calls: calls.count(),
            calls_limit: config.max_running_calls,
            held: away.held(),
            held_limit: config.held_requests,
            tasks: tasks.running(),
        }
    }

    /// Sends notifications on a standalone stream that is open here, now or never: for what comes
    /// again anyway.
    pub fn send_now(&self, session: SessionId, notifications: Vec<ServerNotification>) {
        let messages = notifications.into_iter().map(message_bytes).collect();
        self.0.streams.send_now(session, messages);
    }

    /// Sends a notification on a session's standalone stream, wherever that is open; it waits if
    /// it is not.
    pub async fn notify(
        &self,
        session: SessionId,
        notification: ServerNotification,
    ) -> Result<(), SessionError> {
        let Shared { store, bus, .. } = &*self.0;
        push(&**store, &**bus, session, message_bytes(notification)).await
    }

    /// The first half of going away. Streams that another instance can go on with end within 2 s,
    /// each at a time of its own and with word of when to come back. Running calls and tasks may
    /// finish for as long as `patience`; then they end, and say so to their clients and in what is
    /// kept of them.
    pub async fn drain(&self, patience: Duration) {
        let Shared { draining, cut, calls, tasks, requests, departures, .. } = &*self.0;
        draining.cancel();
        let left_by = Instant::now() + SPREAD;
        calls.writers.close();
        requests.close();
        departures.close();
        // A call that is waited for may yet become a task.
        let done = async {
            tokio::join!(calls.writers.wait(), requests.wait());
            tasks.idle().await;
        };
        if tokio::time::timeout(patience, done).await.is_err() {
            let left = calls.writers.len().max(requests.len()) + tasks.running();
            tracing::warn!(event = "shutdown.calls_cut", left, "calls were still running");
            calls.abort_all();
            cut.cancel();
            tasks.stop();
            let done = async { tokio::join!(calls.writers.wait(), requests.wait(), tasks.idle()) };
            // Whoever has no last word by then has none.
            let _ = tokio::time::timeout(LAST_WORDS, done).await;
        }
        // One that came late says that it is over.
        tasks.stop();
        // A client that does not read keeps nobody waiting.
        let gone = Instant::now().max(left_by) + LAST_WORDS;
        let _ = tokio::time::timeout_at(gone, departures.wait()).await;
    }

    /// The second half: everything that is left ends now.
    pub fn shut_down(&self) {
        self.0.shutdown.cancel();
    }
}

impl<H: ServerHandler> tower::Service<Request<Body>> for Endpoint<H> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let endpoint = self.clone();
        Box::pin(async move { Ok(endpoint.handle(request).await) })
    }
}
