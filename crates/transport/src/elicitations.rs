//! Elicitations in URL mode over the store: begun by a call at one instance, settled on a page that
//! any instance serves, and waited for wherever a call waits.

use std::sync::Arc;

use bytes::Bytes;
use dashmap::{DashMap, Entry};
use mcp_everything_store::{
    Bell, Bus, Clock, Elicitation, ElicitationId, ElicitationState, NewElicitation, Owner, Random,
    Ring, SessionId, SessionStore, SettledElicitation, Settlement, StoreError, oauth::AttemptId,
};
use rmcp::model::{CustomNotification, ServerNotification};
use serde_json::json;
use tokio::sync::watch;

use crate::scope::{SessionError, message_bytes, push};

/// What a client is told when a page is completed (2025-11-25, Elicitation, Completion
/// Notifications).
const COMPLETE: &str = "notifications/elicitation/complete";

/// How long an elicitation is kept, from its beginning.
const LIFE: std::time::Duration = std::time::Duration::from_secs(600);

/// Elicitations in URL mode of the instances that share a store and a bus.
///
/// All handlers of a process share one desk, and the [`Endpoint`](crate::Endpoint) that serves them
/// is started with it.
#[derive(Clone)]
pub struct ElicitationDesk(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// What is waited for here.
    awaited: DashMap<ElicitationId, watch::Sender<()>>,
}

/// What somebody is to be asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The user who is to answer, and the client that had the user asked.
    pub owner: Owner,
    /// The question.
    pub message: String,
    /// The session whose client is told that the page is completed, where the revision has that.
    pub session: Option<SessionId>,
    /// What it is needed for, if it is to be found by that.
    pub purpose: Option<String>,
}

impl ElicitationDesk {
    /// A desk over this store and this bus.
    pub fn new(
        store: Arc<dyn SessionStore>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self(Arc::new(Inner { store, bus, clock, random, awaited: DashMap::new() }))
    }

    /// Begins an elicitation, kept for ten minutes. Once this returns any instance knows it.
    pub async fn begin(&self, asked: Asked) -> Result<ElicitationId, StoreError> {
        let Inner { store, clock, random, .. } = &*self.0;
        let Asked { owner, message, session, purpose } = asked;
        let (id, at) = (ElicitationId::random(&**random), clock.now());
        let new = NewElicitation { id, owner, message, session, purpose, at, life: LIFE };
        store.begin_elicitation(new).await?;
        Ok(id)
    }

