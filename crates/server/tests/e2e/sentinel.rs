//! A Redis, a replica of it, and three sentinels that watch over them.

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mcp_everything_store::contract::redis_server::RedisServer;

use crate::it::support::{BOUND, server::free_port};

pub(crate) struct Sentinels {
    pub(crate) master: RedisServer,
    pub(crate) replica: RedisServer,
    ports: [u16; 3],
    sentinels: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Sentinels {
    pub(crate) fn start() -> Self {
        // A write that no replica has seen for so long is refused: an old master that was cut off
        // takes nothing that would be lost.
        let durable = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "5"];
        let master = RedisServer::with(&durable);
        let port = master.port().to_string();
        let replica = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
        let folder = tempfile::tempdir().unwrap();
        let ports = [free_port(), free_port(), free_port()];
        let sentinels = ports.map(|port| {
            let mut configuration = format!("port {port}\nbind 127.0.0.1\n");
            let master = master.port();
            let _ = write!(
                configuration,
                "sentinel monitor main 127.0.0.1 {master} 2\n\
                 sentinel down-after-milliseconds main 1000\n\
                 sentinel failover-timeout main 10000\n"
            );
            let file = folder.path().join(format!("{port}.conf"));
            fs::write(&file, configuration).unwrap();
            let mut command = Command::new("redis-server");
            command.arg(file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null());
            command.spawn().expect("redis-server is installed (`make tools`)")
        });
        let sentinels = Vec::from(sentinels);
        let all = Self { master, replica, ports, sentinels, _folder: folder };
        all.until("sentinels know each other and the replica", || {
            let known = all.ask(all.ports[0], &["SENTINEL", "MASTER", "main"]);
            let has = |name: &str, value: &str| known.contains(&format!("{name}\n{value}\n"));
            has("num-other-sentinels", "2") && has("num-slaves", "1")
        });
        all.until("the replica follows", || {
            all.replica.ask(&["INFO", "replication"]).unwrap().contains("master_link_status:up")
        });
        all
    }

    pub(crate) fn url(&self) -> String {
        let nodes = self.ports.map(|port| format!("127.0.0.1:{port}")).join(",");
        format!("redis+sentinel://{nodes}/main")
    }

    /// The port of the master, as a sentinel says it.
    pub(crate) fn master_port(&self) -> u16 {
        let answer = self.ask(self.ports[0], &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
        answer.lines().nth(1).unwrap().parse().unwrap()
    }

    fn ask(&self, port: u16, command: &[&str]) -> String {
        let output =
            Command::new("redis-cli").args(["-p", &port.to_string()]).args(command).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < BOUND, "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for sentinel in &mut self.sentinels {
            let _ = sentinel.kill();
            let _ = sentinel.wait();
        }
    }
}
