//! `getStructuredContent`: a result that keeps to a schema.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Call, CallError, Definition, Glyph, Tool, text};

pub(super) struct GetStructuredContent;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// The city to tell the weather of
    location: Location,
}

#[derive(Deserialize, JsonSchema)]
enum Location {
    #[serde(rename = "New York")]
    NewYork,
    Chicago,
    #[serde(rename = "Los Angeles")]
    LosAngeles,
}

#[derive(Serialize, JsonSchema)]
struct Weather {
    /// The temperature, in degrees Fahrenheit
    #[schemars(with = "f64")]
    temperature: u32,
    /// What the sky looks like
    conditions: &'static str,
    /// The humidity, in percent
    #[schemars(with = "f64")]
    humidity: u32,
}

impl Tool for GetStructuredContent {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "getStructuredContent",
            "Get structured content",
            "Returns the weather of a city, always the same, as structured content with a schema \
             and as text",
        )
        .read_only()
        .icon(Glyph::Data)
        .open_world(false)
        .output::<Weather>()
    }

    async fn call(&self, input: Input, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        let weather = match input.location {
            Location::NewYork => Weather { temperature: 33, conditions: "Cloudy", humidity: 82 },
            Location::Chicago => {
                Weather { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 }
            }
            Location::LosAngeles => {
                Weather { temperature: 73, conditions: "Sunny / Clear", humidity: 48 }
            }
        };
        let structured = json!(weather);
        // For clients that do not read structured content (2025-06-18, Tools).
        let mut result = text(structured.to_string());
        result.structured_content = Some(structured);
        Ok(result)
    }
}
