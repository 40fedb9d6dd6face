//! `toggleDynamicTool`: adds a tool to the caller's list, or takes it away.

use rmcp::model::CallToolResult;

use super::dynamic_tool;
use crate::{Call, CallError, Change, Definition, Glyph, NoInput, Tool, text};

pub(super) struct ToggleDynamicTool;

impl Tool for ToggleDynamicTool {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "toggleDynamicTool",
            "Toggle the dynamic tool",
            "Adds the tool dynamicTool to your list of tools, or takes it away. Your clients are \
             told that the list has changed",
        )
        .icon(Glyph::Switch)
        .writes(false)
        .open_world(false)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let on = call.shelf().flip(dynamic_tool::NAME, Change::Tools).await?;
        Ok(text(if on {
            "The tool dynamicTool is there now."
        } else {
            "The tool dynamicTool is gone now."
        }))
    }
}
