//! Connections that break off at any point, again and again.

use std::time::Duration;

use mcp_everything_store::{Random as _, TestRandom};
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    probe::COUNT,
    support::{Cluster, Event, Events, call},
};

const CUTS: usize = 50;
const INSTANCES: usize = 3;

/// A number below `bound`.
fn below(random: &TestRandom, bound: usize) -> usize {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    usize::try_from(u32::from_le_bytes(bytes)).unwrap() % bound
}

async fn call_is_cut(seed: u64) {
    let random = TestRandom::seeded(seed);
    let cluster = Cluster::of(INSTANCES).await;
    let client = cluster.client().await;
    let mut stream = client.stream(&call(1, "count")).await;
    let mut last = stream.next().await.unwrap().id;
    let mut got: Vec<Event> = Vec::new();
    let mut let_go = 0;
    for cut in 1..=CUTS {
        // Some events come while nobody is there, some while the client reads.
        let more = below(&random, 2 * usize::from(COUNT) / CUTS);
        let more = more.min(usize::from(COUNT) - let_go);
        cluster.gate.add_permits(more);
        let_go += more;
        for _ in 0..below(&random, 40).min(let_go - got.len()) {
            let event = stream.message().await;
            last.clone_from(&event.id);
            got.push(event);
        }
        drop(stream);
        if below(&random, 3) == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        stream = Events::of(client.on(cut % INSTANCES).get(last.as_deref()).await);
    }
    cluster.gate.add_permits(usize::from(COUNT) - let_go);
    while let Some(event) = stream.next().await {
        if !event.data.is_null() {
            got.push(event);
        }
    }
    let answer = got.pop().unwrap();
    assert_eq!(answer.data["result"]["content"][0]["text"], "counted");
    let steps = got.iter().map(|event| event.data["params"]["progress"].as_f64().unwrap());
    let expected: Vec<f64> = (1..=COUNT).map(f64::from).collect();
    assert_eq!(steps.collect::<Vec<_>>(), expected, "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_call_comes_once_and_in_order() {
    for seed in 0..4 {
        call_is_cut(seed).await;
    }
}

fn numbered(number: usize) -> ServerNotification {
    let params = json!({ "number": number });
    let custom = CustomNotification::new("notifications/numbered", Some(params));
    ServerNotification::CustomNotification(custom)
}

/// Events of the standalone stream, whose client comes back with the id it has, or without.
async fn standalone_is_cut(seed: u64, with_id: bool) {
    const EVENTS: usize = 500;
    let random = TestRandom::seeded(seed);
    let cluster = Cluster::of(INSTANCES).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    let mut stream = Events::of(client.get(None).await);
    let mut last = stream.next().await.unwrap().id;
    let mut got: Vec<Event> = Vec::new();
    let (mut pushed, mut cut) = (0, 0);
    let heard = |got: &[Event]| got.last().map_or(0, number);
    while heard(&got) < EVENTS {
        for _ in 0..below(&random, 2 * EVENTS / CUTS).min(EVENTS - pushed) {
            pushed += 1;
            let instance = &cluster.instances[below(&random, INSTANCES)];
            instance.notify(session, numbered(pushed)).await.unwrap();
        }
        for _ in 0..below(&random, 30) {
            if heard(&got) == pushed {
                break;
            }
            let event = stream.message().await;
            last.clone_from(&event.id);
            got.push(event);
        }
        let closed = cluster.store.count("close_stream");
        drop(stream);
        cut += 1;
        let id = if with_id {
            last.as_deref()
        } else {
            // The server has seen that the connection is gone.
            cluster.store.asked("close_stream", closed).await;
            None
        };
        stream = Events::of(client.on(cut % INSTANCES).get(id).await);
        stream.next().await.unwrap();
    }
    assert!(cut >= CUTS / 2, "{cut}");
    let mut expected = 0;
    for pair in got.windows(2) {
        let again = pair[0] == pair[1];
        assert!(again || number(&pair[1]) == number(&pair[0]) + 1, "seed {seed}: {pair:?}");
        assert!(!(again && with_id), "a client that says what it has gets nothing twice");
        expected += usize::from(!again);
    }
    assert_eq!((expected + 1, number(&got[0])), (EVENTS, 1));
}

fn number(event: &Event) -> usize {
    let number = event.data["params"]["number"].as_u64().unwrap_or_else(|| panic!("{event:?}"));
    usize::try_from(number).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_event_of_the_standalone_stream_comes_in_order() {
    for seed in 0..4 {
        standalone_is_cut(seed, true).await;
        standalone_is_cut(seed, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_could_not_say_what_it_passed_on_says_it_again() {
    let cluster = Cluster::of(1).await;
    let client = cluster.client().await;
    let session = client.session.as_deref().unwrap().parse().unwrap();
    let mut stream = Events::of(client.get(None).await);
    stream.next().await.unwrap();
    cluster.instances[0].notify(session, numbered(1)).await.unwrap();
    let given = stream.message().await;
    // The connection is asked for more, but the store is away; then it breaks.
    cluster.store.break_down("pull");
    let asked = cluster.store.count("pull");
    tokio::select! {
        _ = stream.next() => panic!("there is no more"),
        () = cluster.store.asked("pull", asked) => {}
    }
    let closed = cluster.store.count("close_stream");
    drop(stream);
    cluster.store.asked("close_stream", closed).await;
    cluster.store.mend("pull");
    let mut again = Events::of(client.get(None).await);
    assert_eq!(again.message().await, given);
    let _: Value = given.data;
}
