//! What rmcp is told of the client of each call.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_everything_store::{Halves, Handshake, SessionId};
use rmcp::model::InitializeRequestParams;

use super::run::CorruptSession;

/// The longest parameters that are kept as they were read, in bytes. Few clients say more of
/// themselves.
const LONGEST: usize = 4096;

/// What the clients of the sessions seen last said of themselves, which never changes: a call is
/// spared reading it again.
#[derive(Default)]
pub(crate) struct Peers(Mutex<Halves<SessionId, InitializeRequestParams>>);

impl Peers {
    /// The parameters with the version that was agreed on, not the one the client asked for.
    pub(super) fn of(
        &self,
        session: SessionId,
        agreed: &Handshake,
    ) -> Result<InitializeRequestParams, CorruptSession> {
        if let Some(known) = self.lock().get(&session) {
            return Ok(known.clone());
        }
        let version = serde_json::Value::String(agreed.protocol_version.to_string());
        let mut params: InitializeRequestParams = serde_json::from_str(&agreed.initialize)?;
        params.protocol_version = serde_json::from_value(version)?;
        if agreed.initialize.len() <= LONGEST {
            self.lock().insert(session, params.clone());
        }
        Ok(params)
    }

    fn lock(&self) -> MutexGuard<'_, Halves<SessionId, InitializeRequestParams>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
