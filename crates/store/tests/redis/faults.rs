//! A Redis that is away, or not what it was.

use bytes::Bytes;
use mcp_everything_store::{Sessions as _, Streams as _, contract::redis_server::RedisServer};

use crate::support::{Instance, owner, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_restarted_empty_has_no_sessions_and_takes_new_ones() {
    let mut server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let id = one.serves().await.unwrap();
    server.run();
    let owner = owner();
    until(
        || one.store.admit(id, &owner),
        |admitted| {
            assert!(!matches!(admitted, Ok(Some(_))), "it is gone");
            admitted.is_ok()
        },
    )
    .await;
    one.misses().await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_away_for_a_while_is_not_waited_for() {
    let mut server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let id = one.serves().await.unwrap();
    server.kill();
    one.believes_nothing(id).await;
    for _ in 0..3 {
        one.serves_nothing(id).await;
    }
    server.run();
    one.misses().await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_frozen_is_not_waited_for_and_has_what_it_had() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let id = one.serves().await.unwrap();
    server.freeze();
    one.believes_nothing(id).await;
    for _ in 0..3 {
        one.serves_nothing(id).await;
    }
    server.thaw();
    let owner = owner();
    until(|| one.store.admit(id, &owner), Result::is_ok).await;
    assert!(one.store.admit(id, &owner).await.unwrap().is_some());
    one.misses().await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_begins_away_is_waited_for() {
    let mut server = RedisServer::start();
    server.kill();
    let url = server.url();
    let late = tokio::spawn(async move { Instance::start(&url).await });
    server.run();
    late.await.unwrap().serves_again().await;
}

#[tokio::test]
async fn one_that_forgot_the_scripts_is_told_them_again() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let id = one.serves().await.unwrap();
    let forgets = || server.ask(&["SCRIPT", "FLUSH"]).unwrap();
    forgets();
    one.serves().await.unwrap();
    forgets();
    // Several in one round trip.
    assert_eq!(one.store.hold(&[id, id]).await.unwrap(), [true, true]);
    forgets();
    let _ = one.store.push(id, Bytes::from_static(b"{}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_are_remade() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    one.serves().await.unwrap();
    server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).unwrap();
    one.serves_again().await;
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    one.misses().await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_demoted_is_left_when_it_is_master_again() {
    let other = RedisServer::start();
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let id = one.serves().await.unwrap();
    server.ask(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]).unwrap();
    until(|| one.store.push(id, Bytes::from_static(b"{}")), Result::is_err).await;
    server.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
    one.serves_again().await;
}
