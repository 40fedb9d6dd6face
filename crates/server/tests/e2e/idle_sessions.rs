//! Ten thousand sessions that nobody uses.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    figures::{memory, percentiles},
    it::support::{Deployment, Mcp, QUIET, Server, SignIn},
};

const SESSIONS: usize = 10_000;
const USERS: usize = 4;
/// How many are made at the same time.
const ABREAST: usize = 16;
/// As many as are made before anything is measured: whatever grows with use has grown.
const WARM_UP: usize = 2_000;

/// Clients without a session, of several users.
async fn users(server: &Server) -> Vec<Mcp> {
    let mut users = Vec::new();
    for number in 0..USERS {
        let mut client = Mcp::new(server);
        let user = format!("user-{number}");
        client.token = Some(SignIn::register(server).await.tokens(&user).await.access);
        users.push(client);
    }
    users
}

/// Makes so many sessions, at each instance in turn.
async fn fill(server: &Server, users: &[Mcp], sessions: usize) -> Vec<Mcp> {
    let made = stream::iter(0..sessions).map(async |number| {
        let mut client = users[number % users.len()].at(server, number % 3);
        client.initialize(json!({ "sampling": {}, "elicitation": {} })).await;
        client
    });
    made.buffer_unordered(ABREAST).collect().await
}

impl Deployment {
    fn redis_figure(&self, section: &str, name: &str) -> u64 {
        let info = self.redis_cli(&["INFO", section]);
        let line = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        line.trim().parse().unwrap()
    }

    /// Waits until there is no such key.
    async fn has_none(&self, keys: &str) {
        let began = Instant::now();
        while !self.redis_cli(&["KEYS", keys]).is_empty() {
            assert!(began.elapsed() < Duration::from_secs(45), "there are {keys}");
            sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_cost_next_to_nothing() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[QUIET]);
    let users = users(&server).await;
    fill(&server, &users, WARM_UP).await;
    let connections = on.redis_figure("clients", "connected_clients");
    let (instances, redis) = (memory(&server), on.redis_figure("memory", "used_memory"));

    let sessions = fill(&server, &users, SESSIONS).await;
    let count = SESSIONS as u64;
    let redis = on.redis_figure("memory", "used_memory").saturating_sub(redis) / count;
    println!("{SESSIONS} sessions: Redis grew by {redis} bytes for each");
    let after = memory(&server);
    for (number, (before, after)) in instances.iter().zip(&after).enumerate() {
        let grown = after.saturating_sub(*before) / count;
        println!("instance {number} grew by {grown} bytes for each, to {} MiB", after >> 20);
        assert!(grown < 1024);
    }
    let now = on.redis_figure("clients", "connected_clients");
    println!("connections to Redis: {connections} before, {now} after");
    assert!(redis < 2048);
    assert_eq!(now, connections);
    // They are there: one in a hundred is asked, each at another instance.
    for (number, client) in sessions.iter().step_by(100).enumerate() {
        client.at(&server, (number + 1) % 3).is_served().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_all_gone_after_their_time() {
    let on = Deployment::three_on_redis();
    let server = on.with(&[QUIET, ("SESSION_TTL", "20s")]);
    let users = users(&server).await;
    let mut made = Vec::new();
    let began = Instant::now();
    for _ in 0..SESSIONS / 500 {
        let began = Instant::now();
        fill(&server, &users, 500).await;
        made.push(began.elapsed());
    }
    let last = Instant::now();
    println!("{SESSIONS} sessions in {:?}; 500 of them: {}", last - began, percentiles(made));
    on.has_none("session:*:owner").await;
    println!("all are gone after {:?}", last.elapsed());
    // What belongs to a session is kept for half a minute longer.
    on.has_none("*session:*").await;
    println!("nothing of them is left after {:?}", last.elapsed());
}
