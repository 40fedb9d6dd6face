//! Pages of the server on which users answer what must not pass through their client: elicitation
//! in URL mode.
//!
//! Whoever embeds this crate has them, see [`Pages`].

use async_trait::async_trait;
use rmcp::model::Extensions;
use thiserror::Error;

use crate::{error::StateError, origin::Caller};

/// A page on which a user is asked something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The elicitation's name.
    pub id: String,
    /// Where the user answers. It says nothing of the user, and opens nothing by itself (Safe URL
    /// Handling).
    pub url: String,
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// The user has answered.
    Completed,
    /// The user has refused.
    Declined,
    /// Its time is over.
    Gone,
}

/// A page that was made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPage {
    /// The page.
    pub page: Page,
    /// Whether the user has answered.
    pub completed: bool,
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PageError {
    /// The caller is no user who could sign in here with a browser.
    #[error("the caller is no user who signs in at this server with a browser")]
    NoUser,
    /// What keeps pages gave no answer, or has no room.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Makes pages, each for one caller. The page must make sure that whoever answers on it is the user
/// of that caller (Elicitation, Phishing), and that nobody else learns what is asked.
#[async_trait]
pub trait Pages: Send + Sync + 'static {
    /// Makes a page that asks `message`. What the embedding server knows of the request is in
    /// `extensions`.
    ///
    /// With a purpose, [`Self::find`] finds it for the same caller in the same session.
    async fn make(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        message: &str,
        purpose: Option<&str>,
    ) -> Result<Page, PageError>;

    /// A page of the caller for a purpose that is completed and was not used, and else one that
    /// waits; of several the newest.
    async fn find(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        purpose: &str,
    ) -> Result<Option<FoundPage>, StateError>;

    /// The page of this name.
    fn page(&self, id: &str) -> Page;

    /// Waits until the user has answered or refused, or the page is gone.
    async fn settled(&self, id: &str) -> Result<PageEnd, StateError>;

    /// Nobody waits for an answer any more.
    async fn withdraw(&self, id: &str) -> Result<(), StateError>;

    /// Uses a completed page up. `false`: it was used before.
    async fn use_up(&self, id: &str) -> Result<bool, StateError>;
}
