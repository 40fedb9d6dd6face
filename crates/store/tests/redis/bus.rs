//! Doorbells over pub/sub.

use mcp_everything_store::{
    Bell, Bus as _, CallId, InstanceId, Ring, SessionId, StoreError, SystemRandom,
    contract::redis_server::RedisServer, oauth::GrantId, redis::keys,
};

use crate::support::{Instance, soon, until};

fn ended() -> Bell {
    Bell::Ended(SessionId::random(&SystemRandom))
}

#[tokio::test]
async fn bells_reach_whom_they_ring_for() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let mut two = Instance::start(&server.url()).await;
    let (session, call) = (SessionId::random(&SystemRandom), CallId::random(&SystemRandom));
    let progress = Bell::Progressed(session, call, (&b"{\"progress\": 1}"[..]).into());
    for bell in [Bell::CallNews(session, call), progress] {
        two.hears(&one.bus, Ring::One(two.id.clone()), &bell).await;
    }
    let here = ended();
    two.bus.ring(Ring::One(two.id.clone()), here.clone()).await.unwrap();
    assert_eq!(two.heard().await, here);
    let all = Bell::Revoked(GrantId::draw(&SystemRandom));
    two.hears(&one.bus, Ring::All, &all).await;
    assert_eq!(one.heard().await, all, "what rang for the other is not heard");
    let nobody = InstanceId::random("nobody", &SystemRandom);
    assert_eq!(one.bus.ring(Ring::One(nobody), ended()).await, Ok(()));
}

#[tokio::test]
async fn an_instance_lives_while_it_listens() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let two = Instance::start(&server.url()).await;
    one.knows(&two.id, true).await;
    let Instance { id, bells, bus, .. } = two;
    let again = bus.listen(&id).await;
    assert!(matches!(again, Err(StoreError::Unavailable { .. })), "it listens already");
    let life = server.number(&["PTTL", &keys::instance(&id)]);
    assert!((1..=2000).contains(&life), "{life}");
    drop(bells);
    one.knows(&id, false).await;
    let ask = || async { server.ask(&["PUBSUB", "CHANNELS", &keys::instance(&id)]).unwrap() };
    until(ask, |channels| channels.trim() == "*0").await;
    let bells = bus.listen(&id).await.unwrap();
    one.knows(&id, true).await;
    drop(bells);
}

#[test]
fn an_instance_that_is_killed_is_known_to_be_dead() {
    let server = RedisServer::start();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (here, there) = (runtime(), runtime());
    let one = here.block_on(Instance::start(&server.url()));
    let two = there.block_on(Instance::start(&server.url()));
    here.block_on(one.knows(&two.id, true));
    // Nothing of it says good-bye.
    there.shutdown_background();
    here.block_on(one.knows(&two.id, false));
}

#[tokio::test]
async fn nobody_is_taken_for_dead_after_an_outage() {
    let mut server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let two = Instance::start(&server.url()).await;
    let nobody = InstanceId::random("nobody", &SystemRandom);
    one.knows(&nobody, false).await;
    server.run();
    let unknown = one.bus.is_alive(&nobody).await;
    assert!(matches!(unknown, Err(StoreError::Unavailable { .. })), "{unknown:?}");
    let both = || async {
        assert_ne!(one.bus.is_alive(&two.id).await, Ok(false));
        one.bus.is_alive(&nobody).await
    };
    // Until it would be believed.
    until(both, |nobody| *nobody == Ok(false)).await;
    one.knows(&two.id, true).await;
}

#[tokio::test]
async fn bells_are_missed_when_their_connection_alone_is_cut() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let mut two = Instance::start(&server.url()).await;
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    two.misses().await;
    two.hears(&one.bus, Ring::One(two.id.clone()), &ended()).await;
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_remade() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let mut two = Instance::start(&server.url()).await;
    server.freeze();
    let unheard = soon(one.bus.ring(Ring::One(two.id.clone()), ended())).await;
    assert!(matches!(unheard, Err(StoreError::Unavailable { .. })), "{unheard:?}");
    until(
        || one.bus.is_alive(&two.id),
        |alive| matches!(alive, Err(StoreError::Unavailable { .. })),
    )
    .await;
    // Long enough to be noticed by beats that do not come back.
    let lost = || async { two.bus.is_alive(&one.id).await };
    for _ in 0..3 {
        until(lost, Result::is_err).await;
    }
    server.thaw();
    two.misses().await;
    two.hears(&one.bus, Ring::All, &ended()).await;
}

#[tokio::test]
async fn what_is_no_bell_is_dropped() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    let own = keys::instance(&one.id);
    for payload in [
        "",
        "9 beat",
        "1 over grant x",
        "1 ended nobody",
        "{\"jsonrpc\":\"2.0\"}",
        &"x".repeat(1 << 20),
    ] {
        for channel in [keys::BUS, &own] {
            server.ask(&["PUBLISH", channel, payload]).unwrap();
        }
    }
    let bell = ended();
    assert_eq!(one.bus.ring(Ring::All, bell.clone()).await, Ok(()));
    assert_eq!(one.heard().await, bell);
}

#[tokio::test]
async fn an_instance_lives_on_a_redis_that_is_full() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    one.knows(&one.id, true).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    assert!(server.ask(&["SET", "key", "value"]).unwrap_err().to_string().contains("OOM"));
    let life = || server.number(&["PTTL", &keys::instance(&one.id)]);
    let mut before = life();
    soon(async {
        loop {
            let now = life();
            assert!(now > 0, "it has lapsed");
            if now > before {
                break;
            }
            before = now;
            tokio::task::yield_now().await;
        }
    })
    .await;
}
