//! How tokens are given out and used, besides by a user's consent and alone.

use mcp_everything_oauth::BaseUri;

use super::{
    RawSettings,
    read::{Reader, list, switch},
    separate::issuer,
};

/// What authorization may do besides the usual.
#[derive(Clone)]
pub(crate) struct Grants {
    /// The identity providers of enterprises.
    pub(crate) enterprise_issuers: Vec<BaseUri>,
    /// Give tokens to clients that registered themselves, for themselves.
    pub(crate) open_client_credentials: bool,
    /// Want a nonce in each proof of possession.
    pub(crate) dpop_nonces: bool,
}

pub(super) fn grants(reader: &mut Reader, raw: &RawSettings) -> Grants {
    let takes = "https URLs of identity providers, separated by commas";
    let named = raw.enterprise_issuers.as_deref();
    let enterprise_issuers = reader.read("ENTERPRISE_ISSUERS", named, Vec::new(), takes, |text| {
        list(text).map(|item| issuer(item).ok()).collect()
    });
    let mut is_on = |variable, text: &Option<String>| {
        reader.read(variable, text.as_deref(), false, "on or off", switch)
    };
    Grants {
        enterprise_issuers,
        open_client_credentials: is_on("OPEN_CLIENT_CREDENTIALS", &raw.open_client_credentials),
        dpop_nonces: is_on("DPOP_NONCES", &raw.dpop_nonces),
    }
}
