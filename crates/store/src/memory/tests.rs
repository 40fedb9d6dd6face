use super::*;
use crate::{
    SessionStore, TestClock,
    contract::sessions::{LIMITS, SessionHarness},
};

struct Harness {
    clock: TestClock,
    store: Arc<MemoryStore>,
}

impl Harness {
    fn new() -> Self {
        let clock = TestClock::default();
        Self { store: Arc::new(MemoryStore::new(Arc::new(clock.clone()), LIMITS)), clock }
    }
}

#[async_trait::async_trait]
impl SessionHarness for Harness {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::<MemoryStore>::clone(&self.store)
    }

    async fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }
}

crate::session_store_contract!(async { Harness::new() });
