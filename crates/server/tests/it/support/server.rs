//! The server: one instance, or several that share a store.

use std::{process::ExitStatus, sync::Arc};

pub(crate) use mcp_everything_store::contract::ports::free_port;
use serde_json::Value;

use super::{balancer::Balancer, instance::Instance, log::Log};

/// What clients take for one server. It ends with the test, also when that fails.
pub(crate) struct Server {
    pub(crate) instances: Vec<Instance>,
    pub(crate) log: Arc<Log>,
    /// Its public URL: that of the balancer if there are several instances.
    pub(crate) base: String,
    /// Who authenticates callers, if it is not the server itself.
    pub(crate) trusted: Option<AuthServer>,
    balancer: Option<Balancer>,
}

/// An authorization server of its own. It writes to the log of the servers that trust it.
pub(crate) struct AuthServer {
    pub(crate) instance: Instance,
    pub(crate) issuer: String,
}

impl AuthServer {
    /// One with a port that it has again when it is restarted. Its lines are those of `number`.
    pub(crate) fn start(number: usize, settings: &[(&str, &str)], log: &Arc<Log>) -> Self {
        let (port, scheme) = (free_port().to_string(), scheme(settings));
        let settings = settings.iter().copied().chain([("AUTH_SERVER_PORT", port.as_str())]);
        let settings: Vec<_> = settings.collect();
        let instance = Instance::auth_server(number, &settings, log);
        Self { instance, issuer: format!("{scheme}://localhost:{port}") }
    }
}

impl Server {
    /// One instance that keeps everything in memory, with authentication.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// The same without authentication.
    pub(crate) fn open() -> Self {
        Self::with(&[("AUTH_MODE", "none")])
    }

    /// With these settings besides.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::one(settings, Arc::default())
    }

    /// The same, writing to this log.
    pub(crate) fn one(settings: &[(&str, &str)], log: Arc<Log>) -> Self {
        let instance = Instance::start(0, settings, &log);
        let base = format!("{}://localhost:{}", scheme(settings), instance.port);
        Self { instances: vec![instance], log, base, trusted: None, balancer: None }
    }

    /// So many instances behind a balancer, which write to this log. `settings` name the store they
    /// share.
    pub(crate) fn balanced(instances: usize, settings: &[(&str, &str)], log: Arc<Log>) -> Self {
        let ports: Vec<_> = (0..instances).map(|_| free_port()).collect();
        let balancer = Balancer::start(&ports, Arc::clone(&log));
        let mut server = Self::writing(&balancer.base(), &ports, settings, log);
        server.balancer = Some(balancer);
        server
    }

    /// Instances on these ports behind a balancer that is there already.
    pub(crate) fn behind(base: &str, ports: &[u16], settings: &[(&str, &str)]) -> Self {
        Self::writing(base, ports, settings, Arc::default())
    }

    fn writing(base: &str, ports: &[u16], settings: &[(&str, &str)], log: Arc<Log>) -> Self {
        let instances = ports.iter().enumerate().map(|(number, port)| {
            let port = port.to_string();
            let settings = settings.iter().copied().chain([("BASE_URI", base), ("PORT", &port)]);
            Instance::start(number, &settings.collect::<Vec<_>>(), &log)
        });
        let (instances, base) = (instances.collect(), base.to_owned());
        Self { instances, log, base, trusted: None, balancer: None }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Who issues the tokens that are good here.
    pub(crate) fn issuer(&self) -> &str {
        self.trusted.as_ref().map_or(&self.base, |server| &server.issuer)
    }

    /// Where that one answers.
    pub(crate) fn auth_url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// Past the balancer.
    pub(crate) fn url_of(&self, instance: usize, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.instances[instance].port)
    }

    pub(crate) fn balancer(&self) -> &Balancer {
        self.balancer.as_ref().expect("there are several instances")
    }

    /// Waits for a line of the log with this event.
    pub(crate) fn logged(&self, event: &str) -> Value {
        self.logged_where(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("no {event} in the log"))
    }

    /// Waits for such a line of every instance.
    pub(crate) fn all_logged(&self, event: &str) {
        for number in 0..self.instances.len() {
            let line = self.log.find_after(0, |line| line.of(number, event));
            assert!(line.is_some(), "no {event} of instance {number} in the log");
        }
    }

    /// Waits for a line of the log.
    pub(crate) fn logged_where(&self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        self.log.find_after(0, |line| is_it(line)).map(|line| (*line).clone())
    }

    /// Everything it wrote so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.lines().iter().map(|line| (**line).clone()).collect()
    }

    /// Sends a signal to every instance.
    pub(crate) fn signal(&self, name: &str) {
        self.instances.iter().for_each(|instance| instance.signal(name));
    }

    /// Waits for the end of every instance; how the first of those that failed ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let ends: Vec<_> = self.instances.iter_mut().map(Instance::wait).collect();
        ends.into_iter().find(|end| !end.success()).unwrap_or_default()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.instances.iter_mut().all(Instance::is_running)
    }
}

fn scheme(settings: &[(&str, &str)]) -> &'static str {
    if settings.iter().any(|(name, _)| *name == "TLS_CERT") { "https" } else { "http" }
}
