//! Suggestions for arguments of prompts and variables of resource templates.
//!
//! A prompt or a template answers by itself what it suggests, see [`Completing`]; how much of that
//! goes into one answer is decided here.

use std::collections::HashMap;

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

use crate::{prompts::Prompts, resources::Resources};

/// What a client wants to have completed.
pub(crate) struct Completing<'a> {
    /// The name of the argument or variable, which is one that the prompt or template has.
    pub(crate) argument: &'a str,
    /// What was typed of its value so far.
    pub(crate) typed: &'a str,
    others: Option<&'a HashMap<String, String>>,
}

impl Completing<'_> {
    /// The value that another argument has already.
    pub(crate) fn other(&self, argument: &str) -> Option<&str> {
        self.others?.get(argument).map(String::as_str)
    }

    /// Those of `values` that start with what was typed, in their order.
    pub(crate) fn exactly<V: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = V>,
    ) -> Vec<String> {
        let fits = |value: &V| value.as_ref().starts_with(self.typed);
        values.into_iter().filter(fits).map(|value| value.as_ref().to_owned()).collect()
    }

    /// Those of `values` that start with what was typed, in their order, and behind them those of
    /// which a later word does. Upper and lower case are the same.
    pub(crate) fn loosely<V: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = V>,
    ) -> Vec<String> {
        let typed = self.typed.to_lowercase();
        let (mut first, mut behind) = (Vec::new(), Vec::new());
        for value in values {
            let value = value.as_ref();
            let lower = value.to_lowercase();
            if lower.starts_with(&typed) {
                first.push(value.to_owned());
            } else if lower.match_indices(' ').any(|(at, _)| lower[at + 1..].starts_with(&typed)) {
                behind.push(value.to_owned());
            }
        }
        first.append(&mut behind);
        first
    }
}

/// Answers `completion/complete`: as many suggestions as may be sent, and how many there are
/// (2025-11-25, Completion, Completion Results).
pub(crate) fn complete(
    prompts: &Prompts,
    resources: &Resources,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let asked = Completing {
        argument: &request.argument.name,
        typed: &request.argument.value,
        others: request.context.as_ref().and_then(|context| context.arguments.as_ref()),
    };
    let mut values = match &request.r#ref {
        Reference::Prompt(prompt) => prompts.complete(&prompt.name, &asked)?,
        Reference::Resource(template) => resources.complete(&template.uri, &asked)?,
        _ => return Err(ErrorData::invalid_params("Unknown reference type", None)),
    };
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let more = total > values.len();
    CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more)
        .map(CompleteResult::new)
        .map_err(|error| ErrorData::internal_error(error, None))
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ArgumentInfo, CompletionContext, ErrorCode};
    use serde_json::{Value, json};

    use super::*;
    use crate::{prompts, resources};

    fn completed(request: &CompleteRequestParams) -> Result<Value, ErrorData> {
        let prompts = Prompts::new(Vec::new(), prompts::all());
        complete(&prompts, &resources::seen(), request).map(|result| json!(result.completion))
    }

    fn asking(prompt: &str, argument: &str, typed: &str) -> CompleteRequestParams {
        let argument = ArgumentInfo::new(argument, typed);
        CompleteRequestParams::new(Reference::for_prompt(prompt), argument)
    }

    fn knowing(argument: &str, value: &str) -> CompletionContext {
        let known = HashMap::from([(argument.to_owned(), value.to_owned())]);
        CompletionContext::with_arguments(known)
    }

    #[test]
    fn a_hundred_are_sent_and_all_are_counted() {
        let all = completed(&asking("args_prompt", "city", "")).unwrap();
        assert_eq!(all["values"].as_array().unwrap().len(), 100);
        assert!(all["total"].as_u64().unwrap() > 200);
        assert_eq!(all["hasMore"], true);
        let some = completed(&asking("args_prompt", "city", "san")).unwrap();
        assert_eq!(some["total"], some["values"].as_array().unwrap().len());
        assert_eq!(some["hasMore"], false);
    }

    #[test]
    fn words_count_wherever_they_are_but_less() {
        let found = completed(&asking("args_prompt", "city", "LO")).unwrap();
        assert_eq!(
            found["values"],
            json!(["Los Angeles", "Louisville", "Long Beach", "St. Louis"])
        );
        let found = completed(&asking("args_prompt", "state", "carolina")).unwrap();
        assert_eq!(found["values"], json!(["North Carolina", "South Carolina"]));
        let found = completed(&asking("args_prompt", "city", "nowhere")).unwrap();
        assert_eq!(found, json!({ "values": [], "total": 0, "hasMore": false }));
    }

    #[test]
    fn what_is_known_of_other_arguments_counts() {
        let name = || asking("completable_prompt", "name", "");
        let engineers = name().with_context(knowing("department", "Engineering"));
        assert_eq!(completed(&engineers).unwrap()["values"], json!(["Alice", "Bob", "Charlie"]));
        let nobody = name().with_context(knowing("department", "Magic"));
        assert_eq!(completed(&nobody).unwrap()["values"], json!([]));
        assert_eq!(completed(&name()).unwrap()["values"], json!([]));
        let state = asking("args_prompt", "state", "").with_context(knowing("city", "Portland"));
        assert_eq!(completed(&state).unwrap()["values"], json!(["Oregon", "Maine"]));
    }

    #[test]
    fn suggestions_are_for_known_arguments_of_known_prompts() {
        for (name, argument) in [("complex_prompt", "nope"), ("simple_prompt", "style"), ("x", "y")]
        {
            let error = completed(&asking(name, argument, "")).unwrap_err();
            assert_eq!(error.code, ErrorCode::INVALID_PARAMS, "{name} {argument}");
        }
    }
}
