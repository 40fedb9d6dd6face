//! What the features need of pages on which users are asked, and what those pages need of the
//! features, supplied by the transport's desk.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_features::{Caller, FoundPage, Page, PageEnd, PageError, Pages, StateError};
use mcp_everything_oauth::{BaseUri, Elicitations, elicitation_path, upstream::UserId};
use mcp_everything_store::{
    Elicitation, ElicitationId, ElicitationState, SessionId, SettledElicitation, Settlement,
    StoreError,
};
use mcp_everything_transport::{Asked, ElicitationDesk};
use rmcp::model::Extensions;
use sha2::{Digest as _, Sha256};

use crate::tasks::owner;

/// The session that a request belongs to, among its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InSession(pub(crate) SessionId);

/// The pages of all instances.
pub(crate) struct FleetPages {
    pub(crate) desk: ElicitationDesk,
    pub(crate) base: BaseUri,
    /// Whether users sign in at this server; if not, everybody is one user.
    pub(crate) sign_in: bool,
}

impl FleetPages {
    /// Whether the caller is somebody who can come with a browser: not a client without a user, nor
    /// a user of whom another server says who they are.
    fn can_come(&self, caller: Option<&Caller>) -> bool {
        !self.sign_in
            || caller.is_some_and(|caller| {
                caller.issuer.as_deref() == Some(self.base.as_str())
                    && UserId::parse(&caller.user).is_some()
            })
    }
}

#[async_trait]
impl Pages for FleetPages {
    async fn make(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        message: &str,
        purpose: Option<&str>,
    ) -> Result<Page, PageError> {
        if !self.can_come(caller) {
            return Err(PageError::NoUser);
        }
        let asked = Asked {
            owner: owner(caller),
            message: message.to_owned(),
            session: extensions.get().map(|InSession(session)| *session),
            purpose: purpose.map(|purpose| named(extensions, purpose)),
        };
        let id = self.desk.begin(asked).await.map_err(|error| told(&error))?;
        Ok(self.page(&id.to_string()))
    }

    async fn find(
        &self,
        caller: Option<&Caller>,
        extensions: &Extensions,
        purpose: &str,
    ) -> Result<Option<FoundPage>, StateError> {
        let found = self.desk.find_for(&owner(caller), &named(extensions, purpose)).await;
        let found = found.map_err(|error| told(&error))?;
        Ok(found.map(|(id, state)| FoundPage {
            page: self.page(&id.to_string()),
            completed: state == ElicitationState::Completed,
        }))
    }

    fn page(&self, id: &str) -> Page {
        Page { id: id.to_owned(), url: self.base.join(&elicitation_path(id)) }
    }

    async fn settled(&self, id: &str) -> Result<PageEnd, StateError> {
        let Some(id) = known(id) else { return Ok(PageEnd::Gone) };
        let state = self.desk.settled(id).await.map_err(|error| told(&error))?;
        Ok(match state {
            Some(ElicitationState::Completed | ElicitationState::Used) => PageEnd::Completed,
            Some(ElicitationState::Declined) => PageEnd::Declined,
            Some(ElicitationState::Waiting) | None => PageEnd::Gone,
        })
    }

    async fn withdraw(&self, id: &str) -> Result<(), StateError> {
        let Some(id) = known(id) else { return Ok(()) };
        let settled = self.desk.settle(id, Settlement::Declined).await;
        settled.map(|_| ()).map_err(|error| told(&error))
    }

    async fn use_up(&self, id: &str) -> Result<bool, StateError> {
        let Some(id) = known(id) else { return Ok(false) };
        let settled = self.desk.settle(id, Settlement::Used).await.map_err(|error| told(&error))?;
        Ok(settled.is_some_and(|settled| settled.by_this))
    }
}

/// A purpose of one session, whose client is the one that is told. It may be long.
fn named(extensions: &Extensions, purpose: &str) -> String {
    let session = extensions.get().map(|InSession(session)| session.to_string());
    let session = session.unwrap_or_default();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{session} {purpose}")))
}

fn known(id: &str) -> Option<ElicitationId> {
    id.parse().ok()
}

fn told(error: &StoreError) -> StateError {
    match error {
        StoreError::LimitReached { .. } => StateError::LimitReached,
        StoreError::Unavailable { .. } | StoreError::Corrupt { .. } => {
            tracing::warn!(event = "store.unavailable", %error, "a page gave no answer");
            StateError::Unavailable
        }
    }
}

/// What is asked, for the pages.
pub(crate) struct AskedOnPages(pub(crate) ElicitationDesk);

#[async_trait]
impl Elicitations for AskedOnPages {
    async fn find(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        self.0.find(id).await
    }

    async fn settle(
        &self,
        id: ElicitationId,
        to: Settlement,
    ) -> Result<Option<SettledElicitation>, StoreError> {
        self.0.settle(id, to).await
    }
}
