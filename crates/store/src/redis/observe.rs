//! Whoever counts what passes between an instance and Redis.

use std::time::Duration;

use redis::{RedisError, RedisResult};

/// A connection of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkName {
    /// For what requests wait for, small and quick.
    Hot,
    /// For logs and answers, which may be large.
    Bulk,
    /// For what must outlive a failover.
    Durable,
    /// On which it hears the others.
    Bus,
}

impl LinkName {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Hot, Self::Bulk, Self::Durable, Self::Bus];

    /// In the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Bulk => "bulk",
            Self::Durable => "durable",
            Self::Bus => "bus",
        }
    }
}

/// What came of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What was wanted.
    Good,
    /// An error of Redis.
    Error,
    /// Nothing: there was no connection, or none that lasted until the answer, or it took too long.
    None,
}

impl Answer {
    pub(super) fn of<T>(answer: &RedisResult<T>) -> Self {
        match answer {
            Ok(_) => Self::Good,
            Err(error) if is_away(error) => Self::None,
            Err(_) => Self::Error,
        }
    }
}

fn is_away(error: &RedisError) -> bool {
    error.is_timeout() || error.is_io_error() || error.is_unrecoverable_error()
}

/// Told of all that passes. It is called in the way of requests, and has to be quick.
pub trait Observer: Send + Sync + 'static {
    /// A connection was made, in place of the one before if there was one.
    fn connected(&self, link: LinkName);

    /// It is lost.
    fn lost(&self, link: LinkName);

    /// One round trip is over, or was waited for in vain.
    fn answered(&self, link: LinkName, answer: Answer, took: Duration);

    /// The instance could not say that it lives.
    fn beat_missed(&self);
}

/// Nobody counts.
impl Observer for () {
    fn connected(&self, _: LinkName) {}
    fn lost(&self, _: LinkName) {}
    fn answered(&self, _: LinkName, _: Answer, _: Duration) {}
    fn beat_missed(&self) {}
}
