//! What a remote MCP server keeps.
//!
//! Operations are named by intent and are atomic: a caller never reads, decides and writes in two
//! steps. [`memory`] keeps everything in the process; other stores pass the same contract suite.

mod clock;
mod error;
mod owner;
mod random;

pub use clock::{Clock, SystemClock, TestClock, Timestamp};
pub use error::StoreError;
pub use owner::Owner;
pub use random::{Random, SystemRandom, TestRandom};
