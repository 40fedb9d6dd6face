//! What `redis-cli` shows while the server runs.

use crate::support::{Deployment, Mcp, Stream};

#[tokio::test]
async fn the_owner_of_a_session_is_shown() {
    let on = Deployment::three_on_redis();
    let server = on.start();
    let client = Mcp::of(&server, "alice").await;
    let session = client.session.clone().unwrap();
    let key = format!("session:{session}:owner");
    assert_eq!(on.redis_cli(&["KEYS", "session:*:owner"]), key);
    assert_eq!(on.redis_cli(&["GET", &key]), "alice");
    let left: u64 = on.redis_cli(&["TTL", &key]).parse().unwrap();
    assert!((290..=300).contains(&left), "{left}");
    client.delete().await;
    assert_eq!(on.redis_cli(&["KEYS", "*session:*"]), "", "nothing of it stays");
}

#[tokio::test]
async fn the_channel_of_a_session_is_there_while_it_has_a_stream() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    let session = client.session.clone().unwrap();
    let channel = format!("mcp:shttp:toserver:{session}");
    let _stream = Stream::of(client.at(&server, 1).get(None).await);
    let channels = ["PUBSUB", "CHANNELS", "mcp:shttp:toserver:*"];
    on.until_redis_cli(&channels, |answer| answer == channel).await;
    client.delete().await;
    on.until_redis_cli(&channels, str::is_empty).await;
}

#[tokio::test]
async fn connections_to_redis_are_as_many_with_a_hundred_streams_as_with_none() {
    let on = Deployment::three_on_redis();
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    client.is_served().await;
    let before = on.redis_cli(&["CLIENT", "LIST"]).lines().count();
    let mut streams = Vec::new();
    for _ in 0..100 {
        let client = Mcp::anonymous(&server).await;
        streams.push(Stream::of(client.get(None).await));
    }
    assert_eq!(on.redis_cli(&["CLIENT", "LIST"]).lines().count(), before);
}
