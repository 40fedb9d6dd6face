//! `triggerElicitationRequestAsync`: asks the user by a task of the client.

use rmcp::model::CallToolResult;
use serde_json::json;

use super::elicit_inputs::{MESSAGE, form};
use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, text};

pub(super) struct TriggerElicitationRequestAsync;

impl Tool for TriggerElicitationRequestAsync {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "triggerElicitationRequestAsync",
            "Trigger an asynchronous elicitation request",
            "Asks the user with a form that has every kind of field, by a task of the client, which \
             is asked how it gets on until it has a result. Needs a client that takes elicitation \
             requests as tasks (2025-11-25)",
        )
        .icon(Glyph::Form)
        .read_only()
        .open_world(true)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let form = form(call.protocol_version().as_ref())?;
        let followed = call.ask_elicitation_as_task(MESSAGE, form).await?;
        Ok(text(format!(
            "Elicitation result: {:#}\n\nThe client worked on it as the task {}, and was asked {} \
             times how it gets on.",
            json!(followed.reply),
            followed.task,
            followed.polls
        )))
    }
}
