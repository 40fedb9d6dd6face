//! The requests that are under way, and the batches that they came in.

use std::collections::HashMap;

use rmcp::model::{ProgressToken, RequestId, ServerJsonRpcMessage};

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

    /// Begins a request. `false`: another one with this id is under way.
    pub(super) fn begin(
        &mut self,
        id: &RequestId,
        token: Option<ProgressToken>,
        batch: Option<BatchId>,
    ) -> bool {
        if self.requests.contains_key(id) {
            return false;
        }
        if let Some(batch) = batch.and_then(|batch| self.batches.get_mut(&batch)) {
            batch.open += 1;
        }
        self.requests.insert(id.clone(), Request { token, batch });
        true
    }

    /// The line to write for the answer to a request, if there is one to write now. Of a request
    /// that is not under way nothing is said.
    pub(super) fn answer(
        &mut self,
        id: &RequestId,
        answer: ServerJsonRpcMessage,
    ) -> Option<Vec<u8>> {
        let request = self.requests.remove(id)?;
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

    /// A request will not be answered. The line to write, if its batch was waiting for it alone.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<Vec<u8>> {
        let request = self.requests.remove(id)?;
        self.leave(request.batch?)
    }

    /// Whether a request with this progress token is under way.
    pub(super) fn reports(&self, token: &ProgressToken) -> bool {
        self.requests.values().any(|request| request.token.as_ref() == Some(token))
    }

    pub(super) fn ids(&self) -> Vec<RequestId> {
        self.requests.keys().cloned().collect()
    }

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

    fn ids(line: Option<Vec<u8>>) -> Vec<i64> {
        let line: serde_json::Value = serde_json::from_slice(&line.unwrap()).unwrap();
        line.as_array().unwrap().iter().map(|answer| answer["id"].as_i64().unwrap()).collect()
    }

    #[test]
    fn the_answers_of_a_batch_go_together() {
        let mut underway = Underway::default();
        let batch = underway.open();
        assert!(underway.begin(&id(1), None, Some(batch)));
        assert!(underway.begin(&id(2), None, Some(batch)));
        assert!(underway.begin(&id(3), None, Some(batch)));
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
        assert!(underway.begin(&id(1), None, None));
        assert!(!underway.begin(&id(1), None, None));
        assert!(underway.answer(&id(1), error(1)).is_some());
        assert_eq!(underway.answer(&id(1), error(1)), None, "once");
        assert!(underway.begin(&id(1), None, None));
        assert_eq!(underway.cancel(&id(1)), None);
        assert_eq!(underway.answer(&id(1), error(1)), None, "not after it was cancelled");
    }
}
