//! Requests of the protocol, whichever way they came, and the tools that they called.

use std::{collections::HashMap, time::Duration};

use mcp_everything_transport::{Observer, Outcome as Ended, Seen};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::{
    durations::Durations,
    family::{Family, Label, label},
};

/// The methods that this server answers; the last is for all others.
const METHODS: &[&str] = &[
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "server/discover",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tools/call",
    "tools/list",
    OTHER,
];
const OTHER: &str = "other";
/// It lasts as long as its client listens, which says nothing of the server.
const LASTING: &str = "subscriptions/listen";

label! {
    /// How a request ended.
    Outcome = "outcome" {
        Answered = "ok",
        ToolError = "tool_error",
        InputRequired = "input_required",
        Task = "task",
        Error = "error",
        Dropped = "dropped",
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Answered => Self::Answered,
            Ended::ToolError => Self::ToolError,
            Ended::InputRequired => Self::InputRequired,
            Ended::Task => Self::Task,
            Ended::Error => Self::Error,
            Ended::Dropped => Self::Dropped,
        }
    }
}

/// What the handlers of this process were asked.
#[derive(Debug)]
pub(crate) struct Calls {
    running: Family<Gauge, 1>,
    requests: Family<Counter, 2>,
    durations: Family<Durations, 1>,
    /// The places of the tools that are published; the last is for all other names.
    tools: HashMap<String, usize>,
    of_tools: Family<Counter, 2>,
    tool_durations: Family<Durations, 1>,
}

impl Calls {
    /// Of a server with these tools.
    pub(super) fn new(registry: &mut Registry, tools: Vec<String>) -> Self {
        let method = || Label::new("method", METHODS.iter().copied());
        let names = tools.iter().cloned().chain([OTHER.to_owned()]);
        let tool = Label::new("tool", names);
        let calls = Self {
            running: Family::all([method()]),
            requests: Family::touched([method(), Outcome::label()], Counter::default),
            durations: Family::touched([method()], Durations::default),
            of_tools: Family::touched([tool.clone(), Outcome::label()], Counter::default),
            tool_durations: Family::touched([tool], Durations::default),
            tools: tools.into_iter().zip(0..).collect(),
        };
        registry.register(
            "requests_running",
            "Requests that a handler works on",
            calls.running.clone(),
        );
        registry.register("requests", "Requests that a handler answered", calls.requests.clone());
        registry.register(
            "request_duration_seconds",
            "How long handlers took to answer",
            calls.durations.clone(),
        );
        registry.register("tool_calls", "Calls of tools", calls.of_tools.clone());
        registry.register(
            "tool_call_duration_seconds",
            "How long tools took to answer",
            calls.tool_durations.clone(),
        );
        calls
    }

    fn method(method: &str) -> usize {
        METHODS.iter().position(|one| *one == method).unwrap_or(METHODS.len() - 1)
    }
}

impl Observer for Calls {
    fn began(&self, method: &str, tool: Option<&str>) -> Seen {
        let method = Self::method(method);
        self.running.at([method]).inc();
        let tool = tool.map(|name| self.tools.get(name).copied().unwrap_or(self.tools.len()));
        Seen { method, tool }
    }

    fn ended(&self, seen: Seen, ended: Ended, took: Duration) {
        let Seen { method, tool } = seen;
        let outcome = Outcome::from(ended) as usize;
        self.running.at([method]).dec();
        self.requests.at([method, outcome]).inc();
        if METHODS[method] != LASTING {
            self.durations.at([method]).observe(took);
        }
        if let Some(tool) = tool {
            self.of_tools.at([tool, outcome]).inc();
            self.tool_durations.at([tool]).observe(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_client_calls_the_labels_are_of_few_values() {
        let tools = ["add", "echo"].map(str::to_owned);
        let calls = Calls::new(&mut Registry::default(), tools.into());
        let places = calls.requests.len() + calls.of_tools.len();
        for number in 0..100 {
            let seen = calls.began(&format!("x/{number}"), Some(&format!("tool-{number}")));
            calls.ended(seen, Ended::Error, Duration::ZERO);
        }
        let error = Outcome::Error as usize;
        assert_eq!(calls.requests.at([METHODS.len() - 1, error]).get(), 100);
        assert_eq!(calls.of_tools.at([2, error]).get(), 100);
        assert_eq!(calls.requests.len() + calls.of_tools.len(), places);
        assert_eq!(places, METHODS.len() * Outcome::ALL.len() + 3 * Outcome::ALL.len());
    }

    #[test]
    fn what_runs_is_known_by_its_method_and_its_tool() {
        let calls = Calls::new(&mut Registry::default(), vec!["echo".to_owned()]);
        let seen = calls.began("tools/call", Some("echo"));
        let method = Calls::method("tools/call");
        assert_eq!(calls.running.at([method]).get(), 1);
        calls.ended(seen, Ended::ToolError, Duration::from_millis(3));
        assert_eq!(calls.running.at([method]).get(), 0);
        assert_eq!(calls.of_tools.at([0, Outcome::ToolError as usize]).get(), 1);
    }
}
