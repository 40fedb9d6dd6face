//! HTTP with SSE: the event stream on one instance, messages to the others.

mod client;
mod handshake;
mod losses;
mod refusals;
mod returns;
mod traffic;
