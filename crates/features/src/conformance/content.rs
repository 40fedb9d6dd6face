//! Tools that return each kind of content.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use super::Fixture;
use crate::{CallError, text};

/// A PNG of one pixel.
pub(super) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV of one sample.
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "test_simple_text",
        description: "Returns a text",
        run: |_| Box::pin(async { Ok(text("This is a simple text response for testing.")) }),
    },
    Fixture {
        name: "test_image_content",
        description: "Returns an image",
        run: |_| Box::pin(async { Ok(all([ContentBlock::image(PNG, "image/png")])) }),
    },
    Fixture {
        name: "test_audio_content",
        description: "Returns a sound",
        run: |_| Box::pin(async { Ok(all([ContentBlock::audio(WAV, "audio/wav")])) }),
    },
    Fixture {
        name: "test_embedded_resource",
        description: "Returns a resource",
        run: |_| Box::pin(async { Ok(all([embedded_text()])) }),
    },
    Fixture {
        name: "test_multiple_content_types",
        description: "Returns a text, an image and a resource",
        run: |_| {
            Box::pin(async {
                Ok(all([
                    ContentBlock::text("Multiple content types test:"),
                    ContentBlock::image(PNG, "image/png"),
                    embedded_json(),
                ]))
            })
        },
    },
    Fixture {
        name: "test_error_handling",
        description: "Returns an error",
        run: |_| {
            let said = "This tool intentionally returns an error for testing";
            Box::pin(async move { Err(CallError::failed(said)) })
        },
    },
];

fn all(content: impl Into<Vec<ContentBlock>>) -> CallToolResult {
    CallToolResult::success(content.into())
}

fn embedded_text() -> ContentBlock {
    let text = "This is an embedded resource content.";
    ContentBlock::resource(ResourceContents::text(text, "test://embedded-resource"))
}

fn embedded_json() -> ContentBlock {
    let text = r#"{"test":"data","value":123}"#;
    let contents = ResourceContents::text(text, "test://mixed-content-resource");
    ContentBlock::resource(contents.with_mime_type("application/json"))
}
