//! What is HTTP and not yet MCP: media types, hosts and origins, refusals, event streams.

mod accept;
mod apart;
mod body;
mod entrance;
mod gate;
mod host;
mod origin;
mod pace;
mod refusal;
mod refused;
mod sse;

pub use gate::Gate;
pub use host::{HostPolicy, InvalidHost};
pub use origin::{InvalidOrigin, OriginPolicy};
pub use refused::REFUSALS;

pub(crate) use accept::{accepts_event_stream, accepts_json_and_event_stream, is_json};
pub(crate) use apart::apart;
pub(crate) use body::Bodies;
pub(crate) use entrance::{answered, enter};
pub(crate) use pace::{pace, pace_batch, pace_session};
pub(crate) use refusal::{Refusal, bytes_response, json_response};
pub(crate) use sse::{SseEvent, event_stream};
