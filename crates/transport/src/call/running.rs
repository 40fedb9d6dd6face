//! The promoted calls of this instance.
//!
//! Short calls are not here: they cost nothing but themselves.

use std::{sync::Arc, time::Duration};

use dashmap::DashMap;
use mcp_everything_store::{Attendance, CallId, Owner, SessionId};
use tokio_util::task::TaskTracker;

use super::Call;

#[derive(Default)]
pub(crate) struct RunningCalls {
    calls: Arc<DashMap<CallId, Arc<Call>>>,
    /// How many run without a connection, of each user.
    left: Arc<DashMap<User, usize>>,
    /// The tasks that write for them.
    pub(crate) writers: TaskTracker,
}

/// Takes a call from the registry when it ends, however it ends.
pub(super) struct Registered {
    calls: Arc<DashMap<CallId, Arc<Call>>>,
    id: CallId,
    _attendance: Attendance,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.calls.remove(&self.id);
    }
}

/// A user, by whatever client: issuer and name.
type User = (String, String);

/// Counts a call that runs without a connection, until it ends.
pub(super) struct Left {
    counts: Arc<DashMap<User, usize>>,
    user: User,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(mut count) = self.counts.get_mut(&self.user) {
            *count -= 1;
        }
        self.counts.remove_if(&self.user, |_, count| *count == 0);
    }
}

/// The sessions with calls here; one with several is named as often.
#[derive(Default)]
pub(crate) struct Running {
    /// Those that live for their calls.
    pub(crate) held: Vec<SessionId>,
    /// Those whose calls were left too long ago for that.
    pub(crate) watched: Vec<SessionId>,
}

impl RunningCalls {
    pub(super) fn register(&self, call: &Arc<Call>, attendance: Attendance) -> Registered {
        self.calls.insert(call.id, Arc::clone(call));
        Registered { calls: Arc::clone(&self.calls), id: call.id, _attendance: attendance }
    }

    /// The call, if it runs here and is that session's.
    pub(crate) fn get(&self, session: SessionId, id: CallId) -> Option<Arc<Call>> {
        let call = self.calls.get(&id)?;
        (call.session == Some(session)).then(|| Arc::clone(&call))
    }

    /// Counts a call that runs without a connection from now on. `None` if its user has left so
    /// many already.
    pub(super) fn leave(&self, owner: &Owner, limit: usize) -> Option<Left> {
        let user = (owner.issuer.clone(), owner.user.clone());
        let mut count = self.left.entry(user.clone()).or_insert(0);
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Left { counts: Arc::clone(&self.left), user })
    }

    /// The sessions with calls here. A call whose client has left holds its session for so long.
    pub(crate) fn sessions(&self, left_call_holds: Duration) -> Running {
        let mut running = Running::default();
        for call in &*self.calls {
            let Some(session) = call.session else { continue };
            let too_long = call.left.get().is_some_and(|since| since.elapsed() >= left_call_holds);
            if too_long { &mut running.watched } else { &mut running.held }.push(session);
        }
        running
    }

    /// How many run here.
    pub(crate) fn count(&self) -> usize {
        self.calls.len()
    }

    /// The calls that run here.
    pub(crate) fn all(&self) -> Vec<Arc<Call>> {
        self.calls.iter().map(|call| Arc::clone(&call)).collect()
    }

    /// Ends all calls.
    pub(crate) fn abort_all(&self) {
        self.calls.iter().for_each(|call| call.abort.cancel());
    }

    /// Ends the calls of a session that is gone.
    pub(crate) fn abort(&self, session: SessionId) {
        for call in self.calls.iter().filter(|call| call.session == Some(session)) {
            call.abort.cancel();
        }
    }
}
