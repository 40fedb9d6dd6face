//! The task that reads the log of changes and tells what is open here. One task, whatever the
//! number of sessions.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use mcp_everything_store::{
    Announcement, Bell, CHANGES_PAGE, ChangePosition, Ring, SessionId, StoreError, Telling,
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::news::News;
use crate::{shared::Shared, standalone::Holding};

/// How often the log is read when nobody rings: a bell may be lost.
const LOOK: Duration = Duration::from_secs(5);

/// How many changes a session whose stream is here may be behind that concern others only: a small
/// part of what the log keeps. Moving every session for each of them would let one user occupy the
/// whole fleet.
const BEHIND: usize = 1_000;

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
    let mut reader = Reader { at: start, owes: false, passed_by: 0 };
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
    /// How many changes were read since every session was told of what there was.
    passed_by: usize,
}

/// What was read from one place in the log on, and up to where.
type Read = (News, ChangePosition);

impl Reader {
    async fn look<H>(&mut self, shared: &Shared<H>) -> Result<(), StoreError> {
        let owed = mem::replace(&mut self.owes, true);
        let taken = shared.teller.take();
        let from = self.at;
        let (changes, upto) = read(shared, from).await?;
        self.at = upto;
        self.passed_by += changes.len();
        let news: News = changes.into_iter().collect();
        shared.changes.hear(news.announcements());
        let streams = match news.users() {
            Some(users) if !owed && self.passed_by < BEHIND => {
                let mut streams = shared.streams.holding_of(&taken);
                if !users.is_empty() {
                    streams.extend(shared.streams.holding_of_users(&users));
                }
                streams
            }
            _ => {
                self.passed_by = 0;
                shared.streams.holding()
            }
        };
        let alive = tell(shared, streams, from, (news, upto)).await?;
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
) -> Result<(Vec<Announcement>, ChangePosition), StoreError> {
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

/// Tells sessions what they were not told yet, and says which of them live. What was `read` from
/// one place is known.
///
/// The log is read before the state, always: who subscribed before a change is known to have
/// subscribed when the change is read. So a session that is at a place nothing was read from is
/// looked at again once that is done: one place after another, so that no more than one reading is
/// kept.
async fn tell<H>(
    shared: &Shared<H>,
    streams: Vec<Holding>,
    from: ChangePosition,
    read: Read,
) -> Result<Vec<SessionId>, StoreError> {
    let (mut alive, mut behind) = (Vec::new(), Behind::default());
    behind.tell(shared, streams, from, &read, &mut alive).await?;
    drop(read);
    while let Some((from, streams)) = behind.0.pop_first() {
        let (changes, upto) = self::read(shared, from).await?;
        let read = (changes.into_iter().collect(), upto);
        behind.tell(shared, streams, from, &read, &mut alive).await?;
    }
    Ok(alive)
}

/// The streams of sessions that are at other places than what was read so far.
#[derive(Default)]
struct Behind(BTreeMap<ChangePosition, Vec<Holding>>);

impl Behind {
    /// Tells those of the sessions that are at `from`, and keeps the others.
    async fn tell<H>(
        &mut self,
        shared: &Shared<H>,
        streams: Vec<Holding>,
        from: ChangePosition,
        (news, upto): &Read,
        alive: &mut Vec<SessionId>,
    ) -> Result<(), StoreError> {
        if streams.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = streams.iter().map(|stream| (stream.session, stream.epoch)).collect();
        let mut tellings = Vec::new();
        for (stream, held) in streams.into_iter().zip(shared.store.held(&asked).await?) {
            let Some(held) = held else { continue };
            let session = stream.session;
            if held.told == *upto {
                alive.push(session);
            } else if held.told == from {
                alive.push(session);
                let events = news.told(&stream.user, &held.state.subscriptions);
                tellings.push(Telling { session, from, upto: *upto, events });
            } else {
                self.0.entry(held.told).or_default().push(stream);
            }
        }
        if tellings.is_empty() { Ok(()) } else { deliver(shared, &tellings).await }
    }
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
