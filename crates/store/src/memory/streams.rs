//! The standalone streams of sessions.

use async_trait::async_trait;
use bytes::Bytes;

use super::{MemoryStore, entry::Logged};
use crate::{
    Claim, Epoch, InstanceId, OpenedStream, PAGE, Position, Pulled, SessionId, StoreError, Streams,
    Written, noted,
};

#[async_trait]
impl Streams for MemoryStore {
    async fn open_stream(
        &self,
        id: SessionId,
        instance: &InstanceId,
        claim: Claim,
    ) -> Result<OpenedStream, StoreError> {
        noted("open_stream");
        let ttl = self.limits.session_ttl;
        let opened = self.with(id, |entry, now| {
            entry.expires = now + ttl;
            let stream = &mut entry.stream;
            match (claim, &stream.holder) {
                (Claim::IfFree, Some(by)) => return OpenedStream::Held { by: by.clone() },
                (Claim::IfFree, None) | (Claim::Take(None), _) => {}
                (Claim::Take(Some(after)), _) => stream.start_behind(after),
            }
            OpenedStream::Holder {
                epoch: stream.epoch.next(),
                position: stream.passed,
                superseded: stream.holder.replace(instance.clone()),
            }
        });
        Ok(opened.unwrap_or(OpenedStream::Gone))
    }

    async fn holder(&self, id: SessionId) -> Result<Option<InstanceId>, StoreError> {
        noted("holder");
        Ok(self.with(id, |entry, _| entry.stream.holder.clone()).flatten())
    }

    async fn push(
        &self,
        id: SessionId,
        data: Bytes,
    ) -> Result<(Written, Option<InstanceId>), StoreError> {
        noted("push");
        let limits = self.limits;
        let pushed = self.with(id, |entry, now| {
            let stream = &mut entry.stream;
            stream.last.0 += 1;
            stream.bytes += data.len();
            stream.log.push_back(Logged { position: stream.last, at: now, data });
            while stream.log.len() > limits.log_events || stream.bytes > limits.log_bytes {
                stream.drop_oldest();
            }
            stream.holder.clone()
        });
        Ok((Written::if_lives(pushed.is_some()), pushed.flatten()))
    }

    async fn pull(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Pulled, StoreError> {
        noted("pull");
        let pulled = self.with(id, |entry, _| {
            let stream = &mut entry.stream;
            if stream.epoch.now() != epoch || stream.holder.is_none() {
                return Pulled::Superseded;
            }
            stream.passed = stream.passed.max(passed.min(stream.last));
            let passed = stream.passed;
            let events = stream
                .log
                .iter()
                .filter(|event| event.position > passed)
                .take(PAGE)
                .map(|event| (event.position, event.data.clone()))
                .collect();
            Pulled::Events { events, gap: stream.dropped > passed }
        });
        Ok(pulled.unwrap_or(Pulled::Gone))
    }

    async fn close_stream(
        &self,
        id: SessionId,
        epoch: Epoch,
        passed: Position,
    ) -> Result<Written, StoreError> {
        noted("close_stream");
        let ttl = self.limits.session_ttl;
        let closed = self.with(id, |entry, now| {
            entry.expires = now + ttl;
            let stream = &mut entry.stream;
            if stream.epoch.now() == epoch {
                stream.holder = None;
                stream.passed = stream.passed.max(passed.min(stream.last));
            }
        });
        Ok(Written::if_lives(closed.is_some()))
    }
}
