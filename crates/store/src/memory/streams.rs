//! The standalone streams of sessions.

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryStore;
use crate::{
    Claim, Epoch, Held, InstanceId, OpenedStream, PAGE, Position, Pulled, Pushed, SessionId,
    StoreError, Streams, Telling, Written, noted,
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

    async fn push(&self, id: SessionId, data: Bytes) -> Result<Pushed, StoreError> {
        noted("push");
        let limits = self.limits;
        limits.take_event(&data)?;
        let pushed = self.with(id, |entry, now| {
            if entry.push(data, now, &limits) {
                return Pushed::Kept { holder: entry.stream.holder.clone() };
            }
            Pushed::Full
        });
        Ok(pushed.unwrap_or(Pushed::Gone))
    }

    async fn held(&self, streams: &[(SessionId, Epoch)]) -> Result<Vec<Option<Held>>, StoreError> {
        noted("held");
        let held = |(id, epoch): &(SessionId, Epoch)| {
            self.with(*id, |entry, _| {
                let stream = &entry.stream;
                let holds = stream.epoch.now() == *epoch && stream.holder.is_some();
                (holds && entry.session.handshake.is_some())
                    .then(|| Held { state: entry.state.clone(), told: stream.told })
            })
            .flatten()
        };
        Ok(streams.iter().map(held).collect())
    }

    async fn tell(
        &self,
        tellings: &[Telling],
    ) -> Result<Vec<(Written, Option<InstanceId>)>, StoreError> {
        noted("tell");
        let limits = self.limits;
        let tell = |telling: &Telling| {
            let told = self.with(telling.session, |entry, now| {
                if entry.stream.told == telling.from {
                    for event in &telling.events {
                        entry.push(event.clone(), now, &limits);
                    }
                    entry.stream.told = telling.upto;
                }
                entry.stream.holder.clone()
            });
            (Written::if_lives(told.is_some()), told.flatten())
        };
        Ok(tellings.iter().map(tell).collect())
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
