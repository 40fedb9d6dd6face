//! A bus at which the status hears along.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use mcp_everything_store::{Attendance, Bell, Bells, Bus, InstanceId, Ring, SessionId, StoreError};

use super::Status;

/// Passes everything on; what rings at this instance is heard by the status too.
pub(crate) struct Overhearing {
    bus: Arc<dyn Bus>,
    status: Arc<OnceLock<Weak<Status>>>,
}

impl Overhearing {
    /// Nobody hears along until there is a status.
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        Self { bus, status: Arc::default() }
    }

    /// From now on this one does.
    pub(crate) fn tell(&self, status: &Arc<Status>) {
        // There is one for each bus.
        let _ = self.status.set(Arc::downgrade(status));
    }
}

#[async_trait]
impl Bus for Overhearing {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        self.bus.ring(whom, bell).await
    }

    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError> {
        self.bus.is_alive(instance).await
    }

    async fn listen(&self, instance: &InstanceId) -> Result<Bells, StoreError> {
        let status = Arc::clone(&self.status);
        let bells = self.bus.listen(instance).await?;
        Ok(bells.overheard(move |bell| {
            if let Some(status) = status.get().and_then(Weak::upgrade) {
                status.hear(bell);
            }
        }))
    }

    fn attend(&self, session: SessionId) -> Attendance {
        self.bus.attend(session)
    }
}
