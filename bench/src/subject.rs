//! What is measured: a deployment of this server, or something to compare it with.

use std::{env, path::PathBuf, time::Duration};

use tokio::{process::Command, time::sleep};

use crate::{
    process::{Process, Usage, free_port},
    redis::Redis,
    result::Result,
};

/// Limits that a load from one machine does not meet. They are counted all the same.
const RATES: &str = "requests=6000000/1m,sessions=6000000/1m,register=6000000/1m,\
    authorize=6000000/1m,client=6000000/1m,connections=100000";

/// Several times as long as the balancer takes to look who is there.
const LOOKED: Duration = Duration::from_secs(1);

/// A deployment that runs.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// The server's processes.
    pub(crate) instances: Vec<Process>,
    /// Where clients connect to.
    pub(crate) port: u16,
    pub(crate) redis: Option<Redis>,
    _balancer: Option<Process>,
    authenticates: bool,
}

/// A program built beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}

impl Subject {
    /// This server alone, with what it keeps in memory.
    pub(crate) async fn memory(name: &'static str) -> Result<Self> {
        Self::with(name, server()?).await
    }

    /// The same with the allocator of the system.
    pub(crate) async fn system_allocator(name: &'static str) -> Result<Self> {
        Self::with(name, Command::new(program("mcp-everything-malloc")?)).await
    }

    /// The same as `command` starts it.
    pub(crate) async fn with(name: &'static str, command: Command) -> Result<Self> {
        let port = free_port()?;
        let instances = vec![instance(command, port, port, None, &[]).await?];
        Ok(Self { name, instances, port, redis: None, _balancer: None, authenticates: true })
    }

    /// One instance with Redis.
    pub(crate) async fn redis(name: &'static str) -> Result<Self> {
        let (redis, port) = (Redis::start().await?, free_port()?);
        let instances = vec![instance(server()?, port, port, Some(&redis), &[]).await?];
        let redis = Some(redis);
        Ok(Self { name, instances, port, redis, _balancer: None, authenticates: true })
    }

    /// So many instances with Redis, one to three, behind `HAProxy`, which asks them in turn. Each has
    /// so many threads.
    pub(crate) async fn behind_haproxy(
        name: &'static str,
        count: usize,
        threads: usize,
    ) -> Result<Self> {
        let (redis, port) = (Redis::start().await?, free_port()?);
        let mut instances = Vec::new();
        for _ in 0..count {
            let threads = threads.to_string();
            let of_each = [("TRUSTED_PROXIES", "127.0.0.1"), ("WORKER_THREADS", &threads)];
            instances.push(instance(server()?, free_port()?, port, Some(&redis), &of_each).await?);
        }
        let mut haproxy = Command::new("haproxy");
        let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/haproxy.cfg");
        haproxy.args(["-f", configuration]).env("BALANCER_PORT", port.to_string());
        for (number, name) in ["PORT_ONE", "PORT_TWO", "PORT_THREE"].into_iter().enumerate() {
            // A place where nothing listens is red, and never asked.
            let port = instances.get(number).map_or(1, |one| one.port);
            haproxy.env(name, port.to_string());
        }
        let balancer = Some(Process::start(haproxy, port).await?);
        // Until it has looked, it takes all three for there.
        sleep(LOOKED).await;
        let redis = Some(redis);
        Ok(Self { name, instances, port, redis, _balancer: balancer, authenticates: true })
    }

    /// Something to compare with: `command` takes the port as its argument.
    pub(crate) async fn other(name: &'static str, mut command: Command) -> Result<Self> {
        let port = free_port()?;
        command.arg(port.to_string());
        let instances = vec![Process::start(command, port).await?];
        Ok(Self { name, instances, port, redis: None, _balancer: None, authenticates: false })
    }

    /// An access token, where one is needed.
    pub(crate) async fn token(&self, user: &str) -> Result<Option<String>> {
        if !self.authenticates {
            return Ok(None);
        }
        let server = format!("http://127.0.0.1:{}", self.port);
        let mut login = Command::new(program("mcp-everything")?);
        login.env_clear().args(["login", "--server", &server, "--user", user]);
        let output = login.output().await?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(Some(String::from_utf8(output.stdout)?.trim().to_owned()))
    }

    /// What its processes took so far, all together.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.instances.iter().try_fold(Usage::default(), |sum, process| {
            let usage = process.usage()?;
            Ok(Usage {
                cpu: sum.cpu + usage.cpu,
                memory: sum.memory + usage.memory,
                allocated: sum.allocated + usage.allocated,
            })
        })
    }
}

/// This server.
pub(crate) fn server() -> Result<Command> {
    Ok(Command::new(program("mcp-everything")?))
}

/// The programs that it is compared with.
pub(crate) fn bare() -> Result<Command> {
    Ok(Command::new(program("bare")?))
}

pub(crate) fn floor() -> Result<Command> {
    Ok(Command::new(program("floor")?))
}

/// Starts `command`, which is this server.
async fn instance(
    mut command: Command,
    port: u16,
    public: u16,
    redis: Option<&Redis>,
    settings: &[(&str, &str)],
) -> Result<Process> {
    // What finds the program and its libraries stays.
    let path = env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("BASE_URI", format!("http://127.0.0.1:{public}"))
        .env("RATE_LIMITS", RATES)
        // A line for each request is what others do not write either.
        .env("RUST_LOG", "warn")
        .env("SESSION_TTL", "3600s")
        .envs(settings.iter().copied());
    if let Some(redis) = redis {
        command.env("REDIS_URL", redis.url());
    }
    Process::start(command, port).await
}
