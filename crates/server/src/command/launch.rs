//! From settings to servers that run until they are told to stop.

mod announce;
mod greeting;

use std::{process::ExitCode, sync::Arc, time::Duration};

use mcp_everything_store::{InstanceId, SystemRandom};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
    time::Instant,
};

pub(super) use self::announce::{warn_of_fixtures, warn_of_unknown_settings};
use self::{announce::announce, greeting::Telling};
use super::{fail, print};
use crate::{
    app::{App, StartError},
    http::Proxies,
    instance,
    metrics::Metrics,
    net::{Addresses, Connections, Room, Tls, listen},
    settings::{RawSettings, Role, Settings},
    telemetry::{self, Lines, LogTo},
};

/// How long answers may take to leave once nothing runs any more.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a server that goes away says nothing of what it waits for: longer than idle clients take
/// to hang up.
const NOTICE: Duration = Duration::from_secs(3);

/// A server that has its port, and answers nobody yet.
pub(super) struct Listening {
    settings: Settings,
    listeners: Vec<TcpListener>,
}

impl Listening {
    pub(super) fn new(raw: &RawSettings, asked: Settings) -> Result<Self, String> {
        let (listeners, port) = listen(&asked.hosts, asked.port, asked.role.port())?;
        let settings = if port == asked.port { asked } else { on_port(raw, &asked, port)? };
        Ok(Self { settings, listeners })
    }

    /// The port that it came to.
    pub(super) fn port(&self) -> u16 {
        self.settings.port
    }
}

/// The settings with the port that `PORT=0` came to, which `BASE_URI` follows; or
/// `AUTH_SERVER_PORT` and `AUTH_SERVER_URL`.
fn on_port(raw: &RawSettings, asked: &Settings, port: u16) -> Result<Settings, String> {
    let (port, raw) = (Some(port.to_string()), raw.clone());
    let raw = match asked.role {
        Role::McpServer => RawSettings { port, ..raw },
        Role::AuthServer => RawSettings { auth_server_port: port, ..raw },
    };
    let settings = Settings::from_raw(&raw, asked.role).map_err(|problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    })?;
    Ok(Settings { beside_another: asked.beside_another, ..settings })
}

/// A server that answers.
struct Running {
    settings: Settings,
    app: App,
    connections: Connections,
}

/// What is known of the servers of a process, for whoever looks at them.
struct Watching {
    metrics: Arc<Metrics>,
    lines: Lines,
}

/// Runs one process's servers, which `listening` finds ports for, until it is told to stop.
/// `settings` say how to log.
pub(super) async fn run(
    settings: &Settings,
    listening: impl FnOnce() -> Result<Vec<Listening>, String>,
) -> ExitCode {
    let instance = InstanceId::random(&instance::name(), &SystemRandom);
    let metrics = Arc::new(Metrics::new(&instance));
    let counted = Some(metrics.events.clone());
    let lines = match telemetry::start(settings, &instance, LogTo::Stdout, counted) {
        Ok(lines) => lines,
        Err(reason) => return fail(&reason),
    };
    let watching = Watching { metrics, lines };
    warn_of_unknown_settings();
    let telling = Telling::of(settings);
    let served = match listening() {
        Ok(listening) => serve(listening, &instance, &watching, telling).await,
        Err(reason) => Err(reason),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Somebody at a terminal reads it once.
            if telling == Telling::Lines {
                tracing::error!(event = "server.failed", reason, "the server cannot run");
            }
            fail(&reason)
        }
    }
}

