//! What was found just now is believed for a moment, and what has ended is not.

use std::time::Duration;

use mcp_everything_store::{
    Bell, InstanceId, Limits, SessionId, Sessions as _, SystemRandom, Timestamp,
    contract::redis_server::RedisServer,
    oauth::{GrantId, GrantRecord, OAuthStore as _, Sealed, SecretHash},
    redis::{RedisOAuth, RedisStore, keys},
};

use crate::support::{Instance, asked, believes, connect, owner, session, soon, until};

const MINUTE: Duration = Duration::from_secs(60);
const CALLS: usize = 1000;

/// A token and its grant.
struct Token(SecretHash, GrantId);

async fn token(at: &Instance) -> Token {
    let (grant, name) = (GrantId::draw(&SystemRandom), SecretHash::of(&random()));
    let record = GrantRecord {
        user: "alice".into(),
        client: "client".into(),
        client_name: None,
        redirect_uri: None,
        scope: "mcp:read".into(),
        resource: "https://rs.test/mcp".into(),
        created_at: Timestamp::from_millis(1),
    };
    at.oauth.create_grant(&grant, &record, MINUTE).await.unwrap();
    at.oauth.put_access_token(&name, &Sealed::from_bytes(*b"x"), MINUTE).await.unwrap();
    Token(name, grant)
}

fn random() -> String {
    SessionId::random(&SystemRandom).to_string()
}

impl Token {
    async fn is_good(&self, at: &Instance) -> bool {
        at.oauth.access_token(&self.0, &self.1).await.unwrap().is_some()
    }
}

async fn lives(id: SessionId, at: &Instance) -> bool {
    at.store.admit(id, &owner()).await.unwrap().is_some()
}

/// Both believe what they read.
async fn two_on(server: &RedisServer) -> [Instance; 2] {
    let instances = [Instance::start(&server.url()).await, Instance::start(&server.url()).await];
    for instance in &instances {
        believes(&instance.store, server).await;
    }
    instances
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_again_at_once_asks_redis_nothing() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
    let calls = || async {
        let before = asked(&server);
        for _ in 0..CALLS {
            assert!(token.is_good(&one).await && lives(id, &one).await);
        }
        asked(&server) - before
    };
    // What a busy machine takes too long for is asked for again.
    until(calls, |asked| *asked == 0).await;
}

/// By how often Redis reads from a connection.
#[tokio::test]
async fn what_is_not_known_is_found_in_one_round_trip() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
    // They hear nothing, so they believe nothing, and one of them has never seen the session.
    let [unknown, known] = [connect(&server).await, connect(&server).await]
        .map(|redis| (RedisStore::new(redis.clone(), Limits::default()), RedisOAuth::new(redis)));
    assert!(known.0.admit(id, &owner()).await.unwrap().is_some());
    drop(one);
    let reads = || {
        let info = server.ask(&["INFO", "stats"]).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        line.unwrap().parse::<usize>().unwrap()
    };
    // Links are probed now and then, so the least that was seen counts.
    let mut least = [usize::MAX; 4];
    for _ in 0..20 {
        for (number, least) in least.iter_mut().enumerate() {
            let before = reads();
            match number {
                0 => {}
                1 => assert!(known.0.admit(id, &owner()).await.unwrap().is_some()),
                2 => {
                    let found = known.1.access_token(&token.0, &token.1).await;
                    assert!(found.unwrap().is_some());
                }
                _ => {
                    let (id, owner) = (SessionId::random(&SystemRandom), owner());
                    assert!(unknown.0.admit(id, &owner).await.unwrap().is_none());
                }
            }
            *least = (*least).min(reads() - before);
        }
    }
    let [nothing, session, token, unknown] = least;
    assert_eq!([session - nothing, token - nothing, unknown - nothing], [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_ends_the_other_refuses_at_once() {
    let server = RedisServer::start();
    let [one, other] = two_on(&server).await;
    for round in 0..50 {
        let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
        for instance in [&one, &other] {
            assert!(lives(id, instance).await && token.is_good(instance).await);
        }
        assert!(one.store.delete(id, &owner()).await.unwrap());
        assert!(!lives(id, &other).await && !lives(id, &one).await, "{round}");
        if round % 2 == 0 {
            assert!(one.oauth.revoke_grant(&token.1).await.unwrap());
        } else {
            one.oauth.revoke_access_token(&token.0).await.unwrap();
        }
        assert!(!token.is_good(&other).await && !token.is_good(&one).await, "{round}");
    }
}

/// It was read before it ended, and is kept after that was heard: nobody finds it afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_while_it_is_read_is_not_kept() {
    let server = RedisServer::start();
    let [one, other] = two_on(&server).await;
    for round in 0..50 {
        let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
        let read = async {
            for _ in 0..round % 7 {
                tokio::task::yield_now().await;
            }
            tokio::join!(lives(id, &other), token.is_good(&other))
        };
        let end = async {
            tokio::join!(async { one.store.delete(id, &owner()).await.unwrap() }, async {
                one.oauth.revoke_grant(&token.1).await.unwrap()
            })
        };
        tokio::join!(read, end);
        assert!(!lives(id, &other).await && !token.is_good(&other).await, "{round}");
    }
}

/// An instance that hears nothing is waited for, for as long as it may believe anything.
#[test]
fn what_was_believed_before_it_ended_is_not_believed_after_that_was_said() {
    let server = RedisServer::start();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (here, there) = (runtime(), runtime());
    let one = here.block_on(Instance::start(&server.url()));
    let other = there.block_on(Instance::start(&server.url()));
    for _ in 0..3 {
        here.block_on(believes(&one.store, &server));
        there.block_on(believes(&other.store, &server));
        let (id, token) =
            here.block_on(async { (session(&one.store).await.unwrap(), token(&one).await) });
        assert!(there.block_on(async { lives(id, &other).await && token.is_good(&other).await }));
        // The other stands still from here on.
        let ended = here.block_on(async {
            let owner = owner();
            tokio::join!(one.store.delete(id, &owner), one.oauth.revoke_access_token(&token.0))
        });
        assert_eq!(ended, (Ok(true), Ok(())));
        assert!(!there.block_on(lives(id, &other)));
        assert!(!there.block_on(token.is_good(&other)));
    }
}

/// Commands are answered, and nobody may subscribe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_believed_while_the_bus_is_silent() {
    let server = RedisServer::start();
    let [one, other] = two_on(&server).await;
    let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
    server.ask(&["ACL", "SETUSER", "default", "-subscribe"]).unwrap();
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    let asks = || async {
        assert!(lives(id, &other).await && token.is_good(&other).await);
        let before = asked(&server);
        for _ in 0..CALLS {
            assert!(lives(id, &other).await && token.is_good(&other).await);
        }
        asked(&server) - before
    };
    // A token and a session are four questions.
    until(asks, |asked| *asked >= 4 * CALLS).await;
    assert!(one.store.delete(id, &owner()).await.unwrap());
    one.oauth.revoke_access_token(&token.0).await.unwrap();
    assert!(!lives(id, &other).await && !token.is_good(&other).await);
    server.ask(&["ACL", "SETUSER", "default", "+subscribe"]).unwrap();
    believes(&other.store, &server).await;
}

