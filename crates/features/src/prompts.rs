//! The prompts of a server: listed, completed, filled in.

mod args_prompt;
mod completable_prompt;
mod complex_prompt;
pub(crate) mod dynamic_prompt;
mod resource_prompt;
mod simple_prompt;

use std::collections::BTreeSet;

use async_trait::async_trait;
use rmcp::{
    ErrorData,
    model::{self, JsonObject, PaginatedRequestParams, PromptMessage},
};
use serde_json::Value;

use crate::{
    call::Call,
    completions::Completing,
    error::{CallError, unknown},
    freshness::Freshness,
    paging::{Page, Paged},
};

/// How many prompts go on one page.
const PAGE: usize = 5;

/// A prompt: what it is called, what it takes, and what it says.
#[async_trait]
pub(crate) trait Prompt: Send + Sync {
    /// What clients see of it.
    fn definition(&self) -> model::Prompt;

    /// The prompt is there for a caller while this switch on the caller's shelf is on: else it is
    /// not listed, and as unknown as any other name. By default it is always there.
    fn switch(&self) -> Option<&'static str> {
        None
    }

    /// What to suggest for one of its arguments.
    fn complete(&self, _asked: &Completing<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Fills it in. All required arguments are there.
    async fn get(
        &self,
        arguments: &Arguments<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<PromptMessage>, CallError>;
}

/// The prompts a user sees.
pub(crate) fn all() -> Vec<Box<dyn Prompt>> {
    vec![
        Box::new(simple_prompt::SimplePrompt),
        Box::new(complex_prompt::ComplexPrompt),
        Box::new(resource_prompt::ResourcePrompt),
        Box::new(args_prompt::ArgsPrompt),
        Box::new(completable_prompt::CompletablePrompt),
        Box::new(dynamic_prompt::DynamicPrompt),
    ]
}

/// Arguments of a prompt, all of them strings.
pub(crate) struct Arguments<'a>(Option<&'a JsonObject>);

impl Arguments<'_> {
    /// The argument `name`, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0?.get(name)?.as_str()
    }

    /// The required argument `name`.
    pub(crate) fn required(&self, name: &str) -> Result<&str, CallError> {
        self.get(name).ok_or_else(|| missing(name).into())
    }
}

/// All prompts.
pub(crate) struct Prompts {
    listed: Paged<model::Prompt>,
    /// Those that are listed while a switch is on, with its name.
    switched: Vec<(&'static str, model::Prompt)>,
    known: Vec<Listed>,
}

struct Listed {
    definition: model::Prompt,
    prompt: Box<dyn Prompt>,
}

impl Prompts {
    /// `pinned` stand on the first page.
    pub(crate) fn new(pinned: Vec<Box<dyn Prompt>>, others: Vec<Box<dyn Prompt>>) -> Self {
        let (mut known, mut switched) = (Vec::new(), Vec::new());
        let mut take = |prompt: Box<dyn Prompt>| {
            let (definition, switch) = (prompt.definition(), prompt.switch());
            known.push(Listed { definition: definition.clone(), prompt });
            match switch {
                Some(switch) => {
                    switched.push((switch, definition));
                    None
                }
                None => Some(definition),
            }
        };
        let pinned = pinned.into_iter().filter_map(&mut take).collect();
        let listed = others.into_iter().filter_map(&mut take).collect();
        let listed = Paged { pinned, listed, size: PAGE, fresh: Freshness::OWN };
        Self { listed, switched, known }
    }

    /// A page of the list for whom these switches are on.
    pub(crate) fn page(
        &self,
        request: Option<&PaginatedRequestParams>,
        switches: &BTreeSet<String>,
    ) -> Result<Page<model::Prompt>, ErrorData> {
        let on = self.switched.iter().filter(|(switch, _)| switches.contains(*switch));
        let own: Vec<_> = on.map(|(_, prompt)| prompt.clone()).collect();
        self.listed.page_with(request, &own)
    }

    /// The switch that must be on for a prompt to be there, if it has one.
    pub(crate) fn switch(&self, name: &str) -> Option<&'static str> {
        self.find(name).ok().and_then(|listed| listed.prompt.switch())
    }

    /// What clients see of all of them, in the order they are listed.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &model::Prompt> {
        self.listed.iter()
    }

    /// Fills in the prompt `name`, or says which name or argument is wrong (Prompts, Error
    /// Handling).
    pub(crate) async fn get(
        &self,
        name: &str,
        arguments: Option<&JsonObject>,
        call: &Call<'_>,
    ) -> Result<(Option<String>, Vec<PromptMessage>), CallError> {
        let Listed { definition, prompt } = self.find(name)?;
        check(definition, arguments)?;
        let messages = prompt.get(&Arguments(arguments), call).await?;
        Ok((definition.description.clone(), messages))
    }

    /// What to suggest for an argument of the prompt `name`.
    pub(crate) fn complete(
        &self,
        name: &str,
        asked: &Completing<'_>,
    ) -> Result<Vec<String>, ErrorData> {
        let Listed { definition, prompt } = self.find(name)?;
        let known = definition.arguments.iter().flatten().any(|each| each.name == asked.argument);
        known.then(|| prompt.complete(asked)).ok_or_else(|| unknown("argument", asked.argument))
    }

    fn find(&self, name: &str) -> Result<&Listed, ErrorData> {
        self.known
            .iter()
            .find(|listed| listed.definition.name == name)
            .ok_or_else(|| unknown("prompt", name))
    }
}

/// Checks that the arguments a prompt knows are strings and that required ones are there. Others
/// are ignored.
fn check(definition: &model::Prompt, arguments: Option<&JsonObject>) -> Result<(), ErrorData> {
    for argument in definition.arguments.iter().flatten() {
        match arguments.and_then(|arguments| arguments.get(&argument.name)) {
            Some(Value::String(_)) => {}
            None if argument.required != Some(true) => {}
            None => return Err(missing(&argument.name)),
            Some(_) => {
                let text = format!("Argument {} must be a string", argument.name);
                return Err(ErrorData::invalid_params(text, None));
            }
        }
    }
    Ok(())
}

fn missing(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("Missing required argument: {name}"), None)
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ErrorCode, PromptArgument};
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_checked_by_name() {
        let definition = model::Prompt::new(
            "p",
            None::<String>,
            Some(vec![
                PromptArgument::new("needed").with_required(true),
                PromptArgument::new("extra"),
            ]),
        );
        for (arguments, complaint) in [
            (json!({ "needed": "" }), None),
            (json!({ "needed": "x", "extra": "y", "other": 1 }), None),
            (json!({ "extra": "y" }), Some("Missing required argument: needed")),
            (json!({ "needed": 1 }), Some("Argument needed must be a string")),
            (json!({ "needed": "x", "extra": null }), Some("Argument extra must be a string")),
        ] {
            let said = check(&definition, arguments.as_object()).err();
            assert_eq!(said.as_ref().map(|error| error.message.as_ref()), complaint, "{arguments}");
            assert!(said.is_none_or(|error| error.code == ErrorCode::INVALID_PARAMS));
        }
        assert!(check(&definition, None).is_err());
    }

    #[test]
    fn each_says_what_it_is() {
        for prompt in all().into_iter().chain(crate::conformance::prompts()) {
            let prompt = prompt.definition();
            assert!(prompt.title.is_some() && prompt.description.is_some(), "{prompt:?}");
            assert!(prompt.icons.is_some(), "{prompt:?}");
            for argument in prompt.arguments.iter().flatten() {
                assert!(argument.description.is_some(), "{argument:?}");
            }
        }
    }
}
