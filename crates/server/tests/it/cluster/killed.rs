//! An instance that dies takes its running calls with it, and nothing else.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::steady;
use crate::support::{Deployment, Mcp, Stream, call};

#[tokio::test]
async fn sessions_outlive_the_instance_that_made_them() {
    let on = Deployment::three_on_redis();
    let mut server = on.start();
    let token = Mcp::of(&server, "alice").await.token;
    let mut client = Mcp::new(&server).at(&server, 0);
    client.token = token;
    client.initialize(json!({})).await;
    server.instances[0].kill();
    for other in [1, 2] {
        client.at(&server, other).is_served().await;
    }
    server.instances[0].restart();
    client.is_served().await;
}

/// Its client comes back at another instance, is told what was said until then, and within 5 s
/// that there will be no answer.
#[tokio::test]
async fn a_call_that_died_with_its_instance_ends_with_an_error_where_it_is_resumed() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let client = Mcp::anonymous(&server).await;
    let long = json!({ "duration": 600, "steps": 1000 });
    let at_it = client.at(&server, 0);
    let mut calling = Stream::of(at_it.send(&call(4, "longRunningOperation", &long)).await);
    steady(&mut calling).await;
    let seen = calling.last_id.clone();
    server.instances[0].kill();
    let died = Instant::now();
    assert!(calling.broken().await, "the connection does not end as if all was said");
    let mut rest = Stream::of(client.at(&server, 1).get(seen.as_deref()).await);
    let last = rest.last().await;
    assert_eq!(last["error"]["code"], -32603, "{last}");
    assert_eq!(last["id"], 4);
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    // Whoever comes later is told the same at once.
    let mut again = Stream::of(client.at(&server, 2).get(seen.as_deref()).await);
    assert_eq!(again.last().await["error"]["code"], -32603);
}

/// A reader that sits at another instance when it happens is told there.
#[tokio::test]
async fn a_reader_at_another_instance_is_told_that_the_call_died() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let client = Mcp::anonymous(&server).await;
    let long = json!({ "duration": 600, "steps": 1000 });
    let at_it = client.at(&server, 0);
    let mut calling = Stream::of(at_it.send(&call(4, "longRunningOperation", &long)).await);
    calling.until("notifications/progress").await;
    let mut rest = Stream::of(client.at(&server, 1).get(calling.last_id.as_deref()).await);
    steady(&mut rest).await;
    server.instances[0].kill();
    let died = Instant::now();
    assert_eq!(rest.last().await["error"]["code"], -32603);
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
}

/// The log of the standalone stream is not the dead one's for ever.
#[tokio::test]
async fn the_standalone_stream_of_a_dead_instance_goes_on_at_another() {
    let on = Deployment::three_on_redis();
    let mut server = on.with(&[("AUTH_MODE", "none"), ("CONFORMANCE", "on")]);
    let client = Mcp::anonymous(&server).await;
    let mut stream = Stream::of(client.at(&server, 0).get(None).await);
    let change = call(1, "test_trigger_tool_change", &json!({}));
    client.at(&server, 1).post(&change).await;
    stream.until("notifications/tools/list_changed").await;
    let seen = stream.last_id.clone();
    server.instances[0].kill();
    let mut again = Stream::of(client.at(&server, 2).get(seen.as_deref()).await);
    client.at(&server, 1).post(&change).await;
    again.until("notifications/tools/list_changed").await;
}

/// What a balancer shows meanwhile is the balancer's; the server's sessions are whole.
#[tokio::test]
async fn with_two_of_three_left_everything_goes_on() {
    let on = Deployment::three_on_redis();
    let mut server = on.open();
    let client = Mcp::anonymous(&server).await;
    server.instances[1].kill();
    for _ in 0..10 {
        client.is_served().await;
    }
    server.instances[1].restart();
    for _ in 0..3 {
        client.is_served().await;
    }
    assert_eq!(client.delete().await.status, StatusCode::NO_CONTENT);
}
