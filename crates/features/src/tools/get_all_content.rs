//! `getAllContent`: every kind of content in one result.

use rmcp::model::{CallToolResult, ContentBlock};

use super::get_resource_links;
use crate::{
    Call, CallError, Definition, Glyph, NoInput, Tool, resources::dynamic, tiny_audio, tiny_image,
};

pub(super) struct GetAllContent;

impl Tool for GetAllContent {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "getAllContent",
            "Get all content",
            "Returns one of each kind of content: a text, an image, a sound, a resource and a link \
             to one",
        )
        .read_only()
        .icon(Glyph::Picture)
        .open_world(false)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::success(vec![
            ContentBlock::text("A text, an image, a sound, a resource and a link to a resource:"),
            ContentBlock::Image(tiny_image::content()),
            ContentBlock::Audio(tiny_audio::content()),
            ContentBlock::resource(dynamic::text("1", call.now())),
            ContentBlock::resource_link(get_resource_links::link(2)),
        ]))
    }
}
