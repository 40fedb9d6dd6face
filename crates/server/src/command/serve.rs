//! `mcp-everything serve`

use std::{io, process::ExitCode, time::Duration};

use mcp_everything_store::{InstanceId, SystemRandom};
use tokio::signal::unix::{SignalKind, signal};

use super::{fail, judge, refuse, unknown_settings};
use crate::{
    app::App,
    instance,
    net::{Connections, listen},
    settings::{AuthMode, RawSettings, Settings},
    telemetry,
};

/// How long answers may take to leave once nothing runs any more.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    let settings = match judge(raw) {
        Ok(settings) => settings,
        Err(problems) => return refuse(&problems),
    };
    let instance = InstanceId::random(&instance::name(), &SystemRandom);
    telemetry::start(&settings, &instance);
    for name in unknown_settings() {
        tracing::warn!(event = "config.unknown", name, "this variable is no setting");
    }
    match serve(raw, settings, &instance).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!(event = "server.failed", reason, "the server cannot run");
            fail(&reason)
        }
    }
}

async fn serve(raw: &RawSettings, asked: Settings, instance: &InstanceId) -> Result<(), String> {
    let (listeners, port) = listen(&asked.hosts, asked.port)?;
    let settings = if port == asked.port { asked } else { on_port(raw, port)? };
    let app = tokio::select! {
        app = App::start(&settings, instance) => app.map_err(|error| error.to_string())?,
        // It may be waiting for Redis.
        _ = stopped() => {
            tracing::info!(event = "server.stopped", "the server is gone before it was there");
            return Ok(());
        }
    };
    let connections = Connections::new(app.router());
    for listener in listeners {
        tokio::spawn(connections.clone().accept(listener));
    }
    announce(&settings, instance);
    let signal = stopped().await.map_err(|error| format!("signals cannot be heard: {error}"))?;
    tracing::info!(event = "server.stopping", signal, "the server goes away");
    tokio::select! {
        () = drain(&app, &settings, signal, &connections) => {}
        _ = stopped() => tracing::warn!(event = "server.killed", "a second signal: at once, then"),
    }
    tracing::info!(event = "server.stopped", "the server is gone");
    Ok(())
}

/// Goes away without cutting anybody off: first balancers are told, then streams end and running
/// calls finish, then what is left ends.
async fn drain(app: &App, settings: &Settings, signal: &str, connections: &Connections) {
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

/// The settings with the port that `PORT=0` came to, which `BASE_URI` follows.
fn on_port(raw: &RawSettings, port: u16) -> Result<Settings, String> {
    let raw = RawSettings { port: Some(port.to_string()), ..raw.clone() };
    Settings::from_raw(&raw)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn announce(settings: &Settings, instance: &InstanceId) {
    let base = settings.base_uri.as_str();
    let endpoint = settings.base_uri.join("/mcp");
    let auth = match settings.auth_mode {
        AuthMode::Integrated => "integrated",
        AuthMode::None => "none",
    };
    tracing::info!(
        event = "server.started",
        endpoint,
        port = settings.port,
        auth,
        store = settings.store(),
        redis = settings.redis.as_ref().map(ToString::to_string),
        instance = %instance,
        version = env!("CARGO_PKG_VERSION"),
        "open {base} in a browser, or point an MCP client at the endpoint"
    );
    if settings.auth_mode == AuthMode::None {
        tracing::warn!(event = "auth.off", "authentication is off: every caller is `anonymous`");
    }
    if settings.conformance {
        tracing::warn!(event = "conformance.on", "the conformance suite's fixtures are listed");
    }
}

async fn stopped() -> io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
