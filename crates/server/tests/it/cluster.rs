//! Three instances that share a Redis, where the tests choose which of them is asked.

mod any_instance;
mod http_sse;
mod killed;
mod lives;
mod redis_cli;
mod sign_in;
mod streams;
