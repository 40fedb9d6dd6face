//! The sessions that are attended to here, and their channels.
//!
//! Whoever attends to a session only says so; the listener follows on its connection.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redis::{RedisResult, aio::PubSubSink};
use tokio::sync::Notify;

use crate::{Attendance, SessionId, redis::keys};

/// How many channels one command names.
const AT_A_TIME: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Desk {
    sessions: Mutex<Sessions>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Sessions {
    /// How often each is attended to.
    attended: HashMap<SessionId, usize>,
    followed: HashSet<SessionId>,
    /// Those of which it is not known that one is so as the other.
    changed: HashSet<SessionId>,
}

struct Attended {
    desk: Arc<Desk>,
    session: SessionId,
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.desk.leave(self.session);
    }
}

impl Desk {
    pub(super) fn attend(self: &Arc<Self>, session: SessionId) -> Attendance {
        let mut sessions = self.sessions();
        let times = sessions.attended.entry(session).or_default();
        *times += 1;
        if *times == 1 {
            sessions.changed.insert(session);
            self.changed.notify_one();
        }
        Attendance::new(Attended { desk: Arc::clone(self), session })
    }

    fn leave(&self, session: SessionId) {
        let mut sessions = self.sessions();
        let Some(times) = sessions.attended.get_mut(&session) else { return };
        *times -= 1;
        if *times > 0 {
            return;
        }
        sessions.attended.remove(&session);
        if sessions.followed.contains(&session) {
            sessions.changed.insert(session);
            self.changed.notify_one();
        } else {
            sessions.changed.remove(&session);
        }
    }

    /// Subscribes to what is attended to and unsubscribes from what no longer is, on a new
    /// connection, for as long as that takes commands.
    pub(super) async fn follow(&self, mut sink: PubSubSink) -> RedisResult<()> {
        self.sessions().begin();
        loop {
            let (new, left) = self.sessions().take();
            if !new.is_empty() {
                sink.subscribe(&new).await?;
            }
            if !left.is_empty() {
                sink.unsubscribe(&left).await?;
            }
            if new.is_empty() && left.is_empty() {
                self.changed.notified().await;
            }
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn begin(&mut self) {
        self.followed.clear();
        self.changed = self.attended.keys().copied().collect();
    }

    /// The channels that are to be subscribed to now, and those that are not any more.
    fn take(&mut self) -> (Vec<String>, Vec<String>) {
        let (mut new, mut left) = (Vec::new(), Vec::new());
        let some: Vec<_> = self.changed.iter().copied().take(AT_A_TIME).collect();
        for session in some {
            self.changed.remove(&session);
            if self.attended.contains_key(&session) {
                if self.followed.insert(session) {
                    new.push(keys::to_server(session));
                }
            } else if self.followed.remove(&session) {
                left.push(keys::to_server(session));
            }
        }
        (new, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestRandom;

    fn ids(count: usize) -> Vec<SessionId> {
        let random = TestRandom::seeded(1);
        (0..count).map(|_| SessionId::random(&random)).collect()
    }

    #[test]
    fn channels_follow_what_is_attended_to() {
        let desk = Arc::new(Desk::default());
        let session = ids(1)[0];
        let channel = || vec![keys::to_server(session)];
        let (one, two) = (desk.attend(session), desk.attend(session));
        assert_eq!(desk.sessions().take(), (channel(), vec![]));
        drop(one);
        assert_eq!(desk.sessions().take(), (vec![], vec![]), "one of two is left");
        drop(two);
        let again = desk.attend(session);
        assert_eq!(desk.sessions().take(), (vec![], vec![]), "it came back in time");
        drop(again);
        assert_eq!(desk.sessions().take(), (vec![], channel()));
    }

    #[test]
    fn a_new_connection_begins_anew() {
        let desk = Arc::new(Desk::default());
        let sessions = ids(AT_A_TIME + 1);
        let attended: Vec<_> = sessions.iter().map(|session| desk.attend(*session)).collect();
        desk.sessions().begin();
        let firsts = desk.sessions().take().0.len();
        assert_eq!((firsts, desk.sessions().take().0.len()), (AT_A_TIME, 1));
        drop(attended);
        desk.sessions().begin();
        assert_eq!(desk.sessions().take(), (vec![], vec![]));
    }

    #[test]
    fn nothing_is_left_of_what_was_never_followed() {
        let desk = Arc::new(Desk::default());
        for session in ids(10) {
            drop(desk.attend(session));
        }
        let sessions = desk.sessions();
        assert!(sessions.attended.is_empty() && sessions.changed.is_empty());
    }
}
