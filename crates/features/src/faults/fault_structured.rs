//! `faultStructured`: against its own schema.

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::place::{EVERYWHERE, Faulty, HTTP, Place, bytes};
use crate::{Call, CallError, Definition, Glyph, Tool};

pub(super) struct FaultStructured;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Valid,
    WrongType,
    Missing,
    Absent,
    NotAnObject,
}

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::Valid | Self::WrongType | Self::Missing | Self::Absent => EVERYWHERE,
            Self::NotAnObject => HTTP,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// How the result is against the schema that the tool declares for it
    kind: Kind,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Output {
    /// In degrees Celsius
    temperature: f64,
    /// In words
    conditions: String,
}

impl Tool for FaultStructured {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultStructured",
            "Fault: against its own schema",
            "Returns structured content that is not what its output schema says",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
        .output::<Output>()
    }

    async fn call(
        &self,
        Input { kind }: Input,
        call: &Call<'_>,
    ) -> Result<CallToolResult, CallError> {
        let faulty = Faulty::new(call, kind, kind.places())?;
        let structured = match kind {
            Kind::Valid => Some(json!({ "temperature": 22.5, "conditions": "sunny" })),
            Kind::WrongType => Some(json!({ "temperature": "warm", "conditions": "sunny" })),
            Kind::Missing => Some(json!({ "conditions": "sunny" })),
            Kind::Absent => None,
            // No result of rmcp's is like that in every revision.
            Kind::NotAnObject => {
                let mut answer = faulty.answer("sunny");
                answer["result"]["structuredContent"] = json!([22.5, "sunny"]);
                faulty.wire()?.last(bytes(&answer));
                None
            }
        };
        let said = structured.as_ref().map_or_else(|| "sunny".to_owned(), ToString::to_string);
        let mut result = CallToolResult::success(vec![ContentBlock::text(said)]);
        result.structured_content = structured;
        Ok(result)
    }
}
