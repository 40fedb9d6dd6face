//! What the in-memory store holds, and the transitions of each record.

use std::time::Duration;

use super::{clients::Clients, expiring::Expiring, grants::Grants, pending::Pending};
use crate::{
    SecretKeys, Timestamp,
    oauth::{
        AttemptId, CodeGrant, DocumentKind, IssuedToken, RefreshFamily, Rotation, Sealed,
        SecretHash,
    },
};

#[derive(Default)]
pub(super) struct Tables {
    pub(super) clients: Clients,
    pub(super) pending: Pending,
    pub(super) grants: Grants,
    pub(super) codes: Expiring<SecretHash, CodeRow>,
    pub(super) tokens: Expiring<SecretHash, TokenRow>,
    pub(super) families: Expiring<SecretHash, FamilyRow>,
    pub(super) replays: Expiring<SecretHash, AttemptId>,
    pub(super) documents: Expiring<(DocumentKind, String), Vec<u8>>,
    pub(super) keys: Option<SecretKeys>,
}

pub(super) struct CodeRow {
    pub(super) body: Sealed<CodeGrant>,
    pub(super) redeemed: Option<AttemptId>,
}

pub(super) struct TokenRow {
    pub(super) body: Sealed<IssuedToken>,
    pub(super) revoked: bool,
}

pub(super) struct FamilyRow {
    pub(super) body: Sealed<RefreshFamily>,
    /// The newest generation that was handed out.
    pub(super) generation: u64,
    /// When it was.
    pub(super) rotated_at: Timestamp,
    pub(super) dead: bool,
}

impl FamilyRow {
    pub(super) fn rotate(&mut self, presented: u64, window: Duration, now: Timestamp) -> Rotation {
        if self.dead {
            return Rotation::Reused;
        }
        if presented >= self.generation {
            let next = presented.saturating_add(1);
            self.generation = next;
            self.rotated_at = now;
            return Rotation::Rotated { next };
        }
        if presented + 1 == self.generation && now.since(self.rotated_at) <= window {
            return Rotation::Repeated { next: self.generation };
        }
        self.dead = true;
        Rotation::Reused
    }
}

impl Tables {
    /// Removes what has ended. What nobody adds to holds what has ended until somebody adds to
    /// something else.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.clients.sweep(now);
        self.pending.sweep(now);
        self.grants.sweep(now);
        self.codes.sweep(now);
        self.tokens.sweep(now);
        self.families.sweep(now);
        self.replays.sweep(now);
        self.documents.sweep(now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.clients.len()
            + self.pending.len()
            + self.grants.len()
            + self.codes.len()
            + self.tokens.len()
            + self.families.len()
            + self.replays.len()
            + self.documents.len()
    }
}
