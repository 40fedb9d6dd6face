//! `toggleDynamicPrompt`: adds a prompt to the caller's list, or takes it away.

use rmcp::model::CallToolResult;

use crate::{
    Call, CallError, Change, Definition, Glyph, NoInput, Tool, prompts::dynamic_prompt, text,
};

pub(super) struct ToggleDynamicPrompt;

impl Tool for ToggleDynamicPrompt {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "toggleDynamicPrompt",
            "Toggle the dynamic prompt",
            "Adds the prompt dynamic_prompt to your list of prompts, or takes it away. Your \
             clients are told that the list has changed",
        )
        .icon(Glyph::Switch)
        .writes(false)
        .open_world(false)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let on = call.shelf().flip(dynamic_prompt::NAME, Change::Prompts).await?;
        Ok(text(if on {
            "The prompt dynamic_prompt is there now."
        } else {
            "The prompt dynamic_prompt is gone now."
        }))
    }
}
