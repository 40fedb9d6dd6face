//! `HAProxy` before three instances, asking them in turn.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::Instant;

use crate::it::support::{BOUND, server::free_port};

const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/haproxy.cfg");

/// Where it can be asked how it is.
const STATISTICS: &str = "global\n    stats socket \"${STATS_SOCKET}\"\n";

pub(crate) struct Haproxy {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
    /// Where it expects the instances.
    pub(crate) instances: [u16; 3],
}

impl Haproxy {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let instances = [free_port(), free_port(), free_port()];
        let [one, two, three] = instances.map(|port| port.to_string());
        let folder = tempfile::tempdir().unwrap();
        let statistics = folder.path().join("statistics.cfg");
        std::fs::write(&statistics, STATISTICS).unwrap();
        let child = Command::new("haproxy")
            .args(["-f", CONFIGURATION, "-f"])
            .arg(statistics)
            .env("STATS_SOCKET", socket(&folder))
            .env("BALANCER_PORT", port.to_string())
            .env("PORT_ONE", one)
            .env("PORT_TWO", two)
            .env("PORT_THREE", three)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("haproxy is installed (`make tools`)");
        let haproxy = Self { child, folder, port, instances };
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(started.elapsed() < BOUND, "haproxy listens");
            std::thread::sleep(Duration::from_millis(10));
        }
        haproxy
    }

    /// Waits until it sends requests to these instances: it has looked before they were there.
    pub(crate) fn until_it_serves(&self, instances: impl IntoIterator<Item = usize>) {
        let began = Instant::now();
        for instance in instances {
            while !self.serves(instance) {
                assert!(began.elapsed() < BOUND, "the balancer finds instance {instance} ready");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn serves(&self, instance: usize) -> bool {
        let mut socket = UnixStream::connect(socket(&self.folder)).unwrap();
        socket.write_all(b"show stat -1 4 -1\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let names = ["one", "two", "three"];
        let line = answer.lines().find(|line| line.split(',').nth(1) == Some(names[instance]));
        line.unwrap().split(',').nth(17) == Some("UP")
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn socket(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("haproxy.sock")
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
