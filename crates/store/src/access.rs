//! What a request was let in on, for whatever outlives the request.

use crate::{Timestamp, oauth::GrantId};

/// The access token a request brought, without the token: when it expires and which grant it
/// comes from. A stream that is opened with it ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// When the token expires.
    pub until: Timestamp,
    /// What the user granted. Revoking it ends what was opened with the token.
    pub grant: GrantId,
}
