//! The image: its files are a root, and what it would run runs there, as the user it says.

use std::{
    net::{Ipv4Addr, UdpSocket},
    path::Path,
    process::ExitStatus,
    sync::Arc,
};

use mcp_everything_store::contract::redis_server::RedisServer;

use super::{
    dockerfile::{Image, dockerfile},
    root::{Root, is_root},
};
use crate::{
    it::support::{Mcp, Server, free_port, soon},
    running::Running,
};

/// The file system that the image would have.
fn unpacked(image: &Image) -> Root {
    let root = Root::new();
    for (from, to) in &image.copies {
        match from.as_str() {
            "/mcp-everything" => root.put_binary(to),
            // The stage before has it from the same package as this machine.
            "/etc/ssl/certs/ca-certificates.crt" => root.copy(Path::new(from), to),
            other => panic!("{other} is made by the stage before"),
        }
    }
    root
}

/// A container, but for what Docker adds to the files.
struct Container {
    image: Image,
    root: Root,
    running: Running,
    server: Server,
}

impl Container {
    /// Waits until it is started.
    async fn start(root: Root, mut image: Image, settings: &[(&str, &str)]) -> Self {
        let port = free_port().to_string();
        let base = format!("http://localhost:{port}");
        let settings = settings.iter().copied().chain([("PORT", &*port), ("BASE_URI", &*base)]);
        image.environment.extend(settings.map(|(k, v)| (k.to_owned(), v.to_owned())));
        let words = [&*image.entrypoint, &*image.command].concat();
        let mut command = root.command(image.user, &image.environment, &words);
        let running = Running::start(&mut command);
        let server = Server::behind(&base, &[], &[]);
        let mut container = Self { image, root, running, server };
        container.says("server.started").await;
        container
    }

    /// Its next line with this event.
    async fn says(&mut self, event: &str) {
        loop {
            let Some(line) = soon(self.running.next()).await else {
                panic!("it ends: {}", self.running.complaints().await)
            };
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            self.server.log.add(0, line.clone());
            if line["event"] == event {
                return;
            }
        }
    }

    /// Runs what Docker runs to see whether it is healthy.
    fn is_healthy(&self) -> bool {
        let (image, root) = (&self.image, &self.root);
        let mut command = root.command(image.user, &image.environment, &image.healthcheck);
        command.output().unwrap().status.success()
    }

    async fn is_ready(&self) -> bool {
        let answer = reqwest::get(self.server.url("/readyz")).await.unwrap();
        answer.status().is_success()
    }

    /// A line of what the kernel says of its process.
    fn status(&self, name: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.running.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"));
        line.unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_image_serves_and_leaves_as_it_is_told() {
    let (bases, image) = dockerfile();
    assert_eq!(image.base, "scratch", "there is nothing in it but what is copied");
    assert!(bases[0].contains(':') && !bases[0].ends_with(":latest"), "{bases:?}");
    assert!(image.user.iter().all(|id| *id > 0), "it is not root");
    let root = unpacked(&image);
    let mut container = Container::start(root, image, &[]).await;
    assert!(container.is_ready().await);
    assert!(container.is_healthy());

    let user = container.image.user[0].to_string();
    if is_root() {
        assert!(container.status("Uid").split('\t').all(|id| id == user));
        assert_eq!(container.status("CapEff").trim_start_matches('0'), "", "it may do nothing");
    }
    // The first process of a container does not hear of a signal that it does not catch.
    let caught = u64::from_str_radix(&container.status("SigCgt"), 16).unwrap();
    assert_eq!(container.image.stop_signal, "SIGTERM");
    for signal in [2, 15] {
        assert_ne!(caught & (1 << (signal - 1)), 0, "signal {signal} is caught");
    }

    Mcp::of(&container.server, "ada").await.is_served().await;
    container.running.signal("-TERM");
    container.says("server.stopped").await;
    assert_eq!(container.running.wait(), ExitStatus::default());
    assert!(!container.is_healthy());
}

/// Docker adds `/etc/hosts`, with names of its own in it.
#[tokio::test]
async fn the_image_finds_who_is_in_the_list_of_hosts() {
    let (_, image) = dockerfile();
    let (redis, root) = (RedisServer::start(), unpacked(&image));
    root.write("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 redis\n");
    let url = format!("redis://redis:{}", redis.port());
    let container = Container::start(root, image, &[("REDIS_URL", &url)]).await;
    assert!(container.is_ready().await);
    Mcp::of(&container.server, "ada").await.is_served().await;
}

/// It adds `/etc/resolv.conf`, which leads to a server that knows the rest.
#[tokio::test]
async fn the_image_asks_for_names() {
    // The port of name servers is root's.
    if !is_root() {
        return;
    }
    let (_, image) = dockerfile();
    let (redis, root) = (RedisServer::start(), unpacked(&image));
    let names = Names::start("redis.store.example");
    root.write("/etc/resolv.conf", &format!("nameserver {}\n", names.address));
    let url = format!("redis://redis.store.example:{}", redis.port());
    let container = Container::start(root, image, &[("REDIS_URL", &url)]).await;
    assert!(container.is_ready().await);
}

/// A name server (RFC 1035) that knows one name, which is this machine's.
struct Names {
    address: Ipv4Addr,
    socket: Arc<UdpSocket>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Names {
    fn start(name: &str) -> Self {
        // Each address of loopback has ports of its own.
        let (address, socket) = (1..255)
            .map(|last| Ipv4Addr::new(127, 53, 0, last))
            .find_map(|address| Some((address, UdpSocket::bind((address, 53)).ok()?)))
            .expect("a port 53 is free");
        let socket = Arc::new(socket);
        let known: Vec<u8> = name.split('.').fold(Vec::new(), |mut labels, label| {
            labels.push(u8::try_from(label.len()).unwrap());
            labels.extend(label.as_bytes());
            labels
        });
        let thread = std::thread::spawn({
            let socket = Arc::clone(&socket);
            move || {
                let mut buffer = [0; 512];
                while let Ok((length, from)) = socket.recv_from(&mut buffer)
                    && length > 0
                {
                    let _ = socket.send_to(&answered(&buffer[..length], &known), from);
                }
            }
        });
        Self { address, socket, thread: Some(thread) }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // Nothing is what ends it.
        let _ = self.socket.send_to(&[], (self.address, 53));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// The answer to a query: one address where it asks for one (type A) of the known name.
fn answered(query: &[u8], known: &[u8]) -> Vec<u8> {
    let name_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap();
    let (name, question_end) = (&query[12..name_end], name_end + 5);
    let is_known = name.eq_ignore_ascii_case(known);
    let found = is_known && query[name_end + 1..name_end + 3] == [0, 1];
    let mut answer = query[..2].to_vec();
    // An answer to a recursive question, and NXDOMAIN where the name is not known.
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    answer.extend(&query[12..question_end]);
    if found {
        // The name again, type A, class IN, for no time at all, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    answer
}
