//! Redis with a replica: what is done outlives the failover.

use std::sync::Arc;

use futures::future::join_all;
use mcp_everything_store::{
    StoreError,
    contract::redis_server::RedisServer,
    oauth::{OAuthStore as _, Redemption, Rotation},
    redis::{RedisOAuth, keys::oauth as keys},
};
use tokio::time::timeout;

use super::{
    connect,
    fixture::{MINUTE, SOON, attempt, body, client, grant, id, name, until_done},
};

struct Replicated {
    master: RedisServer,
    replica: RedisServer,
    store: Arc<RedisOAuth>,
}

impl Replicated {
    async fn start() -> Self {
        let master = RedisServer::with(&["--repl-diskless-sync-delay", "0"]);
        let port = master.port().to_string();
        let follow = ["--replicaof", "127.0.0.1", &port, "--repl-diskless-load", "swapdb"];
        let replica = RedisServer::with(&follow);
        let store = Arc::new(RedisOAuth::new(connect(&master).await));
        let pair = Self { master, replica, store };
        pair.until_in_step().await;
        pair
    }

    /// Until the replica has said how far it is.
    async fn until_in_step(&self) {
        self.master.ask(&["SET", "something", "to be replicated", "PX", "1"]).unwrap();
        until_done(async || {
            let said = self.master.ask(&["INFO", "replication"]).unwrap();
            let in_step = said.contains("state=online") && !said.contains(",offset=0,");
            in_step.then_some(()).ok_or(())
        })
        .await;
    }

    /// The replica takes over, and the master is gone with what only it had.
    async fn fail_over(mut self) -> (RedisServer, RedisOAuth) {
        self.master.kill();
        self.replica.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
        let store = RedisOAuth::new(connect(&self.replica).await);
        (self.replica, store)
    }
}

#[track_caller]
fn assert_away<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
}

#[tokio::test]
async fn what_is_done_outlives_the_failover() {
    let pair = Replicated::start().await;
    let store = &pair.store;
    for number in 0..50 {
        let (name, grant_id, attempt) = (name(number.into()), id(number), attempt());
        // On a busy machine a replica may be late. Whatever is done is asked again then.
        until_done(async || store.create_grant(&grant_id, &grant(), MINUTE).await).await;
        let client = client(&number.to_string());
        until_done(async || store.put_client(&client, MINUTE, 99).await).await;
        until_done(async || store.put_access_token(&name, &body(1), MINUTE).await).await;
        until_done(async || store.put_refresh_family(&name, &body(1), MINUTE).await).await;
        until_done(async || store.rotate_refresh(&name, 0, MINUTE, MINUTE).await).await;
        until_done(async || store.put_code(&name, &body(1), MINUTE).await).await;
        let redeemed = until_done(async || store.redeem_code(&name, &attempt).await).await;
        assert_eq!(redeemed, Redemption::Redeemed);
        // At once, before it could have got there by itself.
        let there = pair.replica.ask(&["GETRANGE", &keys::code(&name), "0", "7"]).unwrap();
        assert_eq!(there.lines().nth(1), Some("redeemed"));
    }
    until_done(async || store.revoke_access_token(&name(0)).await).await;
    until_done(async || store.revoke_grant(&id(1)).await).await;
    let (_server, store) = pair.fail_over().await;
    assert_eq!(store.grants_of("alice", 99).await.unwrap().len(), 49, "but for the revoked one");
    for number in 0..50 {
        let (name, grant_id) = (name(number.into()), id(number));
        assert!(store.client(&number.to_string()).await.unwrap().is_some());
        assert_eq!(store.redeem_code(&name, &attempt()).await, Ok(Redemption::Replayed));
        let rotated = store.rotate_refresh(&name, 1, MINUTE, MINUTE).await;
        assert_eq!(rotated, Ok(Rotation::Rotated { next: 2 }));
        let good = store.access_token(&name, &grant_id).await.unwrap().is_some();
        assert_eq!(good, number > 1, "{number}");
    }
}

