//! Instances on a Redis.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use mcp_everything_store::{
    Bell, Bells, Bus as _, Handshake, InstanceId, Limits, Owner, Pushed, Rate, RateKey, Rates as _,
    Ring, Session, SessionId, Sessions as _, StoreError, Streams as _, SystemRandom, Timestamp,
    Transport,
    contract::{redis_cluster::RedisCluster, redis_server::RedisServer},
    oauth::{GrantId, GrantRecord, OAuthStore as _},
    redis::{Redis, RedisAddress, RedisBus, RedisOAuth, RedisRates, RedisStore, keys},
};
use tokio::{runtime::Handle, sync::Mutex, task::block_in_place};

/// No test waits longer for anything.
const BOUND: Duration = Duration::from_secs(30);
/// What is asked of a Redis that is away fails within this.
const FAILS_WITHIN: Duration = Duration::from_secs(3);
/// How long a bell may be on its way before it is rung again.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, what).await.expect("it happens within the bound")
}

/// Asks until the answer is the one waited for.
pub(crate) async fn until<T, F: Future<Output = T>>(ask: impl Fn() -> F, is: impl Fn(&T) -> bool) {
    soon(async {
        while !is(&ask().await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// An operation on a Redis that is away: it fails, and does not hang.
pub(crate) async fn fails<T: std::fmt::Debug>(what: impl Future<Output = Result<T, StoreError>>) {
    let answer = tokio::time::timeout(FAILS_WITHIN, what).await.expect("it fails in time");
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

/// One server or several, as a contract sees them.
pub(crate) trait Served: Send + Sync {
    fn url(&self) -> String;
    fn ask(&self, command: &[&str]) -> io::Result<String>;
    fn age(&self, span: Duration);
}

impl Served for RedisServer {
    fn url(&self) -> String {
        self.url()
    }

    fn ask(&self, command: &[&str]) -> io::Result<String> {
        self.ask(command)
    }

    fn age(&self, span: Duration) {
        self.age(span);
    }
}

impl Served for &RedisCluster {
    fn url(&self) -> String {
        RedisCluster::url(self)
    }

    /// Asks the node that has the key.
    fn ask(&self, command: &[&str]) -> io::Result<String> {
        let mut answers = self.nodes.iter().map(|node| node.ask(command));
        answers.find(Result::is_ok).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
    }

    fn age(&self, span: Duration) {
        RedisCluster::age(self, span);
    }
}

/// What whoever serves a request asks about tokens and sessions.
const QUESTIONS: [&str; 5] = ["getex", "get", "hget", "hmget", "pttl"];

/// How many of those a server has answered.
pub(crate) fn asked(server: &RedisServer) -> usize {
    let info = server.ask(&["INFO", "commandstats"]).unwrap();
    let calls = |name: &str| -> usize {
        let said = format!("cmdstat_{name}:calls=");
        let line = info.lines().find_map(|line| line.strip_prefix(&said));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    };
    QUESTIONS.into_iter().map(calls).sum()
}

/// Waits until a store believes for a moment what it has read.
pub(crate) async fn believes(store: &RedisStore, server: &RedisServer) {
    let (id, owner) = (session(store).await.unwrap(), owner());
    let again = || async {
        store.admit(id, &owner).await.unwrap();
        let before = asked(server);
        store.admit(id, &owner).await.unwrap();
        asked(server) - before
    };
    until(again, |asked| *asked == 0).await;
}

/// A server, and one that hears what is published there, so that it believes for a moment what it
/// has read.
pub(crate) struct Listening {
    pub(crate) server: RedisServer,
    pub(crate) redis: Redis,
    bells: Mutex<Bells>,
    bus: RedisBus,
}

impl Listening {
    pub(crate) async fn start() -> Self {
        let server = RedisServer::start();
        let redis = connect(&server).await;
        let bus = RedisBus::new(redis.clone());
        let bells = bus.listen(&InstanceId::random("test", &SystemRandom)).await.unwrap();
        let listening = Self { server, redis, bells: Mutex::new(bells), bus };
        believes(&RedisStore::new(listening.redis.clone(), Limits::default()), &listening.server)
            .await;
        listening
    }

    /// Takes everything out of it.
    pub(crate) fn clear(&self) {
        self.ask(&["FLUSHALL"]).unwrap();
    }

    /// As after a second.
    fn forget(&self) {
        self.server.ask(&["PUBLISH", keys::BUS, "1 missed"]).unwrap();
        // What is published later is heard later; there may be other bells that some were missed.
        let later = Bell::Ended(SessionId::random(&SystemRandom));
        let heard = async {
            hears(&mut *self.bells.lock().await, &self.bus, Ring::All, &later).await;
        };
        block_in_place(|| Handle::current().block_on(heard));
    }
}

impl Served for &Listening {
    fn url(&self) -> String {
        self.server.url()
    }

    fn ask(&self, command: &[&str]) -> io::Result<String> {
        let answer = self.server.ask(command);
        self.forget();
        answer
    }

    fn age(&self, span: Duration) {
        self.server.age(span);
        self.forget();
    }
}

pub(crate) async fn connect(server: &impl Served) -> Redis {
    let redis = Redis::connect(&server.url().parse().unwrap(), Arc::new(())).unwrap();
    until(|| redis.ping(), Result::is_ok).await;
    redis
}

pub(crate) fn owner() -> Owner {
    Owner { user: "alice".into(), issuer: "https://as.test".into(), client: "client".into() }
}

pub(crate) async fn session(store: &RedisStore) -> Result<SessionId, StoreError> {
    let id = SessionId::random(&SystemRandom);
    let handshake = Handshake { initialize: "{}".into(), protocol_version: "2025-11-25".into() };
    let session = Session {
        owner: owner(),
        transport: Transport::StreamableHttp,
        handshake: Some(handshake.into()),
    };
    store.create(id, session).await?;
    Ok(id)
}

/// An instance that listens.
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) store: RedisStore,
    pub(crate) oauth: RedisOAuth,
    pub(crate) rates: RedisRates,
    pub(crate) bus: RedisBus,
    pub(crate) bells: Bells,
}

impl Instance {
    pub(crate) async fn start(url: &str) -> Self {
        Self::at(&url.parse().unwrap()).await
    }

    pub(crate) async fn at(address: &RedisAddress) -> Self {
        let redis = Redis::connect(address, Arc::new(())).unwrap();
        let store = RedisStore::new(redis.clone(), Limits::default());
        let oauth = RedisOAuth::new(redis.clone());
        let rates = RedisRates::new(redis.clone());
        let bus = RedisBus::new(redis);
        let id = InstanceId::random("test", &SystemRandom);
        let bells = bus.listen(&id).await.unwrap();
        let mut instance = Self { id, store, oauth, rates, bus, bells };
        assert_eq!(instance.bell().await, Bell::Missed, "bells are heard from here on");
        instance
    }

    /// Uses each of its connections, and gives the session it made. During a failover that may
    /// be at a master that is left, and be lost.
    pub(crate) async fn serves(&self) -> Result<SessionId, StoreError> {
        let id = session(&self.store).await?;
        let lost = StoreError::Unavailable { reason: "another master has taken over".into() };
        self.store.admit(id, &owner()).await?.ok_or_else(|| lost.clone())?;
        match self.store.push(id, Bytes::from_static(b"{}")).await? {
            Pushed::Kept { holder: None } => {}
            Pushed::Gone => return Err(lost),
            other => panic!("{other:?}"),
        }
        let (grant, record) = (
            GrantId::draw(&SystemRandom),
            GrantRecord {
                user: "alice".into(),
                client: "client".into(),
                client_name: None,
                redirect_uri: None,
                scope: "mcp:read".into(),
                resource: "https://rs.test/mcp".into(),
                created_at: Timestamp::from_millis(1),
            },
        );
        self.oauth.create_grant(&grant, &record, BOUND).await?;
        let rate = Rate::new(10, BOUND).unwrap();
        self.rates.take(&RateKey::new("test", &["alice"]), rate, 1).await?;
        self.bus.ring(Ring::All, Bell::Ended(id)).await?;
        Ok(id)
    }

    /// Waits until all of it is served.
    pub(crate) async fn serves_again(&mut self) {
        until(|| self.serves(), Result::is_ok).await;
        let bell = Bell::Ended(SessionId::random(&SystemRandom));
        hears(&mut self.bells, &self.bus, Ring::All, &bell).await;
    }

    /// Waits until what was found is believed no more.
    pub(crate) async fn believes_nothing(&self, id: SessionId) {
        let owner = owner();
        until(|| self.store.admit(id, &owner), Result::is_err).await;
    }

    /// None of its connections is of use.
    pub(crate) async fn serves_nothing(&self, id: SessionId) {
        let (owner, ids, grant) = (owner(), [id], GrantId::draw(&SystemRandom));
        tokio::join!(
            fails(self.store.admit(id, &owner)),
            fails(session(&self.store)),
            fails(self.store.push(id, Bytes::from_static(b"{}"))),
            fails(self.store.hold(&ids)),
            fails(self.oauth.revoke_grant(&grant)),
            fails(self.bus.ring(Ring::All, Bell::Ended(id))),
            fails(self.bus.is_alive(&self.id)),
        );
    }

    pub(crate) async fn bell(&mut self) -> Bell {
        soon(self.bells.recv()).await.unwrap()
    }

    /// The next bell that says what it is about.
    pub(crate) async fn heard(&mut self) -> Bell {
        loop {
            let bell = self.bell().await;
            if bell != Bell::Missed {
                return bell;
            }
        }
    }

    /// Waits until bells may have been lost.
    pub(crate) async fn misses(&mut self) {
        while self.bell().await != Bell::Missed {}
    }

    /// Waits until it hears a bell that somebody rings.
    pub(crate) async fn hears(&mut self, by: &RedisBus, whom: Ring, bell: &Bell) {
        hears(&mut self.bells, by, whom, bell).await;
    }

    pub(crate) async fn knows(&self, other: &InstanceId, lives: bool) {
        until(|| self.bus.is_alive(other), |answer| *answer == Ok(lives)).await;
    }
}

/// Rings until it is heard: on a machine that is busy a connection may be taken for dead, and the
/// bell be lost.
async fn hears(bells: &mut Bells, by: &RedisBus, whom: Ring, bell: &Bell) {
    soon(async {
        loop {
            let _ = by.ring(whom.clone(), bell.clone()).await;
            while let Ok(heard) = tokio::time::timeout(AGAIN, bells.recv()).await {
                if heard.unwrap() == *bell {
                    return;
                }
            }
        }
    })
    .await;
}
