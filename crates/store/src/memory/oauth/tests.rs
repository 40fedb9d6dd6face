use super::*;
use crate::{
    SystemRandom, TestClock,
    contract::oauth::{Damage, OAuthHarness},
    oauth::{Document, DocumentKind, Documents as _},
};

struct Harness {
    clock: TestClock,
    store: Arc<MemoryOAuth>,
}

impl Harness {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let clock = TestClock::default();
        let store = Arc::new(MemoryOAuth::with_limits(Arc::new(clock.clone()), limits));
        Self { clock, store }
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
                *tables.clients.live(id, now).unwrap() = GARBAGE.to_vec();
            }
            Damage::Grant(id) => {
                tables.grants.live(id, now).unwrap().value.record = GARBAGE.to_vec();
            }
            Damage::Pending(name) => tables.pending.damage(name, now, GARBAGE),
            Damage::Code(name) => {
                tables.codes.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::AccessToken(name) => {
                tables.tokens.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::RefreshFamily(name) => {
                tables.families.live(name, now).unwrap().value.body = Sealed::from_bytes(GARBAGE);
            }
            Damage::Document(kind, url) => {
                let name = (kind, url.to_owned());
                tables.documents.live(&name, now).unwrap().value = GARBAGE.to_vec();
            }
        }
    }
}

crate::oauth_store_contract!(async { Harness::new() });

const MINUTE: Duration = Duration::from_secs(60);
const SMALL: Limits = Limits {
    pending: 3,
    pending_bytes: 100,
    grants: 3,
    codes: 3,
    access_tokens: 3,
    refresh_families: 3,
    replays: 3,
    documents: 3,
};

fn name(number: u32) -> SecretHash {
    SecretHash::of(&number.to_string())
}

fn body<T>(bytes: usize) -> Sealed<T> {
    Sealed::from_bytes(vec![b'x'; bytes])
}

