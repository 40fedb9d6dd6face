//! Doorbells within one process.

use async_trait::async_trait;
use dashmap::DashMap;
use tokio::sync::mpsc;

use crate::{Bell, Bus, InstanceId, Ring, StoreError};

/// A bus for the instances of one process: one in a server, several in a test.
#[derive(Debug, Default)]
pub struct MemoryBus {
    listeners: DashMap<InstanceId, mpsc::UnboundedSender<Bell>>,
}

#[async_trait]
impl Bus for MemoryBus {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        let reached = |listener: &mpsc::UnboundedSender<Bell>| listener.send(bell.clone()).is_ok();
        match whom {
            Ring::One(instance) => {
                self.listeners.remove_if(&instance, |_, listener| !reached(listener));
            }
            Ring::All => self.listeners.retain(|_, listener| reached(listener)),
        }
        Ok(())
    }

    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError> {
        Ok(self.listeners.get(instance).is_some_and(|listener| !listener.is_closed()))
    }

    async fn listen(
        &self,
        instance: &InstanceId,
    ) -> Result<mpsc::UnboundedReceiver<Bell>, StoreError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.insert(instance.clone(), sender);
        Ok(receiver)
    }
}
