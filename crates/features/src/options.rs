//! What the embedding server decides.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    changes::{Changes, LocalChanges},
    declared::DeclaredHook,
    faults::FaultHook,
    fetch::{Fetch, NoFetch},
    origin::{Origin, OriginHook},
    pages::Pages,
    registry::Candidate,
    request_state::RequestStateKeys,
    shelf::{LocalShelves, Shelves},
    tasks::Tasks,
    time::ClockHook,
    tool::Tool,
};

/// Says how long a stream lingers when the server goes down.
pub type LingerHook = Arc<dyn Fn() -> Duration + Send + Sync>;

/// What the embedding server decides.
pub struct Options {
    /// Lists and serves the fixtures of the official conformance suite, on the first page of
    /// every list. Off: none of their names is known.
    pub conformance: bool,
    /// Lists and serves the tools that misbehave, [`FAULT_TOOLS`](crate::FAULT_TOOLS), with the way
    /// to the exchange that carries their call. `None`: none of their names is known.
    pub faults: Option<FaultHook>,
    /// The keys that seal `requestState` on 2026-07-28.
    pub request_state_keys: RequestStateKeys,
    /// What time it is, for what is made when it is asked for.
    pub clock: ClockHook,
    /// What the tool `getEnv` shows: settings of the server that anybody may see, by name. None
    /// unless replaced.
    pub settings: BTreeMap<String, String>,
    /// Carries changes to listeners; within this process unless replaced.
    pub changes: Arc<dyn Changes>,
    /// Keeps what belongs to one user; within this process unless replaced.
    pub shelves: Arc<dyn Shelves>,
    /// Fetches what clients name; nothing unless replaced.
    pub fetch: Arc<dyn Fetch>,
    /// Keeps tasks. With it the tasks extension is offered on 2026-07-28; without, no call becomes
    /// a task.
    pub tasks: Option<Arc<dyn Tasks>>,
    /// A page about this server, told to clients; none unless replaced.
    pub website_url: Option<String>,
    /// Makes pages on which users are asked what must not pass through their client. Without,
    /// nobody is asked in URL mode, and a tool that would says so.
    pub pages: Option<Arc<dyn Pages>>,
    /// What this process is called among those that serve together.
    pub instance: String,
    /// Says where a request came from, for `whoami`, and so that a `requestState` works for nobody
    /// but its caller.
    pub origin: OriginHook,
    /// Finds what the client of a session said when it began, for the capabilities that rmcp has no
    /// types for; nobody declares any unless it is replaced.
    pub declared: DeclaredHook,
    /// Cancelled when the server goes down: open `subscriptions/listen` streams then end with
    /// their result instead of being cut off.
    pub draining: CancellationToken,
    /// How long after that one of them ends, asked for each: their clients all come back. At once
    /// unless replaced.
    pub lingering: LingerHook,
    /// Tools besides the ones of this crate, listed behind them.
    pub tools: ExtraTools,
}

/// Tools besides the ones of this crate.
#[derive(Default)]
pub struct ExtraTools(pub(crate) Vec<Candidate>);

impl Options {
    /// The defaults, for one process over stdio without callers to tell apart.
    pub fn new(request_state_keys: RequestStateKeys, clock: ClockHook) -> Self {
        Self {
            conformance: false,
            faults: None,
            request_state_keys,
            shelves: Arc::new(LocalShelves::new(Arc::clone(&clock))),
            fetch: Arc::new(NoFetch),
            clock,
            settings: BTreeMap::new(),
            changes: Arc::new(LocalChanges::new()),
            tasks: None,
            website_url: None,
            pages: None,
            instance: "local".to_owned(),
            origin: Arc::new(|_| Origin::stdio()),
            declared: Arc::new(|_| None),
            draining: CancellationToken::new(),
            lingering: Arc::new(|| Duration::ZERO),
            tools: ExtraTools::default(),
        }
    }

    /// Adds a tool to the ones of this crate.
    #[must_use]
    pub fn with_tool(mut self, tool: impl Tool) -> Self {
        self.tools.0.push(Candidate::new(tool));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("conformance", &self.conformance).finish_non_exhaustive()
    }
}

/// Closes the event stream of the request it was put into the extensions of, while the call goes
/// on: the client must come back for the rest (2025-11-25, Streamable HTTP, polling).
///
/// The transport's embedder inserts it; only a conformance fixture uses it.
#[derive(Clone)]
pub struct StreamCloser(Arc<dyn Fn() + Send + Sync>);

impl StreamCloser {
    /// A closer that runs `close`, which must not block and may be called more than once.
    pub fn new(close: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(close))
    }

    /// Closes the stream.
    pub fn close(&self) {
        (self.0)();
    }
}

impl fmt::Debug for StreamCloser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamCloser")
    }
}
