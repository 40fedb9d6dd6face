//! What an instance does besides serving requests: it answers its bell, and keeps the sessions
//! alive that are in use here. One task, whatever the number of sessions.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mcp_everything_store::{Bell, Bells, SessionId};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage},
};
use tokio::{
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    call::{Call, ClientNumber, parse_progress_token},
    shared::Shared,
};

/// How often calls that wait for their clients look for themselves: a bell may be lost.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) async fn run<H: ServerHandler>(
    shared: Weak<Shared<H>>,
    shutdown: CancellationToken,
    mut bells: Bells,
) {
    let Some(hold_every) = shared.upgrade().map(|shared| shared.config.hold_every) else {
        return;
    };
    let (mut holds, mut looks) = (ticks(hold_every), ticks(LOOK));
    let mut holding: Option<JoinHandle<()>> = None;
    loop {
        tokio::select! {
            bell = bells.recv() => {
                let (Some(bell), Some(shared)) = (bell, shared.upgrade()) else { return };
                answer(&shared, bell);
            }
            _ = holds.tick() => {
                let Some(shared) = shared.upgrade() else { return };
                // A store that is slow holds nothing else up, and is not asked twice at a time.
                if holding.as_ref().is_none_or(JoinHandle::is_finished) {
                    holding = Some(tokio::spawn(hold(shared)));
                }
            }
            _ = looks.tick() => {
                let Some(shared) = shared.upgrade() else { return };
                look(&shared, Call::is_asking);
            }
            () = shutdown.cancelled() => return,
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn answer<H: ServerHandler>(shared: &Arc<Shared<H>>, bell: Bell) {
    match bell {
        Bell::CallNews(session, call) => {
            if let Some(call) = shared.calls.get(session, call) {
                tokio::spawn(take_news(Arc::clone(shared), vec![call]));
            }
        }
        Bell::Resumed(session, id) => {
            if let Some(call) = shared.calls.get(session, id) {
                call.detach.cancel();
            }
            shared.readers.leave(session, id);
        }
        Bell::CallGrew(session, call) => shared.readers.wake(session, call),
        Bell::StreamChanged(session) => shared.streams.ring(session),
        Bell::Changed => shared.teller.ring(),
        Bell::Ended(session) => shared.end_session(session),
        Bell::Revoked(grant) => shared.grants.revoke(grant),
        Bell::Progressed(session, call, data) => {
            if let Some(call) = shared.calls.get(session, call) {
                progress(&call, &data);
            }
        }
        Bell::Missed => {
            look(shared, |_| true);
            shared.readers.wake_all();
            shared.teller.ring();
            tokio::spawn(hold(Arc::clone(shared)));
        }
    }
}

/// Lets calls see what came for them.
fn look<H: ServerHandler>(shared: &Arc<Shared<H>>, which: impl Fn(&Call) -> bool) {
    let calls: Vec<_> = shared.calls.all().into_iter().filter(|call| which(call)).collect();
    if !calls.is_empty() {
        tokio::spawn(take_news(Arc::clone(shared), calls));
    }
}

async fn take_news<H: ServerHandler>(shared: Arc<Shared<H>>, calls: Vec<Arc<Call>>) {
    for call in calls {
        let Some(session) = call.session else { continue };
        let news = match shared.store.call_news(session, call.id).await {
            Ok(Some(news)) => news,
            // It has ended, or is not open yet.
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(event = "store.unavailable", %error, "answers could not be read");
                return;
            }
        };
        if news.cancelled {
            call.cancel();
        }
        for answer in news.answers {
            if let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(&answer.data) {
                call.deliver(ClientNumber { call: call.id, number: answer.number }, message);
            }
        }
    }
}

fn progress(call: &Call, data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<ClientJsonRpcMessage>(data) else {
        return;
    };
    let JsonRpcMessage::Notification(notification) = &message else {
        return;
    };
    if let ClientNotification::ProgressNotification(progress) = &notification.notification
        && let Some(number) = parse_progress_token(&progress.params.progress_token)
    {
        call.deliver(number, message);
    }
}

/// A session lives while it has an open stream or a running call.
async fn hold<H: ServerHandler>(shared: Arc<Shared<H>>) {
    let mut sessions: Vec<SessionId> = shared.streams.sessions();
    sessions.extend(shared.calls.sessions());
    sessions.extend(shared.readers.sessions());
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
