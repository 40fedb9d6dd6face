//! Structured logs: one line an event, with a stable `event` name.
//!
//! `docs/logging.md` lists the names.

mod export;
mod fields;
mod json;
mod lines;
mod pretty;

use std::io::{self, IsTerminal as _};

use mcp_everything_store::{InstanceId, spans};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    fmt::{
        self,
        writer::{BoxMakeWriter, MakeWriterExt as _},
    },
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub(crate) use self::{export::flush, lines::Lines};
use crate::{
    metrics::Events,
    settings::{LogFormat, Settings},
};

/// rmcp writes several lines a request, some of them errors that any client can cause, and a machine
/// without certificates is warned of at each file. What they say is said by our own lines.
const QUIET: [&str; 4] =
    ["rmcp=off", "hyper_util=warn", "reqwest=warn", "rustls_platform_verifier=error"];

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogTo {
    Stdout,
    /// Where stdout is for something else.
    Stderr,
}

impl LogTo {
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }

    fn writer(self) -> BoxMakeWriter {
        match self {
            Self::Stdout => BoxMakeWriter::new(io::stdout),
            Self::Stderr => BoxMakeWriter::new(io::stderr),
        }
    }
}

/// Writes log lines from now on, panics among them, has them counted, and exports spans if that is
/// wanted. The last lines are kept. The error is for people.
pub(crate) fn start(
    settings: &Settings,
    instance: &InstanceId,
    to: LogTo,
    counted: Option<Events>,
) -> Result<Lines, String> {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let text = panic.payload().downcast_ref::<&str>().copied();
        let reason = text.or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str));
        tracing::error!(event = "panic", place, reason, "a bug: code panicked");
    }));
    let mut filter = EnvFilter::new(&settings.log_filter);
    for directive in QUIET {
        let target = directive.split('=').next().unwrap_or_default();
        if !settings.log_filter.contains(target)
            && let Ok(directive) = directive.parse()
        {
            filter = filter.add_directive(directive);
        }
    }
    // These are not for the log.
    if let Ok(directive) = format!("{}=off", spans::TARGET).parse() {
        filter = filter.add_directive(directive);
    }
    let exporting = export::layer(settings.traces.as_ref(), instance)?;
    let registry = tracing_subscriber::registry().with(exporting).with(Events::layer(counted));
    let kept = Lines::default();
    let writer = to.writer().and(kept.clone());
    let lines = fmt::layer().fmt_fields(fields::Kept).with_writer(writer);
    match settings.log_format {
        LogFormat::Json => {
            let lines = lines.event_format(json::Json::new(instance));
            registry.with(lines.with_filter(filter)).init();
        }
        LogFormat::Pretty => {
            let pretty = pretty::Pretty { colour: to.is_terminal() };
            registry.with(lines.event_format(pretty).with_filter(filter)).init();
        }
    }
    Ok(kept)
}
