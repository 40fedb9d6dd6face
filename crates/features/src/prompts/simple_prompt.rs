//! `simple_prompt`: the same for everybody.

use async_trait::async_trait;
use rmcp::model::{self, PromptMessage, Role};

use super::{Arguments, Prompt};
use crate::{Glyph, call::Call, error::CallError};

pub(super) struct SimplePrompt;

#[async_trait]
impl Prompt for SimplePrompt {
    fn definition(&self) -> model::Prompt {
        model::Prompt::new("simple_prompt", Some("A prompt without arguments"), None)
            .with_title("Simple prompt")
            .with_icons(Glyph::Message.icons())
    }

    async fn get(
        &self,
        _arguments: &Arguments<'_>,
        _call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let text = "This is a simple prompt without arguments.";
        Ok(vec![PromptMessage::new_text(Role::User, text)])
    }
}
