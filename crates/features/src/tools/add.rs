//! `add`: a result for people and, structured, for programs.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Call, CallError, Definition, Glyph, Tool,
    number::{self, js},
    text,
};

pub(super) struct Add;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// First number
    a: f64,
    /// Second number
    b: f64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema of the structured result")]
struct Output {
    /// The sum of the two numbers
    sum: f64,
}

impl Tool for Add {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new("add", "Add", "Adds two numbers")
            .read_only()
            .icon(Glyph::Number)
            .open_world(false)
            .output::<Output>()
    }

    async fn call(&self, Input { a, b }: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let sum = a + b;
        if !sum.is_finite() {
            return Err(CallError::failed("The sum is too large for a number."));
        }
        let mut result = text(format!("The sum of {} and {} is {}.", js(a), js(b), js(sum)));
        result.structured_content = Some(json!({ "sum": number::json(sum) }));
        Ok(result)
    }
}
