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
use mcp_everything_store::{Bus, InstanceId, Owner, Random, SessionId, SessionStore, StoreError};
use rmcp::{
    ServerHandler,
    model::{Extensions, ServerNotification},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Scope,
    call::RunningCalls,
    http::Refusal,
    instance,
    resume::Readers,
    scope::message_bytes,
    shared::{Factory, Shared},
    standalone::OpenStreams,
    wire,
};

/// What an endpoint stands on.
#[derive(Clone)]
pub struct Backends {
    /// Where sessions are kept.
    pub store: Arc<dyn SessionStore>,
    /// How instances ring each other.
    pub bus: Arc<dyn Bus>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// This process.
    pub instance: InstanceId,
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
    /// Starts an endpoint. `factory` makes the handler of one request; what it puts into the
    /// extensions the handler finds in its context.
    ///
    /// Fails if the bus cannot be listened to.
    pub async fn start<F>(
        backends: Backends,
        config: Config,
        factory: F,
    ) -> Result<Self, StoreError>
    where
        F: Fn(&Scope<'_>, &mut Extensions) -> H + Send + Sync + 'static,
    {
        let Backends { store, bus, random, instance } = backends;
        let bells = bus.listen(&instance).await?;
        let shutdown = CancellationToken::new();
        let factory: Arc<Factory<H>> = Arc::new(factory);
        let nobody = Owner::anonymous();
        let scope = Scope { owner: &nobody, session: None, stream: None };
        let versions = factory(&scope, &mut Extensions::new()).supported_protocol_versions();
        let versions = versions.into_owned();
        let stateless = wire::stateless::service(Arc::clone(&factory), &config, &shutdown);
        let shared = Arc::new(Shared {
            config,
            factory,
            versions,
            store,
            bus,
            random,
            instance,
            calls: RunningCalls::default(),
            readers: Readers::default(),
            streams: OpenStreams::default(),
            stateless,
            shutdown,
        });
        tokio::spawn(instance::run(Arc::downgrade(&shared), shared.shutdown.clone(), bells));
        Ok(Self(shared))
    }

    /// Serves one HTTP request.
    pub async fn handle(&self, request: Request<Body>) -> Response {
        self.answer(request).await.unwrap_or_else(|refusal| {
            tracing::debug!(event = "mcp.refused", reason = %refusal, "a request was refused");
            refusal.into_response()
        })
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response, Refusal> {
        let Shared { config, .. } = &*self.0;
        if !config.hosts.allows(request.uri(), request.headers()) {
            let host = request.headers().get(http::header::HOST);
            tracing::warn!(
                event = "mcp.host_refused",
                ?host,
                "the Host header names no allowed host; see ALLOWED_HOSTS"
            );
            return Err(Refusal::HostNotAllowed);
        }
        if !config.origins.allows(request.headers()) {
            let origin = request.headers().get(http::header::ORIGIN);
            tracing::warn!(
                event = "mcp.origin_refused",
                ?origin,
                "the Origin header names no allowed origin; see ALLOWED_ORIGINS"
            );
            return Err(Refusal::OriginNotAllowed);
        }
        let (parts, body) = request.into_parts();
        let owner = parts.extensions.get::<Owner>().cloned().ok_or_else(|| {
            tracing::error!(event = "error", "a request reached the endpoint without an Owner");
            Refusal::Internal { id: None }
        })?;
        match parts.method {
            Method::POST => wire::post::serve(&self.0, &owner, parts, body).await,
            Method::GET => wire::get::serve(&self.0, &owner, &parts).await,
            Method::DELETE => wire::delete::serve(&self.0, &owner, &parts).await,
            other => Err(Refusal::MethodNotAllowed(other, "GET, POST, DELETE")),
        }
    }

    /// The sessions whose standalone stream is open here.
    pub fn open_streams(&self) -> Vec<SessionId> {
        self.0.streams.holding()
    }

    /// Sends a notification on a standalone stream that is open here, now or never: for what
    /// comes again anyway.
    pub fn send_now(&self, session: SessionId, notification: ServerNotification) {
        self.0.streams.send_now(session, &message_bytes(notification));
    }

    /// The first half of going away: streams that wait for nothing in particular end, so that
    /// their clients come back elsewhere, and running calls may finish for as long as `patience`.
    pub async fn drain(&self, patience: Duration) {
        self.0.streams.end_all();
        self.0.calls.writers.close();
        let done = tokio::time::timeout(patience, self.0.calls.writers.wait()).await;
        if done.is_err() {
            let left = self.0.calls.writers.len();
            tracing::warn!(event = "shutdown.calls_cut", left, "calls were still running");
        }
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
