//! The tools of a server: published, validated, called by name.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    future,
    pin::Pin,
    sync::Arc,
};

use jsonschema::Validator;
use rmcp::{
    ErrorData,
    model::{self, CallToolResult, PaginatedRequestParams},
};
use serde::Deserialize as _;
use serde_json::Value;

use crate::{
    call::Call,
    error::{BuildError, CallError, failed, unknown},
    freshness::Freshness,
    paging::{Page, Paged},
    revision, schema,
    text::quoted,
    tool::{TaskSupport, Tool},
};

/// How many tools go on one page.
const PAGE: usize = 20;

/// All tools.
pub(crate) struct Registry {
    listed: Paged<model::Tool>,
    /// Those that are listed while a switch is on, with its name.
    switched: Vec<(&'static str, model::Tool)>,
    tools: Vec<Registered>,
    by_name: HashMap<Cow<'static, str>, usize>,
}

struct Registered {
    definition: model::Tool,
    validator: Validator,
    task: TaskSupport,
    switch: Option<&'static str>,
    run: Arc<dyn Run>,
}

impl Registry {
    /// `pinned` stand on the first page.
    pub(crate) fn new(
        pinned: impl IntoIterator<Item = Candidate>,
        others: impl IntoIterator<Item = Candidate>,
    ) -> Result<Self, BuildError> {
        let (pinned, others) = (pinned.into_iter(), others.into_iter());
        let listed =
            Paged { pinned: Vec::new(), listed: Vec::new(), size: PAGE, fresh: Freshness::OWN };
        let mut registry =
            Self { listed, switched: Vec::new(), tools: Vec::new(), by_name: HashMap::new() };
        for candidate in pinned {
            let definition = registry.register(candidate)?;
            registry.listed.pinned.push(definition);
        }
        for candidate in others {
            let switch = candidate.switch;
            let definition = registry.register(candidate)?;
            match switch {
                Some(switch) => registry.switched.push((switch, definition)),
                None => registry.listed.listed.push(definition),
            }
        }
        Ok(registry)
    }

    /// Makes a tool one that can be called, and returns what clients see of it.
    fn register(&mut self, candidate: Candidate) -> Result<model::Tool, BuildError> {
        let Candidate { definition, task, switch, run } = candidate;
        let validator = schema::validator(&Value::Object(definition.input_schema.as_ref().clone()))
            .map_err(|reason| BuildError::Schema { tool: definition.name.to_string(), reason })?;
        if self.by_name.insert(definition.name.clone(), self.tools.len()).is_some() {
            return Err(BuildError::DuplicateTool(definition.name.into_owned()));
        }
        self.tools.push(Registered {
            definition: definition.clone(),
            validator,
            task,
            switch,
            run,
        });
        Ok(definition)
    }

    /// A page of the list for whom these switches are on.
    pub(crate) fn page(
        &self,
        request: Option<&PaginatedRequestParams>,
        switches: &BTreeSet<String>,
    ) -> Result<Page<model::Tool>, ErrorData> {
        let on = self.switched.iter().filter(|(switch, _)| switches.contains(*switch));
        let own: Vec<_> = on.map(|(_, tool)| tool.clone()).collect();
        self.listed.page_with(request, &own)
    }

    /// The switch that must be on for a tool to be there, if it has one.
    pub(crate) fn switch(&self, name: &str) -> Option<&'static str> {
        self.by_name.get(name).and_then(|index| self.tools[*index].switch)
    }

    /// What clients see of all of them, in the order they are listed.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &model::Tool> {
        self.listed.iter()
    }

    /// The names of all that can be called, listed or not.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(|tool| &*tool.definition.name)
    }

    pub(crate) fn definition(&self, name: &str) -> Option<&model::Tool> {
        self.by_name.get(name).map(|index| &self.tools[*index].definition)
    }

    /// Calls a tool. An unknown name is a fault of the request, `-32602`; arguments that do not
    /// fit are the result of a call that failed, so that a model can read it and try again
    /// (2025-11-25, Tools, Error Handling).
    pub(crate) async fn call(
        &self,
        name: &str,
        arguments: &Value,
        call: &Call<'_>,
    ) -> Result<CallToolResult, CallError> {
        match self.checked(name, arguments)? {
            Ok(tool) => {
                let result = tool.run.run(arguments, call).await?;
                Ok(revision::readable(result, || call.protocol_version()))
            }
            Err(misfit) => Ok(misfit),
        }
    }

    /// What comes before a tool runs as a task. The result of a call that has failed by then.
    pub(crate) async fn before_task(
        &self,
        name: &str,
        arguments: &Value,
        call: &Call<'_>,
    ) -> Result<Option<CallToolResult>, CallError> {
        match self.checked(name, arguments)? {
            Ok(tool) => tool.run.before_task(arguments, call).await,
            Err(misfit) => Ok(Some(misfit)),
        }
    }

    /// Whether a tool runs as a task.
    pub(crate) fn task_support(&self, name: &str) -> TaskSupport {
        self.by_name.get(name).map_or(TaskSupport::Never, |index| self.tools[*index].task)
    }

    /// The tool, or the result that says why the arguments do not fit it.
    fn checked(
        &self,
        name: &str,
        arguments: &Value,
    ) -> Result<Result<&Registered, CallToolResult>, ErrorData> {
        let index = self.by_name.get(name).ok_or_else(|| unknown("tool", name))?;
        let tool = &self.tools[*index];
        Ok(match schema::faults(&tool.validator, arguments) {
            Some(faults) => Err(failed(format!("Invalid arguments for {name}: {faults}"))),
            None => Ok(tool),
        })
    }
}

