//! How much is kept.

/// How much a store keeps of an authorization server, where it does the counting itself.
/// Registrations are counted by [`put_client`](super::OAuthStore::put_client).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Logins under way. The oldest makes room, as anybody can begin one.
    pub pending: usize,
    /// Bytes of all logins under way: how long a client's `state` is, is up to the client.
    pub pending_bytes: usize,
    /// Grants, those included whose code was not redeemed yet.
    pub grants: usize,
    /// Authorization codes, redeemed or not.
    pub codes: usize,
    /// Access tokens, revoked or not.
    pub access_tokens: usize,
    /// Families of refresh tokens, dead or not.
    pub refresh_families: usize,
    /// What is good once and was used. Of proofs (RFC 9449), one for each request, each for five
    /// minutes.
    pub replays: usize,
    /// Documents of clients and of their keys. The first to end makes room.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending: 10_000,
            pending_bytes: 64 << 20,
            grants: 100_000,
            codes: 20_000,
            access_tokens: 200_000,
            refresh_families: 100_000,
            replays: 500_000,
            documents: 5_000,
        }
    }
}
