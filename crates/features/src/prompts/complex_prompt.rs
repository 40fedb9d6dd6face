//! `complex_prompt`: arguments, several roles, an image.

use async_trait::async_trait;
use rmcp::model::{self, ContentBlock, PromptArgument, PromptMessage, Role};

use super::{Arguments, Prompt};
use crate::{Glyph, call::Call, completions::Completing, error::CallError, tiny_image};

pub(super) struct ComplexPrompt;

#[async_trait]
impl Prompt for ComplexPrompt {
    fn definition(&self) -> model::Prompt {
        let arguments = vec![
            PromptArgument::new("temperature")
                .with_description("Temperature setting")
                .with_required(true),
            PromptArgument::new("style").with_description("Output style").with_required(false),
        ];
        model::Prompt::new("complex_prompt", Some("A prompt with arguments"), Some(arguments))
            .with_title("Complex prompt")
            .with_icons(Glyph::Message.icons())
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        asked.exactly(match asked.argument {
            "temperature" => ["0", "0.5", "0.7", "1.0"],
            _ => ["casual", "formal", "technical", "friendly"],
        })
    }

    async fn get(
        &self,
        arguments: &Arguments<'_>,
        _call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let mut given = format!("temperature={}", arguments.required("temperature")?);
        if let Some(style) = arguments.get("style") {
            given = format!("{given}, style={style}");
        }
        let question = format!("This is a complex prompt with arguments: {given}");
        let answer = "I understand. You've provided a complex prompt with temperature and style \
                      arguments. How would you like me to proceed?";
        Ok(vec![
            PromptMessage::new_text(Role::User, question),
            PromptMessage::new_text(Role::Assistant, answer),
            PromptMessage::new(Role::User, ContentBlock::Image(tiny_image::content())),
        ])
    }
}
