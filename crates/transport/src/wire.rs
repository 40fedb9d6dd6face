//! The endpoint's methods, and the two wires they serve.

mod answer;
mod batch;
mod call;
pub(crate) mod delete;
pub(crate) mod get;
mod initialize;
mod notification;
pub(crate) mod post;
mod session;
pub(crate) mod stateless;
