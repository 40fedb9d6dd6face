//! Suggestions for arguments of prompts and variables of resource templates.

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

use crate::{prompts::Prompts, resources::Resources};

/// Answers `completion/complete`: the known values that start with what was typed so far.
pub(crate) fn complete(
    prompts: &Prompts,
    resources: &Resources,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let argument = &request.argument;
    let candidates = match &request.r#ref {
        Reference::Prompt(prompt) => prompts.candidates(&prompt.name, &argument.name)?,
        Reference::Resource(template) => resources.candidates(&template.uri, &argument.name)?,
        _ => return Err(ErrorData::invalid_params("Unknown reference type", None)),
    };
    let matching = candidates.iter().filter(|value| value.starts_with(&argument.value));
    let values: Vec<String> = matching.map(|value| (*value).to_owned()).collect();
    CompletionInfo::with_all_values(values)
        .map(CompleteResult::new)
        .map_err(|error| ErrorData::internal_error(error, None))
}
