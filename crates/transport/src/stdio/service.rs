//! What the handler of a connection is wrapped in.

use std::{borrow::Cow, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext, Service},
};

use tokio::time::Instant;
use tracing::Instrument as _;

use crate::{call::within_grace, trace, wire::settle};

/// Settles the version of the session, and ends handlers that ignore their cancellation.
pub(super) struct Connected<S> {
    pub(super) inner: S,
    /// How long a cancelled handler may take to notice.
    pub(super) grace: Duration,
}

impl<S: Service<RoleServer>> Service<RoleServer> for Connected<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
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
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let ClientRequest::InitializeRequest(initialize) = &request else {
            let cancelled = context.ct.clone();
            let handler = self.inner.handle_request(request, context);
            return within_grace(handler, &cancelled, self.grace).await;
        };
        let (mut client, peer) = (initialize.params.clone(), context.peer.clone());
        let mut result = self.inner.handle_request(request, context).await?;
        if let ServerResult::InitializeResult(result) = &mut result {
            let versions = self.inner.supported_protocol_versions();
            if !settle(result, &client.protocol_version, &versions) {
                let asked = client.protocol_version;
                return Err(ErrorData::unsupported_protocol_version(asked, &versions));
            }
            // What handlers learn is the version agreed on, not the one that was asked for.
            client.protocol_version = result.protocol_version.clone();
            peer.set_peer_info(client);
        }
        Ok(result)
    }
}
