//! What an instance does besides serving requests: it answers its bell, and keeps the sessions
//! alive that are in use here. One task, whatever the number of sessions.

use std::sync::{Arc, Weak};

use mcp_everything_store::{Bell, CallId, SessionId};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    call::{ClientNumber, parse_progress_token},
    shared::Shared,
};

pub(crate) async fn run<H: ServerHandler>(
    shared: Weak<Shared<H>>,
    shutdown: CancellationToken,
    mut bells: mpsc::UnboundedReceiver<Bell>,
) {
    let Some(every) = shared.upgrade().map(|shared| shared.config.hold_every) else {
        return;
    };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let bell = tokio::select! {
            bell = bells.recv() => Some(bell),
            _ = ticks.tick() => None,
            () = shutdown.cancelled() => return,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        match bell {
            Some(Some(bell)) => answer(&shared, bell),
            Some(None) => return,
            None => hold(&shared).await,
        }
    }
}

fn answer<H: ServerHandler>(shared: &Arc<Shared<H>>, bell: Bell) {
    match bell {
        Bell::Answered(session, call) => {
            tokio::spawn(take_answers(Arc::clone(shared), session, call));
        }
        Bell::Cancelled(session, call) => {
            if let Some(call) = shared.calls.get(session, call) {
                call.cancel();
            }
        }
        Bell::Resumed(session, call) => {
            if let Some(call) = shared.calls.get(session, call) {
                call.detach.cancel();
            }
        }
        Bell::CallGrew(_, call) => shared.readers.wake(call),
        Bell::StreamChanged(session) => shared.streams.ring(session),
        Bell::Ended(session) => shared.end_session(session),
        Bell::Progressed(session, call, data) => progress(shared, session, call, &data),
    }
}

async fn take_answers<H>(shared: Arc<Shared<H>>, session: SessionId, id: CallId) {
    let Some(call) = shared.calls.get(session, id) else {
        return;
    };
    match shared.store.take_answers(session, id).await {
        Ok(answers) => {
            for answer in answers {
                if let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(&answer.data) {
                    call.deliver(ClientNumber { call: id, number: answer.number }, message);
                }
            }
        }
        Err(error) => {
            tracing::warn!(event = "store.unavailable", %error, "answers could not be taken");
        }
    }
}

fn progress<H>(shared: &Shared<H>, session: SessionId, id: CallId, data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(data) else {
        return;
    };
    let JsonRpcMessage::Notification(notification) = &message else {
        return;
    };
    if let ClientNotification::ProgressNotification(progress) = &notification.notification
        && let Some(number) = parse_progress_token(&progress.params.progress_token)
        && let Some(call) = shared.calls.get(session, id)
    {
        call.deliver(number, message);
    }
}

/// A session lives while it has an open stream or a running call.
async fn hold<H>(shared: &Shared<H>) {
    let mut sessions = shared.streams.sessions();
    sessions.extend(shared.calls.sessions());
    sessions.sort_unstable();
    sessions.dedup();
    match shared.store.hold(&sessions).await {
        Ok(alive) => {
            for (session, alive) in sessions.into_iter().zip(alive) {
                if !alive {
                    shared.end_session(session);
                }
            }
        }
        Err(error) => {
            tracing::warn!(event = "store.unavailable", %error, "sessions could not be held");
        }
    }
    // A bell may have been lost.
    shared.streams.ring_all();
}
