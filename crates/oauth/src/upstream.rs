//! Who says who the user is.
//!
//! The authorization server asks for consent, then sends the browser to a provider and learns from
//! its answer who the user is. That the answer belongs to the browser and to a login under way is
//! checked before an adapter sees it. An adapter knows nothing of clients.

mod answer;
mod fake;
mod http;
mod oauth2;
mod openid;
mod registration;
mod url;

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use thiserror::Error;

pub use answer::Answer;
pub use fake::FakeUpstream;
pub use oauth2::{Endpoints, OAuth2Upstream};
pub use openid::OpenIdUpstream;
pub use registration::{CALLBACK, ClientSecret, Registration};
pub use url::{ProviderUrl, ProviderUrlError};

use crate::events;

/// An adapter to an identity provider.
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// The paths at which the provider gives the browser back.
    fn callback_paths(&self) -> &[&'static str];

    /// Pages of its own.
    fn pages(&self) -> Router;

    /// What users are told of the provider before they are sent there; `None` if its pages are
    /// this server's.
    fn provider(&self) -> Option<&Provider>;

    /// Reads what must be known of the provider before a login can begin. A login does so as well.
    async fn prepare(&self) -> Result<(), UpstreamError>;

    /// Begins a login. The provider must give `state` back unchanged.
    async fn begin(&self, state: &str) -> Result<Departure, UpstreamError>;

    /// Reads the provider's answer. May be asked twice about one answer; a provider whose codes are
    /// good once then says no, and the user goes there again.
    async fn identify(&self, answer: &Answer<'_>, memo: &str) -> Result<UserId, UpstreamError>;
}

/// Prepares for logins, again and again until that succeeds, as a provider may be started after
/// this server. What is in the way is logged once.
pub async fn prepare(upstream: &dyn Upstream) {
    let mut pause = Duration::from_secs(1);
    let mut told = false;
    while let Err(error) = upstream.prepare().await {
        if !told {
            events::upstream_failed(&error);
        }
        told = true;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
    if let Some(provider) = upstream.provider() {
        events::upstream_found(&provider.host);
    }
}

/// A provider, as users are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The host whose page they will see.
    pub host: String,
    /// The scopes it is asked for, in its own words.
    pub scopes: Vec<String>,
}

/// Where the browser goes, and what is needed again when it comes back.
#[derive(Clone)]
pub struct Departure {
    /// The URL to send the browser to.
    pub url: String,
    /// Whatever the adapter must remember until the answer; kept sealed.
    pub memo: String,
}

/// Why a provider did not say who the user is. The texts are for the log.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    /// The user gave up there.
    #[error("the user refused at the upstream provider")]
    Denied,
    /// What the browser brought is not a usable answer; the user may try again.
    #[error("the answer of the upstream provider is not usable: {reason}")]
    BadAnswer {
        /// What is wrong with it, without anything secret.
        reason: String,
    },
    /// It cannot be reached, or says that it cannot answer now.
    #[error("the upstream provider is not available: {reason}")]
    Unavailable {
        /// What happened, without anything secret.
        reason: String,
    },
    /// It and this server do not get along: only who runs one of them can change that.
    #[error("the upstream provider cannot be used: {reason}")]
    Faulty {
        /// What does not fit, without anything secret.
        reason: String,
    },
}

impl UpstreamError {
    pub(crate) fn bad_answer(reason: impl Into<String>) -> Self {
        Self::BadAnswer { reason: reason.into() }
    }

    pub(crate) fn faulty(reason: impl Into<String>) -> Self {
        Self::Faulty { reason: reason.into() }
    }
}

/// Names a user: visible ASCII characters.
///
/// A user of a real provider is `{provider}#{subject}`, where the provider is named by the URL that
/// vouches for the subject. That URL has no `#`, so users of two providers never have the same name,
/// nor does one whom the fake provider believes, whose ids have no `#` either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId(String);

/// The bound that OpenID Connect Core 1.0, section 2, sets for `sub`.
const LONGEST_SUBJECT: usize = 255;
/// With the URL of its provider before it.
const LONGEST_NAME: usize = url::LONGEST + 1 + LONGEST_SUBJECT;

impl UserId {
    /// Takes a name that stands for itself: 1 to 512 characters, so that of a user of a provider,
    /// too.
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound =
            (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        is_sound.then(|| Self(text.to_owned()))
    }

    /// The user whom a provider calls `subject`, which has at most 255 characters.
    pub fn at(provider: &ProviderUrl, subject: &str) -> Option<Self> {
        let Self(subject) = Self::parse(subject).filter(|id| id.0.len() <= LONGEST_SUBJECT)?;
        Self::parse(&format!("{}#{subject}", provider.as_str()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::logs;

    #[test]
    fn user_ids_are_bounded_and_visible() {
        for good in ["a", "auth0|123", &"x".repeat(512)] {
            assert_eq!(UserId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "é", &"x".repeat(513)] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
    }

    /// A provider that is not there for some time.
    struct Starting(std::sync::atomic::AtomicU32, Provider);

    #[async_trait]
    impl Upstream for Starting {
        fn callback_paths(&self) -> &[&'static str] {
            &[]
        }

        fn pages(&self) -> Router {
            Router::new()
        }

        fn provider(&self) -> Option<&Provider> {
            Some(&self.1)
        }

        async fn prepare(&self) -> Result<(), UpstreamError> {
            let left = &self.0;
            match left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err(UpstreamError::Unavailable { reason: "it starts".into() }),
            }
        }

        async fn begin(&self, _: &str) -> Result<Departure, UpstreamError> {
            unreachable!("nobody logs in")
        }

        async fn identify(&self, _: &Answer<'_>, _: &str) -> Result<UserId, UpstreamError> {
            unreachable!("nobody logs in")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_is_waited_for_and_that_is_told_once() {
        let provider = Provider { host: "login.example".into(), scopes: Vec::new() };
        let upstream = Starting(8.into(), provider);
        let captured = logs::Capture::start();
        prepare(&upstream).await;
        let lines = captured.lines();
        assert_eq!(logs::events(&lines), ["auth.upstream.failed", "auth.upstream.found"]);
        assert!(lines[0].contains("it starts"), "{lines:?}");
    }

    #[test]
    fn users_of_two_providers_have_two_names() {
        let provider = |text: &str| ProviderUrl::parse(text).unwrap();
        let at = |url: &str, subject: &str| UserId::at(&provider(url), subject).map(|user| user.0);
        let one = at("https://one.example", "7");
        assert_eq!(one.as_deref(), Some("https://one.example#7"));
        let names = [
            one,
            at("https://one.example/", "7"),
            at("https://two.example", "7"),
            Some("7".into()),
        ];
        for (number, name) in names.iter().enumerate() {
            assert!(!names[number + 1..].contains(name), "{name:?}");
        }
        assert_eq!(at("https://one.example", ""), None);
        assert_eq!(at("https://one.example", "a b"), None);
        let longest = format!("https://{}", "x".repeat(248));
        assert_eq!(at(&longest, &"x".repeat(255)).unwrap().len(), 512);
        assert_eq!(at(&longest, &"x".repeat(256)), None);
    }
}
