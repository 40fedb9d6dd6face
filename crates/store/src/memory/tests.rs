use super::*;
use crate::{
    Owner, Session, SessionStore, Sessions as _, SystemRandom, TestClock, Transport,
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

/// All users together do not take all the room.
#[tokio::test]
async fn sessions_are_bounded_in_all() {
    let store = Harness::new().store;
    let session = |user: usize| Session {
        owner: Owner { user: user.to_string(), ..Owner::anonymous() },
        transport: Transport::HttpSse,
        handshake: None,
    };
    for number in 0..LIMITS.sessions {
        store.create(SessionId::random(&SystemRandom), session(number / 2)).await.unwrap();
    }
    let refused = store.create(SessionId::random(&SystemRandom), session(99)).await;
    assert!(matches!(refused, Err(StoreError::LimitReached { .. })), "{refused:?}");
}
