//! Reading JSON-RPC messages of clients, and writing those for them.
//!
//! rmcp reads a message by trying one type after another, and takes a known method with wrong
//! parameters for an unknown method. Here the method is read first and its parameters as that
//! method's, so that a wrong one is named.

mod envelope;
mod fault;
mod json;
mod meta;
mod params;
mod task_ids;
mod wire;

pub(crate) use envelope::{Envelope, Kind, bounded};
pub(crate) use json::json;
pub(crate) use meta::Meta;
pub(crate) use params::{handed_over, notification, request};
pub(crate) use task_ids::check_task_ids;
pub(crate) use wire::{VersionHeader, Wire};
