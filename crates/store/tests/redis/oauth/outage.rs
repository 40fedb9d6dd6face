//! Redis away: an error in time, nothing half done, and no restart needed afterwards.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _, join_all};
use mcp_everything_store::{
    KeyStore as _, SecretKeys, StoreError, SystemRandom,
    oauth::{
        AttemptId, DocumentKind, Documents as _, OAuthStore as _, Redemption, Replays as _,
        Rotation,
    },
    redis::RedisOAuth,
};
use tokio::time::timeout;

use super::{
    Harness,
    fixture::{MINUTE, SOON, attempt, body, client, document, grant, id, name, until_done},
};

type Operation<'a> = (&'static str, BoxFuture<'a, Result<(), StoreError>>);

/// Every operation, on records of this number.
fn everything<'a>(
    store: &'a Arc<RedisOAuth>,
    number: u8,
    attempt: &'a AttemptId,
) -> Vec<Operation<'a>> {
    let (key, grant_id) = (name(number.into()), id(number));
    macro_rules! operations {
        ($($operation:ident($($argument:expr),*);)+) => {
            vec![$((
                stringify!($operation),
                async move { store.$operation($($argument),*).await.map(|_| ()) }.boxed(),
            )),+]
        };
    }
    operations! {
        secret_keys(&SecretKeys::generate(&SystemRandom));
        put_client(&client("a"), MINUTE, 9);
        client("a");
        prolong_client("a", MINUTE);
        put_pending(&key, &body(1), MINUTE);
        pending(&key);
        take_pending(&key, attempt);
        create_grant(&grant_id, &grant(), MINUTE);
        grant(&grant_id);
        prolong_grant(&grant_id, MINUTE);
        revoke_grant(&grant_id);
        put_code(&key, &body(1), MINUTE);
        code(&key);
        redeem_code(&key, attempt);
        put_access_token(&key, &body(1), MINUTE);
        access_token(&key, &grant_id);
        revoke_access_token(&key);
        put_refresh_family(&key, &body(1), MINUTE);
        refresh_family(&key);
        rotate_refresh(&key, 0, MINUTE, MINUTE);
        remember_once(&key, attempt, MINUTE);
        keep_document(DocumentKind::Client, "https://client.example/", &document(), MINUTE);
        document(DocumentKind::Client, "https://client.example/");
    }
}

/// All at the same time: none waits for the others either.
async fn all_are_unavailable(operations: Vec<Operation<'_>>) {
    let outcomes = join_all(
        operations
            .into_iter()
            .map(async |(name, operation)| (name, timeout(SOON, operation).await)),
    );
    for (name, outcome) in outcomes.await {
        let outcome = outcome.unwrap_or_else(|_| panic!("{name} took too long"));
        assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{name}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again() {
    let Harness { mut server, store } = Harness::new().await;
    let attempt = attempt();
    server.kill();
    all_are_unavailable(everything(&store, 1, &attempt)).await;
    all_are_unavailable(everything(&store, 1, &attempt)).await;
    server.run();
    until_done(async || store.put_client(&client("a"), MINUTE, 9).await).await;
    until_done(async || store.create_grant(&id(1), &grant(), MINUTE).await).await;
    for (name, operation) in everything(&store, 2, &attempt) {
        assert_eq!(operation.await, Ok(()), "{name}");
    }
}

/// What was asked meanwhile may still happen: then once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_and_thawed() {
    let Harness { server, store } = Harness::new().await;
    let first = attempt();
    store.put_client(&client("a"), MINUTE, 9).await.unwrap();
    store.put_pending(&name(1), &body(1), MINUTE).await.unwrap();
    store.put_code(&name(1), &body(1), MINUTE).await.unwrap();
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    server.freeze();
    all_are_unavailable(everything(&store, 1, &first)).await;
    all_are_unavailable(everything(&store, 1, &first)).await;
    server.thaw();
    until_done(async || store.put_code(&name(9), &body(1), MINUTE).await).await;
    until_done(async || store.client("a").await).await;
    assert_eq!(store.take_pending(&name(1), &first).await, Ok(true));
    assert_eq!(store.take_pending(&name(1), &attempt()).await, Ok(false));
    assert_eq!(store.redeem_code(&name(1), &first).await, Ok(Redemption::Redeemed));
    assert_eq!(store.redeem_code(&name(1), &attempt()).await, Ok(Redemption::Replayed));
    assert_eq!(store.revoke_grant(&id(1)).await, Ok(true));
    let rotated = store.rotate_refresh(&name(1), 0, MINUTE, MINUTE).await.unwrap();
    assert!(
        matches!(rotated, Rotation::Rotated { next: 1 } | Rotation::Repeated { next: 1 }),
        "{rotated:?}"
    );
    let used = store.rotate_refresh(&name(1), 1, MINUTE, MINUTE).await;
    assert_eq!(used, Ok(Rotation::Rotated { next: 2 }));
}
