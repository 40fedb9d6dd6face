//! `faultJsonRpc`: every error.

use rmcp::{
    ErrorData,
    model::{CallToolResult, ErrorCode},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Call, CallError, Definition, Glyph, Tool};

pub(super) struct FaultJsonRpc;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// The code of the error, like -32603
    #[serde(default = "internal_error")]
    #[schemars(range(min = -2_147_483_648_i64, max = 2_147_483_647))]
    code: i32,
    /// Whether it has the data that the specification gives an error of that code
    #[serde(default = "yes")]
    data: bool,
}

fn internal_error() -> i32 {
    ErrorCode::INTERNAL_ERROR.0
}

fn yes() -> bool {
    true
}

impl Tool for FaultJsonRpc {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultJsonRpc",
            "Fault: every JSON-RPC error",
            "Answers with the JSON-RPC error that is asked for",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(
        &self,
        Input { code, data }: Input,
        _: &Call<'_>,
    ) -> Result<CallToolResult, CallError> {
        let data = if data { belonging_to(code) } else { None };
        let message = format!("This is a fault: JSON-RPC error {code}.");
        Err(ErrorData::new(ErrorCode(code), message, data).into())
    }
}

/// What the specification says an error carries.
fn belonging_to(code: i32) -> Option<Value> {
    match code {
        -32002 => Some(json!({ "uri": "test://static/resource/0" })),
        // 2025-11-25, Elicitation, URL Elicitation Required Error.
        -32042 => Some(json!({ "elicitations": [{
            "mode": "url",
            "elicitationId": "fault",
            "url": "https://modelcontextprotocol.io/",
            "message": "This is a fault: nothing is expected of you there.",
        }] })),
        -32021 => Some(json!({ "requiredCapabilities": { "sampling": {} } })),
        -32022 => Some(json!({ "supported": ["2026-07-28"], "requested": "1900-01-01" })),
        _ => None,
    }
}
