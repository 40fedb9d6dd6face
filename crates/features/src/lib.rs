//! Every feature of the Model Context Protocol, served by one [`rmcp::ServerHandler`].
//!
//! [`Everything`] answers clients of all revisions from one implementation of each feature: the
//! stateful ones up to 2025-11-25, where a tool asks its client while the call runs, and
//! 2026-07-28, where the call ends with the questions and is repeated with the answers. The
//! author of a tool writes the same line for both, see [`Call`].
//!
//! The crate knows rmcp only. What it needs from outside are small traits with in-process
//! implementations: what a session remembers ([`SessionState`], [`LocalSession`]), what a user keeps
//! ([`Shelves`], [`LocalShelves`]) and the news that go to listeners ([`Changes`],
//! [`LocalChanges`]); two without, for what needs more than a process, which then is not offered
//! ([`Tasks`], [`Pages`]); and a hook that says where a request
//! came from ([`Origin`]).
//!
//! Each tool is the file of its name in `tools/`, each prompt in `prompts/`. To write another
//! tool, copy one of them, add it to the list in `tools.rs`, or hand it to
//! [`Options::with_tool`]:
//!
//! ```
//! use std::sync::Arc;
//!
//! use mcp_everything_features::{
//!     Call, CallError, Definition, Everything, Options, RequestStateKeys, Tool, text,
//! };
//! use rmcp::model::CallToolResult;
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! struct Greet;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Whom {
//!     /// Whom to greet
//!     name: String,
//! }
//!
//! impl Tool for Greet {
//!     type Input = Whom;
//!
//!     fn definition(&self) -> Definition {
//!         Definition::new("greet", "Greet", "Greets somebody").read_only()
//!     }
//!
//!     async fn call(&self, whom: Whom, _: &Call<'_>) -> Result<CallToolResult, CallError> {
//!         Ok(text(format!("Hello, {}.", whom.name)))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Of a server that runs on: a key of its own, and the time in milliseconds.
//! let keys = RequestStateKeys::new([("1".to_owned(), [7; 32])])?;
//! let options = Options::new(keys, Arc::new(|| 1_767_225_600_000));
//! let everything = Everything::new(options.with_tool(Greet))?;
//! # let _ = everything;
//! # Ok(())
//! # }
//! ```

#![expect(
    deprecated,
    reason = "all revisions are served; 2026-07-28 deprecates sampling, roots and logging (SEP-2577)"
)]

mod apps;
mod call;
mod catalogue;
mod changes;
mod completions;
mod conformance;
mod data_url;
mod declared;
mod directory;
mod error;
mod everything;
mod faults;
mod fetch;
mod freshness;
mod glyph;
mod handler;
mod listen;
mod lists;
pub mod notifications;
mod number;
mod options;
mod origin;
mod pages;
mod paging;
mod places;
mod prompts;
mod registry;
mod request_state;
mod resources;
mod revision;
mod schema;
mod session;
mod shelf;
mod stamp;
mod tasks;
mod text;
mod time;
mod tiny_audio;
mod tiny_image;
mod tool;
mod tools;
mod trace;
mod untyped;
mod uri_template;
mod wire;

pub use call::{Call, Followed, UrlAnswer};
pub use changes::{Announcement, Audience, Change, Changes, Listener, LocalChanges, Subscription};
pub use declared::DeclaredHook;
pub use error::{BuildError, CallError, StateError, Waiting};
pub use everything::{Everything, Names};
pub use faults::{Challenge, Delivery, FAULT_TOOLS, FaultHook, FaultyWire, HttpAnswer};
pub use fetch::{Fetch, FetchError, NoFetch};
pub use glyph::Glyph;
pub use options::{ExtraTools, LingerHook, Options, StreamCloser};
pub use origin::{Caller, Carrier, Origin, OriginHook, User};
pub use pages::{FoundPage, Page, PageEnd, PageError, Pages};
pub use request_state::{KeyError, RequestStateKeys};
pub use session::{LocalSession, SessionState};
pub use shelf::{LocalShelves, Shelf, ShelfItem, Shelved, Shelves};
pub use tasks::{Answer, RunningTask, Task, TaskEnd, TaskPage, Tasks};
pub use time::ClockHook;
pub use tool::{Definition, NoInput, TaskSupport, Tool, text};
pub use trace::{Trace, TraceSpan};
pub use untyped::is_untyped;
pub use wire::Wire;