/// A tool that is not registered yet, its input type forgotten.
pub(crate) struct Candidate {
    definition: model::Tool,
    task: TaskSupport,
    switch: Option<&'static str>,
    run: Arc<dyn Run>,
}

impl Candidate {
    pub(crate) fn new(tool: impl Tool) -> Self {
        let definition = tool.definition();
        let (task, switch) = (definition.task_support(), definition.switched_by());
        let definition = definition.publish(tool.input_schema());
        Self { definition, task, switch, run: Arc::new(tool) }
    }
}

/// [`Tool`] without its input type.
trait Run: Send + Sync {
    fn run<'a>(&'a self, arguments: &'a Value, call: &'a Call<'a>) -> Running<'a, CallToolResult>;

    fn before_task<'a>(
        &'a self,
        arguments: &'a Value,
        call: &'a Call<'a>,
    ) -> Running<'a, Option<CallToolResult>>;
}

type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send + 'a>>;

impl<T: Tool> Run for T {
    fn run<'a>(&'a self, arguments: &'a Value, call: &'a Call<'a>) -> Running<'a, CallToolResult> {
        // Read before there is a future, which would have room for the tool's twice.
        match T::Input::deserialize(arguments) {
            Ok(input) => Box::pin(self.call(input, call)),
            Err(error) => Box::pin(future::ready(Ok(refused(&error)))),
        }
    }

    fn before_task<'a>(
        &'a self,
        arguments: &'a Value,
        call: &'a Call<'a>,
    ) -> Running<'a, Option<CallToolResult>> {
        Box::pin(async move {
            match T::Input::deserialize(arguments) {
                Ok(input) => Tool::before_task(self, &input, call).await.map(|()| None),
                Err(error) => Ok(Some(refused(&error))),
            }
        })
    }
}

/// What the schema cannot say, the type may still refuse.
fn refused(error: &serde_json::Error) -> CallToolResult {
    failed(format!("Invalid arguments: {}", quoted(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use rmcp::model::JsonObject;
    use serde_json::json;

    use super::*;
    use crate::{tool::Definition, tool::NoInput, tool::text, tools};

    struct Named(&'static str, JsonObject);

    impl Tool for Named {
        type Input = NoInput;

        fn definition(&self) -> Definition {
            Definition::new(self.0, "", "")
        }

        async fn call(&self, _: NoInput, _: &Call<'_>) -> Result<CallToolResult, CallError> {
            Ok(text(""))
        }

        fn input_schema(&self) -> JsonObject {
            self.1.clone()
        }
    }

    fn build(tools: Vec<Named>) -> Result<Registry, BuildError> {
        Registry::new([], tools.into_iter().map(Candidate::new))
    }

    #[test]
    fn names_are_unique() {
        let twice = vec![Named("a", JsonObject::new()), Named("a", JsonObject::new())];
        assert!(matches!(build(twice).err(), Some(BuildError::DuplicateTool(name)) if name == "a"));
    }

    #[test]
    fn a_broken_schema_stops_the_start() {
        for broken in [json!({ "type": "strin" }), json!({ "$ref": "https://example.com/x" })] {
            let tool = Named("a", broken.as_object().unwrap().clone());
            let error = build(vec![tool]).err();
            assert!(matches!(error, Some(BuildError::Schema { .. })), "{broken}: {error:?}");
        }
    }

    #[test]
    fn the_tools_of_this_crate_have_valid_definitions() {
        let registry = Registry::new(crate::conformance::tools(), tools::all()).unwrap();
        for tool in registry.definitions() {
            // 2026-07-28, Tools: names.
            assert!(tool.name.len() <= 64, "{}", tool.name);
            assert!(tool.name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)));
            assert!(tool.description.as_deref().is_some_and(|text| !text.is_empty()));
            assert!(tool.title.as_deref().is_some_and(|text| !text.is_empty()));
            assert_eq!(tool.input_schema["type"], "object");
            assert!(tool.icons.is_some() && tool.annotations.is_some(), "{}", tool.name);
        }
    }
}
