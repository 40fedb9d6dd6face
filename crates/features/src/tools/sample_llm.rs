//! `sampleLLM`: asks the client's model.

use rmcp::model::{
    CallToolResult, ContextInclusion, CreateMessageRequestParams, CreateMessageResult,
    SamplingMessage,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, text};

pub(super) struct SampleLlm;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// The prompt to send to the LLM
    prompt: String,
    /// Maximum number of tokens to generate
    #[serde(default = "hundred", rename = "maxTokens", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 4_294_967_295_u32), extend("multipleOf" = 1))]
    max_tokens: u32,
}

fn hundred() -> u32 {
    100
}

impl Tool for SampleLlm {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "sampleLLM",
            "Sample an LLM",
            "Samples from an LLM using MCP's sampling feature",
        )
        .read_only()
        .icon(Glyph::Model)
        .open_world(true)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let reply = call.ask_sampling("sample", request("sampleLLM", &input)).await?;
        Ok(text(format!("LLM sampling result: {}", said(&reply))))
    }
}

/// What the client's model is asked on behalf of `tool`.
pub(super) fn request(tool: &str, input: &Input) -> CreateMessageRequestParams {
    let context = format!("Resource {tool} context: {}", input.prompt);
    CreateMessageRequestParams::new(vec![SamplingMessage::user_text(context)], input.max_tokens)
        .with_system_prompt("You are a helpful test server.")
        .with_temperature(0.7)
        .with_include_context(ContextInclusion::ThisServer)
}

/// The first text of a reply, or a reply without text as JSON.
pub(super) fn said(reply: &CreateMessageResult) -> String {
    let content = &reply.message.content;
    match content.iter().find_map(|block| block.as_text()) {
        Some(text) => text.text.clone(),
        None => json!(content).to_string(),
    }
}
