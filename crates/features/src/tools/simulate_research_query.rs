//! `simulateResearchQuery`: takes a while, and runs as a task for clients that follow tasks.

use std::time::Duration;

use rmcp::model::{CallToolResult, ClientCapabilities, ElicitationSchema};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

use crate::{Call, CallError, Definition, Glyph, TaskSupport, Tool, text};

pub(super) struct SimulateResearchQuery;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// The topic to research
    #[schemars(length(min = 1, max = 200))]
    topic: String,
    /// Whether the topic has several meanings, so that the user is asked which one is meant
    #[serde(default)]
    ambiguous: bool,
}

const STAGES: [&str; 4] =
    ["Gathering sources", "Analyzing content", "Synthesizing findings", "Generating report"];
const STAGE: Duration = Duration::from_secs(1);

impl Tool for SimulateResearchQuery {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "simulateResearchQuery",
            "Simulate a research query",
            "Researches a topic in four stages of a second each. Runs as a task for clients that \
             follow tasks; one that is ambiguous asks the user what is meant",
        )
        .read_only()
        .icon(Glyph::Clock)
        .open_world(false)
        .task(TaskSupport::Optional)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let meant = meaning(&input, call).await?;
        for (done, stage) in (1_u32..).zip(STAGES) {
            tokio::select! {
                () = call.cancelled() => return Err(CallError::Cancelled),
                () = sleep(STAGE) => {
                    call.progress(f64::from(done), 4.0, Some(format!("{stage}..."))).await;
                }
            }
        }
        let meant = meant.map(|meant| format!("**Interpretation**: {meant}\n\n"));
        let stages = STAGES.map(|stage| format!("- {stage}\n")).concat();
        Ok(text(format!(
            "# Research report: {}\n\n{}## Stages\n\n{stages}\nNothing was looked up: this shows \
             how a call that takes long is followed.",
            input.topic,
            meant.unwrap_or_default()
        )))
    }
}

/// What the user means, if there is anybody to ask.
async fn meaning(input: &Input, call: &Call<'_>) -> Result<Option<String>, CallError> {
    if !input.ambiguous || !can_be_asked(call.client_capabilities()) {
        return Ok(None);
    }
    let meanings = if input.topic.eq_ignore_ascii_case("python") {
        ["programming language", "snake", "comedy group"]
    } else {
        ["technical", "historical", "current events"]
    };
    let form = json!({
        "type": "object",
        "properties": {
            "meaning": { "type": "string", "title": "Which one is meant?", "enum": meanings },
        },
        "required": ["meaning"],
    });
    let form: ElicitationSchema = serde_json::from_value(form)
        .map_err(|error| CallError::failed(format!("The form cannot be read: {error}")))?;
    let message =
        format!("Found multiple interpretations for \"{}\". Which one is meant?", input.topic);
    let reply = call.ask_elicitation("meaning", &message, form).await?;
    let content = reply.content.unwrap_or_default();
    Ok(content["meaning"].as_str().map(str::to_owned))
}

/// A client that names no mode has forms (2025-11-25, Elicitation, Capabilities).
fn can_be_asked(client: &ClientCapabilities) -> bool {
    client.elicitation.as_ref().is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}
