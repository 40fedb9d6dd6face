//! A task that is worked on here.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use mcp_everything_store::{Asked, StoreError, TaskEnd, TaskId, Timestamp};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use super::desk::Inner;

/// A task that is worked on in this process, in the hands of whoever works on it.
///
/// When it is dropped before it [ended](Self::end), as by a panic, the task is lost: it fails when
/// somebody next asks about it.
pub struct RunningTask {
    pub(super) id: TaskId,
    pub(super) began_at: Timestamp,
    pub(super) desk: Weak<Inner>,
    pub(super) rung: watch::Receiver<()>,
    pub(super) stop: CancellationToken,
    pub(super) _drained: TaskTrackerToken,
}

impl RunningTask {
    /// Its name.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// When it began.
    pub fn began_at(&self) -> Timestamp {
        self.began_at
    }

    /// Cancelled when the work should stop: nobody wants the result any more, or this process goes
    /// away.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Notes how the work is getting on, for whoever asks about the task.
    pub async fn note(&self, note: &str) -> Result<(), StoreError> {
        let Some(desk) = self.desk() else { return Ok(()) };
        desk.store.note_in_task(self.id, note, desk.clock.now()).await
    }

    /// Puts a question to the client and waits for its answer; `None` if the work should stop
    /// before that.
    ///
    /// A key stands for one question for the whole life of the task: asked again, it has the same
    /// answer. A store that is away is waited for.
    pub async fn ask(&self, key: &str, question: Bytes) -> Result<Option<Bytes>, StoreError> {
        let mut rung = self.rung.clone();
        let mut waits = false;
        while let Some(desk) = self.desk() {
            // What rings from here on is heard below.
            rung.mark_unchanged();
            let asked =
                desk.store.ask_in_task(self.id, key, question.clone(), desk.clock.now()).await;
            match asked {
                Ok(Asked::Answered(answer)) => {
                    if waits {
                        desk.announce(self.id).await;
                    }
                    return Ok(Some(answer));
                }
                Ok(Asked::Ended) => return Ok(None),
                Ok(Asked::Waiting) => {
                    if !std::mem::replace(&mut waits, true) {
                        desk.announce(self.id).await;
                    }
                }
                Err(StoreError::Unavailable { .. }) => {}
                Err(error @ (StoreError::LimitReached { .. } | StoreError::Corrupt { .. })) => {
                    return Err(error);
                }
            }
            drop(desk);
            tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                _ = rung.changed() => {}
            }
        }
        Ok(None)
    }

    /// Ends the task. `false` if it had ended otherwise before.
    ///
    /// A store that is away is waited for, unless this process goes away.
    pub async fn end(&self, end: TaskEnd) -> Result<bool, StoreError> {
        let mut rung = self.rung.clone();
        while let Some(desk) = self.desk() {
            rung.mark_unchanged();
            match desk.store.end_task(self.id, end.clone(), desk.clock.now()).await {
                Err(StoreError::Unavailable { .. }) if !desk.leaving.is_cancelled() => {}
                ended => {
                    desk.announce(self.id).await;
                    return ended;
                }
            }
            let leaving = desk.leaving.clone();
            drop(desk);
            tokio::select! {
                () = leaving.cancelled() => {}
                _ = rung.changed() => {}
            }
        }
        Ok(false)
    }

    fn desk(&self) -> Option<Arc<Inner>> {
        self.desk.upgrade()
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        if let Some(desk) = self.desk() {
            desk.running.remove(&self.id);
        }
    }
}

impl std::fmt::Debug for RunningTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RunningTask").field(&self.id).finish()
    }
}
