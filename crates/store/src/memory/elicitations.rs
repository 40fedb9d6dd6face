//! Elicitations in URL mode.

use async_trait::async_trait;
use dashmap::{Entry as Slot, mapref::one::RefMut};

use super::MemoryStore;
use crate::{
    Elicitation, ElicitationId, ElicitationState, Elicitations, NewElicitation, Owner,
    SettledElicitation, Settlement, StoreError, Timestamp, User, noted, oauth::AttemptId,
};

/// An elicitation that is kept.
pub(super) struct KeptElicitation {
    elicitation: Elicitation,
    settled_by: Option<AttemptId>,
    pub(super) expires: Timestamp,
}

impl MemoryStore {
    fn kept_elicitation(
        &self,
        id: ElicitationId,
    ) -> Option<RefMut<'_, ElicitationId, KeptElicitation>> {
        let now = self.clock.now();
        let kept = self.elicitations.get_mut(&id)?;
        (kept.expires > now).then_some(kept)
    }

    fn room_for_elicitation(&self, owner: &Owner) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.elicitations.retain(|_, kept| kept.expires > now);
        let limit = self.limits.elicitations;
        if self.elicitations.len() >= limit {
            return Err(StoreError::LimitReached { what: "elicitations", limit });
        }
        let whose = User::from(owner);
        let is_theirs = |kept: &KeptElicitation| User::from(&kept.elicitation.owner) == whose;
        let of_user = self.elicitations.iter().filter(|kept| is_theirs(kept));
        let limit = self.limits.elicitations_per_user;
        if of_user.count() >= limit {
            return Err(StoreError::LimitReached { what: "elicitations of one user", limit });
        }
        Ok(())
    }
}

#[async_trait]
impl Elicitations for MemoryStore {
    async fn begin_elicitation(&self, new: NewElicitation) -> Result<(), StoreError> {
        noted("begin_elicitation");
        self.limits.take_event(new.message.as_bytes())?;
        if self.kept_elicitation(new.id).is_some() {
            return Ok(());
        }
        self.room_for_elicitation(&new.owner)?;
        let Slot::Vacant(slot) = self.elicitations.entry(new.id) else { return Ok(()) };
        let NewElicitation { id: _, owner, message, session, purpose, at, life } = new;
        let state = ElicitationState::Waiting;
        let elicitation = Elicitation { owner, message, session, purpose, at, state };
        let expires = self.clock.now() + life;
        slot.insert(KeptElicitation { elicitation, settled_by: None, expires });
        Ok(())
    }

    async fn elicitation(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        noted("elicitation");
        Ok(self.kept_elicitation(id).map(|kept| kept.elicitation.clone()))
    }

    async fn elicitation_for(
        &self,
        owner: &Owner,
        purpose: &str,
    ) -> Result<Option<(ElicitationId, ElicitationState)>, StoreError> {
        noted("elicitation_for");
        let now = self.clock.now();
        let found = self.elicitations.iter().filter_map(|kept| {
            let Elicitation { state, .. } = kept.elicitation;
            let is_it = kept.expires > now
                && kept.elicitation.owner == *owner
                && kept.elicitation.purpose.as_deref() == Some(purpose);
            let rank = state.rank().filter(|_| is_it)?;
            Some(((rank, kept.expires), (*kept.key(), state)))
        });
        let best = found.max_by_key(|(order, _)| *order);
        Ok(best.map(|(_, found)| found))
    }

    async fn settle_elicitation(
        &self,
        id: ElicitationId,
        to: Settlement,
        attempt: &AttemptId,
    ) -> Result<Option<SettledElicitation>, StoreError> {
        noted("settle_elicitation");
        let Some(mut kept) = self.kept_elicitation(id) else { return Ok(None) };
        let [from, to] = to.step();
        if kept.elicitation.state == from {
            kept.elicitation.state = to;
            kept.settled_by = Some(*attempt);
        }
        let state = kept.elicitation.state;
        let by_this = state == to && kept.settled_by.as_ref() == Some(attempt);
        Ok(Some(SettledElicitation { state, by_this }))
    }
}
