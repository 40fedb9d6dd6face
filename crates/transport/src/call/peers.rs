//! What rmcp is told of the client of each call.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mcp_everything_store::{Halves, Handshake};
use rmcp::model::{
    ClientCapabilities, ClientJsonRpcMessage, GetMeta as _, Implementation,
    InitializeRequestParams, JsonRpcMessage,
};

use super::run::CorruptSession;

/// The longest parameters that are kept as they were read, in bytes. Few clients say more of
/// themselves.
const LONGEST: usize = 1024;

/// What the clients seen last said of themselves: a call is spared reading it again. Sessions of one
/// program are alike, so this is kept of programs and not of sessions.
#[derive(Default)]
pub(crate) struct Peers(Mutex<Halves<Handshake, InitializeRequestParams>>);

impl Peers {
    /// The parameters with the version that was agreed on, not the one the client asked for.
    pub(super) fn of(&self, agreed: &Handshake) -> Result<InitializeRequestParams, CorruptSession> {
        if let Some(known) = self.lock().get(agreed) {
            return Ok(known.clone());
        }
        let version = serde_json::Value::String(agreed.protocol_version.to_string());
        let mut params: InitializeRequestParams = serde_json::from_str(&agreed.initialize)?;
        params.protocol_version = serde_json::from_value(version)?;
        if agreed.initialize.len() <= LONGEST && !is_open_ended(&params) {
            self.lock().insert(agreed.clone(), params.clone());
        }
        Ok(params)
    }

    fn lock(&self) -> MutexGuard<'_, Halves<Handshake, InitializeRequestParams>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a message outside of any session says of its client: the version it is of, if it names one.
/// Handlers read the rest where it is, in the message.
pub(super) fn named_by(message: &mut ClientJsonRpcMessage) -> Option<InitializeRequestParams> {
    let JsonRpcMessage::Request(request) = message else { return None };
    let version = request.request.get_meta_mut().protocol_version()?;
    let params =
        InitializeRequestParams::new(ClientCapabilities::default(), Implementation::default());
    Some(params.with_protocol_version(version))
}

/// Whether parts of it are of any form, which take many times the room of their text once read.
fn is_open_ended(params: &InitializeRequestParams) -> bool {
    let capabilities = &params.capabilities;
    capabilities.experimental.is_some()
        || capabilities.extensions.is_some()
        || params.meta.is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A list of a thousand numbers is 2 KB of text, and 70 KB once it is read.
    #[test]
    fn what_takes_much_more_room_than_its_text_is_not_kept() {
        let peers = Peers::default();
        for (capabilities, is_kept) in [
            (json!({ "sampling": {} }), true),
            (json!({ "experimental": { "x": { "list": [0, 0, 0, 0] } } }), false),
        ] {
            let initialize = json!({
                "protocolVersion": "2025-11-25",
                "capabilities": capabilities,
                "clientInfo": { "name": "c", "version": "1" },
            });
            let agreed = Handshake {
                protocol_version: "2025-11-25".into(),
                initialize: initialize.to_string().into(),
            };
            peers.of(&agreed).unwrap();
            assert_eq!(peers.lock().get(&agreed).is_some(), is_kept);
        }
    }
}
