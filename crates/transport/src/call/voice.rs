//! What a handler speaks with its client through.
//!
//! rmcp makes a [`Peer`](rmcp::Peer) for nobody but a service that it runs, so each call has one:
//! it carries what the handler says meanwhile and what its client answers. The request itself does
//! not go through it. It is one call's alone: a handler may keep its peer.

use std::{borrow::Cow, convert::Infallible, sync::Arc};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, JsonRpcMessage, ProtocolVersion,
        ServerConfig, ServerJsonRpcMessage, ServerResult,
    },
    service::{NotificationContext, RequestContext, Service},
    transport::Transport,
};

use super::{Call, Outgoing};
use crate::{guard::Guarded, queue::Sender};

/// The transport of one call.
pub(super) struct CallTransport {
    pub(super) outgoing: Sender<Outgoing>,
    pub(super) call: Arc<Call>,
}

impl Transport<RoleServer> for CallTransport {
    type Error = Infallible;

    /// rmcp calls this in the order the handler sent, but spawns the future: the order on the
    /// wire is decided here, and the future only waits for room.
    fn send(
        &mut self,
        mut message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + 'static {
        let is_last = matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_));
        self.call.rename(&mut message);
        let has_room = match message {
            // An answer is sent into a session: without one it could not come.
            JsonRpcMessage::Request(asked) if self.call.session.is_none() => {
                self.call.give_up(&asked.id, "the client cannot be asked without a session");
                true
            }
            // Nobody may be left to take it. That is no error for the handler: a client that hangs
            // up has cancelled nothing ("Sending Messages to the Server").
            said => self.outgoing.put(Outgoing::message(said)).unwrap_or(true),
        };
        let crowded = (!has_room && !is_last).then(|| self.outgoing.clone());
        async move {
            if let Some(outgoing) = crowded {
                outgoing.room().await;
            }
            Ok(())
        }
    }

    /// It is the call that ends the service, not the end of what it receives.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        Some(self.call.inbox.next().await)
    }

    async fn close(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The service of one call.
pub(super) struct Voice<H> {
    pub(super) handler: Arc<Guarded<H>>,
    pub(super) call: Arc<Call>,
}

impl<H: ServerHandler> Service<RoleServer> for Voice<H> {
    fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ServerResult, ErrorData>> + Send {
        Service::handle_request(&*self.handler, request, context)
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let _over = match &notification {
            ClientNotification::CancelledNotification(_) => {
                self.call.stop.cancel();
                None
            }
            ClientNotification::ProgressNotification(_) => None,
            // The call is this notification, and over when it is handled.
            _ => Some(self.call.abort.clone().drop_guard()),
        };
        let handled = Service::handle_notification(&*self.handler, notification, context);
        // rmcp hands notifications over in tasks of their own.
        self.call.witnessed.clone().scope(handled).await
    }

    /// rmcp asks for it when a service starts, and for a server makes nothing of it. What a client
    /// is told comes from the handler, and is long.
    fn get_info(&self) -> ServerConfig {
        ServerConfig::default()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&*self.handler)
    }
}
