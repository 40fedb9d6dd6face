//! Doorbells within one process.

use async_trait::async_trait;
use dashmap::DashMap;

use crate::{
    Attendance, Bell, Bells, Bus, InstanceId, Ring, Ringer, SessionId, StoreError, witness,
};

/// A bus for the instances of one process: one in a server, several in a test.
#[derive(Debug, Default)]
pub struct MemoryBus {
    listeners: DashMap<InstanceId, Ringer>,
}

#[async_trait]
impl Bus for MemoryBus {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        witness::rang(&whom, &bell);
        match whom {
            Ring::One(instance) => {
                self.listeners.remove_if(&instance, |_, ringer| !ringer.ring(bell));
            }
            Ring::All => self.listeners.retain(|_, ringer| ringer.ring(bell.clone())),
        }
        Ok(())
    }

    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError> {
        Ok(self.listeners.get(instance).is_some_and(|ringer| !ringer.is_closed()))
    }

    async fn listen(&self, instance: &InstanceId) -> Result<Bells, StoreError> {
        let (ringer, bells) = Bells::new();
        self.listeners.insert(instance.clone(), ringer);
        Ok(bells)
    }

    /// Nobody looks into a process.
    fn attend(&self, _: SessionId) -> Attendance {
        Attendance::unseen()
    }
}
