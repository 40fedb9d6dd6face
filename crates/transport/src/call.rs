//! One call: a client's request (or notification) served where it landed by a handler made for it.
//!
//! Nothing of a session is in this process but its calls. A call is short until it has run for
//! [`promote_after`](crate::Config::promote_after) or sends anything that is not its answer; a
//! short call's answer goes back alone. Then it is promoted, in one place ([`promote()`]): it is
//! opened in the store, and from then on its events are numbered and kept, it can be cancelled
//! and answered through any instance, and a client that is cut off can come back for the rest.

mod aloud;
mod event_id;
mod handler;
mod inbox;
mod numbers;
mod outbox;
mod peers;
mod promote;
mod pump;
mod run;
mod running;
mod tail;
mod voice;
mod waiting;

pub(crate) use event_id::EventId;
pub(crate) use handler::within_grace;
pub(crate) use numbers::{ClientNumber, parse_progress_token};
pub(crate) use outbox::Outgoing;
pub(crate) use peers::Peers;
pub(crate) use promote::Promoted;
pub(crate) use pump::{CUT_SHORT, said};
pub(crate) use run::{Call, Start, Started, primes, request_key, start};
pub(crate) use running::RunningCalls;
pub(crate) use waiting::Waiting;

use promote::promote;
