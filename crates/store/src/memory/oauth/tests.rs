use super::*;
use crate::{
    SystemRandom, TestClock,
    contract::oauth::{Damage, OAuthHarness},
};

struct Harness {
    clock: TestClock,
    store: Arc<MemoryOAuth>,
}

impl Harness {
    fn new() -> Self {
        let clock = TestClock::default();
        Self { store: Arc::new(MemoryOAuth::new(Arc::new(clock.clone()))), clock }
    }
}

#[async_trait]
impl OAuthHarness for Harness {
    fn store(&self) -> Arc<dyn OAuthStore> {
        Arc::<MemoryOAuth>::clone(&self.store)
    }

    fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::<MemoryOAuth>::clone(&self.store)
    }

    async fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    async fn damage(&self, record: Damage<'_>) {
        const GARBAGE: &[u8] = b"{\"v\":1,\"record\":{\"nonsense\":[]}} and more of it";
        let now = self.store.now();
        let mut tables = self.store.tables();
        match record {
            Damage::Client(id) => {
                tables.clients.live(id, now).unwrap().value.record = GARBAGE.to_vec();
            }
            Damage::Grant(id) => {
                tables.grants.live(id, now).unwrap().value.record = GARBAGE.to_vec();
            }
            Damage::Pending(name) => {
                tables.pending.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::Code(name) => {
                tables.codes.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::AccessToken(name) => {
                tables.tokens.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::RefreshFamily(name) => {
                tables.families.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
        }
    }
}

crate::oauth_store_contract!(async { Harness::new() });

#[tokio::test]
async fn what_has_ended_does_not_stay_in_memory() {
    let harness = Harness::new();
    let minute = Duration::from_secs(60);
    let body = Sealed::from_bytes(&b"x"[..]);
    let name = |number: u32| SecretHash::of(&number.to_string());
    for number in 0..100 {
        harness.store.put_access_token(&name(number), &body, minute).await.unwrap();
        harness.store.create_grant(&GrantId::draw(&SystemRandom), &grant(), minute).await.unwrap();
    }
    assert_eq!(harness.store.tables().len(), 200);
    harness.clock.advance(minute);
    harness.store.put_access_token(&name(100), &body, minute).await.unwrap();
    assert_eq!(harness.store.tables().len(), 1);
}

fn grant() -> GrantRecord {
    GrantRecord {
        user: "u".into(),
        client: "c".into(),
        scope: "s".into(),
        resource: "r".into(),
        created_at: Timestamp::from_millis(0),
    }
}
