//! `mcp-everything serve`

use std::{io, net::SocketAddr, process::ExitCode, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{fail, refuse, unknown_settings};
use crate::{
    app::App,
    settings::{AuthMode, RawSettings, Settings},
    telemetry,
};

pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    let settings = match Settings::from_raw(raw) {
        Ok(settings) => settings,
        Err(problems) => return refuse(&problems),
    };
    telemetry::start(&settings);
    for name in unknown_settings() {
        tracing::warn!(event = "config.unknown", name, "this variable is no setting");
    }
    match serve(raw, settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!(event = "server.failed", reason, "the server cannot run");
            fail(&reason)
        }
    }
}

async fn serve(raw: &RawSettings, asked: Settings) -> Result<(), String> {
    let (listeners, port) = listen(&asked)?;
    let settings = if port == asked.port { asked } else { on_port(raw, port)? };
    let app = App::start(&settings).await.map_err(|error| error.to_string())?;
    let stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    for listener in listeners {
        servers.spawn(serve_on(listener, app.router(), stop.clone()));
    }
    announce(&settings);
    let signal = stopped().await.map_err(|error| format!("signals cannot be heard: {error}"))?;
    tracing::info!(event = "server.stopping", signal, "the server goes away");
    tokio::select! {
        () = drain(&app, &settings, signal, &stop, servers) => {}
        _ = stopped() => tracing::warn!(event = "server.killed", "a second signal: at once, then"),
    }
    tracing::info!(event = "server.stopped", "the server is gone");
    Ok(())
}

/// Goes away without cutting anybody off: first balancers are told, then streams end and running
/// calls finish, then what is left ends.
async fn drain(
    app: &App,
    settings: &Settings,
    signal: &str,
    stop: &CancellationToken,
    mut servers: JoinSet<io::Result<()>>,
) {
    app.health().drain();
    // Somebody at a terminal has no balancer to wait for.
    if signal == "SIGTERM" {
        tokio::time::sleep(settings.drain_delay).await;
    }
    stop.cancel();
    app.drain(settings.drain_timeout).await;
    app.shut_down();
    let gone = async { while servers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), gone).await;
}

async fn serve_on(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    // Small events must not wait for more to come (Nagle).
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
}

fn listen(settings: &Settings) -> Result<(Vec<TcpListener>, u16), String> {
    let mut listeners = Vec::new();
    let mut port = settings.port;
    let mut failed = None;
    for host in &settings.hosts {
        let address = SocketAddr::new(*host, port);
        match bind(address) {
            Ok(listener) => {
                // PORT=0: whatever port the first address gets, the others get too.
                port = listener.local_addr().map_or(port, |address| address.port());
                listeners.push(listener);
            }
            // A machine may have no IPv6.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && host.is_ipv6() => {
                tracing::debug!(event = "server.no_ipv6", %address, "there is no such address here");
            }
            Err(error) => failed = Some(format!("{address}: {error}")),
        }
    }
    match failed {
        Some(reason) => Err(format!("cannot listen on {reason}; is PORT in use?")),
        None if listeners.is_empty() => Err("there is no address of HOST to listen on".to_owned()),
        None => Ok((listeners, port)),
    }
}

/// The settings with the port that `PORT=0` came to, which `BASE_URI` follows.
fn on_port(raw: &RawSettings, port: u16) -> Result<Settings, String> {
    let raw = RawSettings { port: Some(port.to_string()), ..raw.clone() };
    Settings::from_raw(&raw)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

fn announce(settings: &Settings) {
    let base = settings.base_uri.as_str();
    let endpoint = settings.base_uri.join("/mcp");
    let auth = match settings.auth_mode {
        AuthMode::Integrated => "integrated",
        AuthMode::None => "none",
    };
    tracing::info!(
        event = "server.started",
        endpoint,
        auth,
        store = "memory",
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
