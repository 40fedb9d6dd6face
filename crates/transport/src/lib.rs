//! MCP over Streamable HTTP with sessions as data.
//!
//! An rmcp server usually keeps one live object per session in the process that answered
//! `initialize`. Here whatever a session is lives in a [store](mcp_everything_store): each request
//! is served where it lands, by a handler made for it, and nothing is left behind. Any instance can
//! serve any request, an idle session costs a process nothing, and a process that is killed takes
//! only the calls it was working on.
//!
//! Mount an [`Endpoint`] at one path. It serves the revisions with sessions (2025-03-26 to
//! 2025-11-25) and those without (2026-07-28) on the same URL.
//! [`Endpoint::http_sse`] gives the endpoints of the transport of 2024-11-05, for clients that
//! speak no other. [`Stdio`] serves one client over standard input and output.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use axum::{Extension, Router};
//! use mcp_everything_store::{
//!     Bus, InstanceId, Limits, Owner, SessionStore, SystemClock, SystemRandom,
//!     memory::{MemoryBus, MemoryStore},
//! };
//! use mcp_everything_transport::{Backends, ChangeFeed, Config, ElicitationDesk, Endpoint, TaskDesk};
//! use rmcp::ServerHandler;
//!
//! async fn routes<H>(handler: H) -> Result<Router, mcp_everything_store::StoreError>
//! where
//!     H: ServerHandler + Clone,
//! {
//!     let clock = Arc::new(SystemClock);
//!     let store: Arc<dyn SessionStore> =
//!         Arc::new(MemoryStore::new(clock.clone(), Limits::default()));
//!     let bus: Arc<dyn Bus> = Arc::new(MemoryBus::default());
//!     let random = Arc::new(SystemRandom);
//!     let instance = InstanceId::random("example", &SystemRandom);
//!     let backends = Backends {
//!         changes: ChangeFeed::new(Arc::clone(&store), Arc::clone(&bus)),
//!         tasks: TaskDesk::new(
//!             Arc::clone(&store), Arc::clone(&bus), clock.clone(), random.clone(), instance.clone(),
//!         ),
//!         elicitations: ElicitationDesk::new(
//!             Arc::clone(&store), Arc::clone(&bus), clock.clone(), random.clone(),
//!         ),
//!         store,
//!         bus,
//!         clock,
//!         random,
//!         instance,
//!         // Nobody's token can be revoked here.
//!         standing: None,
//!         // Nobody counts.
//!         observer: Arc::new(()),
//!     };
//!     let endpoint =
//!         Endpoint::start(backends, Config::default(), move |_, _| handler.clone()).await?;
//!     // Without authentication; with it, a bearer layer says who calls.
//!     Ok(Router::new().route_service("/mcp", endpoint).layer(Extension(Owner::anonymous())))
//! }
//! ```

mod away;
mod call;
mod changes;
mod config;
mod elicitations;
mod endpoint;
mod faults;
mod guard;
mod http;
mod http_sse;
mod instance;
mod jitter;
mod lease;
mod leaving;
mod message;
mod mirrored;
mod observe;
mod queue;
mod resume;
mod scope;
mod shared;
mod standalone;
mod stdio;
mod tasks;
mod trace;
mod wire;

pub use changes::ChangeFeed;
pub use config::{Config, Untyped};
pub use elicitations::{Asked, ElicitationDesk};
pub use endpoint::{Backends, Endpoint, Figures};
pub use faults::{Delivery, Faults, FaultyTools};
pub use http::{Gate, HostPolicy, InvalidHost, InvalidOrigin, OriginPolicy, REFUSALS};
pub use http_sse::{HttpSse, HttpSseService};
pub use lease::Standing;
pub use observe::{Observer, Outcome, Seen};
pub use scope::{Scope, SessionError, SessionHandle, StreamControl};
pub use stdio::{Stdio, StdioConfig, StdioSession};
pub use tasks::{RunningTask, TaskDesk};
pub use trace::{LogSpan, SpanContext, TraceContext};
