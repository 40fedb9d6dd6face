//! What the handler of a connection is wrapped in.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use mcp_everything_store::Handshake;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        ClientNotification, ClientRequest, GetMeta as _, InitializeRequestParams, ProtocolVersion,
        ServerConfig, ServerResult,
    },
    service::{NotificationContext, RequestContext, Service},
};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::StdioSession;
use crate::{call::within_grace, trace, wire::settle};

/// What cancels a request, among its extensions.
#[derive(Clone)]
pub(super) struct Cancelled(pub(super) CancellationToken);

/// Settles the version of the session, and ends handlers that ignore their cancellation.
pub(super) struct Connected<S> {
    pub(super) inner: S,
    /// How long a cancelled handler may take to notice.
    pub(super) grace: Duration,
    /// What the session was begun with.
    pub(super) handshake: OnceLock<Handshake>,
    pub(super) ready: Arc<AtomicBool>,
    pub(super) leaving: CancellationToken,
}

/// What a client says with `initialize`, however it is handed over.
fn said(request: &ClientRequest) -> Option<InitializeRequestParams> {
    match request {
        ClientRequest::InitializeRequest(initialize) => Some(initialize.params.clone()),
        // With a version in `_meta` it is the other wire's, which has no such method.
        ClientRequest::CustomRequest(custom)
            if custom.method == "initialize" && custom.get_meta().protocol_version().is_none() =>
        {
            serde_json::from_value(custom.params.clone()?).ok()
        }
        _ => None,
    }
}

/// The same as it is kept, with what rmcp has no types for.
fn kept(request: &ClientRequest) -> String {
    match request {
        ClientRequest::CustomRequest(custom) => json!(custom.params).to_string(),
        ClientRequest::InitializeRequest(initialize) => json!(initialize.params).to_string(),
        _ => String::new(),
    }
}

impl<S: Service<RoleServer>> Service<RoleServer> for Connected<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        if let Some(Cancelled(cancelled)) = context.extensions.remove() {
            context.ct = cancelled;
        }
        let (began, method) = (Instant::now(), request.method().to_owned());
        let span = trace::span(context.extensions.get());
        async {
            tracing::debug!(event = "stdio.request", method, "request begun");
            let result = self.serve(request, context).await;
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let code = result.as_ref().err().map(|error| error.code.0);
            tracing::debug!(
                event = "stdio.response",
                method,
                duration_ms,
                code,
                "request answered"
            );
            result
        }
        .instrument(span)
        .await
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.inner.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.inner.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.inner.supported_protocol_versions()
    }
}

impl<S: Service<RoleServer>> Connected<S> {
    async fn serve(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let Some(mut client) = said(&request) else {
            let cancelled = context.ct.clone();
            if let Some(handshake) = self.handshake.get() {
                let (peer, ready) = (context.peer.clone(), Arc::clone(&self.ready));
                let session = StdioSession { peer, ready, leaving: self.leaving.clone() };
                context.extensions.insert(handshake.clone());
                context.extensions.insert(session);
            }
            let handler = self.inner.handle_request(request, context);
            return within_grace(handler, &cancelled, self.grace).await;
        };
        let (initialize, peer) = (kept(&request), context.peer.clone());
        let mut result = self.inner.handle_request(request, context).await?;
        let versions = self.inner.supported_protocol_versions();
        let Some(agreed) = settle(&mut result, &client.protocol_version, &versions) else {
            let asked = client.protocol_version;
            return Err(ErrorData::unsupported_protocol_version(asked, &versions));
        };
        let protocol_version = agreed.as_str().into();
        let handshake = Handshake { initialize: initialize.into(), protocol_version };
        // There is one session, and it is begun once.
        let _ = self.handshake.set(handshake);
        // What handlers learn is the version agreed on, not the one that was asked for.
        client.protocol_version = agreed;
        peer.set_peer_info(client);
        Ok(result)
    }
}
