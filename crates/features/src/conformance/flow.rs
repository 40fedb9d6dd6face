//! Tools that do something while they run: log, report progress, tell of changes, lose a stream.

use std::time::Duration;

use rmcp::model::{CallToolResult, LoggingLevel, NumberOrString};
use tokio::time::sleep;

use super::Fixture;
use crate::{Call, CallError, Change, StreamCloser, text};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "test_tool_with_logging",
        description: "Logs three messages while it runs",
        run: |call| Box::pin(logging(call)),
    },
    Fixture {
        name: "test_logging_tool",
        description: "Logs three messages, if the request asks for log messages",
        run: |call| Box::pin(logging(call)),
    },
    Fixture {
        name: "test_tool_with_progress",
        description: "Reports progress three times",
        run: |call| Box::pin(progress(call)),
    },
    Fixture {
        name: "test_reconnection",
        description: "Closes its event stream before it returns",
        run: |call| Box::pin(reconnection(call)),
    },
    Fixture {
        name: "test_trigger_tool_change",
        description: "Tells listeners that the list of tools has changed",
        run: |call| Box::pin(trigger(call, Change::Tools)),
    },
    Fixture {
        name: "test_trigger_prompt_change",
        description: "Tells listeners that the list of prompts has changed",
        run: |call| Box::pin(trigger(call, Change::Prompts)),
    },
];

/// The pause between two messages, which the suite wants to see arrive one by one.
const PAUSE: Duration = Duration::from_millis(50);

async fn logging(call: &Call<'_>) -> Result<CallToolResult, CallError> {
    let messages = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    for (index, message) in messages.into_iter().enumerate() {
        if index > 0 {
            sleep(PAUSE).await;
        }
        call.log(LoggingLevel::Info, "conformance", message).await?;
    }
    Ok(text("Tool with logging executed successfully"))
}

async fn progress(call: &Call<'_>) -> Result<CallToolResult, CallError> {
    for done in [0, 50, 100] {
        if done > 0 {
            sleep(PAUSE).await;
        }
        let message = format!("Completed step {done} of 100");
        call.progress(f64::from(done), 100.0, Some(message)).await;
    }
    Ok(text(match call.progress_token().map(|token| token.0) {
        Some(NumberOrString::String(token)) => token.to_string(),
        Some(NumberOrString::Number(token)) => token.to_string(),
        None => "no progress token".to_owned(),
    }))
}

async fn reconnection(call: &Call<'_>) -> Result<CallToolResult, CallError> {
    if let Some(stream) = call.extension::<StreamCloser>() {
        stream.close();
    }
    sleep(2 * PAUSE).await;
    Ok(text(
        "Reconnection test completed successfully. If you received this, the client properly \
         reconnected after stream closure.",
    ))
}

async fn trigger(call: &Call<'_>, change: Change) -> Result<CallToolResult, CallError> {
    call.publish(change).await?;
    Ok(text("Listeners were told"))
}
