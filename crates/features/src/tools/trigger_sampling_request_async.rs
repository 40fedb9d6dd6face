//! `triggerSamplingRequestAsync`: asks the client's model by a task of the client.

use rmcp::model::CallToolResult;

use super::sample_llm::{Input, request, said};
use crate::{Call, CallError, Definition, Glyph, Tool, text};

pub(super) struct TriggerSamplingRequestAsync;

impl Tool for TriggerSamplingRequestAsync {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "triggerSamplingRequestAsync",
            "Trigger an asynchronous sampling request",
            "Samples from the client's LLM by a task of the client, which is asked how it gets on \
             until it has a result. Needs a client that takes sampling requests as tasks \
             (2025-11-25)",
        )
        .icon(Glyph::Model)
        .read_only()
        .open_world(true)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let request = request("triggerSamplingRequestAsync", &input);
        let followed = call.ask_sampling_as_task(request).await?;
        Ok(text(format!(
            "LLM sampling result: {}\n\nThe client worked on it as the task {}, and was asked {} \
             times how it gets on.",
            said(&followed.reply),
            followed.task,
            followed.polls
        )))
    }
}
