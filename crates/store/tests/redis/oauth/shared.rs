//! Several instances on one Redis.

use std::sync::Arc;

use mcp_everything_store::{
    StoreError,
    contract::redis_server::RedisServer,
    oauth::{OAuthStore as _, Redemption, Rotation},
    redis::RedisOAuth,
};
use tokio::{sync::Barrier, task::JoinSet};

use super::{
    connect,
    fixture::{MINUTE, attempt, body, client, grant, id, name},
};

const MANY: usize = 32;

struct Two {
    server: RedisServer,
    stores: [Arc<RedisOAuth>; 2],
}

impl Two {
    async fn start() -> Self {
        let server = RedisServer::start();
        let mut stores = Vec::new();
        for _ in 0..2 {
            stores.push(Arc::new(RedisOAuth::new(connect(&server).await)));
        }
        Self { server, stores: stores.try_into().unwrap() }
    }

    /// The same operation many times at once, half of them on each instance.
    async fn at_once<T: Send + 'static, F>(
        &self,
        operation: impl Fn(Arc<RedisOAuth>, usize) -> F,
    ) -> Vec<T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let start = Arc::new(Barrier::new(MANY));
        let mut tasks = JoinSet::new();
        for number in 0..MANY {
            let operation = operation(Arc::clone(&self.stores[number % 2]), number);
            let start = Arc::clone(&start);
            tasks.spawn(async move {
                start.wait().await;
                operation.await
            });
        }
        tasks.join_all().await.into_iter().map(Result::unwrap).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_redeemed_once() {
    let two = Two::start().await;
    for round in 0..8 {
        two.stores[0].put_code(&name(round), &body(1), MINUTE).await.unwrap();
        let outcomes = two
            .at_once(move |store, _| async move {
                let attempt = attempt();
                Ok((store.redeem_code(&name(round), &attempt).await?, attempt))
            })
            .await;
        let won = outcomes.iter().filter(|(outcome, _)| *outcome == Redemption::Redeemed);
        let [(_, winner)] = won.collect::<Vec<_>>()[..] else { panic!("{outcomes:?}") };
        let lost = outcomes.iter().filter(|(outcome, _)| *outcome == Redemption::Replayed);
        assert_eq!(lost.count(), MANY - 1);
        for store in &two.stores {
            let again = store.redeem_code(&name(round), winner).await;
            assert_eq!(again, Ok(Redemption::Redeemed), "whoever had it has it");
            assert!(store.code(&name(round)).await.unwrap().unwrap().redeemed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_rotated_once() {
    let two = Two::start().await;
    two.stores[0].put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    for generation in 0..8 {
        let outcomes = two
            .at_once(move |store, _| async move {
                store.rotate_refresh(&name(1), generation, MINUTE, MINUTE).await
            })
            .await;
        let next = generation + 1;
        let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
        assert_eq!(count(Rotation::Rotated { next }), 1, "{outcomes:?}");
        assert_eq!(count(Rotation::Repeated { next }), MANY - 1, "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_taken_once() {
    let two = Two::start().await;
    two.stores[0].put_pending(&name(1), &body(1), MINUTE).await.unwrap();
    let taken =
        two.at_once(|store, _| async move { store.take_pending(&name(1), &attempt()).await }).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

/// Also while many register at the same time there are never more than may be, and all of them are
/// counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_are_counted_together() {
    let two = Two::start().await;
    for round in 0..4 {
        two.at_once(move |store, number| async move {
            store.put_client(&client(&format!("{round}-{number}")), MINUTE, 10).await
        })
        .await;
    }
    let kept = two.server.ask(&["EVAL", "return #redis.call('KEYS', 'client:*')", "0"]).unwrap();
    assert_eq!(kept.lines().next(), Some(":10"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_revokes_the_other_refuses_at_once() {
    let two = Two::start().await;
    let [one, other] = &two.stores;
    for number in 0..50 {
        let (name, grant_id) = (name(number.into()), id(number));
        one.create_grant(&grant_id, &grant(), MINUTE).await.unwrap();
        one.put_access_token(&name, &body(1), MINUTE).await.unwrap();
        assert!(other.access_token(&name, &grant_id).await.unwrap().is_some());
        if number % 2 == 0 {
            assert!(one.revoke_grant(&grant_id).await.unwrap());
        } else {
            one.revoke_access_token(&name).await.unwrap();
        }
        assert!(other.access_token(&name, &grant_id).await.unwrap().is_none());
        let active = number % 2 == 1;
        assert_eq!(other.prolong_grant(&grant_id, MINUTE).await, Ok(active));
    }
}

/// An instance has nothing that another one lacks.
#[tokio::test]
async fn an_instance_may_end() {
    let Two { server, stores: [store, _] } = Two::start().await;
    store.put_client(&client("a"), MINUTE, 1).await.unwrap();
    store.prolong_client("a", MINUTE).await.unwrap();
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await.unwrap();
    drop(store);
    let store = RedisOAuth::new(connect(&server).await);
    assert_eq!(store.client("a").await.unwrap(), Some(client("a")));
    let refused = store.put_client(&client("b"), MINUTE, 1).await;
    assert!(matches!(refused, Err(StoreError::LimitReached { .. })), "{refused:?}");
    assert_eq!(store.grant(&id(1)).await.unwrap().map(|grant| grant.revoked), Some(false));
    let rotated = store.rotate_refresh(&name(1), 1, MINUTE, MINUTE).await;
    assert_eq!(rotated, Ok(Rotation::Rotated { next: 2 }));
}

/// Redis may forget the scripts at any time.
#[tokio::test]
async fn scripts_are_taught_again() {
    let Two { server, stores: [store, _] } = Two::start().await;
    let flush = || {
        server.ask(&["SCRIPT", "FLUSH"]).unwrap();
    };
    flush();
    store.put_client(&client("a"), MINUTE, 9).await.unwrap();
    flush();
    assert_eq!(store.prolong_client("a", MINUTE).await, Ok(true));
    flush();
    assert!(store.put_pending(&name(1), &body(1), MINUTE).await.unwrap().is_some());
    flush();
    assert_eq!(store.take_pending(&name(1), &attempt()).await, Ok(true));
    flush();
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    flush();
    assert_eq!(store.prolong_grant(&id(1), MINUTE).await, Ok(true));
    flush();
    store.put_code(&name(1), &body(1), MINUTE).await.unwrap();
    flush();
    let redeemed = store.redeem_code(&name(1), &attempt()).await;
    assert_eq!(redeemed, Ok(Redemption::Redeemed));
    flush();
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    flush();
    let rotated = store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await;
    assert_eq!(rotated, Ok(Rotation::Rotated { next: 1 }));
    flush();
    assert_eq!(store.revoke_grant(&id(1)).await, Ok(true));
}
