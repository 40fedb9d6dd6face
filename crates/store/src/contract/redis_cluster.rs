//! A Redis Cluster of a test's own.

#![expect(clippy::missing_panics_doc, reason = "it is for tests")]

use std::time::Duration;

use super::{ports::free_port, redis_server::RedisServer};

const SLOTS: usize = 16384;
const MASTERS: usize = 3;

/// Three masters, each with a third of the hash slots. They end with the test.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, and then the replicas.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts one, without replicas.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one whose nodes have these arguments besides.
    pub fn with(arguments: &[&str]) -> Self {
        let mut cluster = Self { nodes: Vec::new() };
        for number in 0..MASTERS {
            let node = cluster.add(arguments);
            let (first, last) = (number * SLOTS / MASTERS, (number + 1) * SLOTS / MASTERS - 1);
            let range = [&first.to_string(), &last.to_string()];
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", range[0], range[1]]).expect("it answers");
        }
        cluster.is_whole(MASTERS);
        cluster
    }

    /// Starts one whose first master has a replica.
    pub fn with_a_replica() -> Self {
        let mut cluster = Self::start();
        let first = cluster.nodes[0].ask(&["CLUSTER", "MYID"]).expect("it answers");
        let first = first.lines().nth(1).expect("an id").to_owned();
        let replica = cluster.add(&[]);
        replica.until("it knows its master", |replica| {
            replica.ask(&["CLUSTER", "REPLICATE", &first]).is_ok()
        });
        replica.until("it follows", |replica| replica.says("replication", "master_link_status:up"));
        cluster.is_whole(MASTERS + 1);
        cluster
    }

    /// Starts a node, and lets the others know.
    fn add(&mut self, arguments: &[&str]) -> &RedisServer {
        let port = free_port().to_string();
        let mut all = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
        all.extend(["--cluster-port", &port]);
        all.extend(arguments);
        let node = RedisServer::with(&all);
        if let Some(first) = self.nodes.first() {
            let itself = node.port().to_string();
            first.ask(&["CLUSTER", "MEET", "127.0.0.1", &itself, &port]).expect("it answers");
        }
        self.nodes.push(node);
        &self.nodes[self.nodes.len() - 1]
    }

    /// Waits until all nodes know all others, and serve every slot.
    fn is_whole(&self, size: usize) {
        for node in &self.nodes {
            node.until("the cluster is whole", |node| {
                let info = node.ask(&["CLUSTER", "INFO"]).expect("it answers");
                let says = |line: &str| info.lines().any(|said| said == line);
                says("cluster_state:ok")
                    && says(&format!("cluster_slots_ok:{SLOTS}"))
                    && says(&format!("cluster_known_nodes:{size}"))
            });
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        let nodes: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    /// Takes everything out of it.
    pub fn clear(&self) {
        for node in &self.nodes {
            node.ask(&["FLUSHALL"]).expect("it answers");
        }
    }

    /// Makes everything in it older, as [`RedisServer::age`].
    pub fn age(&self, span: Duration) {
        self.nodes.iter().for_each(|node| node.age(span));
    }
}
