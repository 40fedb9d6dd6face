//! A master that Sentinel watches over.

use bytes::Bytes;
use mcp_everything_store::{
    Sessions as _, Streams as _, contract::redis_sentinels::RedisSentinels, redis::keys,
};

use crate::support::{Instance, fails, owner, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_from_a_master_that_died() {
    let mut redis = RedisSentinels::start();
    let mut one = Instance::start(&redis.url()).await;
    let (old, owner) = (redis.master_port(), owner());
    let id = one.serves().await.unwrap();
    redis.replica.gets(&keys::state(id));
    redis.master.kill();
    one.believes_nothing(id).await;
    one.serves_nothing(id).await;
    until(
        || one.store.admit(id, &owner),
        |admitted| {
            assert!(!matches!(admitted, Ok(None)), "it is away, not gone");
            admitted.is_ok()
        },
    )
    .await;
    one.misses().await;
    one.serves_again().await;
    assert_ne!(redis.master_port(), old);

    // The old one comes back as it was and is made to follow.
    redis.master.run();
    let follows = async || redis.master.says("replication", "role:slave");
    until(follows, |follows| *follows).await;
    one.serves_again().await;
    assert!(one.store.admit(id, &owner).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_master_that_only_reads_is_left() {
    let redis = RedisSentinels::start();
    let mut one = Instance::start(&redis.url()).await;
    let (old, owner) = (redis.master_port(), owner());
    let id = one.serves().await.unwrap();
    redis.replica.gets(&keys::state(id));
    redis.fail_over();
    let named = async || redis.master_port();
    until(named, |named| *named != old).await;
    one.serves_again().await;
    let there = one.serves().await.unwrap();
    for id in [id, there] {
        assert_eq!(redis.replica.number(&["EXISTS", &keys::owner(id)]), 1);
        assert!(one.store.admit(id, &owner).await.unwrap().is_some());
    }
    assert!(redis.replica.says("replication", "role:master"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_without_a_replica_takes_nothing_that_could_be_lost() {
    let mut redis = RedisSentinels::start();
    let mut one = Instance::start(&redis.url()).await;
    let id = one.serves().await.unwrap();
    redis.replica.kill();
    until(|| one.store.push(id, Bytes::from_static(b"{}")), Result::is_err).await;
    fails(one.serves()).await;
    redis.replica.run();
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_may_have_a_password_and_the_sentinels_none() {
    let redis = RedisSentinels::with_password(Some("secret"));
    let address = redis.url().parse().unwrap();
    let mut one =
        Instance::at(&mcp_everything_store::redis::RedisAddress::with_password(address, "secret"))
            .await;
    one.serves_again().await;
}
