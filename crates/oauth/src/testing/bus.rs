//! A bus that remembers what rang.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use mcp_everything_store::{
    Attendance, Bell, Bells, Bus, InstanceId, Ring, SessionId, StoreError,
    oauth::{GrantId, OAuthStore},
};

pub(crate) struct TestBus {
    store: Arc<dyn OAuthStore>,
    rung: Mutex<Vec<GrantId>>,
    away: AtomicBool,
}

impl TestBus {
    pub(crate) fn new(store: Arc<dyn OAuthStore>) -> Self {
        Self { store, rung: Mutex::default(), away: AtomicBool::new(false) }
    }

    pub(crate) fn is_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    /// The grants whose revocation was announced since this was last asked.
    pub(crate) fn revoked(&self) -> Vec<GrantId> {
        std::mem::take(&mut self.rung.lock().unwrap())
    }
}

#[async_trait]
impl Bus for TestBus {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        let Bell::Revoked(grant) = bell else { panic!("{bell:?}") };
        assert_eq!(whom, Ring::All);
        let kept = self.store.grant(&grant).await.unwrap();
        assert!(kept.is_none_or(|grant| grant.revoked), "nobody may look before it is revoked");
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { reason: "broken on purpose".into() });
        }
        self.rung.lock().unwrap().push(grant);
        Ok(())
    }

    async fn is_alive(&self, _: &InstanceId) -> Result<bool, StoreError> {
        unreachable!("an authorization server asks for nobody")
    }

    async fn listen(&self, _: &InstanceId) -> Result<Bells, StoreError> {
        unreachable!("an authorization server listens to nobody")
    }

    fn attend(&self, _: SessionId) -> Attendance {
        unreachable!("an authorization server has no sessions")
    }
}
