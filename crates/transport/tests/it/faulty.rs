//! Tools that may break the protocol, and those that may not.

use std::time::Duration;

use mcp_everything_store::Limits;
use mcp_everything_transport::{Config, FaultyTools};

use crate::{
    stateless,
    support::{Answer, Client, Cluster, Events, call},
};

async fn with(tools: &'static [&'static str]) -> Cluster {
    let faulty = FaultyTools::new(move |name| tools.contains(&name));
    Cluster::with(1, Config { faulty, ..Config::default() }, Limits::default()).await
}

#[tokio::test]
async fn a_tool_that_is_not_named_has_no_way_to_its_exchange() {
    for (cluster, said) in [(with(&["faults"]).await, "there"), (with(&[]).await, "not there")] {
        let client = cluster.client().await;
        client.post(&call(1, "faults")).await.says(said);
        let other = stateless::call(&Client::new(&cluster, "alice"), "faults").await;
        Answer::of(other).await.says(said);
    }
}

/// Its first word decides what the answer is, however late it comes.
#[tokio::test(start_paused = true)]
async fn a_tool_that_is_named_is_waited_for() {
    let cluster = with(&["gate"]).await;
    let client = cluster.client().await;
    let later = async {
        cluster.sees("gate.waits").await;
        tokio::time::advance(Duration::from_secs(5)).await;
        cluster.gate.add_permits(1);
    };
    let gate = call(1, "gate");
    let (answer, ()) = tokio::join!(client.post(&gate), later);
    answer.says("passed");
}

#[tokio::test]
async fn an_instance_that_goes_away_waits_for_no_first_word() {
    let cluster = with(&["gate"]).await;
    let client = cluster.client().await;
    let gate = call(1, "gate");
    let going = async {
        cluster.sees("gate.waits").await;
        cluster.instances[0].drain(Duration::from_secs(10)).await;
    };
    let answered = async {
        let mut stream = Events::of(client.open(&gate).await);
        cluster.gate.add_permits(1);
        stream.rest().await
    };
    let (messages, ()) = tokio::join!(answered, going);
    assert_eq!(messages[0]["result"]["content"][0]["text"], "passed");
}
