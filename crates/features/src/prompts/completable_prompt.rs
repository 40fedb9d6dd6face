//! `completable_prompt`: what is suggested for one argument depends on the other.

use async_trait::async_trait;
use rmcp::model::{self, PromptArgument, PromptMessage, Role};

use super::{Arguments, Prompt};
use crate::{Glyph, call::Call, completions::Completing, directory, error::CallError};

pub(super) struct CompletablePrompt;

#[async_trait]
impl Prompt for CompletablePrompt {
    fn definition(&self) -> model::Prompt {
        let arguments = vec![
            PromptArgument::new("department")
                .with_description("The department, such as Engineering")
                .with_required(true),
            PromptArgument::new("name")
                .with_description("Somebody of that department")
                .with_required(true),
        ];
        let description = "Names somebody of a department: the second argument's suggestions \
                           depend on the first";
        model::Prompt::new("completable_prompt", Some(description), Some(arguments))
            .with_title("Completable prompt")
            .with_icons(Glyph::Person.icons())
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        match asked.argument {
            "department" => asked.loosely(directory::departments()),
            _ => asked.loosely(directory::people(asked.other("department").unwrap_or_default())),
        }
    }

    async fn get(
        &self,
        arguments: &Arguments<'_>,
        _call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let (department, name) = (arguments.required("department")?, arguments.required("name")?);
        let text = format!("Please promote {name} to the head of the {department} team.");
        Ok(vec![PromptMessage::new_text(Role::User, text)])
    }
}
