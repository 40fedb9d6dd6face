//! The prompts the suite gets.

use async_trait::async_trait;
use rmcp::model::{self, ContentBlock, PromptArgument, PromptMessage, ResourceContents, Role};
use serde_json::json;

use super::{asking::form, content::PNG};
use crate::{
    Call, CallError, Glyph,
    prompts::{Arguments, Prompt},
};

pub(crate) fn all() -> Vec<Box<dyn Prompt>> {
    let kinds = [Kind::Simple, Kind::Arguments, Kind::Resource, Kind::Image, Kind::Asking];
    kinds.map(|kind| Box::new(kind) as Box<dyn Prompt>).into()
}

#[derive(Clone, Copy)]
enum Kind {
    Simple,
    Arguments,
    Resource,
    Image,
    Asking,
}

impl Kind {
    fn describe(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Simple => ("test_simple_prompt", "Takes nothing", &[]),
            Self::Arguments => {
                ("test_prompt_with_arguments", "Takes two arguments", &["arg1", "arg2"])
            }
            Self::Resource => {
                ("test_prompt_with_embedded_resource", "Embeds a resource", &["resourceUri"])
            }
            Self::Image => ("test_prompt_with_image", "Embeds an image", &[]),
            Self::Asking => ("test_input_required_result_prompt", "Asks the user first", &[]),
        }
    }
}

#[async_trait]
impl Prompt for Kind {
    fn definition(&self) -> model::Prompt {
        let (name, description, arguments) = self.describe();
        let argument = |name: &&str| {
            let described = PromptArgument::new(*name).with_description("Any text");
            described.with_required(true)
        };
        let arguments: Vec<_> = arguments.iter().map(argument).collect();
        let arguments = (!arguments.is_empty()).then_some(arguments);
        model::Prompt::new(name, Some(description), arguments)
            .with_title(name)
            .with_icons(Glyph::Check.icons())
    }

    async fn get(
        &self,
        arguments: &Arguments<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError> {
        let user = |content| PromptMessage::new(Role::User, content);
        Ok(match self {
            Self::Simple => vec![user(ContentBlock::text("This is a simple prompt for testing."))],
            Self::Arguments => {
                let (one, two) = (arguments.required("arg1")?, arguments.required("arg2")?);
                let said = format!("Prompt with arguments: arg1='{one}', arg2='{two}'");
                vec![user(ContentBlock::text(said))]
            }
            Self::Resource => {
                let uri = arguments.required("resourceUri")?;
                let contents = ResourceContents::text("Embedded resource content.", uri);
                vec![
                    user(ContentBlock::resource(contents)),
                    user(ContentBlock::text("Please process the embedded resource above.")),
                ]
            }
            Self::Image => vec![
                user(ContentBlock::image(PNG, "image/png")),
                user(ContentBlock::text("Please analyze the image above.")),
            ],
            Self::Asking => {
                let fields = form(&json!({ "context": { "type": "string" } }))?;
                let message = "What context should the prompt use?";
                let reply = call.ask_elicitation("user_context", message, fields).await?;
                let given = reply.content.unwrap_or_default();
                let given = given["context"].as_str().unwrap_or("none");
                vec![user(ContentBlock::text(format!("Use this context: {given}")))]
            }
        })
    }
}