fn id(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

fn grant() -> GrantRecord {
    GrantRecord {
        user: "u".into(),
        client: "c".into(),
        client_name: None,
        redirect_uri: None,
        scope: "s".into(),
        resource: "r".into(),
        created_at: Timestamp::from_millis(0),
    }
}

fn client(id: u32) -> ClientRecord {
    ClientRecord {
        id: id.to_string(),
        name: None,
        uri: None,
        redirect_uris: Vec::new(),
        auth: crate::oauth::ClientAuth::None,
        grant_types: Vec::new(),
        scope: None,
        application_type: None,
        software_id: None,
        software_version: None,
        dpop_bound_access_tokens: false,
        registered_at: Timestamp::from_millis(0),
    }
}

#[tokio::test]
async fn what_has_ended_does_not_stay_in_memory() {
    let Harness { store, clock } = Harness::new();
    for number in 0..50 {
        store.put_access_token(&name(number), &body(1), MINUTE).await.unwrap();
        store.create_grant(&GrantId::draw(&SystemRandom), &grant(), MINUTE).await.unwrap();
        store.put_client(&client(number), MINUTE, 100).await.unwrap();
        store.put_pending(&name(number), &body(1), MINUTE).await.unwrap();
    }
    assert_eq!(store.tables().len(), 200);
    clock.advance(MINUTE);
    store.put_access_token(&name(100), &body(1), MINUTE).await.unwrap();
    assert_eq!(store.tables().len(), 1);
    assert_eq!(store.tables().pending.bytes(), 0);
}

#[tokio::test]
async fn what_is_prolonged_stays_longer_than_what_came_after_it() {
    let Harness { store, clock } = Harness::new();
    for number in 1..=3 {
        store.create_grant(&id(number), &grant(), MINUTE).await.unwrap();
        store.put_refresh_family(&name(number.into()), &body(1), MINUTE).await.unwrap();
    }
    store.prolong_grant(&id(1), 3 * MINUTE).await.unwrap();
    store.rotate_refresh(&name(1), 0, MINUTE, 3 * MINUTE).await.unwrap();
    clock.advance(MINUTE);
    store.create_grant(&id(4), &grant(), 3 * MINUTE).await.unwrap();
    assert_eq!(store.tables().grants.len(), 2);
    assert_eq!(store.tables().families.len(), 1);
    clock.advance(MINUTE);
    assert!(store.grant(&id(1)).await.unwrap().is_some());
    assert!(store.refresh_family(&name(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_oldest_login_makes_room() {
    let Harness { store, clock } = Harness::with_limits(SMALL);
    for number in 0..5 {
        assert!(store.put_pending(&name(number), &body(1), MINUTE).await.unwrap().is_some());
        // What is there already takes no room.
        store.put_pending(&name(number), &body(1), MINUTE).await.unwrap();
        clock.advance(Duration::from_millis(1));
    }
    let mut there = Vec::new();
    for number in 0..5 {
        there.push(store.pending(&name(number)).await.unwrap().is_some());
    }
    assert_eq!(there, [false, false, true, true, true]);
}

#[tokio::test]
async fn long_logins_take_more_room() {
    let Harness { store, .. } = Harness::with_limits(SMALL);
    for (number, bytes, logins, total) in
        [(0, 60, 1, 60), (1, 40, 2, 100), (2, 1, 2, 41), (3, 100, 1, 100), (4, 1000, 1, 1000)]
    {
        assert!(store.put_pending(&name(number), &body(bytes), MINUTE).await.unwrap().is_some());
        let tables = store.tables();
        assert_eq!((tables.pending.len(), tables.pending.bytes()), (logins, total), "{number}");
    }
}

/// Everything else stays until its life is over, and what is one too many is refused.
#[tokio::test]
async fn there_is_an_end_to_grants_codes_and_tokens() {
    let Harness { store, clock } = Harness::with_limits(SMALL);
    let put = async |number: u8| {
        let name = name(number.into());
        [
            store.create_grant(&id(number), &grant(), MINUTE).await,
            store.put_code(&name, &body(1), MINUTE).await,
            store.put_access_token(&name, &body(1), MINUTE).await,
            store.put_refresh_family(&name, &body(1), MINUTE).await,
        ]
    };
    for number in 0..3 {
        assert_eq!(put(number).await, [const { Ok(()) }; 4]);
    }
    assert_eq!(put(0).await, [const { Ok(()) }; 4], "what is there takes no room");
    for refused in put(3).await {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::LimitReached { limit: 3, .. }), "{refused}");
    }
    assert_eq!(store.tables().len(), 12);
    clock.advance(MINUTE);
    assert_eq!(put(3).await, [const { Ok(()) }; 4]);
}

#[tokio::test]
async fn the_documents_that_end_first_make_room() {
    let Harness { store, .. } = Harness::with_limits(SMALL);
    let document = Document { text: "{}".into(), fetched_at: Timestamp::from_millis(0) };
    let kind = DocumentKind::Client;
    for (url, minutes) in [("a", 4), ("b", 1), ("c", 3), ("c", 3), ("d", 2), ("e", 5)] {
        store.keep_document(kind, url, &document, minutes * MINUTE).await.unwrap();
    }
    let mut there = Vec::new();
    for url in ["a", "b", "c", "d", "e"] {
        there.push(store.document(kind, url).await.unwrap().is_some());
    }
    assert_eq!(there, [true, false, true, false, true]);
}

/// The first ones of a flood give way to its last ones; who has got through before stays.
#[tokio::test]
async fn a_flood_of_registrations_does_not_grow_and_reaches_nobody_in_use() {
    let Harness { store, .. } = Harness::new();
    for number in 0..1000 {
        store.put_client(&client(number), MINUTE, 100).await.unwrap();
        if number < 50 {
            assert!(store.prolong_client(&number.to_string(), MINUTE).await.unwrap());
        }
    }
    assert_eq!(store.tables().len(), 100);
    for number in 0..1000 {
        let is_there = store.client(&number.to_string()).await.unwrap().is_some();
        assert_eq!(is_there, !(50..950).contains(&number), "{number}");
    }
}
