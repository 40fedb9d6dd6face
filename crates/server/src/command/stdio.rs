//! `mcp-everything stdio`

use std::process::ExitCode;

use mcp_everything_store::{InstanceId, SystemRandom};

use super::{
    fail,
    launch::{Signals, warn_of_fixtures, warn_of_unknown_settings},
    refuse,
};
use crate::{
    app::StdioApp,
    instance,
    settings::{RawSettings, Role, Settings},
    telemetry::{self, LogTo},
};

pub(super) async fn run(raw: &RawSettings) -> ExitCode {
    match Settings::from_raw(&settings(raw), Role::McpServer) {
        Ok(mut settings) => {
            settings.public.retain(|variable, _| RawSettings::is_of_stdio(variable));
            serve(&settings).await
        }
        Err(problems) => refuse(&problems.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
}

/// What a client's environment says of a server over HTTP is no mistake here, and means nothing.
fn settings(raw: &RawSettings) -> RawSettings {
    let mut raw = raw.of_stdio();
    // stdout is for the client, so it does not matter whether that is a terminal.
    if raw.log_format.as_deref().is_none_or(|format| format.trim().is_empty()) {
        let format = if LogTo::Stderr.is_terminal() { "pretty" } else { "json" };
        raw.log_format = Some(format.to_owned());
    }
    raw
}

async fn serve(settings: &Settings) -> ExitCode {
    let instance = InstanceId::random(&instance::name(), &SystemRandom);
    // Nobody looks at a pipe.
    if let Err(reason) = telemetry::start(settings, &instance, LogTo::Stderr, None) {
        return fail(&reason);
    }
    warn_of_unknown_settings();
    let started = async {
        // Before anybody is told that the server is there.
        let signals = Signals::heard()?;
        let app = StdioApp::start(settings, &instance).await.map_err(|error| error.to_string())?;
        Ok::<_, String>((signals, app))
    };
    let (mut signals, app) = match started.await {
        Ok(started) => started,
        Err(reason) => {
            tracing::error!(event = "server.failed", reason, "the server cannot run");
            return fail(&reason);
        }
    };
    tracing::info!(
        event = "server.started",
        server = "stdio",
        store = settings.store(),
        instance = %instance,
        version = env!("CARGO_PKG_VERSION"),
        "one client is served over standard input and output"
    );
    warn_of_fixtures(settings);
    let signal = tokio::select! {
        () = app.left() => None,
        signal = signals.next() => Some(signal),
    };
    tracing::info!(event = "server.stopping", signal, "the server goes away");
    app.leave();
    tokio::select! {
        () = app.over() => {}
        _ = signals.next() => tracing::warn!(event = "server.killed", "a second signal: at once, then"),
    }
    tracing::info!(event = "server.stopped", "the server is gone");
    ExitCode::SUCCESS
}
