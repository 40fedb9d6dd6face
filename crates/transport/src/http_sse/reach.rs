//! Whether anybody hears a session's event stream.

use std::time::Duration;

use mcp_everything_store::SessionId;
use rmcp::model::RequestId;
use tokio::time::Instant;

use crate::{http::Refusal, shared::Shared};

/// How long a request waits for its client's stream to come back.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the session's stream is open somewhere. The answer to a request goes there and
/// nowhere else: without a stream it is not accepted, and its client learns that at once instead of
/// waiting for ever. A client whose stream was cut is given a moment to come back.
pub(super) async fn stream<H>(
    shared: &Shared<H>,
    session: SessionId,
    id: &RequestId,
) -> Result<(), Refusal> {
    let patience = Instant::now() + PATIENCE;
    loop {
        let holder = shared.store.holder(session).await;
        let holder = holder.map_err(|error| Refusal::store(&error, Some(id.clone())))?;
        if let Some(holder) = holder
            && (holder == shared.instance
                || !matches!(shared.bus.is_alive(&holder).await, Ok(false)))
        {
            return Ok(());
        }
        if Instant::now() >= patience {
            tracing::debug!(event = "stream.missing", %session,
                "a request was refused: its client has no event stream");
            return Err(Refusal::SessionNotFound { id: Some(id.clone()) });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
