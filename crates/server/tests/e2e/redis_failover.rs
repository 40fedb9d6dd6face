//! The master dies, and Sentinel makes its replica the master.

use std::time::Duration;

use http::StatusCode;
use mcp_everything_store::contract::redis_sentinels::RedisSentinels;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::it::support::{Deployment, Mcp, SignIn, Stream, call};

const BACK_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_go_on_at_the_new_master_and_nothing_works_twice() {
    let mut redis = RedisSentinels::start();
    let on = Deployment::three_on_redis();
    let server = on.with(&[("REDIS_URL", &redis.url()), ("CONFORMANCE", "on")]);
    let sign_in = SignIn::register(&server).await;
    let code = sign_in.code("alice").await;
    let redeemed = sign_in.redeem(&code).await;
    assert_eq!(redeemed.status(), StatusCode::OK);
    let tokens: Value = redeemed.json().await.unwrap();
    let mut client = Mcp::new(&server);
    client.token = tokens["access_token"].as_str().map(str::to_owned);
    client.initialize(json!({})).await;
    let other = Mcp::of(&server, "bob").await;
    let mut stream = Stream::of(other.at(&server, 0).get(None).await);

    let old = redis.master_port();
    redis.master.kill();
    let died = Instant::now();
    for instance in 0..3 {
        let client = other.at(&server, instance);
        loop {
            let asked = Instant::now();
            let answer = client.call("echo", json!({ "message": "hi" })).await;
            assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
            if answer.status == StatusCode::OK {
                assert_eq!(answer.text(), "Echo: hi");
                break;
            }
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert!(died.elapsed() < BACK_WITHIN, "it does not come back");
            sleep(Duration::from_millis(20)).await;
        }
    }
    println!("all three served at the new master after {:?}", died.elapsed());
    assert_ne!(redis.master_port(), old);

    // The stream was open all the time.
    other.post(&call(1, "test_trigger_tool_change", &json!({}))).await;
    stream.until("notifications/tools/list_changed").await;
    // A code that was redeemed at the old master is redeemed at the new one.
    let replayed = sign_in.redeem(&code).await;
    assert_eq!(replayed.status(), StatusCode::BAD_REQUEST);
    let refused = client.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "the replay ended what it gave");
}
