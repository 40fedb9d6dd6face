//! What tools that misbehave need of their call.

use std::sync::Arc;

use rmcp::{RoleServer, model::RequestId, service::Peer};

use super::Call;
use crate::{faults::FaultyWire, wire::Wire};

impl Call<'_> {
    /// The exchange that carries the call, if it is one of its own.
    pub(crate) fn faulty_wire(&self) -> Option<Arc<dyn FaultyWire>> {
        self.shared.faults.as_ref().and_then(|hook| hook(&self.context.extensions))
    }

    /// What the client calls the request.
    pub(crate) fn request_id(&self) -> &RequestId {
        &self.context.id
    }

    /// The client.
    pub(crate) fn peer(&self) -> &Peer<RoleServer> {
        &self.context.peer
    }

    /// Whether the client may be sent log messages of the highest level.
    pub(crate) fn is_sent_logs(&self) -> bool {
        match self.wire {
            Wire::Stateful => true,
            Wire::Stateless => self.context.meta.log_level().is_some(),
        }
    }
}
