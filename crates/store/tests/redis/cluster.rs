//! A cluster, and nodes of it that are away.

use std::process::Command;

use mcp_everything_store::{
    Bell, Bus as _, Ring, SessionId, Sessions as _,
    contract::{redis_cluster::RedisCluster, redis_server::RedisServer},
    redis::keys,
};

use crate::support::{Instance, fails, owner, soon, until};

/// A session, and the number of the master that keeps it.
async fn session_on(
    one: &Instance,
    cluster: &RedisCluster,
    is: impl Fn(usize) -> bool,
) -> (SessionId, usize) {
    soon(async {
        loop {
            let id = one.serves().await.unwrap();
            let key = keys::owner(id);
            let holds = |number: &usize| cluster.nodes[*number].ask(&["GET", &key]).is_ok();
            let number = (0..3).find(holds).unwrap();
            if is(number) {
                return (id, number);
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_frozen_takes_its_own_sessions_away_and_no_others() {
    let cluster = RedisCluster::with(&["--cluster-require-full-coverage", "no"]);
    let mut one = Instance::start(&cluster.url()).await;
    let (away, frozen) = session_on(&one, &cluster, |_| true).await;
    let (there, _) = session_on(&one, &cluster, |number| number != frozen).await;
    let owner = owner();
    cluster.nodes[frozen].freeze();
    one.believes_nothing(away).await;
    for _ in 0..5 {
        fails(one.store.admit(away, &owner)).await;
        let admitted = one.store.admit(there, &owner).await;
        assert!(matches!(admitted, Ok(Some(_))), "{admitted:?}");
    }
    cluster.nodes[frozen].thaw();
    until(|| one.store.admit(away, &owner), |admitted| matches!(admitted, Ok(Some(_)))).await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_from_a_master_that_died() {
    let mut cluster = RedisCluster::with_a_replica();
    let mut one = Instance::start(&cluster.url()).await;
    let (id, _) = session_on(&one, &cluster, |number| number == 0).await;
    cluster.nodes[3].gets(&keys::state(id));
    cluster.nodes[0].kill();
    let owner = owner();
    until(
        || one.store.admit(id, &owner),
        |admitted| {
            assert!(!matches!(admitted, Ok(None)), "it is away, not gone");
            admitted.is_ok()
        },
    )
    .await;
    one.serves_again().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_away_as_a_whole_is_found_again() {
    let mut cluster = RedisCluster::start();
    let mut one = Instance::start(&cluster.url()).await;
    let id = one.serves().await.unwrap();
    cluster.nodes.iter_mut().for_each(RedisServer::kill);
    one.believes_nothing(id).await;
    for _ in 0..3 {
        one.serves_nothing(id).await;
    }
    cluster.nodes.iter_mut().for_each(RedisServer::run);
    one.serves_again().await;
}

#[tokio::test]
async fn nodes_that_forgot_the_scripts_are_told_them_again() {
    let cluster = RedisCluster::start();
    let one = Instance::start(&cluster.url()).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(session_on(&one, &cluster, |on| on == number).await.0);
    }
    for node in &cluster.nodes {
        node.ask(&["SCRIPT", "FLUSH"]).unwrap();
    }
    assert_eq!(one.store.hold(&ids).await.unwrap(), [true, true, true]);
}

#[tokio::test]
async fn bells_and_what_is_served_are_seen_on_every_node() {
    let cluster = RedisCluster::start();
    let mut one = Instance::start(&cluster.url()).await;
    let two = Instance::start(&cluster.url()).await;
    let id = two.serves().await.unwrap();
    one.hears(&two.bus, Ring::One(one.id.clone()), &Bell::Ended(id)).await;
    one.knows(&two.id, true).await;

    // As the page for operators says.
    let at = format!("127.0.0.1:{}", cluster.nodes[0].port());
    let channels = ["PUBSUB", "CHANNELS", "mcp:shttp:toserver:*"];
    let _attended = one.bus.attend(id);
    let shown = async || {
        let mut cli = Command::new("redis-cli");
        let output = cli.args(["--cluster", "call", &at]).args(channels).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    until(shown, |shown| shown.contains(&keys::to_server(id))).await;
    drop(two.bells);
    one.knows(&two.id, false).await;
}
