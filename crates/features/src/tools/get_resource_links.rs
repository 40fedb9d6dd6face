//! `getResourceLinks`: where resources are, without what is in them.

use rmcp::model::{
    Annotations, CallToolResult, ContentBlock, Resource,
    Role::{Assistant, User},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, resources::dynamic};

pub(super) struct GetResourceLinks;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// Number of resource links to return (1-10)
    #[serde(default = "three", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 10), extend("multipleOf" = 1))]
    count: u32,
}

fn three() -> u32 {
    3
}

impl Tool for GetResourceLinks {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "getResourceLinks",
            "Get resource links",
            "Returns links to resources of this server, texts and bytes, which can be read",
        )
        .read_only()
        .icon(Glyph::Link)
        .open_world(false)
    }

    async fn call(&self, input: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { count } = input;
        let said =
            format!("Here are {count} resource links to resources available in this server:");
        let links = (1..=count).map(|id| ContentBlock::resource_link(link(id)));
        Ok(CallToolResult::success([ContentBlock::text(said)].into_iter().chain(links).collect()))
    }
}

/// A link to a resource: text where the number is even, bytes where it is odd. People read texts,
/// and programs bytes.
pub(super) fn link(id: u32) -> Resource {
    let annotations = Annotations::default();
    let (uri, name, kind, mime, annotations) = if id.is_multiple_of(2) {
        let annotations = annotations.with_audience(vec![User, Assistant]).with_priority(0.8);
        (dynamic::text_uri(id), "Text", "plaintext resource", dynamic::TEXT, annotations)
    } else {
        let annotations = annotations.with_audience(vec![Assistant]).with_priority(0.2);
        (dynamic::blob_uri(id), "Blob", "binary blob resource", dynamic::BYTES, annotations)
    };
    Resource::new(uri, format!("{name} Resource {id}"))
        .with_description(format!("Resource {id}: {kind}"))
        .with_mime_type(mime)
        .with_annotations(annotations)
}
