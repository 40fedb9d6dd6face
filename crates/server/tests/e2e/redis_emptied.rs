//! Redis comes back and has forgotten everything.

use std::time::Duration;

use http::StatusCode;
use reqwest::Client;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::it::support::{Answer, Deployment, Mcp, Stream, call};

const BACK_WITHIN: Duration = Duration::from_secs(10);

/// The first answer that is not 503.
async fn settled(client: &Mcp) -> Answer {
    let began = Instant::now();
    loop {
        let answer = client.call("echo", json!({ "message": "hi" })).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        assert!(began.elapsed() < BACK_WITHIN);
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until clients can be registered again.
async fn registers(url: &str) {
    let began = Instant::now();
    let client = json!({ "redirect_uris": ["http://127.0.0.1:9/callback"] });
    loop {
        let answer =
            Client::builder().build().unwrap().post(url).json(&client).send().await.unwrap();
        if answer.status() == StatusCode::CREATED {
            return;
        }
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(began.elapsed() < BACK_WITHIN);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_sessions_are_gone_everywhere_and_clients_can_begin_again() {
    let mut on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let mut stream = Stream::of(client.at(&server, 0).get(None).await);
    for instance in 0..3 {
        // All of them know it.
        client.at(&server, instance).is_served().await;
    }
    on.redis.as_mut().unwrap().run();
    let began = Instant::now();
    for instance in 0..3 {
        let refused = settled(&client.at(&server, instance)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("invalid_token"), "{challenge}");
    }
    println!("all three said 401 after {:?}", began.elapsed());
    // The stream of a session that is gone ends.
    while stream.next().await.is_some() {}
    println!("its stream ended after {:?}", began.elapsed());

    for instance in 0..3 {
        registers(&server.url_of(instance, "/register")).await;
    }
    println!("all three registered clients after {:?}", began.elapsed());
    assert!(began.elapsed() < BACK_WITHIN);
    let again = Mcp::of(&server, "alice").await;
    for instance in 0..3 {
        again.at(&server, instance).is_served().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_authentication_it_is_the_session_that_is_gone() {
    let mut on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let long = json!({ "duration": 600, "steps": 1000 });
    let running = client.at(&server, 1).send(&call(3, "longRunningOperation", &long)).await;
    let mut running = Stream::of(running);
    running.until("notifications/progress").await;
    on.redis.as_mut().unwrap().run();
    for instance in 0..3 {
        settled(&client.at(&server, instance)).await.is_refused(404, -32001);
    }
    // Nothing of it goes on for ever.
    while running.next().await.is_some() {}
    let keys = on.redis_cli(&["KEYS", "*session:*"]);
    assert_eq!(keys, "", "no late write brings a part of it back");
    let again = Mcp::anonymous(&server).await;
    again.is_served().await;
}