async fn serve(
    listening: Vec<Listening>,
    instance: &InstanceId,
    watching: &Watching,
    telling: Telling,
) -> Result<(), String> {
    // Before anybody is told that the server is there.
    let mut signals = Signals::heard()?;
    let started = tokio::select! {
        started = start(listening, instance, watching, telling) => {
            started.map_err(|error| error.to_string())?
        }
        // It may be waiting for Redis.
        _ = signals.next() => {
            tracing::info!(event = "server.stopped", "the server is gone before it was there");
            return Ok(());
        }
    };
    let servers: Vec<_> = started.iter().map(|server| server.settings.clone()).collect();
    if telling == Telling::Text {
        print(&greeting::welcome(&servers, &greeting::program()));
    }
    let signal = signals.next().await;
    if telling == Telling::Lines {
        tracing::info!(event = "server.stopping", signal, "the server goes away");
    }
    let stopping = Instant::now();
    let drained: JoinSet<()> =
        started.into_iter().map(|server| async move { server.drain(signal).await }).collect();
    tokio::select! {
        _ = drained.join_all() => {}
        () = tell_of_what_still_runs(&servers) => {}
        _ = signals.next() => tracing::warn!(event = "server.killed", "a second signal: at once, then"),
    }
    // What is left of the time that there is for going away, and a moment at least.
    let patience = servers.iter().map(|settings| settings.drain_timeout).max().unwrap_or_default();
    telemetry::flush(patience.saturating_sub(stopping.elapsed()).max(LAST_WORDS)).await;
    match telling {
        Telling::Lines => tracing::info!(event = "server.stopped", "the server is gone"),
        Telling::Text => print(&greeting::goodbye(&servers)),
    }
    Ok(())
}

/// Whoever waits for the end learns why it does not come, once, and how to have it. Never returns.
async fn tell_of_what_still_runs(servers: &[Settings]) {
    let delay = servers.iter().map(|settings| settings.drain_delay).max().unwrap_or_default();
    let timeout = servers.iter().map(|settings| settings.drain_timeout).max().unwrap_or_default();
    tokio::time::sleep(delay + NOTICE).await;
    tracing::info!(
        event = "server.draining",
        seconds = timeout.as_secs(),
        "calls still run, and may for so long; a second signal ends them"
    );
    std::future::pending::<()>().await;
}

async fn start(
    listening: Vec<Listening>,
    instance: &InstanceId,
    watching: &Watching,
    telling: Telling,
) -> Result<Vec<Running>, StartError> {
    let room = Room::make();
    let mut started = Vec::new();
    let Watching { metrics, lines } = watching;
    metrics.open.ask_room(&room);
    for Listening { settings, listeners } in listening {
        let app = App::start(&settings, instance, Arc::clone(metrics), lines).await?;
        let proxies = Proxies::new(settings.trusted_proxies.clone());
        let most = settings.rate_limits.connections().map(|most| room.of_an_address(most));
        let addresses = Addresses::new(most, proxies);
        // Whatever has become of the files since they were looked at.
        let tls = settings.tls.as_ref().map(Tls::load).transpose()?;
        let counted = metrics.net.clone();
        let connections =
            Connections::new(app.front(), addresses, room.clone(), tls.clone(), counted);
        if let Some(tls) = tls {
            tokio::spawn(tls.keep());
        }
        for listener in listeners {
            connections.listen(listener);
        }
        announce(&settings, instance, telling);
        started.push(Running { settings, app, connections });
    }
    Ok(started)
}

impl Running {
    /// Goes away without cutting anybody off: first balancers are told, then streams end and
    /// running calls finish, then what is left ends.
    async fn drain(&self, signal: &'static str) {
        let Self { settings, app, connections } = self;
        app.health().drain();
        connections.leave();
        // Somebody at a terminal has no balancer to wait for.
        if signal == "SIGTERM" {
            tokio::time::sleep(settings.drain_delay).await;
        }
        connections.stop();
        app.drain(settings.drain_timeout).await;
        // What was said last is still on its way, and may be followed by one more request.
        let gone = || tokio::time::timeout(LAST_WORDS, connections.gone());
        let went = gone().await.is_ok();
        app.shut_down();
        if !went && gone().await.is_err() {
            tracing::debug!(event = "shutdown.connections_cut", "some clients did not hang up");
        }
        // Last, so that what ends is known to have ended before this instance is known to be gone.
        if tokio::time::timeout(LAST_WORDS, app.gone()).await.is_err() {
            tracing::debug!(
                event = "shutdown.lease_lapses",
                "Redis was not told that this one is gone"
            );
        }
    }
}

/// The signals that tell a server to go away. From when they are heard on they do not end it at once.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn heard() -> Result<Self, String> {
        let heard =
            |kind| signal(kind).map_err(|error| format!("signals cannot be heard: {error}"));
        let terminate = heard(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: heard(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
