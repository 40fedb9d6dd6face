//! `getTinyImage`: an image among texts.

use rmcp::model::{CallToolResult, ContentBlock};

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, tiny_image};

pub(super) struct GetTinyImage;

impl Tool for GetTinyImage {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("getTinyImage", "Get tiny image", "Returns the MCP_TINY_IMAGE")
            .read_only()
            .icon(Glyph::Picture)
            .open_world(false)
    }

    async fn call(&self, _: NoInput, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::success(vec![
            ContentBlock::text("This is a tiny image:"),
            ContentBlock::Image(tiny_image::content()),
            ContentBlock::text("The image above is the MCP tiny image."),
        ]))
    }
}
