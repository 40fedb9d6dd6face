//! Sessions as data: what a session is lives here, and nothing of it in a process.
//!
//! Three traits, one for each thing a session has: [`Sessions`] for the session itself,
//! [`Calls`] for the calls that outlive their first moments, [`Streams`] for the standalone
//! stream. A fourth is for what concerns all sessions, [`ChangeLog`], and three for what needs
//! none: [`Tasks`], [`Shelves`] for what a user keeps, and [`Elicitations`] for what a user is asked
//! on a page. An eighth, [`Reports`], is for what instances say of themselves. A store implements
//! them all.
//!
//! Keys carry, channels ring: what must not be lost is written here first and then announced on
//! the [`Bus`](crate::Bus). Whoever waits registers, then reads.

mod calls;
mod changes;
mod elicitations;
mod level;
mod limits;
mod record;
mod reports;
mod shelves;
mod streams;
mod switches;
mod tasks;

pub use calls::{
    Answer, Appended, CallEvent, CallLog, CallNews, Calls, NewCall, OpenedCall, RequestKey,
    RunningCall, Said,
};
pub use changes::{
    Announcement, Audience, CHANGES_PAGE, Change, ChangeLog, ChangePosition, Changed,
    InvalidChangePosition,
};
pub use elicitations::{
    Elicitation, ElicitationState, Elicitations, NewElicitation, SettledElicitation, Settlement,
};
pub use level::{LogLevel, UnknownLevel};
pub use limits::Limits;
pub use record::{Handshake, Session, SessionState, Sessions, Settled, Transport, Written};
pub use reports::Reports;
pub use shelves::{Shelf, ShelfItem, Shelved, Shelves};
pub use streams::{
    Claim, Epoch, Held, OpenedStream, PAGE, Position, Pulled, Pushed, Streams, Telling,
};
pub(crate) use switches::{SWITCHES, Switches, too_many};
pub use tasks::{Asked, NewTask, Task, TaskEnd, TaskNews, TaskPlace, Tasks};

/// Everything the transport needs of a store.
pub trait SessionStore:
    Sessions + Calls + Streams + ChangeLog + Tasks + Shelves + Elicitations + Reports
{
}

impl<S> SessionStore for S where
    S: Sessions + Calls + Streams + ChangeLog + Tasks + Shelves + Elicitations + Reports
{
}
