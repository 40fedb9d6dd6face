//! `longRunningOperation`: reports progress and stops when it is cancelled.

use std::time::Duration;

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use crate::{
    Call, CallError, Definition, Glyph, Tool,
    number::{js, whole},
    text,
};

pub(super) struct LongRunningOperation;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// Duration of the operation in seconds
    #[serde(default = "ten")]
    #[schemars(range(max = 3600), extend("exclusiveMinimum" = 0))]
    duration: f64,
    /// Number of steps in the operation
    #[serde(default = "five", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 1000), extend("multipleOf" = 1))]
    steps: u32,
}

fn ten() -> f64 {
    10.0
}

fn five() -> u32 {
    5
}

impl Tool for LongRunningOperation {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "longRunningOperation",
            "Long running operation",
            "Demonstrates a long running operation with progress updates",
        )
        .read_only()
        .icon(Glyph::Clock)
        .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { duration, steps } = input;
        let (start, total) = (Instant::now(), f64::from(steps));
        for step in (1..=steps).map(f64::from) {
            // Counted from the start, so that sending reports does not add up.
            let end = start + Duration::from_secs_f64(duration * step / total);
            tokio::select! {
                () = call.cancelled() => return Err(CallError::Cancelled),
                () = sleep_until(end) => call.progress(step, total, None).await,
            }
        }
        Ok(text(format!(
            "Long running operation completed. Duration: {} seconds, Steps: {steps}.",
            js(duration)
        )))
    }
}
