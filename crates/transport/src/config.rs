//! What an embedder may set.

use std::time::Duration;

use mcp_everything_store::Limit;

use crate::{
    faults::FaultyTools,
    http::{Gate, HostPolicy, OriginPolicy},
};

/// Says of a request of a revision with sessions whether its handler answers it by
/// `on_custom_request`, although rmcp knows the method: its parameters or its result say what
/// rmcp's types cannot. Told of the revision, the method and the message as it came.
pub type Untyped = fn(version: &str, method: &str, message: &[u8]) -> bool;

/// How an [`Endpoint`](crate::Endpoint) behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The hosts a request may name (DNS rebinding). Defaults to the loopback names.
    pub hosts: HostPolicy,
    /// The origins a browser's request may come from. Defaults to loopback on any port.
    pub origins: OriginPolicy,
    /// Which methods a caller may use. Defaults to all.
    pub gate: Gate,
    /// Which requests are handed over as they came. None by itself. The revision of an `initialize`
    /// is the one that its client asks for.
    pub untyped: Untyped,
    /// How often a user may ask: requests of any kind, and each message of a batch. No bound by
    /// itself.
    pub requests: Limit,
    /// How many sessions a user may begin. No bound by itself.
    pub sessions: Limit,
    /// The largest request body, in bytes. 4 MiB.
    pub max_body_bytes: usize,
    /// How long the next piece of a request body may take to come; the whole may take four times
    /// as long. 30 s.
    pub body_timeout: Duration,
    /// The most messages of a 2025-03-26 batch. 50.
    pub max_batch: usize,
    /// The largest `initialize` parameters kept with a session, in bytes of JSON. 16 KiB.
    pub max_initialize_bytes: usize,
    /// The largest answer kept for a client that was cut off from it, in bytes. 1 MiB.
    pub max_kept_answer: usize,
    /// The most calls that are more than short and run at a time, of all sessions. 10,000.
    pub max_running_calls: usize,
    /// How long a call may run before its stream is opened and its events are kept. 25 ms.
    pub promote_after: Duration,
    /// How long a cancelled handler may take to notice before it is dropped. 5 s.
    pub cancel_grace: Duration,
    /// The most calls of a user that may run here without a connection; one more that is left
    /// ends. 256.
    pub left_calls_per_user: usize,
    /// How long a connection may leave its buffer full before it alone is closed. 10 s.
    pub slow_reader: Duration,
    /// The time between comments on an idle stream. 15 s.
    pub keep_alive: Duration,
    /// How long clients are told to wait before they come back to a stream. 1 s.
    pub retry: Duration,
    /// How often the lives of sessions in use are prolonged; a fifth of a session's time to live
    /// or less. 60 s.
    pub hold_every: Duration,
    /// How long a request that asks for nothing to run waits for a store that is away. 15 s.
    pub hold_for: Duration,
    /// The most requests that wait for it at a time; more are refused at once. 1,024.
    pub held_requests: usize,
    /// The tools whose handlers may break the protocol on purpose: see
    /// [`Faults`](crate::Faults). None.
    pub faulty: FaultyTools,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: HostPolicy::default(),
            origins: OriginPolicy::default(),
            gate: Gate::default(),
            untyped: |_, _, _| false,
            requests: Limit::default(),
            sessions: Limit::default(),
            max_body_bytes: 4 << 20,
            body_timeout: Duration::from_secs(30),
            max_batch: 50,
            max_initialize_bytes: 16 << 10,
            max_kept_answer: 1 << 20,
            max_running_calls: 10_000,
            promote_after: Duration::from_millis(25),
            cancel_grace: Duration::from_secs(5),
            left_calls_per_user: 256,
            slow_reader: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            retry: Duration::from_secs(1),
            hold_every: Duration::from_secs(60),
            hold_for: Duration::from_secs(15),
            held_requests: 1024,
            faulty: FaultyTools::default(),
        }
    }
}
