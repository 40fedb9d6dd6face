//! `faultResult`: results that are too much, or odd.

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::place::{EVERYWHERE, Faulty, HTTP, OWN_STREAM, Place, bytes};
use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, text};

pub(super) struct FaultResult;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    IsError,
    LargeText,
    ManyItems,
    Deep,
    NoContent,
    UnknownContent,
    UnknownMembers,
}

const LARGE: &[Place] = &[Place::Session, Place::NoSession, Place::Stdio];
/// The largest text, in MiB.
const MOST_TEXT: u32 = 8;

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::IsError | Self::NoContent => EVERYWHERE,
            Self::LargeText | Self::ManyItems => LARGE,
            Self::Deep => OWN_STREAM,
            Self::UnknownContent | Self::UnknownMembers => HTTP,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What is wrong with the result
    kind: Kind,
    /// How much of it: MiB of text (up to 8), items of content or levels
    #[serde(default = "one", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 100_000), extend("multipleOf" = 1))]
    size: u32,
}

fn one() -> u32 {
    1
}

impl Tool for FaultResult {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultResult",
            "Fault: results that are too much, or odd",
            "Returns an error, or a result that is large, deep, empty or unknown",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { kind, size } = input;
        let faulty = Faulty::new(call, kind, kind.places())?;
        if kind == Kind::LargeText && size > MOST_TEXT {
            return Err(CallError::failed(format!("There is room for {MOST_TEXT} MiB of text.")));
        }
        let count = usize::try_from(size).unwrap_or_default();
        match kind {
            Kind::IsError => Err(CallError::failed("This is a fault: the tool failed.")),
            Kind::LargeText => Ok(text("x".repeat(count << 20))),
            Kind::ManyItems => {
                let items = (1..=size).map(|item| ContentBlock::text(item.to_string()));
                Ok(CallToolResult::success(items.collect()))
            }
            Kind::NoContent => Ok(CallToolResult::success(Vec::new())),
            Kind::Deep => {
                faulty.wire()?.last(deep(&faulty, count));
                Ok(faulty.after())
            }
            Kind::UnknownContent => {
                let mut answer = faulty.answer("This is the answer.");
                let content = answer["result"]["content"][0].take();
                let hologram = json!({ "type": "hologram", "voxels": [] });
                answer["result"]["content"] = json!([content, hologram]);
                faulty.wire()?.last(bytes(&answer));
                Ok(faulty.after())
            }
            Kind::UnknownMembers => {
                let mut answer = faulty.answer("This is the answer.");
                answer["result"]["fault"] = json!({ "is": ["not", "in", "any", "revision"] });
                answer["result"]["content"][0]["fault"] = json!(true);
                answer["fault"] = json!(1);
                faulty.wire()?.last(bytes(&answer));
                Ok(faulty.after())
            }
        }
    }
}

/// Written as text: a value of that depth is more than a stack holds.
fn deep(faulty: &Faulty<'_>, levels: usize) -> Vec<u8> {
    let mut answer = faulty.answer("This is the answer.");
    answer["result"]["structuredContent"] = json!("here");
    let levels = format!("{}{{}}{}", "{\"a\":".repeat(levels - 1), "}".repeat(levels - 1));
    answer.to_string().replacen("\"here\"", &levels, 1).into_bytes()
}
