//! The requests that are under way, and the batches that they came in.

use std::collections::HashMap;

use rmcp::model::{ProgressToken, RequestId, ServerJsonRpcMessage};
use tokio_util::sync::CancellationToken;

use super::line;

/// The requests that are under way.
#[derive(Default)]
pub(super) struct Underway {
    requests: HashMap<RequestId, Request>,
    batches: HashMap<BatchId, Batch>,
    last: u64,
}

/// A batch of this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BatchId(u64);

struct Request {
    /// What its progress is reported under.
    token: Option<ProgressToken>,
    batch: Option<BatchId>,
    /// Cancelled, its id stays taken until its handler has ended: what that says at last must not
    /// pass for the answer to another request.
    cancelled: CancellationToken,
}

/// Its answers go together (2025-03-26, Overview, Batching).
struct Batch {
    answers: Vec<ServerJsonRpcMessage>,
    /// How many of its requests are under way, and one more while it is read.
    open: usize,
}

impl Underway {
    /// Begins a batch, which is read until it is [closed](Self::close).
    pub(super) fn open(&mut self) -> BatchId {
        self.last += 1;
        let id = BatchId(self.last);
        self.batches.insert(id, Batch { answers: Vec::new(), open: 1 });
        id
    }

    /// The whole batch was read. The line to write, if none of its requests is under way.
    pub(super) fn close(&mut self, batch: BatchId) -> Option<Vec<u8>> {
        self.leave(batch)
    }

    /// Begins a request, which is cancelled by `cancelled`. `false`: another one with this id is
    /// under way.
    pub(super) fn begin(
        &mut self,
        id: &RequestId,
        token: Option<ProgressToken>,
        batch: Option<BatchId>,
        cancelled: CancellationToken,
    ) -> bool {
        if self.requests.contains_key(id) {
            return false;
        }
        if let Some(batch) = batch.and_then(|batch| self.batches.get_mut(&batch)) {
            batch.open += 1;
        }
        self.requests.insert(id.clone(), Request { token, batch, cancelled });
        true
    }

    /// The line to write for the answer to a request, if there is one to write now. Of a request
    /// that is not under way, or was cancelled, nothing is said.
    pub(super) fn answer(
        &mut self,
        id: &RequestId,
        answer: ServerJsonRpcMessage,
    ) -> Option<Vec<u8>> {
        let request = self.requests.remove(id).filter(Request::is_awaited)?;
        let said = self.say(answer, request.batch);
        said.or_else(|| self.leave(request.batch?))
    }

    /// The line to write for the answer to a message that did not become a request, if there is
    /// one to write now.
    pub(super) fn say(
        &mut self,
        answer: ServerJsonRpcMessage,
        batch: Option<BatchId>,
    ) -> Option<Vec<u8>> {
        let Some(batch) = batch else { return Some(line(&answer)) };
        if let Some(batch) = self.batches.get_mut(&batch) {
            batch.answers.push(answer);
        }
        None
    }

    /// Cancels a request, which will not be answered. The line to write, if its batch was waiting
    /// for it alone.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<Vec<u8>> {
        let request = self.requests.get(id).filter(|request| request.is_awaited())?;
        request.cancelled.cancel();
        self.leave(request.batch?)
    }

    /// Whether a request with this progress token is under way, and not cancelled.
    pub(super) fn reports(&self, token: &ProgressToken) -> bool {
        let mut awaited = self.requests.values().filter(|request| request.is_awaited());
        awaited.any(|request| request.token.as_ref() == Some(token))
    }

    /// The requests that somebody waits for.
    pub(super) fn awaited(&self) -> Vec<RequestId> {
        let awaited = self.requests.iter().filter(|(_, request)| request.is_awaited());
        awaited.map(|(id, _)| id.clone()).collect()
    }

    /// How many run, those included that were cancelled and have not ended.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    fn leave(&mut self, id: BatchId) -> Option<Vec<u8>> {
        let batch = self.batches.get_mut(&id)?;
        batch.open -= 1;
        if batch.open > 0 {
            return None;
        }
        let Batch { answers, .. } = self.batches.remove(&id)?;
        // JSON-RPC 2.0 section 6: never an empty array.
        let mut line = b"[".to_vec();
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            line.extend(super::line(answer));
        }
        line.push(b']');
        (!answers.is_empty()).then_some(line)
    }
}

impl Request {
    fn is_awaited(&self) -> bool {
        !self.cancelled.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ErrorData, NumberOrString};

    use super::*;

    fn id(number: i64) -> RequestId {
        NumberOrString::Number(number)
    }

    fn error(number: i64) -> ServerJsonRpcMessage {
        ServerJsonRpcMessage::error(ErrorData::internal_error("no", None), Some(id(number)))
    }

    fn begin(underway: &mut Underway, number: i64, batch: Option<BatchId>) -> bool {
        underway.begin(&id(number), None, batch, CancellationToken::new())
    }

    fn ids(line: Option<Vec<u8>>) -> Vec<i64> {
        let line: serde_json::Value = serde_json::from_slice(&line.unwrap()).unwrap();
        line.as_array().unwrap().iter().map(|answer| answer["id"].as_i64().unwrap()).collect()
    }

    #[test]
    fn the_answers_of_a_batch_go_together() {
        let mut underway = Underway::default();
        let batch = underway.open();
        for number in 1..=3 {
            assert!(begin(&mut underway, number, Some(batch)));
        }
        assert_eq!(underway.answer(&id(2), error(2)), None, "all of it may not be read yet");
        assert_eq!(underway.say(error(9), Some(batch)), None);
        assert_eq!(underway.close(batch), None);
        assert_eq!(underway.answer(&id(1), error(1)), None);
        assert_eq!(ids(underway.cancel(&id(3))), [2, 9, 1]);
    }

    #[test]
    fn a_batch_without_answers_is_not_answered() {
        let mut underway = Underway::default();
        let batch = underway.open();
        assert_eq!(underway.close(batch), None);
        assert_eq!(underway.batches.len(), 0);
    }

    #[test]
    fn an_id_is_one_requests_until_it_is_answered() {
        let mut underway = Underway::default();
        assert!(begin(&mut underway, 1, None));
        assert!(!begin(&mut underway, 1, None));
        assert!(underway.answer(&id(1), error(1)).is_some());
        assert_eq!(underway.answer(&id(1), error(1)), None, "once");
        assert!(begin(&mut underway, 1, None));
    }

    #[test]
    fn the_id_of_a_cancelled_request_is_taken_until_that_has_ended() {
        let mut underway = Underway::default();
        let cancelled = CancellationToken::new();
        assert!(underway.begin(&id(1), Some(ProgressToken(id(7))), None, cancelled.clone()));
        assert!(underway.reports(&ProgressToken(id(7))));
        assert_eq!(underway.cancel(&id(1)), None);
        assert!(cancelled.is_cancelled());
        assert!(!underway.reports(&ProgressToken(id(7))));
        assert!(!begin(&mut underway, 1, None), "it still runs");
        assert_eq!((underway.len(), underway.awaited()), (1, vec![]));
        assert_eq!(underway.cancel(&id(1)), None, "once");
        assert_eq!(underway.answer(&id(1), error(1)), None, "not after it was cancelled");
        assert!(begin(&mut underway, 1, None));
    }
}
