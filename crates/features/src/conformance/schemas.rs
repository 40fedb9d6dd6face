//! Tools whose input schema is what matters.

use rmcp::model::{CallToolResult, JsonObject};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fixture;
use crate::{Call, CallError, Definition, Tool, registry::Candidate, text};

pub(super) fn all() -> [Candidate; 2] {
    [Candidate::new(Wide), Candidate::new(Header)]
}

/// Uses keywords that only JSON Schema 2020-12 has, or that schemas made from types never have.
struct Wide;

impl Tool for Wide {
    type Input = JsonObject;

    fn definition(&self) -> Definition {
        fixture("json_schema_2020_12_tool", "Has an input schema of many keywords")
    }

    async fn call(&self, input: JsonObject, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let input = Value::Object(input);
        Ok(text(format!("JSON Schema 2020-12 tool called with: {input}")))
    }

    fn input_schema(&self) -> JsonObject {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "address",
                    "type": "object",
                    "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                },
            },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": {
                "properties": { "contactMethod": { "const": "phone" } },
                "required": ["contactMethod"],
            },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        });
        schema.as_object().cloned().unwrap_or_default()
    }
}

/// Has an argument that clients send as a header too (SEP-2243).
struct Header;

#[derive(Deserialize, JsonSchema)]
struct Region {
    /// Where to go, also sent as `Mcp-Param-Region`
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: Option<String>,
    /// How far to go
    level: Option<i64>,
}

impl Tool for Header {
    type Input = Region;

    fn definition(&self) -> Definition {
        fixture("test_x_mcp_header", "Has an argument that is sent as a header too")
    }

    async fn call(&self, input: Region, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Region { region, level } = input;
        let level = level.map(|level| format!(", level={level}")).unwrap_or_default();
        Ok(text(format!("region={}{level}", region.as_deref().unwrap_or("<none>"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_announced_on_a_string() {
        let schema = Header.input_schema();
        assert_eq!(schema["properties"]["region"]["x-mcp-header"], "Region");
        assert_eq!(schema["properties"]["region"]["type"], "string");
    }
}
