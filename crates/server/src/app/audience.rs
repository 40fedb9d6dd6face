//! Who hears what the server says unasked: the standalone streams that are open here.

use async_trait::async_trait;
use mcp_everything_features::Everything;
use mcp_everything_store::{SessionId, SessionState, StoreError};
use mcp_everything_transport::Endpoint;
use rmcp::model::ServerNotification;

use crate::{
    session::to_rmcp,
    unasked::{Audience, Listening},
};

#[async_trait]
impl Audience for Endpoint<Everything> {
    type Session = SessionId;

    async fn listening(&self) -> Vec<Listening<SessionId>> {
        told(self.open_streams().await)
    }

    async fn switched(&self) -> Vec<Listening<SessionId>> {
        told(self.switched_streams().await)
    }

    async fn send_now(&self, session: SessionId, notifications: Vec<ServerNotification>) {
        Endpoint::send_now(self, session, notifications);
    }
}

fn told(open: Result<Vec<(SessionId, SessionState)>, StoreError>) -> Vec<Listening<SessionId>> {
    let open = open.unwrap_or_else(|error| {
        tracing::debug!(event = "store.unavailable", %error, "a tick is left out");
        Vec::new()
    });
    let listening = open.into_iter().map(|(session, state)| Listening {
        session,
        id: session.to_string(),
        level: to_rmcp(state.level),
        subscriptions: state.subscriptions,
        switches: state.switches,
    });
    listening.collect()
}
