//! `triggerUrlElicitation`: asks the user on a page of this server, beside the client.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Call, CallError, Definition, Glyph, Tool, UrlAnswer, text};

pub(super) struct TriggerUrlElicitation;

/// No URL is taken: whoever calls would have the user sent anywhere, in the name of this server.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// What to ask the user
    #[serde(default = "please")]
    #[schemars(length(min = 1, max = 500))]
    message: String,
    /// Whether to end the call with error -32042, which names the page, until it was completed
    #[serde(default, rename = "errorPath")]
    error_path: bool,
}

fn please() -> String {
    "Please open the link to complete this action.".to_owned()
}

impl Tool for TriggerUrlElicitation {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "triggerUrlElicitation",
            "Trigger a URL elicitation",
            "Asks the user on a page of this server, whose link the client shows, using MCP's \
             elicitation feature in URL mode. What the user types there does not pass through the \
             client",
        )
        .read_only()
        .icon(Glyph::Link)
        .open_world(true)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let answer = if input.error_path {
            let purpose = format!("triggerUrlElicitation {}", input.message);
            call.require_url(&purpose, &input.message).await?
        } else {
            call.ask_url("page", &input.message).await?
        };
        Ok(text(match answer {
            UrlAnswer::Completed => {
                "URL elicitation result: the user completed the page. What they typed went from \
                 their browser to this server, which kept nothing of it; no client has seen it."
            }
            UrlAnswer::DeclinedOnPage => {
                "URL elicitation result: the user opened the page and refused to answer."
            }
            UrlAnswer::Declined => "URL elicitation result: the user declined to open the page.",
            UrlAnswer::Cancelled => "URL elicitation result: the user dismissed the question.",
            UrlAnswer::TooLate => {
                "URL elicitation result: the user did not complete the page in time."
            }
        }))
    }
}
