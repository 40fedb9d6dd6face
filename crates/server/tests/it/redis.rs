//! What a server does about its Redis.

use std::{net::TcpListener, time::Duration};

use http::StatusCode;
use mcp_everything_store::contract::redis_server::RedisServer;
use serde_json::Value;

use crate::support::{BOUND, Deployment, Mcp, Server, SignIn, binary, soon};

/// What a command says before it fails.
fn refused(settings: &[(&str, &str)]) -> String {
    let output = binary().env("PORT", "0").envs(settings.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

/// As when everything is started at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_redis_starts_later_comes_up() {
    let mut redis = RedisServer::start();
    redis.kill();
    let somebody = TcpListener::bind(("127.0.0.1", redis.port())).unwrap();
    let url = redis.url();
    let starting = tokio::task::spawn_blocking(move || Server::with(&[("REDIS_URL", &url)]));
    // It has tried, and was hung up on.
    tokio::task::block_in_place(|| drop((somebody.accept().unwrap(), somebody)));
    redis.run();
    let server = soon(starting).await.unwrap();
    let waited = server.logged("redis.awaited");
    assert_eq!(waited["redis"], redis.url());
    assert!(waited["error"].is_string());
    let started = server.logged("server.started");
    assert_eq!((&started["store"], &started["redis"]), (&"redis".into(), &waited["redis"]));
}

#[test]
fn a_login_that_redis_does_not_take_ends_the_start_at_once() {
    let redis = RedisServer::start();
    let set = |name: &str, value: &str| redis.ask(&["CONFIG", "SET", name, value]).unwrap();
    let at = format!("redis://127.0.0.1:{}", redis.port());
    // Redis wants none.
    let told = refused(&[("REDIS_URL", &at), ("REDIS_PASSWORD", "hush")]);
    assert!(told.contains(&at) && !told.contains("hush"), "{told}");
    set("requirepass", "right");
    for url in [at.clone(), format!("redis://:hush@127.0.0.1:{}", redis.port())] {
        let told = refused(&[("REDIS_URL", &url)]);
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains(&at) && !told.contains("hush"), "{told}");
    }
    Server::with(&[("REDIS_URL", &at), ("REDIS_PASSWORD", "right")]);
}

#[tokio::test]
async fn it_is_ready_while_redis_answers() {
    let mut on = Deployment::one_on_redis();
    let server = on.open();
    let asked = async |path: &str| {
        let answer = soon(reqwest::get(server.url(path))).await.unwrap();
        let status = answer.status();
        (status, soon(answer.json::<Value>()).await.unwrap())
    };
    let until = async |wanted: StatusCode| {
        let ready = async {
            loop {
                let (status, body) = asked("/readyz").await;
                if status == wanted {
                    return body;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(BOUND, ready).await.expect("it comes to that")
    };
    assert_eq!(until(StatusCode::OK).await["store"], "redis");
    for break_it in [RedisServer::kill, |redis: &mut RedisServer| redis.freeze()] {
        let redis = on.redis.as_mut().unwrap();
        break_it(redis);
        assert_eq!(until(StatusCode::SERVICE_UNAVAILABLE).await["reason"], "store_unavailable");
        assert_eq!(asked("/healthz").await.0, StatusCode::OK);
        // A frozen one is ended, too.
        on.redis.as_mut().unwrap().run();
        until(StatusCode::OK).await;
    }
    server.logged("health.not_ready");
    server.logged("health.ready");
}

/// By what Redis counts of the commands that tokens, grants and sessions are looked up with.
#[tokio::test]
async fn calls_that_follow_one_another_ask_redis_nothing() {
    const QUESTIONS: [&str; 5] = ["getex", "get", "hget", "hmget", "pttl"];
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let clients = [0, 1, 2].map(|instance| client.at(&server, instance));
    let asked = || {
        let info = on.redis_cli(&["INFO", "commandstats"]);
        let is_one = |line: &&str| {
            QUESTIONS.iter().any(|name| line.starts_with(&format!("cmdstat_{name}:")))
        };
        info.lines().filter(is_one).map(str::to_owned).collect::<Vec<_>>()
    };
    let calls = async {
        loop {
            let before = asked();
            for client in clients.iter().chain(&clients).chain(&clients) {
                client.is_served().await;
            }
            // What a busy machine takes too long for is asked for again.
            if asked() == before {
                return;
            }
        }
    };
    tokio::time::timeout(BOUND, calls).await.expect("they do not need to");
}

#[tokio::test]
async fn when_all_instances_were_restarted_sessions_and_logins_go_on() {
    let on = Deployment::three_on_redis();
    let mut server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let tokens = SignIn::register(&server).await.tokens("bob").await;
    server.signal("-TERM");
    assert!(server.wait().success());
    for instance in &mut server.instances {
        instance.restart();
    }
    for instance in 0..3 {
        client.at(&server, instance).is_served().await;
    }
    let mut bob = Mcp::new(&server);
    bob.token = Some(tokens.access);
    bob.initialize(serde_json::json!({})).await;
    bob.is_served().await;
}

/// The others need not wait for its lease to lapse.
#[tokio::test]
async fn an_instance_that_went_away_is_known_to_be_gone() {
    let on = Deployment::one_on_redis();
    let mut server = on.open();
    let started = server.logged("server.started");
    let lease = format!("{{cluster:inst}}:{}", started["instance"].as_str().unwrap());
    on.until_redis_cli(&["EXISTS", &lease], |there| there == "1").await;
    server.signal("-TERM");
    assert!(server.wait().success());
    assert_eq!(on.redis_cli(&["EXISTS", &lease]), "0");
}
