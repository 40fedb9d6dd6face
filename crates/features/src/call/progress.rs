//! Progress notifications to the client.

use std::sync::PoisonError;

use rmcp::model::{ProgressNotification, ProgressNotificationParam, ProgressToken};

use super::{Call, Way};

impl Call<'_> {
    /// The token that the client wants progress reported under.
    pub fn progress_token(&self) -> Option<ProgressToken> {
        self.context.meta.get_progress_token()
    }

    /// Reports `progress` of `total`, if the client asked for reports. Of a task the message is what
    /// its client reads when it asks how the task is getting on.
    ///
    /// It is on its way when this returns, so it cannot overtake the result. What is not more
    /// than reported before is not sent: progress must increase (Progress, Progress Flow).
    pub async fn progress(&self, progress: f64, total: f64, message: Option<String>) {
        let token = self.progress_token();
        if token.is_none() && !self.is_task() {
            return;
        }
        {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            if progress <= *reported {
                return;
            }
            *reported = progress;
        }
        if let (Way::Task(task), Some(message)) = (&self.way, &message) {
            task.say(message).await;
        }
        let Some(token) = token else { return };
        let mut report = ProgressNotificationParam::new(token, progress).with_total(total);
        report.message = message;
        self.notify(ProgressNotification::new(report).into()).await;
    }
}
