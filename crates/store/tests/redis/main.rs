//! The store in Redis, with a real one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bus;
mod channels;
mod cluster;
mod faults;
mod oauth;
mod page;
mod rates;
mod reach;
mod recent;
mod sentinel;
mod sessions;
mod single;
mod support;
