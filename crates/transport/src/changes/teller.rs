//! The task that reads the log of changes and tells what is open here. One task, whatever the
//! number of sessions.

use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use mcp_everything_store::{
    Bell, CHANGES_PAGE, Change, ChangePosition, Epoch, Ring, SessionId, StoreError, Telling,
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::news::News;
use crate::shared::Shared;

/// How often the log is read when nobody rings: a bell may be lost.
const LOOK: Duration = Duration::from_secs(5);

/// What makes the task look.
#[derive(Default)]
pub(crate) struct Teller {
    bell: Notify,
    /// Sessions whose log a stream here has just taken. They may be behind.
    taken: Mutex<Vec<SessionId>>,
}

impl Teller {
    /// Says that the log of changes has more.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Says that a stream here has taken a session's log.
    pub(crate) fn taken(&self, session: SessionId) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        self.ring();
    }

    fn take(&self) -> Vec<SessionId> {
        mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) async fn run<H>(
    shared: Weak<Shared<H>>,
    teller: Arc<Teller>,
    shutdown: CancellationToken,
    start: ChangePosition,
) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reader = Reader { at: start, owes: false };
    loop {
        tokio::select! {
            () = teller.bell.notified() => {}
            _ = looks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let Some(shared) = shared.upgrade() else { return };
        if let Err(error) = reader.look(&shared).await {
            tracing::debug!(event = "store.unavailable", %error, "changes are told later");
        }
    }
}

struct Reader {
    /// Up to where the log was read.
    at: ChangePosition,
    /// Whether sessions may not have been told of what was read.
    owes: bool,
}

/// What was read from one place in the log on, and up to where.
type Read = (News, ChangePosition);

impl Reader {
    async fn look<H>(&mut self, shared: &Shared<H>) -> Result<(), StoreError> {
        let owed = mem::replace(&mut self.owes, true);
        let taken = shared.teller.take();
        let from = self.at;
        let (changes, upto) = read(shared, from).await?;
        for change in &changes {
            shared.changes.hear(change.clone());
        }
        self.at = upto;
        let news = changes.into_iter().collect();
        let streams = if owed || upto != from {
            shared.streams.holding()
        } else {
            shared.streams.holding_of(&taken)
        };
        let alive = tell(shared, streams, HashMap::from([(from, (news, upto))])).await?;
        if owed {
            // What was told when the store gave no answer has rung nobody. Sessions that are gone
            // are not rung: their streams end in good order.
            for session in alive {
                shared.streams.ring(session);
            }
        }
        self.owes = false;
        Ok(())
    }
}

/// Reads the log to its end.
async fn read<H>(
    shared: &Shared<H>,
    from: ChangePosition,
) -> Result<(Vec<Change>, ChangePosition), StoreError> {
    let (mut changes, mut upto) = (Vec::new(), from);
    loop {
        let page = shared.store.since(upto).await?;
        upto = page.upto;
        let more = page.changes.len() == CHANGES_PAGE;
        changes.extend(page.changes);
        if !more {
            return Ok((changes, upto));
        }
    }
}

/// Tells sessions what they were not told yet, and says which of them live. `known` is what was
/// read so far.
///
/// The log is read before the state, always: who subscribed before a change is known to have
/// subscribed when the change is read. So a session that is at a place nothing was read from is
/// looked at again once that is done.
async fn tell<H>(
    shared: &Shared<H>,
    mut streams: Vec<(SessionId, Epoch)>,
    mut known: HashMap<ChangePosition, Read>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut alive = Vec::new();
    while !streams.is_empty() {
        let held = shared.store.held(&streams).await?;
        let (mut tellings, mut behind) = (Vec::new(), Vec::new());
        for (stream, held) in mem::take(&mut streams).into_iter().zip(held) {
            let Some(held) = held else { continue };
            let from = held.told;
            match known.get(&from) {
                Some((_, upto)) if *upto == from => alive.push(stream.0),
                Some((news, upto)) => {
                    alive.push(stream.0);
                    let events = news.told(&held.state.subscriptions);
                    tellings.push(Telling { session: stream.0, from, upto: *upto, events });
                }
                None => behind.push((stream, from)),
            }
        }
        if !tellings.is_empty() {
            deliver(shared, &tellings).await?;
        }
        for (stream, from) in behind {
            if let Entry::Vacant(unknown) = known.entry(from) {
                let (changes, upto) = read(shared, from).await?;
                unknown.insert((changes.into_iter().collect(), upto));
            }
            streams.push(stream);
        }
    }
    Ok(alive)
}

async fn deliver<H>(shared: &Shared<H>, tellings: &[Telling]) -> Result<(), StoreError> {
    let told = shared.store.tell(tellings).await?;
    for (telling, (_, holder)) in tellings.iter().zip(told) {
        let Some(holder) = holder else { continue };
        if telling.events.is_empty() {
            continue;
        }
        if holder == shared.instance {
            shared.streams.ring(telling.session);
            continue;
        }
        let bell = Bell::StreamChanged(telling.session);
        if let Err(error) = shared.bus.ring(Ring::One(holder), bell).await {
            tracing::debug!(event = "bus.unavailable", %error, "a session is told later");
        }
    }
    Ok(())
}
