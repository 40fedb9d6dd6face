//! Tools that ask the client one thing.

use rmcp::model::{
    CallToolResult, CreateMessageRequestParams, ElicitResult, ElicitationSchema, SamplingMessage,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fixture, fixture};
use crate::{Call, CallError, Definition, Tool, registry::Candidate, text};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "test_elicitation_sep1034_defaults",
        description: "Asks with a form whose fields have defaults (SEP-1034)",
        run: |call| Box::pin(elicit(call, "Please check these values", defaults())),
    },
    Fixture {
        name: "test_elicitation_sep1330_enums",
        description: "Asks with a form of all kinds of choices (SEP-1330)",
        run: |call| Box::pin(elicit(call, "Please choose", choices())),
    },
    Fixture {
        name: "test_missing_capability",
        description: "Needs a client that offers sampling",
        run: |call| Box::pin(sample(call, "Is anybody there?".to_owned())),
    },
    Fixture {
        name: "test_streaming_elicitation",
        description: "Asks with a form, on a stream that must carry no request",
        run: |call| Box::pin(elicit(call, "Please confirm", confirmation())),
    },
];

pub(super) fn with_input() -> [Candidate; 2] {
    [Candidate::new(Sampling), Candidate::new(Elicitation)]
}

struct Sampling;

#[derive(Deserialize, JsonSchema)]
struct Prompt {
    /// What to ask the client's model
    prompt: String,
}

impl Tool for Sampling {
    type Input = Prompt;

    fn definition(&self) -> Definition {
        fixture("test_sampling", "Asks the client's model")
    }

    async fn call(&self, input: Prompt, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        sample(call, input.prompt).await
    }
}

struct Elicitation;

#[derive(Deserialize, JsonSchema)]
struct Message {
    /// What to ask the user
    message: String,
}

impl Tool for Elicitation {
    type Input = Message;

    fn definition(&self) -> Definition {
        fixture("test_elicitation", "Asks the user with a form")
    }

    async fn call(&self, input: Message, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let reply = call.ask_elicitation("answer", &input.message, form(&contact())?).await?;
        Ok(report("User response", &reply))
    }
}

async fn sample(call: &Call<'_>, prompt: String) -> Result<CallToolResult, CallError> {
    let request = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    let reply = call.ask_sampling("answer", request).await?;
    let said = reply.message.content.iter().find_map(|block| block.as_text());
    Ok(text(format!("LLM response: {}", said.map_or("(no text)", |text| &text.text))))
}

async fn elicit(
    call: &Call<'_>,
    message: &str,
    fields: Value,
) -> Result<CallToolResult, CallError> {
    let reply = call.ask_elicitation("answer", message, form(&fields)?).await?;
    Ok(report("Elicitation completed", &reply))
}

fn report(what: &str, reply: &ElicitResult) -> CallToolResult {
    let content = reply.content.clone().unwrap_or_else(|| json!({}));
    let action = json!(reply.action);
    text(format!("{what}: action={}, content={content}", action.as_str().unwrap_or_default()))
}

/// A form of `fields`, none of them required.
pub(super) fn form(fields: &Value) -> Result<ElicitationSchema, CallError> {
    serde_json::from_value(json!({ "type": "object", "properties": fields }))
        .map_err(|error| CallError::failed(format!("The form cannot be used: {error}")))
}

fn contact() -> Value {
    json!({
        "username": { "type": "string", "description": "Your name here" },
        "email": { "type": "string", "format": "email", "description": "Your address" },
    })
}

fn confirmation() -> Value {
    json!({ "ok": { "type": "boolean", "title": "OK" } })
}

fn defaults() -> Value {
    json!({
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": {
            "type": "string", "enum": ["active", "inactive", "pending"], "default": "active",
        },
        "verified": { "type": "boolean", "default": true },
    })
}

fn choices() -> Value {
    let plain = ["option1", "option2", "option3"];
    let titled = json!([
        { "const": "value1", "title": "First" },
        { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" },
    ]);
    json!({
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["First", "Second", "Third"],
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_sent_as_they_are_written() {
        for fields in [contact(), confirmation(), defaults(), choices()] {
            assert_eq!(json!(form(&fields).unwrap())["properties"], fields);
        }
    }
}
