//! What passes between this process and Redis.

use std::time::Duration;

use mcp_everything_store::redis::{Answer, LinkName, Observer};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::{
    durations::Durations,
    family::{Family, Label, label},
};

label! {
    /// What came of a command.
    Outcome = "outcome" {
        Answered = "ok",
        Refused = "error",
        Away = "away",
    }
}

/// Commands and connections.
#[derive(Debug)]
pub(crate) struct Redis {
    connected: Family<Gauge, 1>,
    connections: Family<Counter, 1>,
    lost: Family<Counter, 1>,
    commands: Family<Counter, 2>,
    durations: Family<Durations, 1>,
    beats_missed: Counter,
}

impl Redis {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let link = || Label::new("link", LinkName::ALL.map(LinkName::as_str));
        let redis = Self {
            connected: Family::all([link()]),
            connections: Family::all([link()]),
            lost: Family::all([link()]),
            commands: Family::all([link(), Outcome::label()]),
            durations: Family::touched([link()], Durations::default),
            beats_missed: Counter::default(),
        };
        registry.register(
            "redis_connected",
            "Whether there is a connection to Redis",
            redis.connected.clone(),
        );
        registry.register(
            "redis_connections",
            "Connections to Redis that were made: one, and one more each time it was lost",
            redis.connections.clone(),
        );
        registry.register(
            "redis_connections_lost",
            "Connections to Redis that were lost",
            redis.lost.clone(),
        );
        registry.register("redis_commands", "Round trips to Redis", redis.commands.clone());
        registry.register(
            "redis_command_duration_seconds",
            "How long Redis took to answer, and what waited for a connection",
            redis.durations.clone(),
        );
        registry.register(
            "bus_beats_missed",
            "Times that this instance could not say that it lives",
            redis.beats_missed.clone(),
        );
        redis
    }
}

impl Observer for Redis {
    fn connected(&self, link: LinkName) {
        self.connected.one_for_all([link as usize]).set(1);
        self.connections.at([link as usize]).inc();
    }

    fn lost(&self, link: LinkName) {
        self.connected.one_for_all([link as usize]).set(0);
        self.lost.at([link as usize]).inc();
    }

    fn answered(&self, link: LinkName, answer: Answer, took: Duration) {
        let outcome = match answer {
            Answer::Good => Outcome::Answered,
            Answer::Error => Outcome::Refused,
            Answer::None => Outcome::Away,
        };
        self.commands.at([link as usize, outcome as usize]).inc();
        self.durations.at([link as usize]).observe(took);
    }

    fn beat_missed(&self) {
        self.beats_missed.inc();
    }
}
