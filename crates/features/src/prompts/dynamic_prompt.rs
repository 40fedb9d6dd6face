//! `dynamic_prompt`: is there while its user wants it, see the tool `toggleDynamicPrompt`.

use async_trait::async_trait;
use rmcp::model::{self, PromptMessage, Role};

use super::{Arguments, Prompt};
use crate::{Call, CallError, Glyph};

pub(super) struct DynamicPrompt;

/// Its name, and that of its switch.
pub(crate) const NAME: &str = "dynamic_prompt";

#[async_trait]
impl Prompt for DynamicPrompt {
    fn definition(&self) -> model::Prompt {
        let about = "Says that it is there. The tool toggleDynamicPrompt adds it and takes it away";
        model::Prompt::new(NAME, Some(about), None)
            .with_title("Dynamic prompt")
            .with_icons(Glyph::Check.icons())
    }

    fn switch(&self) -> Option<&'static str> {
        Some(NAME)
    }

    async fn get(&self, _: &Arguments<'_>, _: &Call<'_>) -> Result<Vec<PromptMessage>, CallError> {
        Ok(vec![PromptMessage::new_text(
            Role::User,
            "This prompt is there because it was turned on with toggleDynamicPrompt.",
        )])
    }
}
