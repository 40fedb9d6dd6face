//! `requestState`: what the server must know again when a client repeats a request with answers
//! (2026-07-28, Multi Round-Trip Requests).
//!
//! The client carries it and may have changed it, so it is sealed. It holds the answers of
//! earlier rounds, and is bound to the caller and to the request it was made for.

use std::{collections::BTreeMap, time::Duration};

use rmcp::{
    ErrorData,
    model::{JsonObject, RequestStateCodec, RequestStateError, SealOptions},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

/// How long a question may stay open; as long as an elicitation of the stateful revisions.
const TTL: Duration = Duration::from_secs(600);

/// The longest state that is looked at, in bytes. It holds answers, and a sampled image is one.
const MAX_LENGTH: usize = 1024 * 1024;

/// The keys that seal `requestState`, the same in all instances of a server.
///
/// To rotate: add the new key behind the old one everywhere, then put it first, then drop the
/// old one after ten minutes, when no state sealed under it is accepted any more.
#[derive(Clone, Debug)]
pub struct RequestStateKeys {
    codec: RequestStateCodec,
    ttl: Duration,
}

/// Why a key ring cannot be used. It names no key material.
#[derive(Debug, Error)]
#[error("the keys for requestState cannot be used: {0}")]
pub struct KeyError(#[from] RequestStateError);

impl RequestStateKeys {
    /// A ring of keys with their ids: the first seals, the others still open.
    ///
    /// Each key is at least 32 bytes that nobody can guess; ids are unique, 1 to 255 bytes long,
    /// and readable by clients.
    pub fn new(
        ring: impl IntoIterator<Item = (String, impl Into<Vec<u8>>)>,
    ) -> Result<Self, KeyError> {
        let mut ring = ring.into_iter().peekable();
        let first = ring.peek().map_or_else(String::new, |(id, _)| id.clone());
        Ok(Self { codec: RequestStateCodec::new_with_keyring(first, ring)?, ttl: TTL })
    }

    pub(crate) fn seal(&self, state: &State, binding: &Binding) -> Result<String, ErrorData> {
        let options = SealOptions::new().associated_data(binding.0.as_bytes()).ttl(self.ttl);
        let sealed = self.codec.seal_json_with(state, &options).map_err(|error| {
            ErrorData::internal_error(format!("requestState cannot be written: {error}"), None)
        })?;
        if sealed.len() > MAX_LENGTH {
            return Err(ErrorData::invalid_params(
                format!("the answers are longer than {MAX_LENGTH} bytes together"),
                None,
            ));
        }
        Ok(sealed)
    }

    /// Opens what a client sent. Whatever is wrong with it, the client is told the same.
    pub(crate) fn open(&self, sealed: &str, binding: &Binding) -> Result<State, ErrorData> {
        let refused = || {
            ErrorData::invalid_params(
                "requestState is not valid for this request or has expired; \
                 send the request again without it",
                None,
            )
        };
        if sealed.len() > MAX_LENGTH {
            return Err(refused());
        }
        self.codec.open_json_with(sealed, binding.0.as_bytes()).map_err(|error| {
            tracing::info!(event = "request_state.refused", %error, "a requestState was refused");
            refused()
        })
    }
}

/// What is sealed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct State {
    /// The client's answers of earlier rounds, by the key of the question.
    pub(crate) answers: BTreeMap<String, Value>,
    /// What the server must know again of a question, by its key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notes: BTreeMap<String, String>,
}

/// Whom and what a state is for: mixed into its seal, not stored in it.
#[derive(Debug)]
pub(crate) struct Binding(String);

impl Binding {
    /// Binds to the caller, where there is one, and to the method and its parameters.
    pub(crate) fn new(
        principal: Option<&str>,
        method: &str,
        name: &str,
        arguments: Option<&JsonObject>,
    ) -> Self {
        let arguments = arguments.map(|members| Value::Object(members.clone()));
        let mut bound = json!([principal, method, name, arguments]);
        // A client may write the members of its repeated request in another order.
        bound.sort_all_objects();
        Self(bound.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ring: &[(&str, u8)]) -> RequestStateKeys {
        RequestStateKeys::new(ring.iter().map(|(id, byte)| ((*id).to_owned(), vec![*byte; 32])))
            .unwrap()
    }

    fn state() -> State {
        State {
            answers: BTreeMap::from([("name".to_owned(), json!({ "action": "accept" }))]),
            notes: BTreeMap::from([("name".to_owned(), "a note".to_owned())]),
        }
    }

    fn binding(principal: Option<&str>, name: &str, arguments: &Value) -> Binding {
        Binding::new(principal, "tools/call", name, arguments.as_object())
    }

    #[test]
    fn a_sealed_state_opens_again() {
        let (keys, binding) = (keys(&[("a", 1)]), binding(None, "t", &json!({ "x": 1 })));
        let opened = keys.open(&keys.seal(&state(), &binding).unwrap(), &binding).unwrap();
        assert_eq!((opened.answers, opened.notes), (state().answers, state().notes));
    }

    #[test]
    fn a_state_is_bound_to_caller_method_and_parameters() {
        let keys = keys(&[("a", 1)]);
        let sealed = |binding: &Binding| keys.seal(&state(), binding).unwrap();
        let bound = binding(Some("ada"), "t", &json!({ "x": 1 }));
        for other in [
            binding(Some("bob"), "t", &json!({ "x": 1 })),
            binding(None, "t", &json!({ "x": 1 })),
            binding(Some("ada"), "u", &json!({ "x": 1 })),
            binding(Some("ada"), "t", &json!({ "x": 2 })),
            binding(Some("ada"), "t", &Value::Null),
            Binding::new(Some("ada"), "prompts/get", "t", json!({ "x": 1 }).as_object()),
        ] {
            let error = keys.open(&sealed(&bound), &other).unwrap_err();
            assert_eq!(error.code, rmcp::model::ErrorCode::INVALID_PARAMS, "{other:?}");
        }
    }

    #[test]
    fn the_order_of_arguments_does_not_matter() {
        let (one, other) = (json!({ "a": 1, "b": 2 }), json!({ "b": 2, "a": 1 }));
        assert_eq!(binding(None, "t", &one).0, binding(None, "t", &other).0);
    }

    #[test]
    fn everything_wrong_gets_the_same_answer() {
        let (keys_a, binding) = (keys(&[("a", 1)]), binding(None, "t", &json!({})));
        let sealed = keys_a.seal(&state(), &binding).unwrap();
        let foreign = keys(&[("b", 2)]).seal(&state(), &binding).unwrap();
        let long = "x".repeat(MAX_LENGTH + 1);
        let tampered = format!("{sealed}-TAMPERED");
        let answers: Vec<_> = ["", "rs2", &tampered, &foreign, &long]
            .into_iter()
            .map(|bad| keys_a.open(bad, &binding).unwrap_err())
            .collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }

    #[test]
    fn keys_rotate() {
        let binding = binding(None, "t", &json!({}));
        let (old, both, new) = (keys(&[("a", 1)]), keys(&[("b", 2), ("a", 1)]), keys(&[("b", 2)]));
        let early = old.seal(&state(), &binding).unwrap();
        let late = both.seal(&state(), &binding).unwrap();
        assert!(both.open(&early, &binding).is_ok());
        assert!(new.open(&late, &binding).is_ok());
        assert!(new.open(&early, &binding).is_err());
    }

    #[tokio::test]
    async fn a_state_expires() {
        let keys = RequestStateKeys { ttl: Duration::ZERO, ..keys(&[("a", 1)]) };
        let binding = binding(None, "t", &json!({}));
        let sealed = keys.seal(&state(), &binding).unwrap();
        let expired = async {
            while keys.open(&sealed, &binding).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), expired).await.unwrap();
    }

    #[test]
    fn bad_rings_are_refused_and_not_repeated() {
        let ring = |keys: Vec<(&str, &str)>| {
            RequestStateKeys::new(keys.into_iter().map(|(id, key)| (id.to_owned(), key)))
        };
        let good = "0123456789abcdef0123456789abcdef";
        for bad in
            [vec![], vec![("a", "hunter2")], vec![("a", good), ("a", good)], vec![("", good)]]
        {
            let error = ring(bad).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", ring(vec![("a", good)]).unwrap()).contains(good));
    }
}
