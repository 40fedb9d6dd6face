//! The endpoint, driven by HTTP requests as a client sends them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attendance;
mod batch;
mod calls;
mod changes;
mod faults;
mod http_sse;
mod instances;
mod leases;
mod losses;
mod probe;
mod refusals;
mod resume;
mod sessions;
mod standalone;
mod stateless;
mod support;
