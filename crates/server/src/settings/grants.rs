//! How tokens are given out and used, besides by a user's consent and alone.

use super::{
    RawSettings,
    read::{Reader, switch},
};

/// What authorization may do besides the usual.
#[derive(Clone)]
pub(crate) struct Grants {
    /// Give tokens to clients that registered themselves, for themselves.
    pub(crate) open_client_credentials: bool,
    /// Want a nonce in each proof of possession.
    pub(crate) dpop_nonces: bool,
}

pub(super) fn grants(reader: &mut Reader, raw: &RawSettings) -> Grants {
    let mut is_on = |variable, text: &Option<String>| {
        reader.read(variable, text.as_deref(), false, "on or off", switch)
    };
    Grants {
        open_client_credentials: is_on("OPEN_CLIENT_CREDENTIALS", &raw.open_client_credentials),
        dpop_nonces: is_on("DPOP_NONCES", &raw.dpop_nonces),
    }
}
