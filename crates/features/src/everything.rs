//! The server: what it is called, what it has, and whom it serves.

use std::{collections::BTreeMap, fmt, sync::Arc};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, ConstString, CreateTaskResult,
        Extensions, Implementation, InputResponses, JsonObject, ProtocolVersion,
        ServerCapabilities, ServerConfig, TASKS_EXTENSION_ID,
    },
    service::RequestContext,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    apps,
    call::{Call, Round, Way},
    catalogue,
    changes::Changes,
    conformance,
    declared::DeclaredHook,
    error::{BuildError, CallError, StateError, unknown},
    faults::{self, FaultHook},
    fetch::Fetch,
    glyph::Glyph,
    listen::Opened,
    options::{LingerHook, Options},
    origin::OriginHook,
    pages::Pages,
    prompts::{self, Prompts},
    registry::Registry,
    request_state::{Binding, RequestStateKeys},
    resources::{self, Collection, Reading, Resources, shelved},
    session::SessionState,
    shelf::{OwnShelf, Shelves},
    stamp::Stamp,
    tasks::{self, Generation, Tasks, Terms, experimental},
    time::ClockHook,
    tool::TaskSupport,
    tools,
    wire::Wire,
};

const INSTRUCTIONS: &str = "\
This server shows every feature of the Model Context Protocol; nothing it does has an effect \
outside of it.

Start with the tool `echo`. `longRunningOperation` reports progress and can be cancelled. \
`sampleLLM`, `elicitInputs` and `getRootsList` ask the client for a completion, for user input and \
for its folders, and need a client that offers them. `getTinyImage`, `annotatedMessage` and \
`getResourceReference` return other content than text. `whoami` says which instance of the server \
answered, and to whom. `simulateResearchQuery` takes a while: clients that follow tasks get one. \
`mcp_apps_hello_world` has a page that clients with MCP Apps show.

The resources test://static/resource/1 to /100 come in pages of ten; a resource you subscribe to \
is announced as updated every ten seconds. The documents demo://resource/static/document/features.md \
and its neighbours say more. The resource demo://document/notes is yours and really changes, by \
`updateDocument`; `toggleDynamicTool`, `toggleDynamicPrompt` and `gzipFileAsResource` change your \
lists. All lists come in pages. Arguments of prompts and templates can be completed; what is \
suggested for those of `completable_prompt`, `args_prompt` and \
demo://directory/{department}/{name} depends on each other.";

/// The MCP Everything Server as an [`rmcp::ServerHandler`].
///
/// Cloning is cheap, and a clone serves the same. A clone made by [`Self::with_session`] also
/// knows the session it serves.
#[derive(Clone)]
pub struct Everything {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Option<Arc<dyn SessionState>>,
}

/// What a server lists to everybody, by name, in the order of its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Names {
    /// Tools, without those that a user turns on.
    pub tools: Vec<String>,
    /// Prompts, without those that a user turns on.
    pub prompts: Vec<String>,
    /// URI templates of resources.
    pub templates: Vec<String>,
}

/// What all clones have in common.
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) stamp: Stamp,
    pub(crate) tools: Registry,
    pub(crate) prompts: Prompts,
    pub(crate) resources: Resources,
    pub(crate) clock: ClockHook,
    /// When it was made, by that clock.
    pub(crate) since: u64,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) changes: Arc<dyn Changes>,
    pub(crate) shelves: Arc<dyn Shelves>,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) opened: Opened,
    pub(crate) draining: CancellationToken,
    pub(crate) lingering: LingerHook,
    keys: RequestStateKeys,
    pub(crate) tasks: Option<Arc<dyn Tasks>>,
    pub(crate) pages: Option<Arc<dyn Pages>>,
    pub(crate) instance: String,
    pub(crate) origin: OriginHook,
    pub(crate) faults: Option<FaultHook>,
    pub(crate) declared: DeclaredHook,
}

