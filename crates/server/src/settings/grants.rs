//! How tokens are given out, besides by a user's consent.

use super::{
    RawSettings,
    read::{Reader, switch},
};

/// What the authorization server may do without a user's consent.
#[derive(Clone)]
pub(crate) struct Grants {
    /// Give tokens to clients that registered themselves, for themselves.
    pub(crate) open_client_credentials: bool,
}

pub(super) fn grants(reader: &mut Reader, raw: &RawSettings) -> Grants {
    let open = raw.open_client_credentials.as_deref();
    Grants {
        open_client_credentials: reader.read(
            "OPEN_CLIENT_CREDENTIALS",
            open,
            false,
            "on or off",
            switch,
        ),
    }
}
