//! Who says who the user is.
//!
//! The authorization server asks for consent, then sends the browser to a provider and learns from
//! its answer who the user is. That the answer belongs to the browser and to a login under way is
//! checked before an adapter sees it.

mod fake;

use async_trait::async_trait;
use axum::Router;
use thiserror::Error;

pub use fake::FakeUpstream;

use crate::params::Params;

/// An adapter to an identity provider.
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// The paths at which the provider gives the browser back.
    fn callback_paths(&self) -> &[&'static str];

    /// Pages of its own.
    fn pages(&self) -> Router;

    /// Begins a login. The provider must give `state` back unchanged.
    async fn begin(&self, state: &str) -> Result<Departure, UpstreamError>;

    /// Reads the provider's answer. May be asked twice about one answer.
    async fn identify(&self, answer: &Answer<'_>, memo: &str) -> Result<UserId, UpstreamError>;
}

/// Where the browser goes, and what is needed again when it comes back.
#[derive(Clone)]
pub struct Departure {
    /// The URL to send the browser to.
    pub url: String,
    /// Whatever the adapter must remember until the answer; kept sealed.
    pub memo: String,
}

/// The parameters that a provider sent back.
pub struct Answer<'a>(pub(crate) &'a Params);

impl Answer<'_> {
    /// A parameter, if it was sent exactly once.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.all(name);
        let first = values.next();
        first.filter(|_| values.next().is_none())
    }
}

/// Why a provider did not say who the user is. The texts are for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    /// The user gave up there.
    #[error("the user refused at the upstream provider")]
    Denied,
    /// What it sent is not a usable answer; the user may try again.
    #[error("the answer of the upstream provider is not usable: {reason}")]
    BadAnswer {
        /// What is wrong with it, without anything that it sent.
        reason: String,
    },
    /// It cannot be reached.
    #[error("the upstream provider is not available: {reason}")]
    Unavailable {
        /// What happened, without anything secret.
        reason: String,
    },
}

/// Names a user: 1 to 255 visible ASCII characters, the bound that OpenID Connect sets for `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

impl UserId {
    /// Takes a user id that a provider vouches for.
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound =
            (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        is_sound.then(|| Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_are_bounded_and_visible() {
        for good in ["a", "auth0|123", &"x".repeat(255)] {
            assert_eq!(UserId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "é", &"x".repeat(256)] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_answer_says_each_thing_once() {
        let params = Params::parse(b"a=1&b=1&b=2").unwrap();
        let answer = Answer(&params);
        assert_eq!((answer.get("a"), answer.get("b"), answer.get("c")), (Some("1"), None, None));
    }
}
