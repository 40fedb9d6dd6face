//! `dynamicTool`: is there while its user wants it, see `toggleDynamicTool`.

use rmcp::model::CallToolResult;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, text};

pub(super) struct DynamicTool;

/// Its name, and that of its switch.
pub(super) const NAME: &str = "dynamicTool";

impl Tool for DynamicTool {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            NAME,
            "Dynamic tool",
            "Says that it is there. toggleDynamicTool adds it and takes it away",
        )
        .icon(Glyph::Check)
        .switch(NAME)
        .read_only()
        .open_world(false)
    }

    async fn call(&self, _: NoInput, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(text("This tool is there because you turned it on with toggleDynamicTool."))
    }
}
