//! `args_prompt`: an argument that is required and one that is not, with many values to suggest.

use async_trait::async_trait;
use rmcp::model::{self, PromptArgument, PromptMessage, Role};

use super::{Arguments, Prompt};
use crate::{Glyph, call::Call, completions::Completing, error::CallError, places};

pub(super) struct ArgsPrompt;

#[async_trait]
impl Prompt for ArgsPrompt {
    fn definition(&self) -> model::Prompt {
        let arguments = vec![
            PromptArgument::new("city").with_description("Name of the city").with_required(true),
            PromptArgument::new("state").with_description("Name of the state").with_required(false),
        ];
        let description = "Asks for the weather somewhere: a required and an optional argument";
        model::Prompt::new("args_prompt", Some(description), Some(arguments))
            .with_title("Arguments prompt")
            .with_icons(Glyph::Place.icons())
    }

    /// Each of the two narrows the other.
    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        match asked.argument {
            "city" => asked.loosely(places::cities(asked.other("state"))),
            _ => asked.loosely(places::states(asked.other("city"))),
        }
    }

    async fn get(
        &self,
        arguments: &Arguments<'_>,
        _call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let city = arguments.required("city")?;
        let text = match arguments.get("state") {
            Some(state) if !state.is_empty() => format!("What's weather in {city}, {state}?"),
            _ => format!("What's weather in {city}?"),
        };
        Ok(vec![PromptMessage::new_text(Role::User, text)])
    }
}
