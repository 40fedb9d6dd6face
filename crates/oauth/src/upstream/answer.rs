//! What a provider sent the browser back with.

use super::UpstreamError;
use crate::{events, params::Params};

/// The parameters that a provider sent back.
pub struct Answer<'a>(pub(crate) &'a Params);

impl<'a> Answer<'a> {
    /// A parameter, if it was sent. One that was sent twice makes the whole answer unusable (RFC
    /// 6749, section 3.1): what is checked and what is used must not differ.
    pub fn get(&self, name: &str) -> Result<Option<&'a str>, UpstreamError> {
        let mut values = self.0.all(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(UpstreamError::bad_answer("it says one thing twice")),
        }
    }

    /// The code of a good authorization response, or what an error response comes to (RFC 6749,
    /// section 4.1.2).
    pub(crate) fn code(&self) -> Result<&'a str, UpstreamError> {
        match self.get("error")? {
            Some(error) => Err(refusal(error)),
            None => {
                self.get("code")?.ok_or_else(|| UpstreamError::bad_answer("it carries no code"))
            }
        }
    }
}

/// What the error of an authorization response says (RFC 6749, section 4.1.2.1; OpenID Connect Core
/// 1.0, section 3.1.2.6).
fn refusal(error: &str) -> UpstreamError {
    match error {
        "access_denied" => UpstreamError::Denied,
        "temporarily_unavailable" | "server_error" => {
            UpstreamError::Unavailable { reason: format!("it answers {error}") }
        }
        "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => UpstreamError::bad_answer(format!("it answers {error}")),
        other => UpstreamError::faulty(format!(
            "it refuses the authorization request: {}",
            events::loggable(other)
        )),
    }
}

/// What the error of a token response says (RFC 6749, section 5.2), and those that GitHub has
/// instead.
pub(super) fn token_refusal(error: &str) -> UpstreamError {
    match error {
        "invalid_grant" | "bad_verification_code" => {
            UpstreamError::bad_answer("its code is not good, or was used already")
        }
        "temporarily_unavailable" | "server_error" => {
            UpstreamError::Unavailable { reason: format!("its token endpoint answers {error}") }
        }
        other => UpstreamError::faulty(format!(
            "its token endpoint refuses this server: {}",
            events::loggable(other)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_each_thing_once() {
        let params = Params::parse(b"a=1&b=1&b=2").unwrap();
        let answer = Answer(&params);
        assert_eq!((answer.get("a"), answer.get("c")), (Ok(Some("1")), Ok(None)));
        assert!(matches!(answer.get("b"), Err(UpstreamError::BadAnswer { .. })));
    }

    #[test]
    fn an_error_is_what_it_says_even_beside_a_code() {
        let code = |query: &str| {
            let params = Params::parse(query.as_bytes()).unwrap();
            Answer(&params).code().map(str::to_owned)
        };
        assert_eq!(code("code=x"), Ok("x".to_owned()));
        assert_eq!(code("code=x&error=access_denied"), Err(UpstreamError::Denied));
        for bad in ["", "code=", "code=x&code=y", "error=login_required", "error=a&error=b"] {
            assert!(matches!(code(bad), Err(UpstreamError::BadAnswer { .. })), "{bad}");
        }
        let away = code("error=temporarily_unavailable");
        assert!(matches!(away, Err(UpstreamError::Unavailable { .. })), "{away:?}");
        let Err(UpstreamError::Faulty { reason }) = code("error=unauthorized_client%0Aevil") else {
            panic!("this server is not registered there");
        };
        assert!(reason.ends_with("unauthorized_client?evil"), "{reason}");
    }
}
