//! The calls of sessions.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    MemoryStore,
    entry::{Call, Entry},
};
use crate::{
    Answer, Appended, CallEvent, CallId, CallLog, CallNews, Calls, InstanceId, NewCall, OpenedCall,
    RequestKey, RunningCall, Said, SessionId, StoreError, Timestamp, noted,
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
            let running = entry.calls.len() - entry.ended.len();
            let limit = limits.calls_per_session;
            if running >= limit && !entry.calls.contains_key(&new.id) {
                return Err(StoreError::LimitReached { what: "running calls of a session", limit });
            }
            let marked = take_mark(entry, new.request.as_ref(), new.age, now);
            let call = entry.calls.entry(new.id);
            let call = call.or_insert_with(|| Box::new(Call::new(new)));
            call.cancelled |= marked;
            Ok(if call.cancelled { OpenedCall::Cancelled } else { OpenedCall::Open })
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
            let Some(known) = entry.calls.get_mut(&call) else { return Appended::Ended };
            let reader = known.reader.clone();
            if event.seq <= known.last_seq {
                // Somebody else may have ended the call in this one's name.
                let same = |kept: &CallEvent| kept.seq != event.seq || *kept == event;
                let repeated = known.events.iter().all(same);
                return if repeated { Appended::Kept { reader } } else { Appended::Ended };
            }
            if known.ended.is_some() {
                return Appended::Ended;
            }
            known.last_seq = event.seq;
            let full = known.lost
                || known.events.len() >= limits.log_events
                || known.bytes + event.data.len() > limits.log_bytes;
            if event.last {
                known.ended = Some(now);
                entry.ended.push_back((call, now));
                entry.expires = now + limits.session_ttl;
            } else if full {
                known.lost = true;
                return Appended::Full { reader };
            }
            known.bytes += event.data.len();
            entry.bytes += event.data.len();
            known.events.push(event);
            if !entry.make_room(&limits)
                && let Some(known) = entry.calls.get_mut(&call)
                && let Some(event) = known.events.pop()
            {
                known.bytes -= event.data.len();
                entry.bytes -= event.data.len();
                known.lost = true;
                return Appended::Full { reader };
            }
            Appended::Kept { reader }
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
            let before = match reader {
                Some(reader) => call.reader.replace(reader.clone()),
                None => call.reader.clone(),
            };
            Some(CallLog {
                reader: before,
                events: call.events.iter().filter(|event| event.seq > after).cloned().collect(),
                newest: call.last_seq,
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
            let mut running = Vec::new();
            for (id, call) in &mut entry.calls {
                if call.ended.is_none() && call.request.as_ref() == Some(request) {
                    call.cancelled = true;
                    running.push(RunningCall { id: *id, instance: call.instance.clone() });
                }
            }
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
        let limit = self.limits.log_bytes;
        if answer.data.len() > limit {
            return Err(StoreError::LimitReached { what: "bytes of an answer", limit });
        }
        let waiting = self.with(id, |entry, _| {
            let call = entry.calls.get_mut(&call).filter(|call| call.ended.is_none())?;
            if call.answers.iter().all(|kept| kept.number != answer.number) {
                call.answers.push(answer);
            }
            Some(call.instance.clone())
        });
        Ok(waiting.flatten())
    }

    async fn call_news(&self, id: SessionId, call: CallId) -> Result<Option<CallNews>, StoreError> {
        noted("call_news");
        let news = self.with(id, |entry, _| {
            let call = entry.calls.get(&call).filter(|call| call.ended.is_none())?;
            Some(CallNews { answers: call.answers.clone(), cancelled: call.cancelled })
        });
        Ok(news.flatten())
    }

    async fn say(&self, id: SessionId, call: CallId, event: CallEvent) -> Result<Said, StoreError> {
        noted("say");
        let limits = self.limits;
        limits.take_event(&event.data)?;
        let said = self.with(id, |entry, now| {
            let running = entry.calls.get(&call).filter(|call| call.ended.is_none());
            let Some(last_seq) = running.map(|call| call.last_seq) else { return Said::Ended };
            if event.seq <= last_seq {
                return Said::Kept { holder: entry.stream.holder.clone() };
            }
            if event.last {
                return entry.end_said(call, event.data, now, &limits);
            }
            if !event.data.is_empty() && !entry.add(event.data, now, &limits) {
                return Said::Full;
            }
            if let Some(call) = entry.calls.get_mut(&call) {
                call.last_seq = event.seq;
            }
            Said::Kept { holder: entry.stream.holder.clone() }
        });
        Ok(said.unwrap_or(Said::Gone))
    }

    async fn running(&self, id: SessionId) -> Result<Vec<RunningCall>, StoreError> {
        noted("running");
        let running = self.with(id, |entry, _| {
            let running = entry.calls.iter().filter(|(_, call)| call.ended.is_none());
            running
                .map(|(id, call)| RunningCall { id: *id, instance: call.instance.clone() })
                .collect()
        });
        Ok(running.unwrap_or_default())
    }

    async fn bury(&self, id: SessionId, call: CallId) -> Result<Said, StoreError> {
        noted("bury");
        let limits = self.limits;
        let said = self.with(id, |entry, now| {
            let Some(dead) = entry.calls.get(&call).filter(|call| call.ended.is_none()) else {
                return Said::Ended;
            };
            let last_words = dead.last_words.clone().unwrap_or_default();
            entry.end_said(call, last_words, now, &limits)
        });
        Ok(said.unwrap_or(Said::Gone))
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
