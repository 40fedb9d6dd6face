//! Whoever counts what is asked of handlers.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ErrorData,
    model::{CallToolResponse, CustomResult, GetPromptResponse, ReadResourceResponse},
};
use serde_json::Value;
use tokio::time::Instant;

/// Told of every request that reaches a handler, on each wire. It is called in the request's way, and
/// has to be quick.
pub trait Observer: Send + Sync + 'static {
    /// A handler begins to work on a request: its method as the client sent it, and the tool that it
    /// calls. What is returned comes back when it ends.
    fn began(&self, method: &str, tool: Option<&str>) -> Seen;

    /// The handler has answered, or goes on no more.
    fn ended(&self, seen: Seen, outcome: Outcome, took: Duration);
}

/// Nobody counts.
impl Observer for () {
    fn began(&self, _: &str, _: Option<&str>) -> Seen {
        Seen { method: 0, tool: None }
    }

    fn ended(&self, _: Seen, _: Outcome, _: Duration) {}
}

/// What an observer knows a request by, in numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of the method.
    pub method: usize,
    /// Of the tool that it calls.
    pub tool: Option<usize>,
}

/// How a request ended for its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Answered,
    /// With the result of a tool that says that it failed (`isError`).
    ToolError,
    /// With questions to the client, to be answered with the request sent again (2026-07-28).
    InputRequired,
    /// With a task that goes on.
    Task,
    /// With a JSON-RPC error.
    Error,
    /// Without an answer: it was cancelled and did not notice, or was cut off.
    Dropped,
}

/// A request under observation.
pub(crate) struct Observed<'a> {
    observer: &'a dyn Observer,
    seen: Seen,
    since: Instant,
    outcome: Outcome,
}

impl<'a> Observed<'a> {
    pub(crate) fn begin(observer: &'a Arc<dyn Observer>, method: &str, tool: Option<&str>) -> Self {
        let observer = &**observer;
        let seen = observer.began(method, tool);
        Self { observer, seen, since: Instant::now(), outcome: Outcome::Dropped }
    }

    /// Says what came of it.
    pub(crate) fn end<T>(
        mut self,
        result: &Result<T, ErrorData>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) {
        self.outcome = result.as_ref().map_or(Outcome::Error, outcome);
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        self.observer.ended(self.seen, self.outcome, self.since.elapsed());
    }
}

/// Of a result that only says what was asked for.
pub(crate) fn plain<T>(_: &T) -> Outcome {
    Outcome::Answered
}

pub(crate) fn of_tool(response: &CallToolResponse) -> Outcome {
    match response {
        CallToolResponse::Complete(result) if result.is_error == Some(true) => Outcome::ToolError,
        CallToolResponse::InputRequired(_) => Outcome::InputRequired,
        CallToolResponse::Task(_) => Outcome::Task,
        // rmcp may have more.
        _ => Outcome::Answered,
    }
}

pub(crate) fn of_prompt(response: &GetPromptResponse) -> Outcome {
    asked(matches!(response, GetPromptResponse::InputRequired(_)))
}

pub(crate) fn of_resource(response: &ReadResourceResponse) -> Outcome {
    asked(matches!(response, ReadResourceResponse::InputRequired(_)))
}

fn asked(is_question: bool) -> Outcome {
    if is_question { Outcome::InputRequired } else { Outcome::Answered }
}

/// Of what rmcp has no types for: the tasks of 2025-11-25 and the results of their calls.
pub(crate) fn of_custom(result: &CustomResult) -> Outcome {
    let Some(members) = result.0.as_object() else { return Outcome::Answered };
    if members.get("isError").is_some_and(|is_error| *is_error == Value::Bool(true)) {
        Outcome::ToolError
    } else if members.get("task").is_some_and(Value::is_object) {
        Outcome::Task
    } else {
        Outcome::Answered
    }
}
