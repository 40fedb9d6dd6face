//! What the handler of a connection is wrapped in.

use std::{borrow::Cow, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext, Service},
};

use crate::{call::within_grace, wire::settle};

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
        let ClientRequest::InitializeRequest(initialize) = &request else {
            let cancelled = context.ct.clone();
            let handler = self.inner.handle_request(request, context);
            return within_grace(handler, &cancelled, self.grace).await;
        };
        let (mut client, peer) = (initialize.params.clone(), context.peer.clone());
        let mut result = self.inner.handle_request(request, context).await?;
        if let ServerResult::InitializeResult(result) = &mut result {
            settle(result, &client.protocol_version, &self.supported_protocol_versions());
            // What handlers learn is the version agreed on, not the one that was asked for.
            client.protocol_version = result.protocol_version.clone();
            peer.set_peer_info(client);
        }
        Ok(result)
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
