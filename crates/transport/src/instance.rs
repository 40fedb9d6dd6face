//! What an instance does besides serving requests: it answers its bell, and keeps the sessions
//! alive that are in use here. One task, whatever the number of sessions.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mcp_everything_store::{Bell, Bells, SessionId, spans::Place};
use rmcp::{
    ServerHandler,
    model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage},
};
use tokio::{
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument as _;

use crate::{
    call::{Call, ClientNumber, parse_progress_token},
    lease,
    shared::Shared,
    trace,
};

/// How often calls that wait for their clients look for themselves: a bell may be lost.
pub(crate) const LOOK: Duration = Duration::from_secs(5);
/// How long a call holds its session that its client has left and not come back to: whoever hangs
/// up on calls that never end must not keep sessions for ever.
const LEFT_CALL_HOLDS: Duration = Duration::from_secs(600);
/// The sessions that may end at one time.
const FEW: usize = 64;
/// How long the streams of more take to end.
const PER_STREAM: Duration = Duration::from_millis(5);
const SPREAD: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

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
    let mut looking: Option<AbortOnDropHandle<()>> = None;
    loop {
        tokio::select! {
            bell = bells.recv() => {
                let (Some(bell), Some(shared)) = (bell, shared.upgrade()) else { return };
                if bell == Bell::Missed {
                    // What an earlier one has not seen yet this one sees.
                    drop(looking.take());
                    let look = tokio::spawn(lease::look(Arc::clone(&shared)));
                    looking = Some(AbortOnDropHandle::new(look));
                }
                answer(&shared, bell, bells.rung_at());
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
                look(&shared, |call| call.is_asking() || call.missed_news());
                shared.tasks.ring_all();
                shared.elicitations.ring_all();
            }
            () = shutdown.cancelled() => return,
        }
    }
}

pub(crate) fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn answer<H: ServerHandler>(shared: &Arc<Shared<H>>, bell: Bell, rung_at: Option<&Place>) {
    let call = match bell {
        Bell::CallNews(session, call)
        | Bell::Resumed(session, call)
        | Bell::Progressed(session, call, _) => shared.calls.get(session, call),
        _ => None,
    };
    let span = trace::hears(&bell, rung_at, call.as_deref());
    let _heard = span.enter();
    match bell {
        Bell::CallNews(..) => {
            if let Some(call) = call {
                let news = take_news(Arc::clone(shared), vec![call]);
                tokio::spawn(news.instrument(span.clone()));
            }
        }
        Bell::Resumed(session, id) => {
            if let Some(call) = call {
                call.detach.cancel();
            }
            // It sees for itself: the client may be back here by now, and the bell an old one.
            shared.readers.wake(session, id);
        }
        Bell::CallGrew(session, call) => shared.readers.wake(session, call),
        Bell::StreamChanged(session) => shared.streams.ring(session),
        Bell::Switched(session) => shared.streams.switched(session),
        Bell::TaskNews(task) => shared.tasks.ring(task),
        Bell::ElicitationSettled(id) => shared.elicitations.ring(id),
        Bell::TaskChanged(task) => shared.tasks.changed(task),
        Bell::Changed => shared.teller.ring(),
        Bell::Ended(session) => shared.end_session(session),
        Bell::Revoked(grant) => {
            shared.grants.revoke(grant);
            shared.tasks.revoke(grant);
        }
        Bell::Progressed(_, _, data) => {
            if let Some(call) = call {
                progress(&call, &data);
            }
        }
        // What people look at is no business of the transport's.
        Bell::Looked | Bell::Watched(..) | Bell::Traced(..) => {}
        Bell::Missed => {
            look(shared, |_| true);
            shared.readers.wake_all();
            shared.streams.all_switched();
            shared.teller.ring();
            shared.tasks.ring_all();
            shared.elicitations.ring_all();
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
        let asked = shared.store.call_news(session, call.id);
        let news = match call.witnessed.clone().scope(asked).await {
            Ok(Some(news)) => news,
            // It has ended, or is not open yet.
            Ok(None) => continue,
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error, "a call's news are read later");
                call.miss_news(true);
                continue;
            }
        };
        call.miss_news(false);
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

/// A session lives while it has an open stream or a running call. What is open of one that is gone
/// ends.
async fn hold<H: ServerHandler>(shared: Arc<Shared<H>>) {
    let running = shared.calls.sessions(LEFT_CALL_HOLDS);
    let mut sessions: Vec<SessionId> = shared.streams.sessions();
    sessions.extend(running.held);
    sessions.extend(shared.readers.sessions());
    sessions.sort_unstable();
    sessions.dedup();
    let mut watched = running.watched;
    watched.retain(|session| sessions.binary_search(session).is_err());
    let mut gone = Vec::new();
    match shared.store.hold(&sessions).await {
        Ok(alive) => {
            for (session, alive) in sessions.into_iter().zip(alive) {
                if alive {
                    // A bell may have been lost.
                    shared.streams.ring(session);
                } else {
                    gone.push(session);
                }
            }
        }
        Err(error) => {
            tracing::warn!(event = "store.unavailable", %error, "sessions could not be held");
        }
    }
    for session in watched {
        match shared.store.state(session).await {
            Ok(Some(_)) => {}
            Ok(None) => gone.push(session),
            Err(error) => {
                tracing::warn!(event = "store.unavailable", %error, "sessions could not be watched");
                break;
            }
        }
    }
    end(&shared, gone);
}

/// Ends what is open of sessions that are gone: their calls at once, and their streams over a
/// while if there are many, since their clients all begin anew.
fn end<H: ServerHandler>(shared: &Arc<Shared<H>>, gone: Vec<SessionId>) {
    if gone.is_empty() {
        return;
    }
    tracing::info!(
        event = "sessions.gone",
        sessions = gone.len(),
        "what was open of sessions that are gone ends"
    );
    for session in &gone {
        shared.calls.abort(*session);
    }
    if gone.len() <= FEW {
        for session in gone {
            shared.end_streams(session);
        }
        return;
    }
    let count = u32::try_from(gone.len()).unwrap_or(u32::MAX);
    let [least, most] = SPREAD;
    let step = (PER_STREAM * count).clamp(least, most) / count;
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for session in gone {
            tokio::select! {
                () = sleep(step) => {}
                () = shared.shutdown.cancelled() => {}
            }
            shared.end_streams(session);
        }
    });
}
