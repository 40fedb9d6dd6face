//! `sampleLLMWithTools`: the client's model uses tools of this server on its way to an answer
//! (SEP-1577).

use rmcp::model::{
    CallToolResult, ContentBlock, CreateMessageRequestParams, CreateMessageResult, ModelHint,
    ModelPreferences, Role, SamplingMessage, SamplingMessageContentBlock, ToolChoice,
    ToolResultContent, ToolUseContent,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, text::quoted};

/// What the model may use.
const OFFERED: [&str; 2] = ["add", "echo"];
/// How often the model is asked at most. The last time it may use no tool.
const ROUNDS: usize = 5;
/// How many tools it may use at a time.
const AT_A_TIME: usize = 8;

pub(super) struct SampleLlmWithTools;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What to ask the LLM, such as a sum
    #[schemars(length(min = 1, max = 4000))]
    prompt: String,
    /// Maximum number of tokens to generate at a time
    #[serde(default = "thousand", rename = "maxTokens", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 4_294_967_295_u32), extend("multipleOf" = 1))]
    max_tokens: u32,
    /// Whether the LLM must use a tool before it answers
    #[serde(default, rename = "toolChoice")]
    tool_choice: Choice,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    #[default]
    Auto,
    Required,
    None,
}

fn thousand() -> u32 {
    1000
}

impl Tool for SampleLlmWithTools {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "sampleLLMWithTools",
            "Sample an LLM with tools",
            "Samples from an LLM that may use this server's tools add and echo on its way to an \
             answer, using MCP's sampling feature",
        )
        .read_only()
        .icon(Glyph::Model)
        .open_world(true)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let mut messages = vec![SamplingMessage::user_text(&input.prompt)];
        let mut used = Vec::new();
        for round in 1..=ROUNDS {
            let choice = choice(input.tool_choice, round);
            let request = request(call, messages.clone(), input.max_tokens, choice);
            let reply = call.ask_sampling(&format!("round{round}"), request).await?;
            let wanted = uses(&reply).map_err(CallError::failed)?;
            if wanted.is_empty() {
                return Ok(told(used, &reply));
            }
            if round == ROUNDS {
                break;
            }
            let mut results = Vec::new();
            for tool in wanted {
                let result = run(call, tool).await?;
                used.push(format!("{} {} {}", tool.name, json!(tool.input), said(&result)));
                results.push(SamplingMessageContentBlock::ToolResult(result));
            }
            messages.push(reply.message);
            // Such a message has tool results and nothing else (Sampling, Tool Result Messages).
            messages.push(SamplingMessage::new_multiple(Role::User, results));
        }
        Err(CallError::failed(format!(
            "The client's model was asked {ROUNDS} times and still wants to use tools."
        )))
    }
}

/// What the model may do in this round. Whoever must use a tool would never come to an end if that
/// held for every round.
fn choice(wanted: Choice, round: usize) -> ToolChoice {
    match wanted {
        _ if round == ROUNDS => ToolChoice::none(),
        Choice::None => ToolChoice::none(),
        Choice::Required if round == 1 => ToolChoice::required(),
        Choice::Required | Choice::Auto => ToolChoice::auto(),
    }
}

fn request(
    call: &Call<'_>,
    messages: Vec<SamplingMessage>,
    max_tokens: u32,
    choice: ToolChoice,
) -> CreateMessageRequestParams {
    let preferences = ModelPreferences::new()
        .with_hints(vec![ModelHint::new("claude"), ModelHint::new("gpt")])
        .with_cost_priority(0.25)
        .with_speed_priority(0.5)
        .with_intelligence_priority(0.75);
    CreateMessageRequestParams::new(messages, max_tokens)
        .with_system_prompt("You are a helpful test server. Use the tools for sums.")
        .with_model_preferences(preferences)
        .with_stop_sequences(vec!["</answer>".to_owned()])
        .with_metadata(json!({ "tool": "sampleLLMWithTools" }))
        .with_tools(call.tools_for_model(&OFFERED))
        .with_tool_choice(choice)
}