    /// An elicitation, whosever it is. `None` for one that is not there, or is too old.
    pub async fn find(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError> {
        self.0.store.elicitation(id).await
    }

    /// This owner's elicitation for a purpose: one that is completed, and else one that waits; of
    /// several the newest.
    pub async fn find_for(
        &self,
        owner: &Owner,
        purpose: &str,
    ) -> Result<Option<(ElicitationId, ElicitationState)>, StoreError> {
        self.0.store.elicitation_for(owner, purpose).await
    }

    /// Settles an elicitation, unless it is settled otherwise, and tells whoever waits for that.
    /// `None` as for [`Self::find`].
    ///
    /// When it is completed, the client that had the user asked is told, and nobody else, on the
    /// standalone stream of its session, wherever that is open. A notification that cannot be
    /// brought is lost: clients do not depend on it.
    pub async fn settle(
        &self,
        id: ElicitationId,
        to: Settlement,
    ) -> Result<Option<SettledElicitation>, StoreError> {
        let Inner { store, bus, random, .. } = &*self.0;
        let attempt = AttemptId::draw(&**random);
        let Some(settled) = store.settle_elicitation(id, to, &attempt).await? else {
            return Ok(None);
        };
        if settled.by_this && to == Settlement::Completed {
            self.tell_client(id).await;
        }
        if settled.by_this
            && let Err(error) = bus.ring(Ring::All, Bell::ElicitationSettled(id)).await
        {
            tracing::debug!(event = "bus.unavailable", %error, "a call hears of its page later");
        }
        Ok(Some(settled))
    }

    async fn tell_client(&self, id: ElicitationId) {
        let Inner { store, bus, .. } = &*self.0;
        let told = async {
            let Some(elicitation) = store.elicitation(id).await? else { return Ok(()) };
            let Some(session) = elicitation.session else { return Ok(()) };
            push(&**store, &**bus, session, complete(id)).await
        };
        match told.await {
            // Nobody is left to be told.
            Ok(()) | Err(SessionError::Gone) => {}
            Err(SessionError::Store(error)) => {
                tracing::warn!(event = "store.unavailable", %error,
                    "a client was not told that a page is completed");
            }
        }
    }

    /// Waits until an elicitation does not wait any more; how it stands then, or `None` if it is
    /// gone. A store that is away is waited for.
    pub async fn settled(&self, id: ElicitationId) -> Result<Option<ElicitationState>, StoreError> {
        let mut waiting = Waiting::of(&self.0, id);
        loop {
            // What rings from here on is heard below.
            waiting.rung.mark_unchanged();
            match self.0.store.elicitation(id).await {
                Ok(Some(elicitation)) if elicitation.state == ElicitationState::Waiting => {}
                Ok(found) => return Ok(found.map(|elicitation| elicitation.state)),
                Err(StoreError::Unavailable { .. }) => {}
                Err(error @ (StoreError::LimitReached { .. } | StoreError::Corrupt { .. })) => {
                    return Err(error);
                }
            }
            // The sender stays as long as this waits.
            let _ = waiting.rung.changed().await;
        }
    }

    /// Something became of an elicitation.
    pub(crate) fn ring(&self, id: ElicitationId) {
        if let Some(awaited) = self.0.awaited.get(&id) {
            awaited.send_replace(());
        }
    }

    /// Something may have become of any.
    pub(crate) fn ring_all(&self) {
        for awaited in &self.0.awaited {
            awaited.send_replace(());
        }
    }
}

fn complete(id: ElicitationId) -> Bytes {
    let params = json!({ "elicitationId": id.to_string() });
    let notification = CustomNotification::new(COMPLETE, Some(params));
    message_bytes(ServerNotification::CustomNotification(notification))
}

/// Somebody who waits here for an elicitation to be settled.
struct Waiting {
    /// Dropped before the place is left.
    rung: watch::Receiver<()>,
    _place: Place,
}

/// One of those who keep an elicitation among the awaited.
struct Place {
    desk: Arc<Inner>,
    id: ElicitationId,
}

impl Waiting {
    fn of(desk: &Arc<Inner>, id: ElicitationId) -> Self {
        let rung = match desk.awaited.entry(id) {
            Entry::Occupied(awaited) => awaited.get().subscribe(),
            Entry::Vacant(slot) => {
                let (sender, rung) = watch::channel(());
                slot.insert(sender);
                rung
            }
        };
        Self { rung, _place: Place { desk: Arc::clone(desk), id } }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Of several who leave at once, each counts itself out first: the last one finds nobody.
        self.desk.awaited.remove_if(&self.id, |_, sender| sender.receiver_count() == 0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use mcp_everything_store::{
        Limits, SystemClock, SystemRandom,
        memory::{MemoryBus, MemoryStore},
    };

    use super::*;

    #[test]
    fn nothing_is_left_of_many_who_leave_at_once() {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let store = Arc::new(MemoryStore::new(clock.clone(), Limits::default()));
        let desk = ElicitationDesk::new(store, Arc::new(MemoryBus::default()), clock, random);
        let (id, barrier) = (ElicitationId::random(&SystemRandom), Barrier::new(2));
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..10_000 {
                        let waiting = Waiting::of(&desk.0, id);
                        barrier.wait();
                        drop(waiting);
                        barrier.wait();
                        assert!(desk.0.awaited.is_empty());
                        barrier.wait();
                    }
                });
            }
        });
    }
}
