//! `toggleSimulatedLogging`: log messages of any level every five seconds, for the session.

use rmcp::model::CallToolResult;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, notifications, text};

pub(super) struct ToggleSimulatedLogging;

impl Tool for ToggleSimulatedLogging {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "toggleSimulatedLogging",
            "Toggle simulated logging",
            "Starts or stops log messages of random levels every five seconds, for this session",
        )
        .icon(Glyph::Switch)
        .writes(false)
        .open_world(false)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let session = call.needed_session("toggleSimulatedLogging")?;
        let id = session.id();
        if !session.flip(notifications::SIMULATED_LOGGING).await? {
            return Ok(text(format!("Stopped simulated logging for session {id}")));
        }
        // The first one comes at once; whoever holds the session's stream sends the next.
        let (level, message) = notifications::simulated_log_message(call.now(), &id);
        if notifications::passes(level, session.log_level().await?) {
            call.say(message).await;
        }
        Ok(text(format!(
            "Started simulated, random-leveled logging for session {id} at a 5 second pace. \
             Client's selected logging level will be respected. If an interval elapses and the \
             message to be sent is below the selected level, it will not be sent. Thus at higher \
             chosen logging levels, messages should arrive further apart. "
        )))
    }
}