/// The tools that a reply wants to use, if it is one that can be answered.
fn uses(reply: &CreateMessageResult) -> Result<Vec<&ToolUseContent>, String> {
    let not_valid = |why: &str| {
        Err(format!("The client's answer to sampling/createMessage is not valid: {why}"))
    };
    let message = &reply.message;
    if message.role != Role::Assistant {
        return not_valid("its role is not \"assistant\"");
    }
    if message.content.iter().any(|block| block.as_tool_result().is_some()) {
        return not_valid("a model gives no tool results");
    }
    let uses: Vec<_> = message.content.iter().filter_map(|block| block.as_tool_use()).collect();
    if uses.len() > AT_A_TIME {
        return not_valid(&format!("more than {AT_A_TIME} tools at a time"));
    }
    let twice = |(at, wanted): (usize, &&ToolUseContent)| {
        uses[..at].iter().any(|before| before.id == wanted.id)
    };
    if uses.iter().enumerate().any(twice) {
        return not_valid("two uses of a tool have the same id");
    }
    Ok(uses)
}

/// Runs a tool as the model wants it. What is wrong with that the model is told, and not the
/// caller.
async fn run(call: &Call<'_>, wanted: &ToolUseContent) -> Result<ToolResultContent, CallError> {
    let failed = |why: String| ToolResultContent::error(&wanted.id, vec![ContentBlock::text(why)]);
    if !OFFERED.contains(&wanted.name.as_str()) {
        return Ok(failed(format!("There is no tool {}", quoted(&wanted.name))));
    }
    match call.run_tool(&wanted.name, wanted.input.clone()).await {
        Ok(result) => {
            let mut content = ToolResultContent::new(&wanted.id, result.content);
            content.structured_content = result.structured_content;
            content.is_error = result.is_error.filter(|is_error| *is_error);
            Ok(content)
        }
        Err(CallError::Failed(why)) => Ok(failed(why)),
        Err(CallError::Protocol(error)) => Ok(failed(error.message.into_owned())),
        Err(error @ (CallError::Cancelled | CallError::Waiting(_))) => Err(error),
    }
}

/// The texts of a tool result, as one line of a report.
fn said(result: &ToolResultContent) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    let texts: Vec<_> = texts.map(|text| text.text.as_str()).collect();
    let sign = if result.is_error == Some(true) { "failed:" } else { "=>" };
    format!("{sign} {}", texts.join(" "))
}

/// What the caller reads: the model's last words, and how it came to them.
fn told(used: Vec<String>, reply: &CreateMessageResult) -> CallToolResult {
    let content = &reply.message.content;
    let texts: Vec<_> = content.iter().filter_map(|block| block.as_text()).collect();
    let answer = if texts.is_empty() {
        json!(content).to_string()
    } else {
        texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let reason = reply.stop_reason.as_deref().map_or(Value::Null, Value::from);
    let mut result = CallToolResult::success(vec![
        ContentBlock::text(format!("LLM sampling result: {answer}")),
        ContentBlock::text(format!(
            "Model: {}, stop reason: {reason}, tools used: {}",
            quoted(&reply.model),
            used.len()
        )),
    ]);
    result.content.extend(used.into_iter().map(ContentBlock::text));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(role: &str, content: &Value) -> CreateMessageResult {
        serde_json::from_value(json!({ "role": role, "content": content, "model": "m" })).unwrap()
    }

    fn used(id: &str) -> Value {
        json!({ "type": "tool_use", "id": id, "name": "add", "input": {} })
    }

    #[test]
    fn only_answers_that_can_be_answered_are_taken() {
        assert_eq!(uses(&reply("assistant", &used("a"))).unwrap().len(), 1);
        let several: Vec<_> = (0..AT_A_TIME).map(|number| used(&number.to_string())).collect();
        assert_eq!(uses(&reply("assistant", &json!(several))).unwrap().len(), AT_A_TIME);
        let too_many = [&several[..], &[used("x")]].concat();
        let result = json!({ "type": "tool_result", "toolUseId": "a", "content": [] });
        for (role, content) in [
            ("user", json!({ "type": "text", "text": "x" })),
            ("assistant", result),
            ("assistant", json!([used("a"), used("a")])),
            ("assistant", json!(too_many)),
        ] {
            assert!(uses(&reply(role, &content)).is_err(), "{role} {content}");
        }
    }

    #[test]
    fn the_last_round_ends_it_whatever_was_wanted() {
        for wanted in [Choice::Auto, Choice::Required, Choice::None] {
            assert_eq!(choice(wanted, ROUNDS), ToolChoice::none());
        }
        assert_eq!(choice(Choice::Required, 1), ToolChoice::required());
        assert_eq!(choice(Choice::Required, 2), ToolChoice::auto());
        assert_eq!(choice(Choice::Auto, 1), ToolChoice::auto());
    }
}
