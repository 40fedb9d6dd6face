//! One round of a request on 2026-07-28: the answers it came with, the questions it ends with.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::{
    ErrorData,
    model::{InputRequest, InputRequests, InputRequiredResult, InputResponses},
};
use serde_json::Value;

use super::waits_for_nothing;
use crate::{
    error::{CallError, Waiting},
    request_state::{Binding, RequestStateKeys, State},
};

/// One round of a request.
///
/// Answers of earlier rounds come back in `requestState`, which the client cannot change; the
/// answers to the last questions come in `inputResponses`. Nothing says that a client answers
/// everything, or at all: what is missing is asked again, what nobody asked for is ignored
/// (2026-07-28, Multi Round-Trip Requests, Server Requirements).
pub(crate) struct Round<'a> {
    keys: &'a RequestStateKeys,
    /// Made when there is a state: most requests come with none and end with none.
    binding: Box<MakeBinding<'a>>,
    earlier: State,
    responses: InputResponses,
    outcome: Mutex<Outcome>,
}

type MakeBinding<'a> = dyn Fn() -> Binding + Send + Sync + 'a;

#[derive(Default)]
struct Outcome {
    /// The answers used, and the notes, which the next round must know.
    used: State,
    questions: InputRequests,
    /// Found while other questions were waiting; it goes before them.
    refusal: Option<ErrorData>,
}

impl<'a> Round<'a> {
    pub(crate) fn open(
        keys: &'a RequestStateKeys,
        binding: impl Fn() -> Binding + Send + Sync + 'a,
        responses: Option<InputResponses>,
        state: Option<&str>,
    ) -> Result<Self, ErrorData> {
        let earlier =
            state.map(|sealed| keys.open(sealed, &binding())).transpose()?.unwrap_or_default();
        Ok(Self {
            keys,
            binding: Box::new(binding),
            earlier,
            responses: responses.unwrap_or_default(),
            outcome: Mutex::default(),
        })
    }

    /// The client's answer to the question `key`, if there is one.
    pub(super) fn answer(&self, key: &str) -> Option<Value> {
        let answer = self.peek(key)?;
        self.use_up(key, answer.clone());
        Some(answer)
    }

    /// The same, where what comes of the answer is noted and not the answer.
    pub(super) fn peek(&self, key: &str) -> Option<Value> {
        self.earlier.answers.get(key).or_else(|| self.responses.get(key)).cloned()
    }

    /// The next round knows this answer.
    fn use_up(&self, key: &str, answer: Value) {
        self.outcome().used.answers.insert(key.to_owned(), answer);
    }

    /// What an earlier round noted of a question.
    pub(super) fn note(&self, key: &str) -> Option<String> {
        self.earlier.notes.get(key).cloned()
    }

    /// Notes something of a question, so that the next round knows it.
    pub(super) fn keep_note(&self, key: &str, note: &str) {
        self.outcome().used.notes.insert(key.to_owned(), note.to_owned());
    }

    /// Puts down a question for the client, and says so.
    pub(super) fn ask(&self, key: &str, question: InputRequest) -> CallError {
        self.outcome().questions.insert(key.to_owned(), question);
        CallError::Waiting(Waiting(()))
    }

    /// Refuses an answer that cannot be used.
    pub(super) fn not_valid(&self, key: &str, reason: &str) -> CallError {
        let reason = format!("inputResponses.{key} is not valid: {reason}");
        self.refuse(ErrorData::invalid_params(reason, None)).into()
    }

    /// Refuses the request, whatever else is asked in this round.
    pub(super) fn refuse(&self, error: ErrorData) -> ErrorData {
        self.outcome().refusal.get_or_insert(error).clone()
    }

    /// The questions, and everything the next round must know.
    pub(super) fn finish(self) -> Result<InputRequiredResult, ErrorData> {
        let Outcome { used, questions, refusal } =
            self.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = refusal {
            return Err(error);
        }
        if questions.is_empty() {
            return Err(waits_for_nothing());
        }
        let state = self.keys.seal(&used, &(self.binding)())?;
        Ok(InputRequiredResult::new(Some(questions), Some(state)))
    }

    /// The answers used so far, and the notes.
    pub(super) fn used(&self) -> State {
        self.outcome().used.clone()
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::ListRootsRequest;
    use serde_json::json;

    use super::*;

    fn keys() -> RequestStateKeys {
        RequestStateKeys::new([("test".to_owned(), [7; 32])]).unwrap()
    }

    fn binding() -> Binding {
        Binding::new(None, "tools/call", "t", None)
    }

    fn roots() -> InputRequest {
        InputRequest::ListRoots(ListRootsRequest::default())
    }

    fn responses(members: &[(&str, i32)]) -> InputResponses {
        members.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
    }

    #[test]
    fn used_answers_come_back_in_the_next_round() {
        let keys = keys();
        let first = Round::open(&keys, binding, Some(responses(&[("a", 1), ("extra", 9)])), None);
        let first = first.unwrap();
        assert_eq!(first.answer("a"), Some(json!(1)));
        assert_eq!(first.answer("b"), None);
        first.ask("b", roots());
        let asked = first.finish().unwrap();
        assert_eq!(asked.input_requests.unwrap().into_keys().collect::<Vec<_>>(), ["b"]);

        let state = asked.request_state.unwrap();
        let next =
            Round::open(&keys, binding, Some(responses(&[("a", 5), ("b", 2)])), Some(&state));
        let next = next.unwrap();
        assert_eq!(next.answer("a"), Some(json!(1)), "an answer once given stays");
        assert_eq!(next.answer("b"), Some(json!(2)));
        assert_eq!(next.answer("extra"), None, "what nobody asked for is not kept");
    }

    #[test]
    fn notes_are_the_servers_and_come_back() {
        let keys = keys();
        let first = Round::open(&keys, binding, Some(responses(&[("a", 1)])), None).unwrap();
        assert_eq!(first.note("a"), None, "what a client answers is no note");
        first.keep_note("a", "mine");
        assert_eq!(first.peek("a"), Some(json!(1)));
        first.ask("a", roots());
        let state = first.finish().unwrap().request_state.unwrap();
        let next = Round::open(&keys, binding, None, Some(&state)).unwrap();
        assert_eq!(next.note("a").as_deref(), Some("mine"));
        assert_eq!(next.peek("a"), None, "it was looked at and not used");
    }

    #[test]
    fn a_refusal_goes_before_questions() {
        let keys = keys();
        let round = Round::open(&keys, binding, None, None).unwrap();
        round.ask("a", roots());
        round.refuse(ErrorData::invalid_params("first", None));
        round.refuse(ErrorData::invalid_params("second", None));
        assert_eq!(round.finish().unwrap_err().message, "first");
    }

    #[test]
    fn a_round_without_questions_is_no_result() {
        let keys = keys();
        assert!(Round::open(&keys, binding, None, None).unwrap().finish().is_err());
    }
}
