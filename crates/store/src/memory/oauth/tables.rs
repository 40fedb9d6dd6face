//! What the in-memory store holds, and the transitions of each record.

use std::time::Duration;

use super::expiring::{Entry, Expiring};
use crate::{
    SecretKeys, StoreError, Timestamp,
    oauth::{
        AttemptId, CodeGrant, GrantId, IssuedToken, PendingAuthorization, RefreshFamily, Rotation,
        Sealed, SecretHash,
    },
};

/// How long what has ended may stay in memory while records are being added.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Tables {
    pub(super) clients: Expiring<String, ClientRow>,
    pub(super) pending: Expiring<SecretHash, PendingRow>,
    pub(super) grants: Expiring<GrantId, GrantRow>,
    pub(super) codes: Expiring<SecretHash, CodeRow>,
    pub(super) tokens: Expiring<SecretHash, TokenRow>,
    pub(super) families: Expiring<SecretHash, FamilyRow>,
    pub(super) keys: Option<SecretKeys>,
    registrations: u64,
    swept: Option<Timestamp>,
}

pub(super) struct ClientRow {
    pub(super) record: Vec<u8>,
    /// Counts registrations, so that the oldest is known even if several came at one time.
    pub(super) number: u64,
    pub(super) prolonged: bool,
}

pub(super) struct PendingRow {
    pub(super) body: Sealed<PendingAuthorization>,
    pub(super) taken: Option<AttemptId>,
}

pub(super) struct GrantRow {
    pub(super) record: Vec<u8>,
    pub(super) revoked: bool,
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
    pub(super) fn active_grant(
        &mut self,
        id: &GrantId,
        now: Timestamp,
    ) -> Option<&mut Entry<GrantRow>> {
        self.grants.live(id, now).filter(|entry| !entry.value.revoked)
    }

    pub(super) fn next_client(&mut self) -> u64 {
        self.registrations += 1;
        self.registrations
    }

    pub(super) fn make_room_for_client(
        &mut self,
        now: Timestamp,
        capacity: usize,
    ) -> Result<(), StoreError> {
        if self.clients.len() < capacity {
            return Ok(());
        }
        self.clients.sweep(now);
        if self.clients.len() < capacity {
            return Ok(());
        }
        let oldest = self
            .clients
            .iter()
            .filter(|(_, entry)| !entry.value.prolonged)
            .min_by_key(|(_, entry)| entry.value.number)
            .map(|(id, _)| id.clone())
            .ok_or(StoreError::LimitReached { what: "registered clients", limit: capacity })?;
        self.clients.remove(oldest.as_str());
        Ok(())
    }

    pub(super) fn sweep_sometimes(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|swept| now.since(swept) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        self.clients.sweep(now);
        self.pending.sweep(now);
        self.grants.sweep(now);
        self.codes.sweep(now);
        self.tokens.sweep(now);
        self.families.sweep(now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.clients.len()
            + self.pending.len()
            + self.grants.len()
            + self.codes.len()
            + self.tokens.len()
            + self.families.len()
    }
}