/// Who listens there and is no instance never says that it has heard anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_said_although_somebody_listens_who_does_not_answer() {
    let server = RedisServer::start();
    let [one, other] = two_on(&server).await;
    let mut cli = std::process::Command::new("redis-cli")
        .args(["-p", &server.port().to_string(), "SUBSCRIBE", keys::BUS])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let listeners = || async { server.ask(&["PUBSUB", "NUMSUB", keys::BUS]).unwrap() };
    until(listeners, |answer| answer.contains(":3")).await;
    let id = session(&one.store).await.unwrap();
    assert!(lives(id, &other).await);
    assert_eq!(soon(one.store.delete(id, &owner())).await, Ok(true));
    assert!(!lives(id, &other).await);
    cli.kill().unwrap();
    cli.wait().unwrap();
}

/// What is used goes on living, though Redis is asked about it now and then only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_in_use_lives_on() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    believes(&one.store, &server).await;
    let id = session(&one.store).await.unwrap();
    let left = || server.number(&["TTL", &keys::owner(id)]);
    for _ in 0..2 {
        server.age(Duration::from_secs(200));
        assert!(left() <= 100);
        let used = || async {
            assert!(lives(id, &one).await);
            left()
        };
        until(used, |left| *left >= 299).await;
    }
}

/// A notice that names an instance which is not there harms nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_say_has_ended_is_asked_for_again() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let id = session(&one.store).await.unwrap();
    believes(&one.store, &server).await;
    let nobody = InstanceId::random("nobody", &SystemRandom);
    let notice = format!("1 over session {id} 7 {nobody}");
    let asks = || async {
        assert!(lives(id, &one).await);
        let before = asked(&server);
        server.ask(&["PUBLISH", keys::BUS, &notice]).unwrap();
        tokio::task::yield_now().await;
        assert!(lives(id, &one).await);
        asked(&server) - before
    };
    until(asks, |asked| *asked > 0).await;
}

/// Whoever ends something may be gone before it rings: the notice is enough.
#[tokio::test]
async fn what_ends_rings_by_itself() {
    let server = RedisServer::start();
    let [one, mut other] = two_on(&server).await;
    let (id, token) = (session(&one.store).await.unwrap(), token(&one).await);
    assert!(one.store.delete(id, &owner()).await.unwrap());
    assert!(one.oauth.revoke_grant(&token.1).await.unwrap());
    for bell in [Bell::Ended(id), Bell::Revoked(token.1)] {
        assert_eq!(other.heard().await, bell);
    }
}
