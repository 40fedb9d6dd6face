//! What is opened with a token ends with it.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use mcp_everything_store::{Access, Bell, Bus as _, Clock as _, Limits, Ring, oauth::GrantId};
use mcp_everything_transport::{Config, Gate};
use serde_json::{Value, json};

use crate::support::{Client, Cluster, Events, call};

const GRANT: GrantId = GrantId::from_bytes([7; 16]);

fn with_token<'a>(cluster: &'a Cluster, client: &Client<'a>) -> Client<'a> {
    with_grant(cluster, client, GRANT)
}

fn with_grant<'a>(cluster: &'a Cluster, client: &Client<'a>, grant: GrantId) -> Client<'a> {
    let until = cluster.clock.now() + Duration::from_secs(3600);
    Client { access: Some(Access { until, grant }), ..client.clone() }
}

#[tokio::test]
async fn a_revoked_grant_ends_its_streams_and_calls() {
    let cluster = Cluster::of(1).await;
    let without = cluster.client().await;
    let client = with_token(&cluster, &without);
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let mut calling = client.stream(&call(1, "gate")).await;
    calling.next().await.unwrap();
    cluster.sees("gate.waits").await;
    let mut other = client.stream(&call(2, "ask")).await;
    let cut = other.next().await.unwrap().id;
    let mut resumed = Events::of(client.get(cut.as_deref()).await);
    resumed.next().await.unwrap();

    cluster.bus.ring(Ring::All, Bell::Revoked(GRANT)).await.unwrap();
    cluster.sees("gate.cancelled").await;
    assert_eq!(stream.rest().await, Vec::<Value>::new());
    assert_eq!(calling.rest().await, Vec::<Value>::new());
    resumed.rest().await;
    without.post(&call(3, "echo")).await.says("echo");
}

#[tokio::test(start_paused = true)]
async fn a_revocation_whose_bell_was_lost_is_found_when_that_is_known() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let others = [GrantId::ELSEWHERE, GrantId::from_bytes([8; 16])];
    let mut going_on = Vec::new();
    for grant in others {
        let mut stream = Events::of(with_grant(&cluster, &client, grant).get(None).await);
        stream.next().await.unwrap();
        going_on.push(stream);
    }
    let mut stream = Events::of(with_token(&cluster, &client).get(None).await);
    stream.next().await.unwrap();
    cluster.revoked.grants.lock().unwrap().insert(GRANT);
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    assert_eq!(stream.rest().await, Vec::<Value>::new());

    // The one that is left takes the session's log.
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
    client.post(&noted).await;
    let mut newest = going_on.pop().unwrap();
    assert_eq!(newest.message().await.data["method"], "notifications/noted");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_ends_its_connections_and_not_its_calls() {
    let cluster = Cluster::of(1).await;
    let without = cluster.client().await;
    let client = with_token(&cluster, &without);
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    let mut calling = client.stream(&call(1, "gate")).await;
    let id = calling.next().await.unwrap().id;
    cluster.sees("gate.waits").await;
    tokio::time::advance(Duration::from_secs(3601)).await;
    assert_eq!(stream.rest().await, Vec::<Value>::new());
    assert_eq!(calling.next().await, None);
    // Its client comes back with a new token.
    let client = with_token(&cluster, &without);
    cluster.gate.add_permits(1);
    let mut rest = Events::of(client.get(id.as_deref()).await);
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "passed");
}

#[tokio::test]
async fn a_gate_is_asked_of_each_request() {
    let gate = Gate::new(|_, method| match method {
        "tools/call" => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::FORBIDDEN;
            Err(Box::new(response))
        }
        _ => Ok(()),
    });
    let cluster = Cluster::with(1, Config { gate, ..Config::default() }, Limits::default()).await;
    let client = cluster.client_of("alice", "2025-03-26").await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(client.post(&ping).await.status, StatusCode::OK);
    assert_eq!(client.post(&call(1, "echo")).await.status, StatusCode::FORBIDDEN);
    let batch = json!([ping, call(1, "echo")]);
    assert_eq!(client.post(&batch).await.status, StatusCode::FORBIDDEN);
}
