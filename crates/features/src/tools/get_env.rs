//! `getEnv`: the settings that anybody may see. The environment of the process, which has secrets
//! in it, is never looked at.

use std::collections::BTreeMap;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool};

pub(super) struct GetEnv;

impl Tool for GetEnv {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "getEnv",
            "Get environment",
            "Returns the settings of the server that anybody may see, by the names of their \
             environment variables; nothing secret is among them",
        )
        .read_only()
        .icon(Glyph::Data)
        .open_world(false)
        .output::<BTreeMap<String, String>>()
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let settings = json!(call.settings());
        let mut result = CallToolResult::success(vec![ContentBlock::text(format!("{settings:#}"))]);
        result.structured_content = Some(settings);
        Ok(result)
    }
}
