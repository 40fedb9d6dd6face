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

impl Reader {
    async fn look<H>(&mut self, shared: &Shared<H>) -> Result<(), StoreError> {
        let owed = mem::replace(&mut self.owes, true);
        let taken = shared.teller.take();
        let read = Read::from(shared, self.at).await?;
        self.at = read.upto;
        self.passed_by += read.changes.len();
        let news: News = read.changes.iter().map(|(_, change)| change.clone()).collect();
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
        let alive = tell(shared, streams, read).await?;
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

/// What was read of the log, from one place to its end.
struct Read {
    from: ChangePosition,
    /// In order, each with its place.
    changes: Vec<(ChangePosition, Announcement)>,
    upto: ChangePosition,
}

impl Read {
    async fn from<H>(shared: &Shared<H>, from: ChangePosition) -> Result<Self, StoreError> {
        let mut read = Self { from, changes: Vec::new(), upto: from };
        loop {
            let page = shared.store.since(read.upto).await?;
            read.upto = page.upto;
            let more = page.changes.len() == CHANGES_PAGE;
            read.changes.extend(page.places.into_iter().zip(page.changes));
            if !more {
                return Ok(read);
            }
        }
    }

    /// Whether it is known what has changed since a place.
    fn reaches(&self, place: ChangePosition) -> bool {
        place == self.from || self.changes.binary_search_by_key(&place, |(at, _)| *at).is_ok()
    }
}

/// Tells sessions what they were not told yet, and says which of them live.
///
/// The log is read before the state, always: who subscribed before a change is known to have
/// subscribed when the change is read. So a session that is further behind than what was read is
/// looked at again once more has been: from where the one that is furthest behind is, for all of
/// them at once.
async fn tell<H>(
    shared: &Shared<H>,
    streams: Vec<Holding>,
    read: Read,
) -> Result<Vec<SessionId>, StoreError> {
    let (mut alive, mut behind) = (Vec::new(), Behind::default());
    behind.tell(shared, streams, read, &mut alive).await?;
    while let Some(place) = behind.furthest() {
        let read = Read::from(shared, place).await?;
        let streams = behind.take(|place| read.reaches(place));
        behind.tell(shared, streams, read, &mut alive).await?;
    }
    Ok(alive)
}

/// The streams of sessions that are at places which what was read does not reach back to.
#[derive(Default)]
struct Behind(BTreeMap<ChangePosition, Vec<Holding>>);

impl Behind {
    fn furthest(&self) -> Option<ChangePosition> {
        self.0.first_key_value().map(|(place, _)| *place)
    }

    fn take(&mut self, is_known: impl Fn(ChangePosition) -> bool) -> Vec<Holding> {
        let all = mem::take(&mut self.0).into_iter();
        let (known, others): (Vec<_>, Vec<_>) = all.partition(|(place, _)| is_known(*place));
        self.0.extend(others);
        known.into_iter().flat_map(|(_, streams)| streams).collect()
    }

    /// Tells the sessions what has changed since the place of each, and keeps those of which that is
    /// not known.
    async fn tell<H>(
        &mut self,
        shared: &Shared<H>,
        streams: Vec<Holding>,
        mut read: Read,
        alive: &mut Vec<SessionId>,
    ) -> Result<(), StoreError> {
        if streams.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = streams.iter().map(|stream| (stream.session, stream.epoch)).collect();
        let mut at: BTreeMap<ChangePosition, Vec<_>> = BTreeMap::new();
        for (stream, held) in streams.into_iter().zip(shared.store.held(&asked).await?) {
            let Some(held) = held else { continue };
            if held.told == read.upto {
                alive.push(stream.session);
            } else if read.reaches(held.told) {
                alive.push(stream.session);
                at.entry(held.told).or_default().push((stream, held.state.subscriptions));
            } else {
                self.0.entry(held.told).or_default().push(stream);
            }
        }
        let (mut news, mut tellings) = (News::default(), Vec::new());
        for (place, sessions) in at.into_iter().rev() {
            // What is further on concerns all that are further back, too.
            while let Some((_, change)) =
                read.changes.pop_if(|(at, _)| place == read.from || *at > place)
            {
                news.add(change);
            }
            for (Holding { session, user, .. }, subscriptions) in sessions {
                let events = news.told(&user, &subscriptions);
                tellings.push(Telling { session, from: place, upto: read.upto, events });
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
