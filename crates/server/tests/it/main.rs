//! The whole server, as a process on a loopback port, driven by clients.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[macro_use]
mod on_every_deployment;
mod support;

mod account;
mod asking;
mod attacks;
mod auth;
mod bad_input;
mod bound_tokens;
mod changes;
mod clients_that_describe_themselves;
mod clients_without_users;
mod cluster;
mod commands;
mod content;
mod docs;
mod enterprise;
mod everything;
mod exported_traces;
mod faults;
mod features_page;
mod headers;
mod http_sse;
mod keep_alive;
mod log_secrets;
mod logs;
mod metrics;
mod newcomer;
mod oauth_errors;
mod rate_limits;
mod redis;
mod refused_early;
mod separate;
mod session_ownership;
mod shelf;
mod shutdown;
mod status;
mod stdio;
mod tasks;
mod tls;
mod trace;
mod upstream;
mod user_session_isolation;
