//! Redis is away for ten seconds, and comes back as it was.

use std::time::Duration;

use http::StatusCode;
use mcp_everything_store::contract::redis_server::RedisServer;
use reqwest::Client;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::it::support::{
    Answer, BOUND, Deployment, Mcp, Server, SignIn, Stream, call, sign_in::Tokens,
};

const AWAY: Duration = Duration::from_secs(10);
/// What is asked of the answers.
const REFUSED_WITHIN: Duration = Duration::from_secs(3);
const BACK_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped() {
    // What was acknowledged is on the disk.
    let redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    outage(redis, RedisServer::kill, RedisServer::run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen() {
    outage(RedisServer::start(), |redis| redis.freeze(), |redis| redis.thaw()).await;
}

async fn outage(redis: RedisServer, stop: fn(&mut RedisServer), go: fn(&mut RedisServer)) {
    let mut on = Deployment::three_on(redis);
    let server = on.with(&[("CONFORMANCE", "on")]);
    let user = User::new(&server).await;
    let clients = [0, 1, 2].map(|instance| user.client.at(&server, instance));
    let mut standalone = Stream::of(clients[0].get(None).await);
    let long = json!({ "duration": 16, "steps": 32 });
    let mut calling = Stream::of(clients[1].send(&call(9, "longRunningOperation", &long)).await);
    calling.until("notifications/progress").await;

    stop(on.redis.as_mut().unwrap());
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for (instance, client) in clients.iter().enumerate() {
        slowest = slowest.max(refused(client).await);
        is_not_ready(&server, instance).await;
    }
    user.cannot_refresh(&server).await;
    // A client that gets a 503 to these gives up: they are held.
    let held = tokio::spawn({
        let client = clients[2].clone();
        async move { client.get(None).await }
    });
    while began.elapsed() < AWAY {
        for (instance, client) in clients.iter().enumerate() {
            slowest = slowest.max(refused(client).await);
            assert_eq!(status(&server, instance, "/healthz").await, StatusCode::OK);
        }
        sleep(Duration::from_millis(100)).await;
    }
    println!("while Redis was away: refused within {slowest:?}");

    go(on.redis.as_mut().unwrap());
    let back = Instant::now();
    for (instance, client) in clients.iter().enumerate() {
        serves_again(client).await;
        while status(&server, instance, "/readyz").await != StatusCode::OK {
            assert!(back.elapsed() < BACK_WITHIN, "instance {instance} is not ready again");
            sleep(Duration::from_millis(20)).await;
        }
    }
    let recovered = back.elapsed();
    println!("all three served again after {recovered:?}");
    assert!(recovered < BACK_WITHIN);

    assert_eq!(held.await.unwrap().status(), StatusCode::OK, "held until Redis was back");
    // The newest stream has the log: the one that was held.
    user.refresh(&server).await;
    for client in &clients {
        client.post(&call(1, "test_trigger_tool_change", &json!({}))).await;
    }
    standalone.until("notifications/tools/list_changed").await;
    let mut seen = 1;
    let answer = loop {
        let message = calling.next().await.unwrap();
        if message["method"] != "notifications/progress" {
            break message;
        }
        seen += 1;
        assert_eq!(message["params"]["progress"], f64::from(seen), "in order, each once");
    };
    assert_eq!(seen, 32);
    assert!(answer["result"].is_object(), "{answer}");
    let asked = call(1, "sampleLLM", &json!({ "prompt": "x" }));
    let mut sampling = Stream::of(clients[0].send(&asked).await);
    let asked = sampling.until("sampling/createMessage").await;
    let text = json!({ "type": "text", "text": "real" });
    let result = json!({ "role": "assistant", "model": "m", "content": text });
    let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    assert_eq!(clients[2].post(&reply).await.status, StatusCode::ACCEPTED);
    assert_ne!(sampling.last().await["result"]["isError"], true);
}

/// Calls until it is refused for the first time, which what is still known locally may delay, and
/// how long the refusal took.
async fn refused(client: &Mcp) -> Duration {
    let began = Instant::now();
    loop {
        let asked = Instant::now();
        let answer = client.call("echo", json!({ "message": "hi" })).await;
        let took = asked.elapsed();
        assert!(took < REFUSED_WITHIN, "{took:?}");
        if answer.status == StatusCode::OK {
            assert!(began.elapsed() < REFUSED_WITHIN, "it goes on without Redis");
            continue;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.headers.contains_key("retry-after"));
        // Of the endpoint, or of the check of the token before it.
        let error = &answer.body["error"];
        assert!(error["code"].is_i64() || *error == "temporarily_unavailable", "{answer:?}");
        return took;
    }
}

async fn serves_again(client: &Mcp) {
    let began = Instant::now();
    loop {
        let answer = client.call("echo", json!({ "message": "hi" })).await;
        if answer.status == StatusCode::OK {
            assert_eq!(answer.text(), "Echo: hi");
            return;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(began.elapsed() < BACK_WITHIN, "it does not serve again");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn is_not_ready(server: &Server, instance: usize) {
    let not_ready = async {
        while status(server, instance, "/readyz").await != StatusCode::SERVICE_UNAVAILABLE {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(BOUND, not_ready).await.expect("readiness follows Redis");
}

async fn status(server: &Server, instance: usize, path: &str) -> StatusCode {
    let asked = Instant::now();
    let answer = reqwest::get(server.url_of(instance, path)).await.unwrap();
    assert!(asked.elapsed() < REFUSED_WITHIN, "{path} is answered at once");
    answer.status()
}

/// Somebody who signed in.
struct User {
    client: Mcp,
    tokens: Tokens,
    http: Client,
}

impl User {
    async fn new(server: &Server) -> Self {
        let sign_in = SignIn::register(server).await;
        let tokens = sign_in.tokens("alice").await;
        let mut client = Mcp::new(server);
        client.token = Some(tokens.access.clone());
        client.initialize(json!({ "sampling": {} })).await;
        Self { client, tokens, http: sign_in.browser.http }
    }

    async fn try_refresh(&self, server: &Server) -> Answer {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", self.tokens.refresh.as_str()),
            ("client_id", self.tokens.client_id.as_str()),
        ];
        let sent = self.http.post(server.url("/token")).form(&form).send().await;
        Answer::of(sent.unwrap()).await
    }

    async fn cannot_refresh(&self, server: &Server) {
        for _ in 0..3 {
            let answer = self.try_refresh(server).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(answer.body["error"], "temporarily_unavailable");
        }
    }

    /// What could not be done meanwhile did not use the token up.
    async fn refresh(&self, server: &Server) {
        let answer = self.try_refresh(server).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}
