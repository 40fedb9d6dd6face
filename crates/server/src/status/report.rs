//! What an instance says of itself.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mcp_everything_store::{InstanceId, StoreError, redis::RedisBus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::seen::Seen;

/// What an instance says of itself, as JSON in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(super) version: String,
    /// When it started, and when it said this, in milliseconds since the Unix epoch by its clock.
    pub(super) started: u64,
    pub(super) at: u64,
    /// `ready`, or why requests should go elsewhere, as `/readyz` has it.
    pub(super) state: String,
    /// `memory` or `redis`.
    pub(super) store: String,
    pub(super) streams: usize,
    pub(super) requests: usize,
    pub(super) calls: usize,
    pub(super) tasks: usize,
    /// The marks of the sessions it has served of late.
    pub(super) seen: String,
    /// Requests and errors of each of the last seconds, the oldest first.
    pub(super) seconds: Vec<[u32; 2]>,
    /// How long Redis took to answer the last time that it did, in microseconds.
    pub(super) round_trip: Option<u64>,
    /// How long ago it heard its own beat on the bus, in milliseconds.
    pub(super) beat: Option<u64>,
}

/// What all instances say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reports {
    pub(super) instances: Vec<(InstanceId, Report)>,
    /// Why only this one is among them, if that is so.
    pub(super) alone: Option<&'static str>,
}

/// Who knows whether the bus is heard.
#[derive(Clone)]
pub(crate) struct BusHealth(pub(crate) Option<Arc<RedisBus>>);

impl BusHealth {
    pub(super) fn beat(&self) -> Option<Duration> {
        self.0.as_ref()?.heard()
    }
}

impl Report {
    pub(super) fn written(&self) -> Bytes {
        // A value in memory has a JSON form.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

impl Reports {
    /// As the store has them. What another version says and this one cannot read is left out.
    pub(super) fn read(said: Vec<(InstanceId, Bytes)>) -> Self {
        let read = said.into_iter().filter_map(|(instance, report)| {
            let report = serde_json::from_slice(&report);
            let report = report.inspect_err(|error| {
                tracing::debug!(event = "status.unreadable", %instance, %error,
                    "what an instance says of itself cannot be read");
            });
            Some((instance, report.ok()?))
        });
        let mut instances: Vec<_> = read.collect();
        instances.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { instances, alone: None }
    }

    /// Those of this instance, where the others' are not to be had.
    pub(super) fn alone(instance: InstanceId, report: Report, error: &StoreError) -> Self {
        let why = match error {
            StoreError::Unavailable { .. } => "the store does not answer",
            StoreError::Corrupt { .. } => "what the store has cannot be read",
            StoreError::LimitReached { .. } => "the store has no room",
        };
        Self { instances: vec![(instance, report)], alone: Some(why) }
    }

    /// For the page that `here` shows.
    pub(crate) fn shown(&self, here: &InstanceId) -> Value {
        let mut all = Seen::default();
        let instances = self.instances.iter().map(|(instance, report)| {
            let seen = Seen::read(&report.seen).unwrap_or_default();
            all.join(&seen);
            json!({
                "instance": instance.as_str(), "version": report.version,
                "started": report.started, "at": report.at, "state": report.state,
                "store": report.store, "streams": report.streams, "requests": report.requests,
                "calls": report.calls, "tasks": report.tasks, "sessions": seen.count(),
                "seconds": report.seconds, "round_trip": report.round_trip, "beat": report.beat,
            })
        });
        let instances: Vec<_> = instances.collect();
        let (sessions, alone) = (all.count(), self.alone);
        json!({ "here": here.as_str(), "sessions": sessions, "alone": alone, "instances": instances })
    }
}
