//! The promoted calls of this instance.
//!
//! Short calls are not here: they cost nothing but themselves.

use std::sync::Arc;

use dashmap::DashMap;
use mcp_everything_store::{Attendance, CallId, SessionId};
use tokio_util::task::TaskTracker;

use super::Call;

#[derive(Default)]
pub(crate) struct RunningCalls {
    calls: Arc<DashMap<CallId, Arc<Call>>>,
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

    /// The sessions with calls that run here; one with several is named as often.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.calls.iter().filter_map(|call| call.session).collect()
    }

    /// The calls that run here.
    pub(crate) fn all(&self) -> Vec<Arc<Call>> {
        self.calls.iter().map(|call| Arc::clone(&call)).collect()
    }

    /// Ends the calls of a session that is gone.
    pub(crate) fn abort(&self, session: SessionId) {
        for call in self.calls.iter().filter(|call| call.session == Some(session)) {
            call.abort.cancel();
        }
    }
}
