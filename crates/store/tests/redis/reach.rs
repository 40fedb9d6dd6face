//! Why Redis cannot be used, before anything is asked of it.

use std::sync::Arc;

use mcp_everything_store::{
    contract::{
        redis_cluster::RedisCluster, redis_sentinels::RedisSentinels, redis_server::RedisServer,
    },
    redis::{Redis, RedisAddress, Unreachable},
};

async fn reach(address: &RedisAddress) -> Result<(), Unreachable> {
    Redis::connect(address, Arc::new(())).unwrap().reach().await
}

async fn is_refused(address: &RedisAddress) {
    let outcome = reach(address).await;
    assert!(matches!(outcome, Err(Unreachable::Refused { .. })), "{address}: {outcome:?}");
}

async fn is_away(address: &RedisAddress) {
    let outcome = reach(address).await;
    assert!(matches!(outcome, Err(Unreachable::Away { .. })), "{address}: {outcome:?}");
}

#[tokio::test]
async fn one_that_is_not_there_may_come() {
    let mut server = RedisServer::start();
    let address: RedisAddress = server.url().parse().unwrap();
    assert_eq!(reach(&address).await, Ok(()));
    server.kill();
    is_away(&address).await;
    server.run();
    assert_eq!(reach(&address).await, Ok(()));
}

#[tokio::test]
async fn one_that_wants_another_login_will_not_change_its_mind() {
    let server = RedisServer::start();
    let address: RedisAddress = server.url().parse().unwrap();
    let with = |password: &str| address.clone().with_password(password);
    is_refused(&with("unasked")).await;
    let reader = ["ACL", "SETUSER", "reader", "on", ">right", "~*", "&*", "+@connection", "+@read"];
    server.ask(&reader).unwrap();
    server.ask(&["CONFIG", "SET", "requirepass", "right"]).unwrap();
    is_refused(&address).await;
    is_refused(&with("wrong")).await;
    assert_eq!(reach(&with("right")).await, Ok(()));
    let login = format!("redis://reader:right@127.0.0.1:{}", server.port());
    is_refused(&login.parse().unwrap()).await;
}

/// Its client says only that no node could be reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_says_it_as_well() {
    let cluster = RedisCluster::start();
    let address: RedisAddress = cluster.url().parse().unwrap();
    assert_eq!(reach(&address).await, Ok(()));
    is_refused(&address.with_password("unasked")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_no_sentinel_knows_may_be_made_known() {
    let redis = RedisSentinels::start();
    let address: RedisAddress = redis.url().parse().unwrap();
    assert_eq!(reach(&address).await, Ok(()));
    let other: RedisAddress = redis.url().replace("/main", "/other").parse().unwrap();
    is_away(&other).await;
    let told = reach(&other).await.unwrap_err().to_string();
    assert!(told.contains("no master of that name"), "{told}");
    is_refused(&address.with_password("unasked")).await;
}
