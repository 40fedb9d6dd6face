//! Changes of lists and resources, wherever they are made and wherever they are heard.

use std::time::Duration;

use mcp_everything_store::{Announcement, Audience, Bell, Bus as _, Change, Limits, Ring, User};
use mcp_everything_transport::Config;
use serde_json::json;

use crate::support::{Client, Cluster, Events, owner, soon};

const X: &str = "test://x";
const Y: &str = "test://y";

fn updated(uri: &str) -> Change {
    Change::Resource(uri.to_owned())
}

/// A change that is the business of one user.
fn for_user(user: &str, change: Change) -> Announcement {
    Announcement { change, audience: Audience::User(User::from(&owner(user))) }
}

async fn publish(cluster: &Cluster, instance: usize, change: impl Into<Announcement>) {
    cluster.feeds[instance].publish(change).await.unwrap();
}

async fn subscribe(client: &Client<'_>, uri: &str) {
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 7, "method": "resources/subscribe", "params": { "uri": uri }
    });
    assert_eq!(client.post(&subscribe).await.body["result"], json!({}));
}

/// A standalone stream that is open and has said so.
async fn stream(client: &Client<'_>) -> Events {
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    stream
}

/// The next notification, in short.
async fn heard(stream: &mut Events) -> String {
    // Comments keep a stream going that has nothing to say.
    let message = soon(stream.message()).await.data;
    let method = message["method"].as_str().unwrap().strip_prefix("notifications/").unwrap();
    match message["params"]["uri"].as_str() {
        Some(uri) => format!("{method} {uri}"),
        None => method.to_owned(),
    }
}

async fn all_heard<const N: usize>(stream: &mut Events) -> [String; N] {
    let mut all = [const { String::new() }; N];
    for one in &mut all {
        *one = heard(stream).await;
    }
    all
}

#[tokio::test]
async fn change_stream_and_subscription_are_on_three_instances() {
    let cluster = Cluster::of(3).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    publish(&cluster, 2, Change::Tools).await;
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
    subscribe(&client.on(1), X).await;
    publish(&cluster, 2, updated(Y)).await;
    publish(&cluster, 2, updated(X)).await;
    assert_eq!(heard(&mut stream).await, format!("resources/updated {X}"));
    publish(&cluster, 0, Change::Resources).await;
    assert_eq!(heard(&mut stream).await, "resources/list_changed");
}

#[tokio::test]
async fn changes_wait_for_a_stream_and_come_once() {
    let cluster = Cluster::of(3).await;
    let client = cluster.client().await;
    subscribe(&client, X).await;
    for _ in 0..2 {
        publish(&cluster, 0, updated(X)).await;
        publish(&cluster, 1, Change::Prompts).await;
        publish(&cluster, 2, Change::Tools).await;
    }
    assert_eq!(cluster.store.count("tell"), 0, "nothing is written for who does not listen");
    let mut there = stream(&client.on(1)).await;
    let updated_x = format!("resources/updated {X}");
    let expected = ["tools/list_changed", "prompts/list_changed", updated_x.as_str()];
    assert_eq!(all_heard(&mut there).await, expected);
    // The one that comes next is the next change.
    publish(&cluster, 0, Change::Resources).await;
    assert_eq!(heard(&mut there).await, "resources/list_changed");
    // Another stream goes on from there, with what nobody knows to have arrived.
    let mut here = stream(&client).await;
    publish(&cluster, 2, updated(X)).await;
    assert_eq!(all_heard(&mut here).await, ["resources/list_changed", updated_x.as_str()]);
}

