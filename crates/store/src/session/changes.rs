//! The log of changes: what became of lists and resources, written once for all sessions.
//!
//! Every session has a place in it, up to which it was told; see [`Streams`](super::Streams).

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use thiserror::Error;

use crate::{StoreError, User};

/// How many changes are read at a time.
pub const CHANGES_PAGE: usize = 256;

/// Something a client may have to read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The resource of this URI.
    Resource(String),
    /// Changes were lost on the way: anything may have changed.
    Missed,
}

/// Whom a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Everybody.
    Everyone,
    /// One user, with whatever client. Nobody else hears of it.
    User(User),
}

/// A change, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Announcement {
    /// What changed.
    pub change: Change,
    /// Who is told.
    pub audience: Audience,
}

/// A change that concerns everybody.
impl From<Change> for Announcement {
    fn from(change: Change) -> Self {
        Self { change, audience: Audience::Everyone }
    }
}

/// A place in the log of changes: that of the change seen last, and the default before the first.
/// It means nothing but to the log it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangePosition {
    /// When the change was recorded, as the store has it, in milliseconds; it may be 0 throughout.
    pub time: u64,
    /// Tells changes of the same time apart.
    pub sequence: u64,
}

/// A text that is no place in a log of changes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a place in a log of changes")]
pub struct InvalidChangePosition;

impl fmt::Display for ChangePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.sequence)
    }
}

impl FromStr for ChangePosition {
    type Err = InvalidChangePosition;

    fn from_str(text: &str) -> Result<Self, InvalidChangePosition> {
        let number = |digits: &str| digits.parse().map_err(|_| InvalidChangePosition);
        let (time, sequence) = text.split_once('-').ok_or(InvalidChangePosition)?;
        Ok(Self { time: number(time)?, sequence: number(sequence)? })
    }
}

/// What was read of the log of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The changes in order, at most [`CHANGES_PAGE`].
    pub changes: Vec<Announcement>,
    /// The place of each of them.
    pub places: Vec<ChangePosition>,
    /// The place of the last of them; where there is none, the place that was read from.
    pub upto: ChangePosition,
}

impl Changed {
    /// What is said of a place that the log does not reach back to.
    pub fn missed(newest: ChangePosition) -> Self {
        Self { changes: vec![Change::Missed.into()], places: vec![newest], upto: newest }
    }
}

/// The log of changes.
#[async_trait]
pub trait ChangeLog: Send + Sync + 'static {
    /// Adds a change. A full log drops its oldest. If the answer is lost, whoever repeats it
    /// records the change twice, which does no harm.
    async fn record(&self, change: &Announcement) -> Result<(), StoreError>;

    /// The place of the newest change.
    async fn newest(&self) -> Result<ChangePosition, StoreError>;

    /// The changes after a place. If the log does not reach back to it, or has never had it, that
    /// is one [`Change::Missed`] for everybody, and the place of the newest.
    async fn since(&self, after: ChangePosition) -> Result<Changed, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        for (time, sequence) in [(0, 0), (0, 7), (5, 1), (u64::MAX, u64::MAX)] {
            let place = ChangePosition { time, sequence };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for wrong in ["", "-", "1", "1-", "-1", "1-2-3", "a-b"] {
            assert_eq!(wrong.parse::<ChangePosition>(), Err(InvalidChangePosition), "{wrong}");
        }
    }
}
