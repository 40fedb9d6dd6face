//! A Redis with a replica and sentinels, of a test's own.

#![expect(clippy::missing_panics_doc, reason = "it is for tests")]

use super::redis_server::RedisServer;

/// A master, a replica of it, and three sentinels that watch over them. They end with the test.
#[derive(Debug)]
pub struct RedisSentinels {
    /// The master at the start.
    pub master: RedisServer,
    /// The one that takes over.
    pub replica: RedisServer,
    sentinels: Vec<RedisServer>,
}

impl RedisSentinels {
    /// What the sentinels call the master.
    pub const NAME: &str = "main";

    /// Starts them, without a password.
    pub fn start() -> Self {
        Self::with_password(None)
    }

    /// Starts them; the password is that of the two servers, and the sentinels have none.
    pub fn with_password(password: Option<&str>) -> Self {
        // A write that no replica has seen for so long is refused: an old master that was cut off
        // takes nothing that would be lost.
        let master =
            RedisServer::with(&["--min-replicas-to-write", "1", "--min-replicas-max-lag", "5"]);
        let port = master.port().to_string();
        let replica = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
        let follows = |replica: &RedisServer| replica.says("replication", "master_link_status:up");
        replica.until("it follows", follows);
        for server in [&replica, &master] {
            if let Some(password) = password {
                server.ask(&["CONFIG", "SET", "masterauth", password]).expect("it answers");
                server.ask(&["CONFIG", "SET", "requirepass", password]).expect("it answers");
            }
        }
        let login = password.map_or(String::new(), |password| {
            format!("sentinel auth-pass {} {password}\n", Self::NAME)
        });
        let name = Self::NAME;
        let configuration = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 2\n\
             sentinel down-after-milliseconds {name} 1000\n\
             sentinel failover-timeout {name} 10000\n\
             {login}"
        );
        let sentinels = (0..3).map(|_| RedisServer::sentinel(&configuration)).collect();
        let all = Self { master, replica, sentinels };
        for sentinel in &all.sentinels {
            sentinel.until("sentinels know each other and the replica", |sentinel| {
                let known = sentinel.ask(&["SENTINEL", "MASTER", Self::NAME]).expect("it answers");
                let words: Vec<_> = known.lines().filter(|line| !line.starts_with('$')).collect();
                words.windows(2).any(|pair| pair == ["num-other-sentinels", "2"])
                    && words.windows(2).any(|pair| pair == ["num-slaves", "1"])
            });
        }
        all
    }

    /// The address of the master, by the sentinels.
    pub fn url(&self) -> String {
        let nodes: Vec<_> =
            self.sentinels.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+sentinel://{}/{}", nodes.join(","), Self::NAME)
    }

    /// The port of the master, as a sentinel says it.
    pub fn master_port(&self) -> u16 {
        let command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME];
        let answer = self.sentinels[0].ask(&command).expect("it answers");
        answer.lines().nth(4).and_then(|port| port.parse().ok()).expect("a port")
    }

    /// Has the sentinels make the replica the master, while both run.
    pub fn fail_over(&self) {
        let command = ["SENTINEL", "FAILOVER", Self::NAME];
        self.sentinels[0].ask(&command).expect("there is a replica");
    }
}
