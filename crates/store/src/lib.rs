//! What a remote MCP server keeps.
//!
//! Operations are named by intent and are atomic: a caller never reads, decides and writes in two
//! steps. [`memory`] keeps everything in the process; other stores pass the same contract suite.
//!
//! ```
//! use std::sync::Arc;
//!
//! use mcp_everything_store::{
//!     Limits, Owner, Session, SessionId, Sessions as _, SystemClock, SystemRandom, Transport,
//!     memory::MemoryStore,
//! };
//!
//! # async fn example() -> Result<(), mcp_everything_store::StoreError> {
//! let store = MemoryStore::new(Arc::new(SystemClock), Limits::default());
//! let id = SessionId::random(&SystemRandom);
//! let session = Session {
//!     owner: Owner::anonymous(),
//!     transport: Transport::HttpSse,
//!     handshake: None,
//! };
//! store.create(id, session).await?;
//! assert!(store.admit(id, &Owner::anonymous()).await?.is_some());
//! # Ok(()) }
//! ```

mod access;
mod alike;
mod bus;
mod clock;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
mod halves;
mod id;
pub mod memory;
pub mod oauth;
mod owner;
mod random;
mod rates;
#[cfg(feature = "redis")]
pub mod redis;
mod refused;
mod secret_keys;
mod session;
pub mod spans;
mod witness;

/// Says in the log, and to whoever watches, what is asked of a store.
fn noted(operation: &'static str) {
    tracing::debug!(event = "store.operation", operation, "store operation");
    witness::asked(operation);
}

pub use access::Access;
pub use bus::{Attendance, Bell, Bells, Bus, Ring, Ringer};
pub use clock::{Clock, MonotonicClock, SystemClock, TestClock, Timestamp};
pub use error::StoreError;
pub use halves::Halves;
pub use id::{CallId, ElicitationId, InstanceId, InvalidId, SessionId, TaskId};
pub use owner::{Owner, OwnerMark, User};
pub use random::{Random, SystemRandom, TestRandom};
pub use rates::{Exceeded, Limit, Limiter, Rate, RateKey, Rates, Subject, Taken, network};
pub use refused::Refused;
pub use secret_keys::{KeyStore, SecretKeys, SecretKeysError};
pub use session::{
    Announcement, Answer, Appended, Asked, Audience, CHANGES_PAGE, CallEvent, CallLog, CallNews,
    Calls, Change, ChangeLog, ChangePosition, Changed, Claim, Elicitation, ElicitationState,
    Elicitations, Epoch, Handshake, Held, InvalidChangePosition, Limits, LogLevel, NewCall,
    NewElicitation, NewTask, OpenedCall, OpenedStream, PAGE, Position, Pulled, Pushed, Reports,
    RequestKey, RunningCall, Said, Session, SessionState, SessionStore, Sessions, Settled,
    SettledElicitation, Settlement, Shelf, ShelfItem, Shelved, Shelves, Streams, Task, TaskEnd,
    TaskNews, TaskPlace, Tasks, Telling, Transport, UnknownLevel, Written,
};
pub use witness::{Witness, Witnessed, witnessed};
