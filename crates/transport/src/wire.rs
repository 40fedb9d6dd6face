//! The endpoint's methods, and the two wires they serve.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod call;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod initialize;
pub(crate) mod notification;
pub(crate) mod post;
mod session;
pub(crate) mod stateless;

pub(crate) use initialize::{answered, settle};
