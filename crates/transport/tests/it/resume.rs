use serde_json::Value;

use crate::support::{Answer, Client, Cluster, Events, call};

/// A call that waits at the gate, and the id its stream began with.
async fn cut_off(client: &Client<'_>) -> String {
    let mut stream = client.stream(&call(1, "gate")).await;
    stream.next().await.unwrap().id.unwrap()
}

#[tokio::test]
async fn the_answer_waits_for_a_client_that_was_cut_off() {
    let cluster = Cluster::of(1).await;
    let (session, id) = {
        let client = cluster.client().await;
        (client.session.clone(), cut_off(&client).await)
    };
    cluster.sees("gate.waits").await;
    cluster.gate.add_permits(1);
    cluster.sees("gate.passed").await;
    let client = Client { session, ..Client::new(&cluster, "alice") };
    let mut rest = Events::of(client.get(Some(&id)).await);
    let answer = rest.message().await;
    assert_eq!(answer.data["result"]["content"][0]["text"], "passed");
    assert_eq!(rest.next().await, None);
    // Its last event has been seen: nothing more will come, and the client is told to stop.
    let last = answer.id.unwrap();
    Answer::of(client.get(Some(&last)).await).await.is_refused(405, -32600);
}

#[tokio::test]
async fn a_client_can_wait_for_the_answer_on_another_connection() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let id = cut_off(&client).await;
    let mut rest = Events::of(client.get(Some(&id)).await);
    assert!(rest.next().await.unwrap().retry.is_some());
    cluster.gate.add_permits(1);
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "passed");
    assert_eq!(rest.next().await, None);
}

#[tokio::test]
async fn only_what_was_missed_is_sent_again() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "progress")).await;
    let first = stream.message().await;
    assert_eq!(first.data["params"]["progress"], 1.0);
    drop(stream);
    let mut rest = Events::of(client.get(first.id.as_deref()).await);
    let messages = rest.rest().await;
    assert_eq!(messages[0]["params"]["progress"], 2.0);
    assert_eq!(messages[1]["params"]["progress"], 3.0);
    assert_eq!(messages[2]["id"], 1);
    assert_eq!(messages.len(), 3);
}

#[tokio::test]
async fn a_tool_may_close_its_connection_and_go_on() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "leave")).await;
    let id = stream.next().await.unwrap().id.unwrap();
    assert_eq!(stream.rest().await, Vec::<Value>::new());
    cluster.gate.add_permits(1);
    let mut rest = Events::of(client.get(Some(&id)).await);
    assert_eq!(rest.message().await.data["result"]["content"][0]["text"], "back");
}

#[tokio::test]
async fn an_event_id_is_worth_nothing_in_another_session() {
    let cluster = Cluster::of(1).await;
    let alice = cluster.client().await;
    let id = cut_off(&alice).await;
    cluster.gate.add_permits(1);
    for user in ["mallory", "alice"] {
        let other = cluster.client_of(user, "2025-11-25").await;
        let mut stream = Events::of(other.get(Some(&id)).await);
        // It is told that the call is lost, as of any call this server does not know.
        let told = stream.message().await.data;
        assert_eq!(told["error"]["code"], -32603, "{told}");
        assert_eq!(stream.next().await, None);
    }
}

#[tokio::test]
async fn an_id_that_is_none_of_ours_is_refused() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    for id in ["0", "nonsense", "AAAAAAAAAAAAAAAA.1", "AAAAAAAAAAAAAAAA.1f.n1"] {
        Answer::of(client.get(Some(id)).await).await.is_refused(405, -32600);
    }
}

#[tokio::test]
async fn a_call_that_is_lost_is_said_to_be() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let mut stream = Events::of(client.get(Some("AAAAAAAAAAAAAAAA.3.n17")).await);
    let told = stream.message().await;
    assert_eq!(told.data["error"]["code"], -32603);
    assert_eq!(told.data["id"], 17);
    Answer::of(client.get(told.id.as_deref()).await).await.is_refused(405, -32600);
    let last = format!("AAAAAAAAAAAAAAAA.{}.n17", u64::MAX);
    assert_eq!(Events::of(client.get(Some(&last)).await).message().await.data["id"], 17);
}
