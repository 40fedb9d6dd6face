//! What users are asked on pages, kept in memory.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mcp_everything_store::{
    Clock, Elicitation, ElicitationId, ElicitationState, Elicitations as _, Limits, NewElicitation,
    Owner, Random, SettledElicitation, Settlement, StoreError, TestRandom, memory::MemoryStore,
    oauth::AttemptId,
};

use crate::Elicitations;

pub(crate) struct Asked {
    store: MemoryStore,
    clock: Arc<dyn Clock>,
    random: Arc<TestRandom>,
}

impl Asked {
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Arc<TestRandom>) -> Self {
        Self { store: MemoryStore::new(Arc::clone(&clock), Limits::default()), clock, random }
    }

    /// Has somebody asked something.
    pub(crate) async fn ask(&self, owner: Owner, message: &str) -> ElicitationId {
        let random: &dyn Random = &*self.random;
        let id = ElicitationId::random(random);
        let new = NewElicitation {
            id,
            owner,
            message: message.to_owned(),
            session: None,
            purpose: None,
            at: self.clock.now(),
            life: Duration::from_secs(3600),
        };
        self.store.begin_elicitation(new).await.unwrap();
        id
    }

    pub(crate) async fn state(&self, id: ElicitationId) -> ElicitationState {
        self.store.elicitation(id).await.unwrap().unwrap().state
    }
}

#[async_trait]
impl Elicitations for Asked {
    async fn find(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        self.store.elicitation(id).await
    }

    async fn settle(
        &self,
        id: ElicitationId,
        to: Settlement,
    ) -> Result<Option<SettledElicitation>, StoreError> {
        let attempt = AttemptId::draw(&*self.random);
        self.store.settle_elicitation(id, to, &attempt).await
    }
}
