//! `subscriptions/listen` (2026-07-28).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mcp_everything_features::{
    Announcement, Audience, Change, Changes, Everything, LocalChanges, Options, StateError,
    Subscription, User,
};
use rmcp::{ServerHandler as _, model::SubscriptionFilter};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::{Raw, called_by, everything, options};

const ONE: &str = "test://static/resource/1";
const TWO: &str = "test://static/resource/2";

fn with(changes: impl Changes) -> Everything {
    Everything::new(Options { changes: Arc::new(changes), ..options() }).unwrap()
}

/// Listens, and returns the filter that was accepted.
async fn listen(client: &mut Raw, filter: Value) -> (u64, Value) {
    let id = client.ask("subscriptions/listen", json!({ "notifications": filter })).await;
    let mut acknowledged = client.receive().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(subscription(&acknowledged), id);
    (id, acknowledged["params"]["notifications"].take())
}

fn subscription(notification: &Value) -> &Value {
    &notification["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
}

fn updated(uri: &str) -> (String, Option<String>) {
    ("notifications/resources/updated".to_owned(), Some(uri.to_owned()))
}

fn changed(list: &str) -> (String, Option<String>) {
    (format!("notifications/{list}/list_changed"), None)
}

/// The next notification: its method and URI.
async fn heard(client: &mut Raw, id: u64) -> (String, Option<String>) {
    let message = client.receive().await;
    assert_eq!(subscription(&message), id, "{message}");
    let uri = message["params"]["uri"].as_str().map(str::to_owned);
    (message["method"].as_str().unwrap().to_owned(), uri)
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for() {
    let changes = LocalChanges::new();
    let mut client = Raw::stateless(&with(changes.clone()), json!({}));
    let filter = json!({
        "toolsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": [ONE, TWO, "test://nowhere"],
    });
    let (id, accepted) = listen(&mut client, filter).await;
    assert_eq!(
        accepted,
        json!({
            "toolsListChanged": true,
            "resourcesListChanged": true,
            "resourceSubscriptions": [ONE, TWO],
        })
    );
    let publish = async |change| changes.publish(Announcement::from(change)).await.unwrap();
    publish(Change::Prompts).await;
    publish(Change::Resource("test://static/resource/3".to_owned())).await;
    publish(Change::Tools).await;
    assert_eq!(heard(&mut client, id).await, changed("tools"));
    publish(Change::Resource(TWO.to_owned())).await;
    assert_eq!(heard(&mut client, id).await, updated(TWO));
    publish(Change::Resources).await;
    assert_eq!(heard(&mut client, id).await, changed("resources"));
    publish(Change::Missed).await;
    for expected in [changed("tools"), changed("resources"), updated(ONE), updated(TWO)] {
        assert_eq!(heard(&mut client, id).await, expected);
    }
    assert!(client.settle().await.is_empty());
}

/// As a server is that tells its callers apart.
#[tokio::test]
async fn a_listener_hears_what_concerns_its_user() {
    let changes = LocalChanges::new();
    let mut options = Options { changes: Arc::new(changes.clone()), ..options() };
    options.origin = Arc::new(|_| called_by("alice"));
    let mut client = Raw::stateless(&Everything::new(options).unwrap(), json!({}));
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": [ONE] });
    let (id, _) = listen(&mut client, filter).await;
    let alice = called_by("alice").user();
    let elsewhere = User { issuer: None, ..alice.clone() };
    for stranger in [called_by("bob").user(), elsewhere, User::default()] {
        for change in [Change::Tools, Change::Resource(ONE.to_owned()), Change::Missed] {
            let audience = Audience::User(stranger.clone());
            changes.tell(Announcement { change, audience });
        }
    }
    assert!(client.settle().await.is_empty());
    let change = Change::Resource(ONE.to_owned());
    changes.tell(Announcement { change, audience: Audience::User(alice) });
    assert_eq!(heard(&mut client, id).await, updated(ONE));
}

#[tokio::test]
async fn several_listeners_of_one_client_are_told_apart() {
    let changes = LocalChanges::new();
    let mut client = Raw::stateless(&with(changes.clone()), json!({}));
    let (tools, _) = listen(&mut client, json!({ "toolsListChanged": true })).await;
    let (prompts, _) = listen(&mut client, json!({ "promptsListChanged": true })).await;
    changes.publish(Change::Prompts.into()).await.unwrap();
    assert_eq!(heard(&mut client, prompts).await, changed("prompts"));
    changes.publish(Change::Tools.into()).await.unwrap();
    assert_eq!(heard(&mut client, tools).await, changed("tools"));
}

/// One user does much at a time, before anybody else's listener gets to run.
#[tokio::test]
async fn what_one_user_does_at_once_is_told_to_no_other() {
    let changes = LocalChanges::new();
    let mut options = Options { changes: Arc::new(changes.clone()), ..options() };
    options.origin = Arc::new(|_| called_by("alice"));
    let mut client = Raw::stateless(&Everything::new(options).unwrap(), json!({}));
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": [ONE] });
    let (id, _) = listen(&mut client, filter).await;
    for number in 0..1_000 {
        let change = Change::Resource(format!("test://bob/{number}"));
        let audience = Audience::User(called_by("bob").user());
        changes.tell(Announcement { change, audience });
    }
    assert!(client.settle().await.is_empty());
    changes.tell(Change::Tools);
    assert_eq!(heard(&mut client, id).await, changed("tools"));
}

/// Much happens before the listener reads.
struct Crowded(LocalChanges);

#[async_trait]
impl Changes for Crowded {
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError> {
        self.0.publish(announcement).await
    }

    fn subscribe(&self) -> Subscription {
        let subscription = self.0.subscribe();
        for number in 0..100 {
            self.0.tell(Change::Resource(number.to_string()));
        }
        subscription
    }
}

#[tokio::test]
async fn a_listener_that_lags_is_told_once_about_everything() {
    let mut client = Raw::stateless(&with(Crowded(LocalChanges::new())), json!({}));
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": [ONE] });
    let (id, _) = listen(&mut client, filter).await;
    assert_eq!(heard(&mut client, id).await, changed("tools"));
    assert_eq!(heard(&mut client, id).await, updated(ONE));
    assert!(client.settle().await.is_empty());
}

/// A channel whose subscriptions are counted.
#[derive(Clone, Default)]
struct Counted(LocalChanges, Arc<AtomicUsize>);

#[async_trait]
impl Changes for Counted {
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError> {
        self.0.publish(announcement).await
    }

    fn subscribe(&self) -> Subscription {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.subscribe()
    }
}

#[tokio::test]
async fn nothing_is_missed_between_acknowledgement_and_listener() {
    let changes = Counted::default();
    let everything = with(changes.clone());
    // What rmcp does in the task of a request before it acknowledges.
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let accepting = everything.clone();
    tokio::spawn(async move { accepting.accepted_subscription_filter(&filter) }).await.unwrap();
    assert_eq!(changes.1.load(Ordering::Relaxed), 1);
    // The listener takes the subscription that was opened before, and opens none.
    let mut client = Raw::stateless(&everything, json!({}));
    listen(&mut client, json!({ "toolsListChanged": true })).await;
    client.settle().await;
    assert_eq!(changes.1.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn resources_listened_to_are_announced_every_ten_seconds() {
    let mut client = Raw::stateless(&everything(), json!({})).in_paused_time();
    let start = Instant::now();
    let (id, _) = listen(&mut client, json!({ "resourceSubscriptions": [ONE] })).await;
    for seconds in [10, 20, 30] {
        assert_eq!(heard(&mut client, id).await, updated(ONE));
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_not_announced_by_the_clock() {
    let mut client = Raw::stateless(&everything(), json!({})).in_paused_time();
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://nowhere"] });
    listen(&mut client, filter).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(client.settle().await.is_empty());
}

#[tokio::test]
async fn a_server_that_goes_down_ends_the_stream_with_its_result() {
    let draining = CancellationToken::new();
    let options = Options { draining: draining.clone(), ..options() };
    let mut client = Raw::stateless(&Everything::new(options).unwrap(), json!({}));
    let (id, _) = listen(&mut client, json!({ "toolsListChanged": true })).await;
    draining.cancel();
    let end = client.answer_to(id).await;
    assert_eq!(end["result"]["resultType"], "complete");
    assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id);
}

#[tokio::test(start_paused = true)]
async fn listeners_of_a_server_that_goes_down_need_not_all_end_at_once() {
    let draining = CancellationToken::new();
    let changes = LocalChanges::new();
    let options = Options {
        draining: draining.clone(),
        lingering: Arc::new(|| Duration::from_millis(1500)),
        changes: Arc::new(changes.clone()),
        ..options()
    };
    let everything = Everything::new(options).unwrap();
    let mut client = Raw::stateless(&everything, json!({})).in_paused_time();
    let (id, _) = listen(&mut client, json!({ "toolsListChanged": true })).await;
    draining.cancel();
    let start = Instant::now();
    // Until then it hears what happens.
    changes.publish(Change::Tools.into()).await.unwrap();
    assert_eq!(heard(&mut client, id).await, changed("tools"));
    client.answer_to(id).await;
    assert_eq!(start.elapsed().as_millis(), 1500);
}

#[tokio::test]
async fn a_cancelled_listener_hears_nothing_more() {
    let changes = LocalChanges::new();
    let mut client = Raw::stateless(&with(changes.clone()), json!({}));
    let (id, _) = listen(&mut client, json!({ "toolsListChanged": true })).await;
    let params = json!({ "requestId": id });
    client
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }))
        .await;
    client.settle().await;
    changes.publish(Change::Tools.into()).await.unwrap();
    assert!(client.settle().await.is_empty());
}

#[tokio::test]
async fn older_revisions_have_no_such_method() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let params = json!({ "notifications": { "toolsListChanged": true } });
    let answer = client.request("subscriptions/listen", params).await;
    assert_eq!(answer["error"]["code"], -32601);
}
