//! The ways to deploy the server: a behaviour is the same in all of them.

use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use mcp_everything_store::contract::redis_server::RedisServer;

use super::{Server, is_mcp, log::Log, server::AuthServer, soon};

/// The settings that an authorization server of its own has as well: those of whoever issues tokens,
/// and those of every server.
const SHARED: [&str; 10] = [
    "CLIENTS_FILE",
    "DPOP_NONCES",
    "ENTERPRISE_ISSUERS",
    "HTTPS_PROXY",
    "OPEN_CLIENT_CREDENTIALS",
    "RATE_LIMITS",
    "RUST_LOG",
    "SECRET_KEYS",
    "SSL_CERT_FILE",
    "TRUSTED_PROXIES",
];

/// How the server is deployed, for one test.
pub(crate) struct Deployment {
    instances: usize,
    /// Whether another server authenticates callers.
    separate: bool,
    pub(crate) redis: Option<RedisServer>,
    started: Mutex<Vec<Arc<Log>>>,
}

impl Deployment {
    /// One instance that keeps everything in memory.
    pub(crate) fn one_in_memory() -> Self {
        Self { instances: 1, separate: false, redis: None, started: Mutex::default() }
    }

    /// One instance that keeps everything in Redis.
    pub(crate) fn one_on_redis() -> Self {
        Self { redis: Some(RedisServer::start()), ..Self::one_in_memory() }
    }

    /// Three instances that share a Redis, each asked in turn.
    pub(crate) fn three_on_redis() -> Self {
        Self::three_on(RedisServer::start())
    }

    /// Three instances that share this Redis.
    pub(crate) fn three_on(redis: RedisServer) -> Self {
        Self { instances: 3, redis: Some(redis), ..Self::one_in_memory() }
    }

    /// One instance, and an authorization server of its own. Both keep everything in memory.
    pub(crate) fn separate_in_memory() -> Self {
        Self { separate: true, ..Self::one_in_memory() }
    }

    /// Three instances that share a Redis, and an authorization server that has another database of
    /// it.
    pub(crate) fn separate_on_redis() -> Self {
        Self { separate: true, ..Self::three_on_redis() }
    }

    /// Whether what the authorization server revokes is refused at once, or a few seconds later.
    pub(crate) fn hears_of_revocations(&self) -> bool {
        !self.separate
    }

    /// The server, with authentication.
    pub(crate) fn start(&self) -> Server {
        self.with(&[])
    }

    /// The server, without authentication.
    pub(crate) fn open(&self) -> Server {
        self.with(&[("AUTH_MODE", "none")])
    }

    /// The server, with these settings besides.
    pub(crate) fn with(&self, settings: &[(&str, &str)]) -> Server {
        let url = self.redis.as_ref().map(RedisServer::url);
        let log = Arc::default();
        let authenticates = settings.iter().all(|(name, _)| *name != "AUTH_MODE");
        let auth_server = (self.separate && authenticates).then(|| {
            let other = url.as_ref().map(|url| format!("{}/1", url.trim_end_matches("/0")));
            let store = other.as_ref().map(|url| ("REDIS_URL", url.as_str()));
            let shared = settings.iter().copied().filter(|(name, _)| SHARED.contains(name));
            let settings: Vec<_> = store.into_iter().chain(shared).collect();
            AuthServer::start(self.instances, &settings, &log)
        });
        let trust = auth_server
            .as_ref()
            .map(|server| [("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", server.issuer.as_str())]);
        let store = url.as_ref().map(|url| ("REDIS_URL", url.as_str()));
        let given = settings.iter().copied();
        let settings: Vec<_> =
            store.into_iter().chain(trust.into_iter().flatten()).chain(given).collect();
        let mut server = match self.instances {
            1 => Server::one(&settings, log),
            several => Server::balanced(several, &settings, log),
        };
        server.trusted = auth_server;
        if server.trusted.is_some() {
            server.all_logged("auth.server.found");
        }
        self.started.lock().unwrap().push(Arc::clone(&server.log));
        server
    }

    /// Makes everything that is kept older, and what instances believe of it.
    pub(crate) fn age(&self, span: Duration) {
        let redis = self.redis.as_ref().expect("the store is Redis");
        redis.age(span);
        redis.forgotten();
    }

    /// What `redis-cli` prints when this is asked of the store.
    pub(crate) fn redis_cli(&self, arguments: &[&str]) -> String {
        let port = self.redis.as_ref().expect("the store is Redis").port().to_string();
        let output =
            Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Asks until this is printed.
    pub(crate) async fn until_redis_cli(&self, arguments: &[&str], is_it: impl Fn(&str) -> bool) {
        let printed = async {
            while !is_it(&self.redis_cli(arguments)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon(printed).await;
    }

    /// By what they logged: each instance answered, at the MCP endpoints and at the others, where
    /// there was enough for all.
    pub(crate) fn every_instance_answered(self) {
        for log in self.started.into_inner().unwrap() {
            let lines = log.lines();
            // An authorization server of its own is none of them.
            let answers = lines
                .iter()
                .filter(|line| line["event"] == "http.response" && line.instance < self.instances);
            let (mcp, others): (Vec<_>, Vec<_>) =
                answers.partition(|line| is_mcp(line["path"].as_str().unwrap()));
            let kinds = [(true, mcp), (false, others)].into_iter();
            let kinds: Vec<_> = kinds.filter(|(_, kind)| kind.len() >= self.instances).collect();
            // Signing in reaches no instance where that is another server's business.
            let enough = self.separate || !kinds.is_empty();
            assert!(enough, "too little was asked to reach every instance");
            for ((mcp, kind), number) in
                kinds.iter().flat_map(|kind| (0..self.instances).map(move |n| (kind, n)))
            {
                let answered =
                    kind.iter().any(|line| line.instance == number) || log.was_asked(number, *mcp);
                assert!(answered, "instance {number} idled");
            }
        }
    }
}
