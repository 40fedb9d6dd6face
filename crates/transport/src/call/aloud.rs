//! What a call says on its session's standalone stream.

use std::time::Duration;

use bytes::Bytes;
use mcp_everything_store::{CallEvent, Said, SessionId, StoreError};
use rmcp::model::RequestId;

use super::{
    Call,
    pump::{Over, said},
};
use crate::{
    scope::{SessionError, push, ring},
    shared::Shared,
};

/// How long a message is offered to a store that is away, or to a stream whose client reads too
/// slowly. Meanwhile the call waits, and no other.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a message is not on the stream.
enum Unheard {
    /// The call or its session is gone.
    Over,
    /// It is larger than the stream's log may be.
    TooLarge,
    /// It was offered for long enough.
    Lost(&'static str),
}

/// Says one message of a call; `question` is its id if it asks the client something.
pub(super) async fn say<H>(
    shared: &Shared<H>,
    session: SessionId,
    call: &Call,
    mut event: CallEvent,
    question: Option<&RequestId>,
) -> Result<(), Over> {
    let mut heard = offer(shared, session, call, &event).await;
    if let (Err(Unheard::TooLarge), Some(request), true) = (&heard, &call.request, event.last) {
        event.data = said(request, "the answer was too large for the event stream");
        heard = offer(shared, session, call, &event).await;
    }
    let reason = match heard {
        Ok(()) => return Ok(()),
        Err(Unheard::Over) => return Err(Over),
        Err(Unheard::TooLarge) => "it is too large for the event stream",
        Err(Unheard::Lost(reason)) => reason,
    };
    tracing::warn!(event = "stream.lost", %session, call = %call.id, reason,
        "a message for the standalone stream is lost");
    if let Some(question) = question {
        call.give_up(question, reason);
    }
    let CallEvent { seq, data, last } = event;
    // Once more, so that whoever reads is told that something is missing.
    if let Err(SessionError::Gone) = push(&*shared.store, &*shared.bus, session, data).await {
        return Err(Over);
    }
    if last {
        // If this fails, the call goes with its session.
        let over = CallEvent { seq, data: Bytes::new(), last };
        drop(shared.store.say(session, call.id, over).await);
    }
    Ok(())
}

/// Offers a message until it is taken. Saying it may run twice: it is kept once.
async fn offer<H>(
    shared: &Shared<H>,
    session: SessionId,
    call: &Call,
    event: &CallEvent,
) -> Result<(), Unheard> {
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    let mut pause = FIRST_PAUSE;
    loop {
        let reason = match shared.store.say(session, call.id, event.clone()).await {
            Ok(Said::Kept { holder }) => {
                ring(&*shared.bus, session, holder).await;
                return Ok(());
            }
            Ok(Said::Ended | Said::Gone) => return Err(Unheard::Over),
            Ok(Said::Full) => "its client does not read its event stream",
            Err(StoreError::LimitReached { .. }) => return Err(Unheard::TooLarge),
            Err(StoreError::Unavailable { .. } | StoreError::Corrupt { .. }) => {
                "the store could not keep it"
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut patience => return Err(Unheard::Lost(reason)),
            // What a revoked grant set off ends with it.
            () = call.lease.revoked() => return Err(Unheard::Lost(reason)),
            () = shared.shutdown.cancelled() => return Err(Unheard::Lost(reason)),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
