//! The endpoint, driven by HTTP requests as a client sends them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attendance;
mod away;
mod batch;
mod calls;
mod changes;
mod cuts;
mod door;
mod drain;
mod elicitations;
mod faults;
mod faulty;
mod gone;
mod http_sse;
mod instances;
mod leases;
mod left;
mod losses;
mod probe;
mod refusals;
mod resume;
mod sessions;
mod slow;
mod standalone;
mod stateless;
mod support;
mod tasks;
