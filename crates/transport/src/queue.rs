//! What waits on its way from one task to another. It has room for as much as ever waited at a time:
//! a channel of tokio's has room for 32 before there is one, and each running call has two.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use futures::Stream;
use tokio::{sync::Notify, task::coop};

/// A queue in which so many may wait, by both its ends. There may be several senders.
pub(crate) fn queue<T>(room: usize) -> (Sender<T>, Receiver<T>) {
    let waiting = Waiting { items: VecDeque::new(), senders: 1, read: true, reader: None };
    let queue = Arc::new(Queue { room, waiting: Mutex::new(waiting), changed: Notify::new() });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

/// The end that things are put into.
pub(crate) struct Sender<T>(Arc<Queue<T>>);

/// The end that they are taken from, in order; over when there are no senders any more.
pub(crate) struct Receiver<T>(Arc<Queue<T>>);

/// Nobody reads any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unread;

struct Queue<T> {
    /// How many may wait before a sender has to.
    room: usize,
    waiting: Mutex<Waiting<T>>,
    /// There is room again, or nobody reads any more.
    changed: Notify,
}

struct Waiting<T> {
    items: VecDeque<T>,
    senders: usize,
    read: bool,
    /// Who waits for the next.
    reader: Option<Waker>,
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// Puts something at the end, however much waits before it. Says whether that is no more than
    /// may: else whoever goes on putting waits for [`Self::room`] first.
    pub(crate) fn put(&self, item: T) -> Result<bool, Unread> {
        let mut waiting = self.0.lock();
        if !waiting.read {
            return Err(Unread);
        }
        waiting.items.push_back(item);
        let has_room = waiting.items.len() <= self.0.room;
        let reader = waiting.reader.take();
        drop(waiting);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(has_room)
    }

    /// Puts something at the end as soon as there is room for it. Senders that waited together are
    /// let in together: each may put one more than there is room for.
    pub(crate) async fn send(&self, item: T) -> Result<(), Unread> {
        self.until(|waiting| waiting.items.len() < self.0.room).await;
        self.put(item).map(drop)
    }

    /// Returns when no more waits than may, or nobody reads any more.
    pub(crate) async fn room(&self) {
        self.until(|waiting| waiting.items.len() <= self.0.room).await;
    }

    /// Returns when nobody reads any more.
    pub(crate) async fn unread(&self) {
        self.until(|_| false).await;
    }

    async fn until(&self, reached: impl Fn(&Waiting<T>) -> bool) {
        loop {
            // It is told of what changes from here on, before it is polled.
            let changed = self.0.changed.notified();
            {
                let waiting = self.0.lock();
                if !waiting.read || reached(&waiting) {
                    return;
                }
            }
            changed.await;
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.senders -= 1;
        let reader = if waiting.senders == 0 { waiting.reader.take() } else { None };
        drop(waiting);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // However much there is, whoever reads it lets others go on now and then.
        let turn = ready!(coop::poll_proceed(cx));
        let mut waiting = self.0.lock();
        let item = waiting.items.pop_front();
        if item.is_none() && waiting.senders > 0 {
            let known = waiting.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker()));
            if !known {
                waiting.reader = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        let left = waiting.items.len();
        drop(waiting);
        turn.made_progress();
        // One that waits to send goes on below the bound, and one that has put too much at it.
        if item.is_some() && (left == self.0.room || left + 1 == self.0.room) {
            self.0.changed.notify_waiters();
        }
        Poll::Ready(item)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.read = false;
        let left = (std::mem::take(&mut waiting.items), waiting.reader.take());
        drop(waiting);
        drop(left);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _, future};

    use super::*;

    #[tokio::test]
    async fn what_is_put_comes_in_order_and_ends_with_the_last_sender() {
        let (sender, mut receiver) = queue(4);
        let second = sender.clone();
        assert_eq!(sender.put(1), Ok(true));
        assert_eq!(second.put(2), Ok(true));
        drop(sender);
        assert_eq!(receiver.next().await, Some(1));
        assert_eq!(receiver.next().await, Some(2));
        assert_eq!(receiver.next().now_or_never(), None);
        // Whoever waits is woken by what comes, and by the end.
        let (next, _) = tokio::join!(receiver.next(), async { second.put(3) });
        assert_eq!(next, Some(3));
        let (next, ()) = tokio::join!(receiver.next(), async { drop(second) });
        assert_eq!(next, None);
    }

    #[tokio::test]
    async fn a_sender_waits_for_room() {
        let (sender, mut receiver) = queue(2);
        sender.send(1).await.unwrap();
        sender.send(2).await.unwrap();
        sender.room().await;
        assert_eq!(sender.send(0).now_or_never(), None, "there is no room, and nothing is sent");
        let (sent, next) = tokio::join!(sender.send(3), receiver.next());
        assert_eq!((sent, next), (Ok(()), Some(1)));
        // What is put has no need of room, and says that there is none.
        assert_eq!(sender.put(4), Ok(false));
        assert_eq!(sender.room().now_or_never(), None);
        let ((), next) = tokio::join!(sender.room(), receiver.next());
        assert_eq!(next, Some(2));
        assert_eq!(sender.send(0).now_or_never(), None);
        drop(sender);
        assert_eq!(receiver.collect::<Vec<_>>().await, [3, 4]);
    }

    #[tokio::test]
    async fn every_sender_that_waits_goes_on() {
        let (sender, receiver) = queue(1);
        let senders = future::join_all((0..5).map(|item| sender.clone().into_send(item)));
        drop(sender);
        let (sent, all) = tokio::join!(senders, receiver.collect::<Vec<_>>());
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
        assert_eq!(all.len(), 5);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_who_is_gone() {
        let (sender, receiver) = queue(1);
        assert_eq!(sender.put("unread"), Ok(true));
        assert_eq!(sender.put("too much"), Ok(false));
        assert_eq!(sender.unread().now_or_never(), None);
        let waiting = async { tokio::join!(sender.unread(), sender.room(), sender.send("late")) };
        let (((), (), sent), ()) = tokio::join!(waiting, async { drop(receiver) });
        assert_eq!(sent, Err(Unread));
        assert_eq!(sender.put("later"), Err(Unread));
    }

    #[tokio::test]
    async fn what_is_not_read_is_dropped_with_its_reader() {
        let (sender, receiver) = queue(1);
        let item = Arc::new(());
        sender.put(Arc::clone(&item)).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&item), 1);
    }

    impl<T> Sender<T> {
        async fn into_send(self, item: T) -> Result<(), Unread> {
            self.send(item).await
        }
    }
}
