//! Notices of what has ended, and who has heard them.
//!
//! A notice is published by the script that ends something, in the same step, so that nothing ends
//! without it. Every instance that hears it takes what it is about out of what it [believes](super::recent),
//! and says so. Whoever ended it waits for that before it says that it is ended. An instance that
//! does not say so in time believes nothing of it any more by then.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::watch, time::timeout};

use super::recent::{BELIEVED, Ended};
use crate::InstanceId;

/// Whom to tell that a notice was heard, and which it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) instance: InstanceId,
    pub(super) number: u64,
}

/// The notices that this process waits for others to hear.
#[derive(Default)]
pub(super) struct Notices {
    /// The instance that listens in this process, if one does.
    here: Mutex<Option<InstanceId>>,
    number: AtomicU64,
    open: Mutex<HashMap<u64, watch::Sender<HashSet<InstanceId>>>>,
}

/// A notice of this process.
pub(super) struct Notice<'a> {
    notices: &'a Notices,
    pub(super) ended: Ended,
    /// `None` if nobody listens here who could be told that it was heard.
    pub(super) sender: Option<Sender>,
    heard_by: watch::Receiver<HashSet<InstanceId>>,
}

impl Notices {
    /// From now on this instance hears what is published, or nobody does.
    pub(super) fn listens(&self, instance: Option<InstanceId>) {
        *lock(&self.here) = instance;
    }

    /// The instance that hears what is published.
    pub(super) fn here(&self) -> Option<InstanceId> {
        lock(&self.here).clone()
    }

    /// A notice, to be published by whatever ends this.
    pub(super) fn of(&self, ended: Ended) -> Notice<'_> {
        let (heard, heard_by) = watch::channel(HashSet::new());
        let sender = self.here().map(|instance| {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            lock(&self.open).insert(number, heard);
            Sender { instance, number }
        });
        Notice { notices: self, ended, sender, heard_by }
    }

    /// An instance has heard a notice of this process.
    pub(super) fn heard(&self, number: u64, by: InstanceId) {
        if let Some(heard) = lock(&self.open).get(&number) {
            heard.send_modify(|instances| _ = instances.insert(by));
        }
    }
}

impl Notice<'_> {
    /// Returns when as many instances have heard it as it reached, or when nothing of it is believed
    /// any more anywhere. It was published by now.
    pub(super) async fn heard_by(mut self, reached: usize) {
        if self.sender.is_none() {
            return;
        }
        let all = self.heard_by.wait_for(|instances| instances.len() >= reached);
        if timeout(BELIEVED, all).await.is_err() {
            let missing = reached.saturating_sub(self.heard_by.borrow().len());
            tracing::warn!(
                event = "bus.unheard",
                missing,
                "some that listen did not say in time that they know of an end"
            );
        }
    }
}

impl Drop for Notice<'_> {
    fn drop(&mut self) {
        if let Some(Sender { number, .. }) = &self.sender {
            lock(&self.notices.open).remove(number);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::{SessionId, SystemRandom};

    fn ended() -> Ended {
        Ended::Session(SessionId::random(&SystemRandom))
    }

    fn instances<const COUNT: usize>() -> [InstanceId; COUNT] {
        [(); COUNT].map(|()| InstanceId::random("test", &SystemRandom))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_ends_something_waits_until_all_have_heard_it() {
        let notices = Notices::default();
        let [here, one, two] = instances();
        notices.listens(Some(here));
        let (notice, other) = (notices.of(ended()), notices.of(ended()));
        let numbers = [&notice, &other].map(|one| one.sender.clone().unwrap().number);
        let began = Instant::now();
        let waiting = notice.heard_by(2);
        let telling = async {
            for by in [&one, &one] {
                notices.heard(numbers[0], by.clone());
            }
            notices.heard(numbers[1], two.clone());
            tokio::time::advance(Duration::from_millis(5)).await;
            notices.heard(numbers[0], two.clone());
        };
        tokio::join!(waiting, telling);
        assert_eq!(began.elapsed(), Duration::from_millis(5));
        drop(other);
        notices.heard(numbers[1], one);
        assert!(lock(&notices.open).is_empty(), "nothing stays");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_hear_it_is_waited_for_as_long_as_anything_is_believed() {
        let notices = Notices::default();
        let [here, one] = instances();
        notices.listens(Some(here));
        let notice = notices.of(ended());
        notices.heard(notice.sender.clone().unwrap().number, one);
        let began = Instant::now();
        notice.heard_by(2).await;
        assert_eq!(began.elapsed(), BELIEVED);
    }

    #[tokio::test(start_paused = true)]
    async fn who_hears_nothing_waits_for_nobody() {
        let notices = Notices::default();
        let began = Instant::now();
        notices.of(ended()).heard_by(3).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
