//! `annotatedMessage`: content that says how important it is, and for whom.

use rmcp::model::{
    Annotations, CallToolResult, ContentBlock,
    Role::{self, Assistant, User},
    TextContent,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Call, CallError, Definition, Glyph, Tool, tiny_image};

pub(super) struct AnnotatedMessage;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    /// Type of message to demonstrate different annotation patterns
    message_type: MessageType,
    /// Whether to include an example image
    #[serde(default)]
    include_image: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum MessageType {
    Error,
    Success,
    Debug,
}

impl Tool for AnnotatedMessage {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "annotatedMessage",
            "Annotated message",
            "Demonstrates how annotations can be used to provide metadata about content",
        )
        .read_only()
        .icon(Glyph::Message)
        .open_world(false)
    }

    async fn call(&self, input: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let (text, annotations) = match input.message_type {
            MessageType::Error => {
                ("Error: Operation failed", annotations(1.0, vec![User, Assistant]))
            }
            MessageType::Success => {
                ("Operation completed successfully", annotations(0.7, vec![User]))
            }
            MessageType::Debug => {
                ("Debug: Cache hit ratio 0.95, latency 150ms", annotations(0.3, vec![Assistant]))
            }
        };
        let message = TextContent::new(text).with_annotations(annotations);
        let mut content = vec![ContentBlock::Text(message)];
        if input.include_image {
            let image = tiny_image::content().with_annotations(self::annotations(0.5, vec![User]));
            content.push(ContentBlock::Image(image));
        }
        Ok(CallToolResult::success(content))
    }
}

fn annotations(priority: f32, audience: Vec<Role>) -> Annotations {
    Annotations::default().with_priority(priority).with_audience(audience)
}
