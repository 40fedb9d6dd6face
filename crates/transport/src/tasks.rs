//! Tasks of the fleet: begun here, worked on here, asked about anywhere.
//!
//! What is known of a task is in the store; here is only who works on it. Bells say that there is
//! an answer or a cancellation, and are not relied on: whoever waits looks for itself now and then.

mod desk;
mod running;

pub use desk::TaskDesk;
pub use running::RunningTask;
