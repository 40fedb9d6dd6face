//! One session's record.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    Answer, CallEvent, CallId, ChangePosition, Epoch, InstanceId, Limits, NewCall, Position,
    RequestKey, Said, Session, SessionState, Timestamp, Transport, session::Switches,
};

pub(super) struct Entry {
    pub(super) session: Arc<Session>,
    pub(super) expires: Timestamp,
    pub(super) state: SessionState,
    pub(super) switches: Switches,
    /// Boxed: a table has room for several, and a session most often has one.
    pub(super) calls: HashMap<CallId, Box<Call>>,
    /// Those of them that have ended, the one that did first in front.
    pub(super) ended: VecDeque<(CallId, Timestamp)>,
    /// Bytes of all their logs.
    pub(super) bytes: usize,
    /// Cancellations of requests that no opened call bore, with the time they came.
    pub(super) cancelled: VecDeque<(RequestKey, Timestamp)>,
    pub(super) stream: Stream,
}

#[derive(Default)]
pub(super) struct Stream {
    pub(super) log: VecDeque<Logged>,
    pub(super) bytes: usize,
    pub(super) last: Position,
    pub(super) passed: Position,
    pub(super) epoch: EpochCounter,
    pub(super) holder: Option<InstanceId>,
    /// Up to where events were dropped that no stream had passed on.
    pub(super) dropped: Position,
    /// Up to where in the log of changes the session was told.
    pub(super) told: ChangePosition,
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
    pub(super) cancelled: bool,
    pub(super) last_words: Option<Bytes>,
}

impl Call {
    pub(super) fn new(new: NewCall) -> Self {
        Self {
            request: new.request,
            instance: new.instance,
            last_words: new.last_words,
            reader: None,
            events: Vec::new(),
            bytes: 0,
            last_seq: 0,
            lost: false,
            ended: None,
            answers: Vec::new(),
            cancelled: false,
        }
    }
}

impl Entry {
    pub(super) fn forget_old(&mut self, now: Timestamp, limits: &Limits) {
        while let Some((id, end)) = self.ended.front().copied()
            && now.since(end) >= limits.log_retention
        {
            self.ended.pop_front();
            self.forget(id);
        }
        while self.stream.log.front().is_some_and(|event| {
            event.position <= self.stream.passed && now.since(event.at) >= limits.log_retention
        }) {
            self.stream.drop_oldest();
        }
    }

    /// Keeps the logs of all calls together within their bound: the oldest logs of ended calls go
    /// first. Says whether there is room now.
    pub(super) fn make_room(&mut self, limits: &Limits) -> bool {
        while self.bytes > limits.session_log_bytes {
            let Some((oldest, _)) = self.ended.pop_front() else { return false };
            self.forget(oldest);
        }
        true
    }

    fn forget(&mut self, call: CallId) {
        self.bytes -= self.calls.remove(&call).map_or(0, |call| call.bytes);
    }
}

impl Entry {
    /// Adds an event to the standalone stream, if there is room or room can be made.
    pub(super) fn add(&mut self, data: Bytes, at: Timestamp, limits: &Limits) -> bool {
        if data.len() > limits.log_bytes {
            return false;
        }
        let answers = self.session.transport == Transport::HttpSse;
        let stream = &mut self.stream;
        while stream.log.len() >= limits.log_events || stream.bytes + data.len() > limits.log_bytes
        {
            let oldest = stream.log.front().map(|event| event.position);
            if answers && oldest.is_some_and(|oldest| oldest > stream.passed) {
                return false;
            }
            stream.drop_oldest();
        }
        stream.last.0 += 1;
        stream.bytes += data.len();
        stream.log.push_back(Logged { position: stream.last, at, data });
        true
    }

    /// Adds an event, or notes that it is missing. Says which.
    pub(super) fn push(&mut self, data: Bytes, at: Timestamp, limits: &Limits) -> bool {
        let added = self.add(data, at, limits);
        if !added {
            self.stream.last.0 += 1;
            self.stream.dropped = self.stream.last;
        }
        added
    }

    /// Ends a call with what it says last, empty for nothing.
    pub(super) fn end_said(
        &mut self,
        call: CallId,
        data: Bytes,
        now: Timestamp,
        limits: &Limits,
    ) -> Said {
        if !data.is_empty() && !self.add(data, now, limits) {
            return Said::Full;
        }
        self.forget(call);
        self.expires = now + limits.session_ttl;
        Said::Kept { holder: self.stream.holder.clone() }
    }
}

impl Stream {
    /// Starts behind what a client has, if the log reaches back to it. Where it does not, the
    /// client misses what is before the log.
    pub(super) fn start_behind(&mut self, after: Position) {
        let oldest = self.log.front().map_or(self.last.0, |event| event.position.0 - 1);
        if (oldest..=self.last.0).contains(&after.0) {
            self.passed = after;
        } else {
            self.passed = self.passed.min(Position(oldest));
            self.dropped = self.dropped.max(Position(self.passed.0 + 1));
        }
    }

    pub(super) fn drop_oldest(&mut self) {
        if let Some(event) = self.log.pop_front() {
            self.bytes -= event.data.len();
            if event.position > self.passed {
                self.dropped = event.position;
            }
        }
    }
}
