//! One session's record.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use super::Limits;
use crate::{
    Answer, CallEvent, CallId, Epoch, InstanceId, Position, RequestKey, Session, SessionState,
    Timestamp,
};

pub(super) struct Entry {
    pub(super) session: Arc<Session>,
    pub(super) expires: Timestamp,
    pub(super) state: SessionState,
    pub(super) calls: HashMap<CallId, Call>,
    /// Cancellations of requests that no opened call bore, with the time they came.
    pub(super) cancelled: VecDeque<(RequestKey, Timestamp)>,
    pub(super) stream: Stream,
}

#[derive(Default)]
pub(super) struct Stream {
    pub(super) log: VecDeque<Logged>,
    pub(super) bytes: usize,
    pub(super) last: Position,
    pub(super) claimed: Position,
    pub(super) epoch: EpochCounter,
    pub(super) holder: Option<InstanceId>,
    pub(super) gap: bool,
}

#[derive(Clone, Copy, Default)]
pub(super) struct EpochCounter(u64);

impl EpochCounter {
    pub(super) fn now(self) -> Epoch {
        Epoch(self.0)
    }

    pub(super) fn next(&mut self) -> Epoch {
        self.0 += 1;
        self.now()
    }
}

pub(super) struct Logged {
    pub(super) position: Position,
    pub(super) at: Timestamp,
    pub(super) data: Bytes,
}

pub(super) struct Call {
    pub(super) request: Option<RequestKey>,
    pub(super) instance: InstanceId,
    pub(super) reader: Option<InstanceId>,
    pub(super) events: Vec<CallEvent>,
    pub(super) bytes: usize,
    pub(super) last_seq: u64,
    pub(super) lost: bool,
    pub(super) ended: Option<Timestamp>,
    pub(super) answers: Vec<Answer>,
    /// The numbers of requests that were answered, so that a second answer is not kept.
    pub(super) answered: Vec<u64>,
}

impl Call {
    pub(super) fn new(request: Option<RequestKey>, instance: InstanceId) -> Self {
        Self {
            request,
            instance,
            reader: None,
            events: Vec::new(),
            bytes: 0,
            last_seq: 0,
            lost: false,
            ended: None,
            answers: Vec::new(),
            answered: Vec::new(),
        }
    }
}

impl Entry {
    pub(super) fn forget_old(&mut self, now: Timestamp, limits: &Limits) {
        self.calls
            .retain(|_, call| call.ended.is_none_or(|end| now.since(end) < limits.log_retention));
        while self.stream.log.front().is_some_and(|event| {
            event.position <= self.stream.claimed && now.since(event.at) >= limits.log_retention
        }) {
            self.stream.drop_oldest();
        }
    }
}

impl Stream {
    pub(super) fn start_behind(&mut self, after: Position) {
        let oldest = self.log.front().map_or(self.last.0, |event| event.position.0 - 1);
        if (oldest..=self.last.0).contains(&after.0) {
            self.claimed = after;
        } else {
            self.gap = true;
        }
    }

    pub(super) fn drop_oldest(&mut self) {
        if let Some(event) = self.log.pop_front() {
            self.bytes -= event.data.len();
            if event.position > self.claimed {
                self.claimed = event.position;
                self.gap = true;
            }
        }
    }
}
