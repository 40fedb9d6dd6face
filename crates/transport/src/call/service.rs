//! A wrapper around a handler that says when it has returned and ends one that ignores its
//! cancellation.

use std::{borrow::Cow, time::Duration};

use mcp_everything_store::Witnessed;
use rmcp::{
    ErrorData, RoleServer,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext, Service},
};
use tokio_util::sync::CancellationToken;

pub(super) struct Ending<S> {
    pub(super) inner: S,
    pub(super) ended: CancellationToken,
    /// How long a cancelled handler may take to notice.
    pub(super) grace: Duration,
    /// Before whom the call was made: rmcp runs it in a task of its own.
    pub(super) witnessed: Witnessed,
}

/// Drops a handler that goes on for longer than `grace` after it was cancelled.
pub(crate) async fn within_grace(
    handler: impl Future<Output = Result<ServerResult, ErrorData>>,
    cancelled: &CancellationToken,
    grace: Duration,
) -> Result<ServerResult, ErrorData> {
    tokio::select! {
        biased;
        result = handler => result,
        () = async { cancelled.cancelled().await; tokio::time::sleep(grace).await } => {
            Err(ErrorData::internal_error("cancelled", None))
        }
    }
}

impl<S: Service<RoleServer>> Service<RoleServer> for Ending<S> {
    fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ServerResult, ErrorData>> + Send {
        let cancelled = context.ct.clone();
        // What rmcp moves into a task of its own is as small as may be.
        let handler = self.witnessed.clone().scope(self.inner.handle_request(request, context));
        let handler = Box::pin(handler);
        async move {
            let _ended = self.ended.clone().drop_guard();
            within_grace(handler, &cancelled, self.grace).await
        }
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // A cancellation or a progress that reaches a running call is no end of it.
        let _ended = match &notification {
            ClientNotification::CancelledNotification(_)
            | ClientNotification::ProgressNotification(_) => None,
            _ => Some(self.ended.clone().drop_guard()),
        };
        let handled = self.inner.handle_notification(notification, context);
        self.witnessed.clone().scope(handled).await
    }

    /// rmcp asks for it when a service starts, and for a server makes nothing of it. What a client
    /// is told comes from the handler, and is long.
    fn get_info(&self) -> ServerConfig {
        ServerConfig::default()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.inner.supported_protocol_versions()
    }
}
