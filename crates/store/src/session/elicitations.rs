//! Elicitations in URL mode: what a user is asked on a page of the server, beside the client
//! (2025-11-25 and 2026-07-28, Elicitation).
//!
//! An elicitation belongs to its owner; the user of that owner is the only one who may settle it.
//! It lives for a span that is set when it begins, whatever becomes of it. What the user types on
//! the page is not kept here.

use std::time::Duration;

use async_trait::async_trait;

use crate::{ElicitationId, Owner, SessionId, StoreError, Timestamp, oauth::AttemptId};

/// An elicitation that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewElicitation {
    /// Its name.
    pub id: ElicitationId,
    /// Who asked to be asked: a user, by a client.
    pub owner: Owner,
    /// What the user is asked.
    pub message: String,
    /// The session whose client is told when the page is completed, if it can be told.
    pub session: Option<SessionId>,
    /// What it is needed for, if whoever needs it finds it by that and not by its name.
    pub purpose: Option<String>,
    /// When it begins.
    pub at: Timestamp,
    /// How long it is kept, from now.
    pub life: Duration,
}

/// An elicitation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elicitation {
    /// As it began.
    pub owner: Owner,
    /// As it began.
    pub message: String,
    /// As it began.
    pub session: Option<SessionId>,
    /// As it began.
    pub purpose: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// What became of it.
    pub state: ElicitationState,
}

/// What became of an elicitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElicitationState {
    /// The user has not answered yet.
    Waiting,
    /// The user has answered.
    Completed,
    /// The user has answered, and what needed that has gone on: it does not go on twice.
    Used,
    /// Nobody wants an answer any more: the user refused, on the page or in the client.
    Declined,
}

/// What an elicitation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// One that waits is completed.
    Completed,
    /// One that waits is declined.
    Declined,
    /// One that is completed is used.
    Used,
}

/// What settling an elicitation found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SettledElicitation {
    /// How it stands now.
    pub state: ElicitationState,
    /// Whether it is so by this attempt, the first time or again.
    pub by_this: bool,
}

impl ElicitationState {
    /// How soon it is found by its purpose, the larger the sooner; `None`: not at all. A user who
    /// has answered is not asked again for another page that waits.
    pub(crate) const fn rank(self) -> Option<u8> {
        match self {
            Self::Completed => Some(1),
            Self::Waiting => Some(0),
            Self::Used | Self::Declined => None,
        }
    }
}

impl Settlement {
    /// What it must be before, and is then.
    pub(crate) const fn step(self) -> [ElicitationState; 2] {
        match self {
            Self::Completed => [ElicitationState::Waiting, ElicitationState::Completed],
            Self::Declined => [ElicitationState::Waiting, ElicitationState::Declined],
            Self::Used => [ElicitationState::Completed, ElicitationState::Used],
        }
    }
}

/// Elicitations in URL mode.
#[async_trait]
pub trait Elicitations: Send + Sync + 'static {
    /// Begins an elicitation. Once this returns, any instance knows it.
    async fn begin_elicitation(&self, new: NewElicitation) -> Result<(), StoreError>;

    /// An elicitation. `None` for one that is not there, or is too old.
    async fn elicitation(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError>;

    /// This owner's elicitation for a purpose: one that is completed, and else one that waits; of
    /// several the newest.
    async fn elicitation_for(
        &self,
        owner: &Owner,
        purpose: &str,
    ) -> Result<Option<(ElicitationId, ElicitationState)>, StoreError>;

    /// Settles an elicitation, unless it is settled otherwise. An attempt may be made twice.
    /// `None` as for [`Self::elicitation`].
    async fn settle_elicitation(
        &self,
        id: ElicitationId,
        to: Settlement,
        attempt: &AttemptId,
    ) -> Result<Option<SettledElicitation>, StoreError>;
}