impl Everything {
    /// A server that serves no session: what the stateless wire needs.
    pub fn new(options: Options) -> Result<Self, BuildError> {
        let on = options.conformance;
        let fixture_tools = if on { conformance::tools() } else { Vec::new() };
        let fixture_prompts = if on { conformance::prompts() } else { Vec::new() };
        let fixture_resources = if on { conformance::resources() } else { Collection::default() };
        let config = config(options.tasks.is_some(), options.website_url);
        let faulty_tools = if options.faults.is_some() { faults::tools() } else { Vec::new() };
        // The conformance suite reads the first page of each list only.
        let tools = tools::all().into_iter().chain(faulty_tools).chain(options.tools.0);
        let tools = Registry::new(fixture_tools, tools)?;
        let prompts = Prompts::new(fixture_prompts, prompts::all());
        let templates = resources::templates();
        let patterns = fixture_resources.templates.iter().chain(&templates);
        let patterns: Vec<_> = patterns.map(|template| template.definition()).collect();
        let features = catalogue::markdown(tools.definitions(), prompts.definitions(), &patterns);
        let entries = resources::entries(INSTRUCTIONS, &features);
        let clock = Arc::clone(&options.clock);
        let shared = Shared {
            stamp: Stamp::new(&config.server_info),
            config,
            tools,
            prompts,
            resources: Resources::new(fixture_resources, Collection { entries, templates }, clock)?,
            since: (options.clock)(),
            clock: options.clock,
            settings: options.settings,
            changes: options.changes,
            shelves: options.shelves,
            fetch: options.fetch,
            opened: Opened::default(),
            draining: options.draining,
            lingering: options.lingering,
            keys: options.request_state_keys,
            tasks: options.tasks,
            pages: options.pages,
            instance: options.instance,
            origin: options.origin,
            faults: options.faults,
            declared: options.declared,
        };
        Ok(Self { shared: Arc::new(shared), session: None })
    }

    /// The names of the tools that can be called, listed for everybody or not.
    pub fn tool_names(&self) -> impl Iterator<Item = &str> {
        self.shared.tools.names()
    }

    /// The same server, serving one session of a stateful revision: make one for each request, or
    /// for each connection that is a session, as stdio is.
    ///
    /// Requests of 2026-07-28 take no notice of the session.
    #[must_use]
    pub fn with_session(&self, session: Arc<dyn SessionState>) -> Self {
        Self { shared: Arc::clone(&self.shared), session: Some(session) }
    }

    /// What it lists to everybody, by name.
    pub fn names(&self) -> Names {
        let Shared { tools, prompts, resources, .. } = &*self.shared;
        let tools = tools.definitions().map(|tool| tool.name.to_string());
        let prompts = prompts.definitions().map(|prompt| prompt.name.clone());
        Names {
            tools: tools.filter(|name| self.shared.tools.switch(name).is_none()).collect(),
            prompts: prompts.filter(|name| self.shared.prompts.switch(name).is_none()).collect(),
            templates: resources.uri_templates().map(str::to_owned).collect(),
        }
    }

    /// The session, for requests that mean nothing without one.
    pub(crate) fn session(&self) -> Result<&dyn SessionState, ErrorData> {
        let none = || ErrorData::invalid_request("this needs a session, and there is none", None);
        self.session.as_deref().ok_or_else(none)
    }

