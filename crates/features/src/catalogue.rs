//! What this server has, as a text: made from what it lists, so that it is always true.

use std::fmt::Write as _;

use rmcp::model::{Prompt, ResourceTemplate, Tool};

/// A list in Markdown of all tools, prompts and templates.
pub(crate) fn markdown<'a>(
    tools: impl IntoIterator<Item = &'a Tool>,
    prompts: impl IntoIterator<Item = &'a Prompt>,
    templates: impl IntoIterator<Item = &'a ResourceTemplate>,
) -> String {
    let mut out = "# Features\n".to_owned();
    let tools = tools.into_iter().map(|tool| (&*tool.name, tool.description.as_deref()));
    section(&mut out, "Tools", tools);
    let prompts = prompts.into_iter().map(|prompt| (&*prompt.name, prompt.description.as_deref()));
    section(&mut out, "Prompts", prompts);
    let templates = templates
        .into_iter()
        .map(|template| (&*template.uri_template, template.description.as_deref()));
    section(&mut out, "Templates of resources", templates);
    out
}

fn section<'a>(
    out: &mut String,
    title: &str,
    items: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\n## {title}\n\n");
    for (name, description) in items {
        let _ = match description {
            Some(description) => writeln!(out, "- `{name}`: {description}"),
            None => writeln!(out, "- `{name}`"),
        };
    }
}