#[tokio::test]
async fn what_was_before_a_session_is_not_told() {
    let cluster = Cluster::of(2).await;
    publish(&cluster, 0, Change::Tools).await;
    let client = cluster.client().await;
    let mut stream = stream(&client.on(1)).await;
    publish(&cluster, 0, Change::Prompts).await;
    assert_eq!(heard(&mut stream).await, "prompts/list_changed");
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_that_anything_may_have_changed() {
    let limits = Limits { changes: 2, ..Limits::default() };
    let cluster = Cluster::with(2, Config::default(), limits).await;
    let client = cluster.client().await;
    subscribe(&client, X).await;
    for _ in 0..3 {
        publish(&cluster, 0, updated(Y)).await;
    }
    let mut stream = stream(&client.on(1)).await;
    let lists = ["tools", "prompts", "resources"].map(|list| format!("{list}/list_changed"));
    assert_eq!(all_heard(&mut stream).await, lists);
    assert_eq!(heard(&mut stream).await, format!("resources/updated {X}"));
    publish(&cluster, 0, Change::Tools).await;
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
}

#[tokio::test]
async fn subscriptions_of_one_user_tell_no_other() {
    let cluster = Cluster::of(2).await;
    let (alice, bob) = (cluster.client().await, cluster.client_of("bob", "2025-11-25").await);
    subscribe(&alice.on(1), X).await;
    subscribe(&bob.on(1), Y).await;
    let (mut of_alice, mut of_bob) = (stream(&alice).await, stream(&bob).await);
    for uri in [X, Y] {
        publish(&cluster, 1, updated(uri)).await;
    }
    publish(&cluster, 1, Change::Tools).await;
    for (stream, uri) in [(&mut of_alice, X), (&mut of_bob, Y)] {
        let mut told = all_heard::<2>(stream).await;
        told.sort_unstable();
        assert_eq!(told, [format!("resources/updated {uri}"), "tools/list_changed".to_owned()]);
    }
}

#[tokio::test]
async fn a_change_for_one_user_is_told_to_no_other() {
    let cluster = Cluster::of(3).await;
    let (alice, bob) = (cluster.client().await, cluster.client_of("bob", "2025-11-25").await);
    subscribe(&alice, X).await;
    subscribe(&bob, X).await;
    let mut hers = stream(&alice).await;
    let (mut his, mut his_elsewhere) = {
        let other = cluster.client_of("bob", "2025-11-25").await;
        subscribe(&other, X).await;
        (stream(&bob).await, stream(&other.on(1)).await)
    };
    for change in [Change::Tools, updated(X), Change::Prompts, Change::Resources] {
        publish(&cluster, 2, for_user("alice", change)).await;
    }
    let mut told = all_heard::<4>(&mut hers).await;
    told.sort_unstable();
    let updated_x = format!("resources/updated {X}");
    let lists = ["prompts", "resources", "tools"].map(|list| format!("{list}/list_changed"));
    assert_eq!(told[..3], [&lists[0], &lists[1], &updated_x].map(String::clone));
    assert_eq!(told[3], lists[2]);
    // What he hears first is the first that concerns him.
    publish(&cluster, 0, for_user("bob", updated(X))).await;
    publish(&cluster, 0, Change::Tools).await;
    for stream in [&mut his, &mut his_elsewhere] {
        let mut told = all_heard::<2>(stream).await;
        told.sort_unstable();
        assert_eq!(told, [&updated_x, &lists[2]].map(String::clone));
    }
    assert_eq!(heard(&mut hers).await, lists[2]);
}

/// It costs the others nothing either.
#[tokio::test]
async fn a_change_for_one_user_touches_no_other_session() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    publish(&cluster, 0, Change::Tools).await;
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
    let before = ["held", "tell"].map(|operation| cluster.store.count(operation));
    for _ in 0..3 {
        let read = cluster.store.count("since");
        publish(&cluster, 0, for_user("bob", Change::Prompts)).await;
        cluster.store.asked("since", read).await;
    }
    publish(&cluster, 0, for_user("alice", Change::Prompts)).await;
    assert_eq!(heard(&mut stream).await, "prompts/list_changed");
    let after = ["held", "tell"].map(|operation| cluster.store.count(operation));
    // Her place was that of the first change: it is looked at, read from, and looked at again.
    assert!(after[0] <= before[0] + 2 && after[1] == before[1] + 1, "{before:?} {after:?}");
}

