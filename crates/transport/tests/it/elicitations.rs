//! What users are asked on pages: settled at one instance, waited for at another.

use std::time::Duration;

use mcp_everything_store::{ElicitationState, SessionId, Settlement};
use mcp_everything_transport::Asked;

use crate::support::{Client, Cluster, Events, owner, soon};

fn session(client: &Client<'_>) -> SessionId {
    client.session.as_deref().unwrap().parse().unwrap()
}

fn asked(session: Option<SessionId>) -> Asked {
    Asked { owner: owner("alice"), message: "Yes?".to_owned(), session, purpose: None }
}

#[tokio::test]
async fn who_waits_hears_of_it_and_the_client_that_asked_is_told() {
    let cluster = Cluster::of(3).await;
    let (client, other) = (cluster.client().await, cluster.client().await);
    let mut stream = Events::of(client.on(2).get(None).await);
    let mut others = Events::of(other.on(1).get(None).await);
    let [one, two, _] = &cluster.elicitations[..] else { unreachable!() };
    let id = one.begin(asked(Some(session(&client)))).await.unwrap();
    let theirs = one.begin(asked(Some(session(&other)))).await.unwrap();
    let (waited, settled) =
        soon(async { tokio::join!(one.settled(id), two.settle(id, Settlement::Completed)) }).await;
    assert_eq!(waited.unwrap(), Some(ElicitationState::Completed));
    assert!(settled.unwrap().unwrap().by_this);
    let told = stream.message().await.data;
    assert_eq!(told["method"], "notifications/elicitation/complete");
    assert_eq!(told["params"]["elicitationId"], id.to_string());
    assert!(!two.settle(id, Settlement::Completed).await.unwrap().unwrap().by_this);
    // The other client hears of its own, and that first.
    assert!(two.settle(theirs, Settlement::Completed).await.unwrap().is_some());
    assert_eq!(others.message().await.data["params"]["elicitationId"], theirs.to_string());
}

#[tokio::test]
async fn a_client_that_is_gone_is_not_told_and_who_waits_goes_on() {
    let cluster = Cluster::of(2).await;
    let client = cluster.client().await;
    let id = cluster.elicitations[0].begin(asked(Some(session(&client)))).await.unwrap();
    client.delete().await;
    let settled = cluster.elicitations[1].settle(id, Settlement::Completed).await;
    assert!(settled.unwrap().unwrap().by_this);
    let waited = soon(cluster.elicitations[0].settled(id)).await.unwrap();
    assert_eq!(waited, Some(ElicitationState::Completed));
}

/// A bell may be lost, and a store away: whoever waits looks now and then.
#[tokio::test(start_paused = true)]
async fn who_waits_looks_now_and_then() {
    let cluster = Cluster::of(2).await;
    cluster.bus.lose_bells(true);
    let id = cluster.elicitations[0].begin(asked(None)).await.unwrap();
    let declined = async {
        cluster.store.asked("elicitation", 0).await;
        cluster.store.is_away(true);
        cluster.store.asked("elicitation", 1).await;
        cluster.store.is_away(false);
        let settled = cluster.elicitations[1].settle(id, Settlement::Declined).await;
        assert!(settled.unwrap().unwrap().by_this);
    };
    let (waited, ()) = tokio::join!(cluster.elicitations[0].settled(id), declined);
    assert_eq!(waited.unwrap(), Some(ElicitationState::Declined));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_too_long_is_told() {
    let cluster = Cluster::of(1).await;
    let id = cluster.elicitations[0].begin(asked(None)).await.unwrap();
    let over = async {
        cluster.store.asked("elicitation", 0).await;
        cluster.clock.advance(Duration::from_secs(600));
    };
    let (waited, ()) = tokio::join!(cluster.elicitations[0].settled(id), over);
    assert_eq!(waited.unwrap(), None);
    let settled = cluster.elicitations[0].settle(id, Settlement::Completed).await;
    assert_eq!(settled.unwrap(), None, "it is too late to answer");
}
