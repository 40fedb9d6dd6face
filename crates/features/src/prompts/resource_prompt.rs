//! `resource_prompt`: a resource within a prompt.

use async_trait::async_trait;
use rmcp::{
    ErrorData,
    model::{self, ContentBlock, PromptArgument, PromptMessage, Role},
};

use super::{Arguments, Prompt};
use crate::{
    Glyph, call::Call, completions::Completing, error::CallError, resources::numbered, text::quoted,
};

pub(super) struct ResourcePrompt;

#[async_trait]
impl Prompt for ResourcePrompt {
    fn definition(&self) -> model::Prompt {
        let id = PromptArgument::new("resourceId")
            .with_description("Resource ID to include (1-100)")
            .with_required(true);
        let description = "A prompt that includes an embedded resource reference";
        model::Prompt::new("resource_prompt", Some(description), Some(vec![id]))
            .with_title("Resource prompt")
            .with_icons(Glyph::Document.icons())
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        asked.exactly(numbered::SUGGESTED)
    }

    async fn get(
        &self,
        arguments: &Arguments<'_>,
        _call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let id = parse(arguments.required("resourceId")?)?;
        let text =
            format!("This prompt includes Resource {id}. Please analyze the following resource:");
        Ok(vec![
            PromptMessage::new_text(Role::User, text),
            PromptMessage::new(Role::User, ContentBlock::resource(numbered::contents(id))),
        ])
    }
}

fn parse(text: &str) -> Result<u32, ErrorData> {
    text.parse().ok().filter(|id| (1..=numbered::COUNT).contains(id)).ok_or_else(|| {
        let text = quoted(text);
        ErrorData::invalid_params(
            format!("Invalid resourceId: {text}. Must be a number between 1 and 100."),
            None,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_numbers_of_resources_are_taken() {
        assert_eq!(parse("1").unwrap(), 1);
        assert_eq!(parse("100").unwrap(), 100);
        for bad in ["", "0", "101", "-1", "1.5", "5abc", " 5", "99999999999999999999"] {
            let said = parse(bad).unwrap_err().message;
            let text = format!("Invalid resourceId: {bad}. Must be a number between 1 and 100.");
            assert_eq!(said, text);
        }
    }
}