/// Sessions that changes for others pass by are not left behind for good.
#[tokio::test]
async fn who_is_passed_by_does_not_fall_out_of_the_log() {
    let limits = Limits { changes: 1_200, ..Limits::default() };
    let cluster = Cluster::with(1, Config::default(), limits).await;
    let (alice, bob) = (cluster.client().await, cluster.client_of("bob", "2025-11-25").await);
    let (mut hers, mut his) = (stream(&alice).await, stream(&bob).await);
    for _ in 0..25 {
        for _ in 1..100 {
            publish(&cluster, 0, for_user("carol", Change::Prompts)).await;
        }
        publish(&cluster, 0, for_user("alice", Change::Prompts)).await;
        assert_eq!(heard(&mut hers).await, "prompts/list_changed");
    }
    publish(&cluster, 0, for_user("bob", Change::Tools)).await;
    assert_eq!(heard(&mut his).await, "tools/list_changed");
    publish(&cluster, 0, for_user("bob", Change::Resources)).await;
    assert_eq!(heard(&mut his).await, "resources/list_changed", "no more than was meant for him");
}

/// However many there are: what the one has missed that is furthest behind, the others have in part.
#[tokio::test]
async fn sessions_at_different_places_are_caught_up_by_one_reading() {
    const USERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let cluster = Cluster::of(1).await;
    let mut clients = Vec::new();
    for user in USERS {
        clients.push(cluster.client_of(user, "2025-11-25").await);
    }
    let mut streams = Vec::new();
    for client in &clients {
        streams.push(stream(client).await);
    }
    // Each is told of its own change, and so is at a place of its own.
    for (user, stream) in USERS.into_iter().zip(&mut streams) {
        publish(&cluster, 0, for_user(user, Change::Prompts)).await;
        assert_eq!(heard(stream).await, "prompts/list_changed");
    }
    cluster.bus.lose_bells(true);
    for number in 0..1_000 {
        let user = USERS.get(number / 100).copied().unwrap_or("nobody");
        publish(&cluster, 0, for_user(user, Change::Resources)).await;
    }
    cluster.bus.lose_bells(false);
    let before = cluster.store.count("since");
    publish(&cluster, 0, Change::Tools).await;
    for stream in &mut streams {
        assert_eq!(all_heard(stream).await, ["tools/list_changed", "resources/list_changed"]);
    }
    // There are four pages. Others may have looked meanwhile.
    let read = cluster.store.count("since") - before;
    assert!(read <= 16, "{read} pages were read");
}

/// A user who was away is told what was meant for that user.
#[tokio::test]
async fn a_change_for_one_user_waits_for_a_stream() {
    let cluster = Cluster::of(2).await;
    let (alice, bob) = (cluster.client().await, cluster.client_of("bob", "2025-11-25").await);
    publish(&cluster, 0, for_user("alice", Change::Tools)).await;
    publish(&cluster, 1, for_user("bob", Change::Prompts)).await;
    let (mut hers, mut his) = (stream(&alice.on(1)).await, stream(&bob).await);
    assert_eq!(heard(&mut hers).await, "tools/list_changed");
    assert_eq!(heard(&mut his).await, "prompts/list_changed");
    publish(&cluster, 0, Change::Resources).await;
    assert_eq!(heard(&mut hers).await, "resources/list_changed");
    assert_eq!(heard(&mut his).await, "resources/list_changed");
}

#[tokio::test]
async fn a_listener_without_a_session_hears_of_a_change_made_elsewhere() {
    let cluster = Cluster::of(2).await;
    let client = Client::new(&cluster, "alice").on(1);
    let listen = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": {
            "notifications": { "toolsListChanged": true },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}
            }
        }
    });
    let request = client
        .request(http::Method::POST)
        .header("content-type", "application/json")
        .header("accept", "text/event-stream, application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen");
    let mut stream =
        Events::of(client.send(request.body(listen.to_string().into()).unwrap()).await);
    assert_eq!(heard(&mut stream).await, "subscriptions/acknowledged");
    publish(&cluster, 0, Change::Tools).await;
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_found_without_its_bell() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    cluster.bus.lose_bells(true);
    publish(&cluster, 1, Change::Tools).await;
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
}

