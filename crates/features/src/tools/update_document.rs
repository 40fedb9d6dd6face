//! `updateDocument`: writes the user's document anew, so that a resource has really changed.

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Call, CallError, Definition, Glyph, Tool,
    resources::shelved::{self, NOTES},
    shelf::Shelved,
};

pub(super) struct UpdateDocument;

/// The longest text, in bytes.
const MOST: usize = 16 * 1024;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What the document says from now on
    #[schemars(length(max = 16_384))]
    text: String,
}

impl Tool for UpdateDocument {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "updateDocument",
            "Update the document",
            "Writes the resource demo://document/notes anew, which is yours alone. Your clients \
             that subscribed to it are told",
        )
        .icon(Glyph::Document)
        .writes(true)
        .open_world(false)
    }

    async fn call(
        &self,
        Input { text }: Input,
        call: &Call<'_>,
    ) -> Result<CallToolResult, CallError> {
        let bytes = text.len();
        if bytes > MOST {
            let reason =
                format!("The text has {bytes} bytes, and the document no more than {MOST}.");
            return Err(CallError::failed(reason));
        }
        call.shelf().put(NOTES, text.into_bytes()).await?;
        let written = shelved::describe(NOTES, Some(Shelved { bytes, at: call.now() }));
        Ok(CallToolResult::success(vec![
            ContentBlock::text(format!("The document has {bytes} bytes now.")),
            ContentBlock::resource_link(written),
        ]))
    }
}
