//! Changes within this process.
//!
//! Each listener has an inbox, and only what concerns its user is put there. So nothing that one
//! user does can fill the inbox of another.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Announcement, Audience, Change, Changes};
use crate::{error::StateError, origin::User};

/// How many changes of one audience wait in an inbox. Where there are more, anything may have
/// changed, for that audience.
const MOST: usize = 64;

/// How many audiences wait in an inbox that is nobody's yet. It is somebody's in a moment.
const AUDIENCES: usize = 64;

/// Changes within this process.
#[derive(Clone, Default)]
pub struct LocalChanges(Arc<Inboxes>);

/// The inboxes by whose they are; `None` are those that are nobody's yet.
#[derive(Default)]
struct Inboxes(Mutex<HashMap<Option<User>, Vec<Arc<Inbox>>>>);

/// What was not taken out yet.
#[derive(Default)]
struct Inbox {
    news: Mutex<News>,
    bell: Notify,
}

#[derive(Default)]
struct News {
    by_audience: HashMap<Audience, BTreeSet<Change>>,
    /// More than [`AUDIENCES`] had something to say.
    overflown: bool,
}

impl LocalChanges {
    /// A channel nobody listens to yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells every listener of this process that it concerns.
    pub fn tell(&self, announcement: impl Into<Announcement>) {
        let Announcement { change, audience } = announcement.into();
        let inboxes = self.0.lock();
        match &audience {
            Audience::Everyone => {
                inboxes.values().flatten().for_each(|inbox| inbox.put(&audience, &change));
            }
            Audience::User(user) => {
                for owner in [None, Some(user.clone())] {
                    let inboxes = inboxes.get(&owner).into_iter().flatten();
                    inboxes.for_each(|inbox| inbox.put(&audience, &change));
                }
            }
        }
    }

    /// How many inboxes there are.
    #[cfg(test)]
    pub(crate) fn inboxes(&self) -> usize {
        self.0.lock().values().map(Vec::len).sum()
    }
}

#[async_trait]
impl Changes for LocalChanges {
    async fn publish(&self, announcement: Announcement) -> Result<(), StateError> {
        self.tell(announcement);
        Ok(())
    }

    fn subscribe(&self) -> Subscription {
        let inbox = Arc::default();
        self.0.add(None, &inbox);
        Subscription(Listener { inboxes: Arc::clone(&self.0), owner: None, inbox })
    }
}

impl Inboxes {
    fn lock(&self) -> MutexGuard<'_, HashMap<Option<User>, Vec<Arc<Inbox>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, owner: Option<User>, inbox: &Arc<Inbox>) {
        self.lock().entry(owner).or_default().push(Arc::clone(inbox));
    }

    fn remove(&self, owner: Option<&User>, inbox: &Arc<Inbox>) {
        let owner = owner.cloned();
        let mut inboxes = self.lock();
        if let Some(of_owner) = inboxes.get_mut(&owner) {
            of_owner.retain(|one| !Arc::ptr_eq(one, inbox));
            if of_owner.is_empty() {
                inboxes.remove(&owner);
            }
        }
    }
}

impl Inbox {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, audience: &Audience, change: &Change) {
        self.news().add(audience, change);
        self.bell.notify_one();
    }
}

impl News {
    fn add(&mut self, audience: &Audience, change: &Change) {
        if self.by_audience.len() >= AUDIENCES && !self.by_audience.contains_key(audience) {
            self.overflown = true;
            return;
        }
        let changes = self.by_audience.entry(audience.clone()).or_default();
        if changes.contains(&Change::Missed) {
            return;
        }
        changes.insert(change.clone());
        if changes.len() > MOST || *change == Change::Missed {
            *changes = BTreeSet::from([Change::Missed]);
        }
    }

    /// What is there, each change once; [`Change::Missed`] alone if anything may have changed.
    fn take(&mut self) -> BTreeSet<Change> {
        let Self { by_audience, overflown } = mem::take(self);
        let changes: BTreeSet<_> = by_audience.into_values().flatten().collect();
        if overflown || changes.contains(&Change::Missed) {
            return BTreeSet::from([Change::Missed]);
        }
        changes
    }
}

/// What is published from now on, to whomever. It was opened before anybody knew for whom.
pub struct Subscription(Listener);

impl Subscription {
    /// What concerns this user, since the subscription was opened.
    #[must_use]
    pub fn of(self, user: &User) -> Listener {
        let mut listener = self.0;
        let owner = Some(user.clone());
        // In both places for a moment: what comes twice is there once.
        listener.inboxes.add(owner.clone(), &listener.inbox);
        listener.inboxes.remove(None, &listener.inbox);
        listener.owner = owner;
        listener.inbox.news().by_audience.retain(|audience, _| audience.includes(user));
        listener
    }
}

/// Hears of the changes that concern one user.
pub struct Listener {
    inboxes: Arc<Inboxes>,
    owner: Option<User>,
    inbox: Arc<Inbox>,
}

impl Listener {
    /// What has changed since this was last asked, each change once, as soon as there is something.
    /// [`Change::Missed`] comes alone. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> BTreeSet<Change> {
        loop {
            let changes = self.inbox.news().take();
            if !changes.is_empty() {
                return changes;
            }
            self.inbox.bell.notified().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.inboxes.remove(self.owner.as_ref(), &self.inbox);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> User {
        User { id: id.to_owned(), issuer: None }
    }

    fn tell(changes: &LocalChanges, id: &str, change: Change) {
        changes.tell(Announcement { change, audience: Audience::User(user(id)) });
    }

    #[tokio::test]
    async fn a_burst_of_one_user_is_the_matter_of_that_user() {
        let changes = LocalChanges::new();
        let mut hers = changes.subscribe().of(&user("alice"));
        let mut his = changes.subscribe().of(&user("bob"));
        // It is nobody's while the burst comes.
        let hers_soon = changes.subscribe();
        tell(&changes, "alice", Change::Prompts);
        for number in 0..=MOST {
            tell(&changes, "bob", Change::Resource(number.to_string()));
        }
        changes.tell(Change::Tools);
        let expected = BTreeSet::from([Change::Tools, Change::Prompts]);
        assert_eq!(hers.next().await, expected);
        assert_eq!(hers_soon.of(&user("alice")).next().await, expected);
        assert_eq!(his.next().await, BTreeSet::from([Change::Missed]));
        tell(&changes, "bob", Change::Prompts);
        assert_eq!(his.next().await, BTreeSet::from([Change::Prompts]), "it begins anew");
    }

    #[tokio::test]
    async fn what_is_nobodys_yet_has_a_bound() {
        let changes = LocalChanges::new();
        let subscription = changes.subscribe();
        for number in 0..=AUDIENCES {
            tell(&changes, &number.to_string(), Change::Tools);
        }
        let mut listener = subscription.of(&user("alice"));
        assert_eq!(listener.next().await, BTreeSet::from([Change::Missed]));
        drop(listener);
        assert_eq!(changes.inboxes(), 0);
    }
}
