//! What was logged, as text, one line an event.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// Lines that this thread logs while the guard lives.
pub(crate) struct Capture {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Capture {
    pub(crate) fn start() -> Self {
        let lines = Arc::default();
        let subscriber = tracing_subscriber::registry().with(Collect(Arc::clone(&lines)));
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

pub(crate) fn during(work: impl FnOnce()) -> Vec<String> {
    let capture = Capture::start();
    work();
    capture.lines()
}

/// The `event` field of each line.
pub(crate) fn events(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| event(line)).collect()
}

fn event(line: &str) -> &str {
    line.split_once("event=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(e, _)| e)
}

struct Collect(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Collect {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("mcp_everything") {
            let mut line = Line::default();
            event.record(&mut line);
            let line = format!("{}{}{}", event.metadata().level(), line.fields, line.message);
            self.0.lock().unwrap().push(line);
        }
    }
}

#[derive(Default)]
struct Line {
    fields: String,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let part = if field.name() == "message" { &mut self.message } else { &mut self.fields };
        let _ = write!(part, " {}={value:?}", field.name());
    }
}
