//! `toggleSubscriberUpdates`: announces subscribed resources every five seconds, for the session.

use rmcp::model::CallToolResult;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, notifications, text};

pub(super) struct ToggleSubscriberUpdates;

impl Tool for ToggleSubscriberUpdates {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "toggleSubscriberUpdates",
            "Toggle subscriber updates",
            "Starts or stops announcing every five seconds that the resources this session \
             subscribed to were updated",
        )
        .icon(Glyph::Switch)
        .writes(false)
        .open_world(false)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let session = call.needed_session("toggleSubscriberUpdates")?;
        let id = session.id();
        if !session.flip(notifications::SUBSCRIBER_UPDATES).await? {
            return Ok(text(format!("Stopped simulated resource updates for session {id}")));
        }
        // The first ones come at once; whoever holds the session's stream sends the next.
        for uri in session.subscriptions().await? {
            call.say(notifications::resource_updated(uri)).await;
        }
        Ok(text(format!(
            "Started simulated resource updated notifications for session {id} at a 5 second \
             pace. Client will receive updates for any resources the it is subscribed to."
        )))
    }
}