#[tokio::test]
async fn a_change_whose_bell_was_lost_is_found_when_that_is_known() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    cluster.bus.lose_bells(true);
    publish(&cluster, 1, Change::Tools).await;
    cluster.bus.lose_bells(false);
    cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_told_later() {
    for operation in ["since", "held", "tell"] {
        let cluster = Cluster::of(1).await;
        let client = cluster.client().await;
        let mut stream = stream(&client).await;
        let asked = cluster.store.count(operation);
        cluster.store.break_down(operation);
        publish(&cluster, 0, Change::Tools).await;
        cluster.store.asked(operation, asked).await;
        cluster.store.mend(operation);
        assert_eq!(heard(&mut stream).await, "tools/list_changed", "{operation}");
        publish(&cluster, 0, Change::Prompts).await;
        assert_eq!(heard(&mut stream).await, "prompts/list_changed", "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_told_without_an_answer_is_not_told_twice() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    // It has looked, and waits to be rung.
    tokio::time::timeout(Duration::from_millis(1), stream.next()).await.unwrap_err();
    cluster.store.lose_answers("tell");
    publish(&cluster, 0, Change::Tools).await;
    cluster.store.asked("tell", 0).await;
    cluster.store.mend("tell");
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
    publish(&cluster, 0, Change::Prompts).await;
    assert_eq!(heard(&mut stream).await, "prompts/list_changed");
}

/// A client subscribes and then something changes, while an instance is about to read the log.
#[tokio::test]
async fn a_subscription_before_a_change_counts_however_late_the_log_is_read() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut stream = stream(&client).await;
    let asked = cluster.store.count("since");
    let held_up = cluster.store.hold_up("since");
    publish(&cluster, 1, Change::Tools).await;
    // Both instances wait for the store now.
    cluster.store.asked("since", asked + 1).await;
    subscribe(&client.on(1), X).await;
    publish(&cluster, 1, updated(X)).await;
    held_up.add_permits(100);
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
    assert_eq!(heard(&mut stream).await, format!("resources/updated {X}"));
}

/// The same while an instance reads from the place of a session that has been away.
#[tokio::test]
async fn a_subscription_before_a_change_counts_for_whoever_comes_back() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let read = cluster.store.count("since");
    publish(&cluster, 0, Change::Tools).await;
    cluster.store.asked("since", read).await;
    let asked = cluster.store.count("since");
    let held_up = cluster.store.hold_up("since");
    let mut stream = stream(&client).await;
    // The first reading is of what is new, the second from the session's place.
    cluster.store.asked("since", asked).await;
    held_up.add_permits(1);
    cluster.store.asked("since", asked + 1).await;
    subscribe(&client, X).await;
    publish(&cluster, 0, updated(X)).await;
    held_up.add_permits(100);
    assert_eq!(heard(&mut stream).await, "tools/list_changed");
    assert_eq!(heard(&mut stream).await, format!("resources/updated {X}"));
}

/// A client opens a stream elsewhere, and the instance of the one before is not told.
#[tokio::test]
async fn one_instance_speaks_for_a_session() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let _older = stream(&client).await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    subscribe(&client, X).await;
    cluster.bus.lose_bells(true);
    let mut newer = stream(&client.on(1)).await;
    let [older_speaks, newer_speaks] = [0, 1].map(|number| cluster.instances[number].clone());
    assert_eq!(older_speaks.open_streams().await.unwrap(), []);
    let speaks = newer_speaks.open_streams().await.unwrap();
    assert_eq!(speaks.len(), 1);
    assert_eq!(speaks[0].0, session);
    assert!(speaks[0].1.subscriptions.contains(X));
    cluster.bus.lose_bells(false);
    publish(&cluster, 0, Change::Tools).await;
    publish(&cluster, 1, updated(X)).await;
    let mut told = all_heard::<2>(&mut newer).await;
    told.sort_unstable();
    assert_eq!(told, [format!("resources/updated {X}"), "tools/list_changed".to_owned()]);
    publish(&cluster, 0, Change::Prompts).await;
    assert_eq!(heard(&mut newer).await, "prompts/list_changed");
}

/// What is told is an event like any other: it has an id to come back with.
#[tokio::test]
async fn what_was_told_is_replayed() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let mut here = stream(&client).await;
    let opening = {
        let mut again = Events::of(client.get(None).await);
        again.next().await.unwrap().id
    };
    publish(&cluster, 1, Change::Tools).await;
    assert_eq!(heard(&mut here).await, "tools/list_changed");
    let mut there = Events::of(client.on(1).get(opening.as_deref()).await);
    assert_eq!(heard(&mut there).await, "tools/list_changed");
}