    /// The shelf of whoever sent a request.
    pub(crate) fn shelf(&self, extensions: &Extensions) -> OwnShelf<'_> {
        OwnShelf::of((self.shared.origin)(extensions).user(), &self.shared)
    }

    /// Whether what a switch on the caller's shelf stands for is there: always, if there is no
    /// switch, and then nobody asks who calls.
    pub(crate) async fn is_there(
        &self,
        switch: Option<&str>,
        extensions: &Extensions,
    ) -> Result<bool, StateError> {
        match switch {
            Some(switch) => self.shelf(extensions).has_on(switch).await,
            None => Ok(true),
        }
    }

    /// What is in a resource, of everybody's or of the caller's own.
    pub(crate) async fn reading(
        &self,
        uri: &str,
        extensions: &Extensions,
    ) -> Result<Reading, ErrorData> {
        let Some(name) = shelved::name(uri) else { return self.shared.resources.read(uri) };
        let item = self.shelf(extensions).get(&name).await?;
        shelved::read(&name, item).ok_or_else(|| resources::not_found(uri))
    }

    /// Whether there is a resource of this URI, or may be on somebody's shelf.
    pub(crate) fn may_come(&self, uri: &str) -> bool {
        shelved::name(uri).is_some() || self.shared.resources.exists(uri)
    }

    /// A running call of `request`, with what is known of its earlier rounds.
    pub(crate) fn call<'a>(
        &'a self,
        context: &'a RequestContext<RoleServer>,
        request: Repeatable<'a>,
    ) -> Result<Call<'a>, ErrorData> {
        let wire = Wire::of(context)?;
        let shared = &self.shared;
        let way = match wire {
            Wire::Stateful => Way::Request,
            Wire::Stateless => {
                let Repeatable { method, name, arguments, responses, state } = request;
                let binding = move || {
                    let principal = (shared.origin)(&context.extensions).principal();
                    Binding::new(principal.as_deref(), method, name, arguments)
                };
                Way::Round(Box::new(Round::open(&shared.keys, binding, responses, state)?))
            }
        };
        let session = self.session.as_deref();
        Ok(Call::new(context, wire, session, shared, way))
    }

    /// Calls a tool, as a task if it supports that and the client follows tasks. Its arguments are
    /// not those of the request, which has none any more.
    pub(crate) async fn run(
        &self,
        request: &CallToolRequestParams,
        arguments: &Value,
        context: &RequestContext<RoleServer>,
        call: &Call<'_>,
    ) -> Result<CallToolResponse, CallError> {
        let tools = &self.shared.tools;
        if !self.is_there(tools.switch(&request.name), &context.extensions).await? {
            return Err(unknown("tool", &request.name).into());
        }
        let support = tools.task_support(&request.name);
        if support == TaskSupport::Required && self.experimental(context).is_some() {
            return Err(experimental::required(&request.name).into());
        }
        let keeper = self.shared.tasks.as_ref().filter(|_| call.wire() == Wire::Stateless);
        let (Some(keeper), TaskSupport::Optional | TaskSupport::Required) = (keeper, support)
        else {
            return Ok(tools.call(&request.name, arguments, call).await?.into());
        };
        if !call.client_capabilities().supports_tasks() {
            if support == TaskSupport::Required {
                let needed = ClientCapabilities::builder().enable_tasks().build();
                return Err(ErrorData::missing_required_client_capability(needed).into());
            }
            return Ok(tools.call(&request.name, arguments, call).await?.into());
        }
        if let Some(result) = tools.before_task(&request.name, arguments, call).await? {
            return Ok(result.into());
        }
        let mut request = request.clone();
        request.arguments = arguments.as_object().cloned();
        let (generation, known) = (Generation::Extension, call.remembered());
        let terms = Terms { generation, life: tasks::LIFE, known };
        // Boxed: every call has room for it, and few become tasks.
        let task = Box::pin(tasks::begin(self, keeper, request, context, terms)).await?;
        Ok(CallToolResponse::Task(CreateTaskResult::new(tasks::seed(&*task))))
    }

    /// Who keeps the tasks, for a session whose revision has the experimental ones.
    pub(crate) fn experimental(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Option<&Arc<dyn Tasks>> {
        let version = context.protocol_version()?;
        self.shared.tasks.as_ref().filter(|_| version == ProtocolVersion::V_2025_11_25)
    }

    /// Who keeps the tasks, for a method that the stateful revisions do not have.
    pub(crate) fn keeper<M: ConstString>(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Result<&dyn Tasks, ErrorData> {
        let keeper = match Wire::of(context)? {
            Wire::Stateful => None,
            Wire::Stateless => self.shared.tasks.as_deref(),
        };
        keeper.ok_or_else(ErrorData::method_not_found::<M>)
    }
}

impl fmt::Debug for Everything {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Everything")
            .field("session", &self.session.is_some())
            .finish_non_exhaustive()
    }
}

/// A request that may come again with answers (2026-07-28, Multi Round-Trip Requests).
pub(crate) struct Repeatable<'r> {
    pub(crate) method: &'static str,
    pub(crate) name: &'r str,
    pub(crate) arguments: Option<&'r JsonObject>,
    pub(crate) responses: Option<InputResponses>,
    pub(crate) state: Option<&'r str>,
}

fn config(tasks: bool, website_url: Option<String>) -> ServerConfig {
    let mut capabilities = ServerCapabilities::builder()
        .enable_completions()
        .enable_logging()
        .enable_prompts()
        .enable_prompts_list_changed()
        .enable_resources()
        .enable_resources_list_changed()
        .enable_resources_subscribe()
        .enable_tools()
        .enable_tool_list_changed()
        .build();
    let extensions = capabilities.extensions.get_or_insert_default();
    apps::declare(extensions);
    if tasks {
        extensions.insert(TASKS_EXTENSION_ID.to_owned(), JsonObject::new());
    }
    let mut server = Implementation::new("mcp-everything", env!("CARGO_PKG_VERSION"))
        .with_title("MCP Everything Server")
        .with_description(env!("CARGO_PKG_DESCRIPTION"))
        .with_icons(Glyph::Server.icons());
    server.website_url = website_url;
    ServerConfig::new(capabilities).with_server_info(server).with_instructions(INSTRUCTIONS)
}
