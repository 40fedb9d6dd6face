//! The standalone stream: opened at one instance, fed by all.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Deployment, Mcp, Stream, call};

const FIXTURES: &[(&str, &str)] = &[("AUTH_MODE", "none"), ("CONFORMANCE", "on")];

fn change() -> Value {
    call(1, "test_trigger_tool_change", &json!({}))
}

#[tokio::test]
async fn a_change_at_one_instance_is_told_on_the_streams_of_the_others() {
    let on = Deployment::three_on_redis();
    let server = on.with(FIXTURES);
    let client = Mcp::anonymous(&server).await;
    for holding in 0..3 {
        let mut stream = Stream::of(client.at(&server, holding).get(None).await);
        for changing in 0..3 {
            client.at(&server, changing).post(&change()).await;
            stream.until("notifications/tools/list_changed").await;
        }
    }
}

/// Nothing that an event causes is lost while nobody listens.
#[tokio::test]
async fn a_change_waits_for_a_session_whose_stream_is_away() {
    let on = Deployment::three_on_redis();
    let server = on.with(FIXTURES);
    let client = Mcp::anonymous(&server).await;
    let mut stream = Stream::of(client.at(&server, 0).get(None).await);
    client.at(&server, 1).post(&change()).await;
    stream.until("notifications/tools/list_changed").await;
    let seen = stream.last_id.clone();
    drop(stream);
    client.at(&server, 2).post(&change()).await;
    let mut again = Stream::of(client.at(&server, 1).get(seen.as_deref()).await);
    again.until("notifications/tools/list_changed").await;
}

/// A newer stream takes over, wherever it is; the older one stays open and silent, and takes it
/// back.
#[tokio::test]
async fn an_older_stream_is_a_shadow_of_a_newer_one_at_another_instance() {
    let on = Deployment::three_on_redis();
    let server = on.with(FIXTURES);
    let client = Mcp::anonymous(&server).await;
    let mut older = Stream::of(client.at(&server, 0).get(None).await);
    let mut newer = Stream::of(client.at(&server, 1).get(None).await);
    client.at(&server, 2).post(&change()).await;
    newer.until("notifications/tools/list_changed").await;
    drop(newer);
    client.at(&server, 2).post(&change()).await;
    older.until("notifications/tools/list_changed").await;
}

/// A stream that a balancer cut goes on where the next request lands.
#[tokio::test]
async fn a_stream_that_was_cut_goes_on_at_another_instance() {
    let on = Deployment::three_on_redis();
    let server = on.with(FIXTURES);
    let client = Mcp::anonymous(&server).await;
    let mut stream = Stream::of(client.get(None).await);
    for _ in 0..6 {
        client.post(&change()).await;
        stream.until("notifications/tools/list_changed").await;
        let seen = stream.last_id.clone();
        (0..3).for_each(|instance| server.balancer().cut(instance));
        assert!(stream.broken().await);
        stream = Stream::of(client.get(seen.as_deref()).await);
    }
}

#[tokio::test]
async fn ending_a_session_at_one_instance_ends_its_streams_at_the_others() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    for ending in 0..3 {
        let client = Mcp::anonymous(&server).await;
        let mut streams = Vec::new();
        for holding in 0..3 {
            streams.push(Stream::of(client.at(&server, holding).get(None).await));
        }
        let long = json!({ "duration": 600, "steps": 1000 });
        let calling = client.at(&server, (ending + 1) % 3);
        streams.push(Stream::of(calling.send(&call(9, "longRunningOperation", &long)).await));
        let ended = client.at(&server, ending).delete().await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        for stream in &mut streams {
            while stream.next().await.is_some() {}
        }
    }
}
