//! `echo`: says back what it was told.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Call, CallError, Definition, Glyph, Tool, text};

pub(super) struct Echo;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// Message to echo
    message: String,
}

impl Tool for Echo {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new("echo", "Echo", "Echoes back the input")
            .read_only()
            .icon(Glyph::Message)
            .open_world(false)
    }

    async fn call(&self, input: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(text(format!("Echo: {}", input.message)))
    }
}