/// What a replica does not take is not done, also when it is repeated; when it takes it, it is.
#[tokio::test]
async fn what_no_replica_takes_is_not_done() {
    let pair = Replicated::start().await;
    let (store, first) = (&pair.store, attempt());
    let other = RedisOAuth::new(connect(&pair.master).await);
    until_done(async || store.put_code(&name(1), &body(1), MINUTE).await).await;
    until_done(async || store.create_grant(&id(1), &grant(), MINUTE).await).await;
    until_done(async || store.put_access_token(&name(1), &body(1), MINUTE).await).await;
    until_done(async || store.put_refresh_family(&name(1), &body(1), MINUTE).await).await;
    pair.replica.freeze();
    for store in [store, &other, store] {
        let tried = async {
            assert_away(&store.redeem_code(&name(1), &first).await);
            assert_away(&store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await);
            assert_away(&store.put_client(&client("a"), MINUTE, 9).await);
            assert_away(&store.create_grant(&id(2), &grant(), MINUTE).await);
            assert_away(&store.put_code(&name(2), &body(1), MINUTE).await);
            assert_away(&store.put_access_token(&name(2), &body(1), MINUTE).await);
            assert_away(&store.put_refresh_family(&name(2), &body(1), MINUTE).await);
            assert_away(&store.prolong_grant(&id(1), MINUTE).await);
            assert_away(&store.revoke_access_token(&name(1)).await);
            assert_away(&store.revoke_grant(&id(1)).await);
        };
        timeout(3 * SOON, tried).await.expect("nobody is waited for without end");
    }
    pair.replica.thaw();
    for store in [store, &other] {
        let redeem =
            async |attempt| until_done(async || store.redeem_code(&name(1), attempt).await).await;
        assert_eq!(redeem(&first).await, Redemption::Redeemed);
        assert_eq!(redeem(&attempt()).await, Redemption::Replayed);
        let rotate = async || store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await;
        assert_eq!(until_done(rotate).await, Rotation::Repeated { next: 1 });
        until_done(async || store.put_client(&client("a"), MINUTE, 9).await).await;
        until_done(async || store.put_code(&name(2), &body(1), MINUTE).await).await;
        assert!(until_done(async || store.revoke_grant(&id(1)).await).await);
    }
}

/// The replica that is waited for holds up nobody else, and not for longer than it is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_writes_wait_for_a_replica() {
    let pair = Replicated::start().await;
    let store = &pair.store;
    until_done(async || store.create_grant(&id(1), &grant(), MINUTE).await).await;
    until_done(async || store.put_access_token(&name(1), &body(1), MINUTE).await).await;
    pair.replica.freeze();
    let writes = join_all((0..32).map(|number| {
        let (store, name) = (Arc::clone(store), name(number));
        tokio::spawn(async move {
            timeout(SOON, store.put_code(&name, &body(1), MINUTE)).await.expect("it gives up")
        })
    }));
    let reads = async {
        for _ in 0..100 {
            assert!(store.access_token(&name(1), &id(1)).await.unwrap().is_some());
            assert!(store.put_pending(&name(1), &body(1), MINUTE).await.unwrap().is_some());
        }
    };
    // Whoever would wait with the writes would have their luck.
    let (writes, ()) = tokio::join!(writes, reads);
    for written in writes {
        assert_away(&written.unwrap());
    }
    pair.replica.thaw();
    for number in 0..32 {
        until_done(async || store.put_code(&name(number), &body(1), MINUTE).await).await;
    }
}

/// A replica that has left is not waited for.
#[tokio::test]
async fn a_replica_may_leave_and_come_back() {
    let mut pair = Replicated::start().await;
    until_done(async || pair.store.put_code(&name(1), &body(1), MINUTE).await).await;
    pair.replica.kill();
    for number in 2..9 {
        pair.store.put_code(&name(number), &body(1), MINUTE).await.unwrap();
    }
    pair.replica.run();
    pair.until_in_step().await;
    pair.replica.freeze();
    assert_away(&pair.store.put_code(&name(9), &body(1), MINUTE).await);
    pair.replica.thaw();
}
