//! `getResourceReference`: a resource within a result.

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, resources::numbered};

pub(super) struct GetResourceReference;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// ID of the resource to reference (1-100)
    #[serde(rename = "resourceId", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 100), extend("multipleOf" = 1))]
    id: u32,
}

impl Tool for GetResourceReference {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "getResourceReference",
            "Get resource reference",
            "Returns a resource reference that can be used by MCP clients",
        )
        .read_only()
        .icon(Glyph::Document)
        .open_world(false)
    }

    async fn call(&self, Input { id }: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let uri = numbered::uri(id);
        Ok(CallToolResult::success(vec![
            ContentBlock::text(format!("Returning resource reference for Resource {id}:")),
            ContentBlock::resource(numbered::contents(id)),
            ContentBlock::text(format!("You can access this resource using the URI: {uri}")),
        ]))
    }
}
