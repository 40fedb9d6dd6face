//! Saying that a task has ended.

use rmcp::model::CustomNotification;

use super::{RunningTask, Tasks, tell};
use crate::origin::Caller;

/// Tells the session that a task was begun in how it ended. Its client may not rely on it, so what
/// goes wrong here is no error (2025-11-25, Tasks, Task Notifications).
pub(crate) async fn say_end(keeper: &dyn Tasks, caller: Option<Caller>, ran: &dyn RunningTask) {
    let Ok(Some(task)) = keeper.find(caller.as_ref(), &ran.id()).await else { return };
    let ended = CustomNotification::new("notifications/tasks/status", Some(tell::shown(&task)));
    let _ = ran.tell(ended.into()).await;
}
