//! What the author of a tool writes.

use rmcp::model::{
    self, CallToolResult, ContentBlock, Icon, JsonObject, MetaObject, ToolAnnotations,
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{apps, call::Call, error::CallError, schema};

/// A tool: what it is called, what it takes, and what it does.
pub trait Tool: Send + Sync + 'static {
    /// What it takes. The documentation of the fields is what clients read about them.
    type Input: DeserializeOwned + JsonSchema + Send;

    /// What clients see of it.
    fn definition(&self) -> Definition;

    /// Runs it. `input` fits the published schema.
    ///
    /// On 2026-07-28 this runs again from its start once the client has answered what
    /// [`Call::ask_elicitation`] and its siblings asked, so nothing before them may have effects.
    fn call(
        &self,
        input: Self::Input,
        call: &Call<'_>,
    ) -> impl Future<Output = Result<CallToolResult, CallError>> + Send;

    /// What comes before a task that runs it, on 2026-07-28: what is asked here is asked as it is
    /// without a task, and what was answered is known in the task, under the same key. Where it runs
    /// as no task, or as one of 2025-11-25, this is not called. By default nothing is asked.
    fn before_task(
        &self,
        _input: &Self::Input,
        _call: &Call<'_>,
    ) -> impl Future<Output = Result<(), CallError>> + Send {
        std::future::ready(Ok(()))
    }

    /// The schema to publish and to validate against, by default the one of [`Self::Input`].
    fn input_schema(&self) -> JsonObject {
        schema::of::<Self::Input>()
    }
}

/// What clients see of a tool, apart from its input.
#[derive(Clone, Debug)]
pub struct Definition {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    icons: Option<Vec<Icon>>,
    hints: ToolAnnotations,
    output_schema: Option<JsonObject>,
    task: TaskSupport,
    meta: Option<MetaObject>,
    switch: Option<&'static str>,
}

/// Whether a tool runs as a task, of either generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// Never.
    #[default]
    Never,
    /// For clients that follow tasks; for others the call lasts as long as it takes.
    Optional,
    /// Always: a client that does not follow tasks is told so, with `-32601` on 2025-11-25 and with
    /// `-32021` on 2026-07-28.
    Required,
}

impl TaskSupport {
    /// As `execution.taskSupport` says it (2025-11-25, Tasks, Tool-Level Negotiation).
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "forbidden",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

impl Definition {
    /// A tool with a name for programs, a title for people and a description for models.
    pub fn new(name: &'static str, title: &'static str, description: &'static str) -> Self {
        Self {
            name,
            title,
            description,
            icons: None,
            hints: ToolAnnotations::new(),
            output_schema: None,
            task: TaskSupport::Never,
            meta: None,
            switch: None,
        }
    }

    /// Adds an icon: a [`Glyph`](crate::Glyph), or one of the author's, by a `data:` or `https:`
    /// URI (2025-11-25, Base Protocol, `icons`).
    #[must_use]
    pub fn icon(mut self, icon: impl Into<Icon>) -> Self {
        self.icons.get_or_insert_default().push(icon.into());
        self
    }

    /// Hints that the tool changes nothing, and that calling it twice is calling it once.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.hints = self.hints.read_only(true).destructive(false).idempotent(true);
        self
    }

    /// Hints that the tool changes something, and whether what it writes takes the place of what was
    /// there: then calling it twice is calling it once.
    #[must_use]
    pub fn writes(mut self, replaces: bool) -> Self {
        self.hints = self.hints.read_only(false).destructive(replaces).idempotent(replaces);
        self
    }

    /// Hints whether the tool deals with more than this server knows, such as a model or a user.
    #[must_use]
    pub fn open_world(mut self, open: bool) -> Self {
        self.hints = self.hints.open_world(open);
        self
    }

    /// Promises `structuredContent` that fits the schema of `T`.
    #[must_use]
    pub fn output<T: JsonSchema>(mut self) -> Self {
        self.output_schema = Some(schema::of::<T>());
        self
    }

    /// Says whether it runs as a task.
    #[must_use]
    pub fn task(mut self, task: TaskSupport) -> Self {
        self.task = task;
        self
    }

    /// Has its results shown by the page at `uri`, a resource `ui://…`, where the client can do that
    /// (MCP Apps, SEP-1865).
    #[must_use]
    pub fn page(mut self, uri: &str) -> Self {
        self.meta = Some(apps::link(uri));
        self
    }

    /// The tool is there for a caller while this switch on the caller's shelf is on: else it is not
    /// listed, and as unknown as any other name.
    pub(crate) fn switch(mut self, switch: &'static str) -> Self {
        self.switch = Some(switch);
        self
    }

    pub(crate) fn switched_by(&self) -> Option<&'static str> {
        self.switch
    }

    pub(crate) fn task_support(&self) -> TaskSupport {
        self.task
    }

    pub(crate) fn publish(self, input_schema: JsonObject) -> model::Tool {
        let mut tool = model::Tool::new(self.name, self.description, input_schema)
            .with_title(self.title)
            .with_annotations(self.hints);
        tool.meta = self.meta;
        tool.icons = self.icons;
        match self.output_schema {
            Some(schema) => tool.with_raw_output_schema(schema.into()),
            None => tool,
        }
    }
}

/// The input of a tool that takes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NoInput {}

/// A result of one text.
pub fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}
