//! The calls of sessions.

use std::{collections::hash_map, time::Duration};

use async_trait::async_trait;

use super::{
    MemoryStore,
    entry::{Call, Entry},
    noted,
};
use crate::{
    Answer, Appended, CallEvent, CallId, CallLog, Calls, InstanceId, NewCall, OpenedCall,
    RequestKey, RunningCall, SessionId, StoreError, Timestamp, Written,
};

/// How much earlier than its call a cancellation may arrive: the two travel on two connections.
const OVERTAKING: Duration = Duration::from_secs(5);
/// How long a cancellation waits for its call.
const MARK_LIFE: Duration = Duration::from_secs(60);
const MARKS: usize = 64;

#[async_trait]
impl Calls for MemoryStore {
    async fn open_call(&self, id: SessionId, new: NewCall) -> Result<OpenedCall, StoreError> {
        noted("open_call");
        let limits = self.limits;
        let opened = self.with(id, |entry, now| {
            entry.forget_old(now, &limits);
            let running = entry.calls.values().filter(|call| call.ended.is_none()).count();
            let limit = limits.calls_per_session;
            if running >= limit && !entry.calls.contains_key(&new.id) {
                return Err(StoreError::LimitReached { what: "running calls of a session", limit });
            }
            let cancelled = take_mark(entry, new.request.as_ref(), new.age, now);
            if let hash_map::Entry::Vacant(slot) = entry.calls.entry(new.id) {
                slot.insert(Call::new(new.request, new.instance));
            }
            Ok(if cancelled { OpenedCall::Cancelled } else { OpenedCall::Open })
        });
        Ok(opened.transpose()?.unwrap_or(OpenedCall::Gone))
    }

    async fn append(
        &self,
        id: SessionId,
        call: CallId,
        event: CallEvent,
    ) -> Result<Appended, StoreError> {
        noted("append");
        let limits = self.limits;
        let appended = self.with(id, |entry, now| {
            let Some(call) = entry.calls.get_mut(&call) else {
                return Appended::Ended;
            };
            if event.seq <= call.last_seq {
                return Appended::Kept { reader: call.reader.clone() };
            }
            if call.ended.is_some() {
                return Appended::Ended;
            }
            call.last_seq = event.seq;
            let full = call.lost
                || call.events.len() >= limits.log_events
                || call.bytes + event.data.len() > limits.log_bytes;
            call.lost = full && !event.last || call.lost;
            if event.last {
                call.ended = Some(now);
                entry.expires = now + limits.session_ttl;
            } else if full {
                return Appended::Full { reader: call.reader.clone() };
            }
            call.bytes += event.data.len();
            call.events.push(event);
            Appended::Kept { reader: call.reader.clone() }
        });
        Ok(appended.unwrap_or(Appended::Gone))
    }

    async fn read_call(
        &self,
        id: SessionId,
        call: CallId,
        after: u64,
        reader: Option<&InstanceId>,
    ) -> Result<Option<CallLog>, StoreError> {
        noted("read_call");
        let limits = self.limits;
        let read = self.with(id, |entry, now| {
            entry.forget_old(now, &limits);
            let call = entry.calls.get_mut(&call)?;
            if let Some(reader) = reader {
                call.reader = Some(reader.clone());
            }
            Some(CallLog {
                events: call.events.iter().filter(|event| event.seq > after).cloned().collect(),
                ended: call.ended.is_some(),
                lost: call.lost,
                instance: call.instance.clone(),
            })
        });
        Ok(read.flatten())
    }

    async fn cancel(
        &self,
        id: SessionId,
        request: &RequestKey,
    ) -> Result<Vec<RunningCall>, StoreError> {
        noted("cancel");
        let running = self.with(id, |entry, now| {
            let running: Vec<_> = entry
                .calls
                .iter()
                .filter(|(_, call)| call.ended.is_none() && call.request.as_ref() == Some(request))
                .map(|(id, call)| RunningCall { id: *id, instance: call.instance.clone() })
                .collect();
            // A mark is for a call that is not open yet; one that is open has been found.
            if running.is_empty() {
                if entry.cancelled.len() >= MARKS {
                    entry.cancelled.pop_front();
                }
                entry.cancelled.push_back((request.clone(), now));
            }
            running
        });
        Ok(running.unwrap_or_default())
    }

    async fn answer(
        &self,
        id: SessionId,
        call: CallId,
        answer: Answer,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("answer");
        let waiting = self.with(id, |entry, _| {
            let call = entry.calls.get_mut(&call).filter(|call| call.ended.is_none())?;
            if !call.answered.contains(&answer.number) {
                call.answered.push(answer.number);
                call.answers.push(answer);
            }
            Some(call.instance.clone())
        });
        Ok(waiting.flatten())
    }

    async fn take_answers(&self, id: SessionId, call: CallId) -> Result<Vec<Answer>, StoreError> {
        noted("take_answers");
        let taken = self
            .with(id, |entry, _| Some(std::mem::take(&mut entry.calls.get_mut(&call)?.answers)));
        Ok(taken.flatten().unwrap_or_default())
    }

    async fn close_call(&self, id: SessionId, call: CallId) -> Result<Written, StoreError> {
        noted("close_call");
        let closed = self.with(id, |entry, _| entry.calls.remove(&call));
        Ok(Written::if_lives(closed.is_some()))
    }
}

fn take_mark(
    entry: &mut Entry,
    request: Option<&RequestKey>,
    age: Duration,
    now: Timestamp,
) -> bool {
    entry.cancelled.retain(|(_, at)| now.since(*at) < MARK_LIFE);
    let meant = |marked: &(RequestKey, Timestamp)| {
        Some(&marked.0) == request && now.since(marked.1) <= age + OVERTAKING
    };
    let before = entry.cancelled.len();
    entry.cancelled.retain(|marked| !meant(marked));
    entry.cancelled.len() < before
}
