//! What an authorization server keeps: registrations, logins under way, grants, codes and tokens.
//!
//! A secret (code, token, upstream state) is never given to a store. It appears as its
//! [`SecretHash`], and what belongs to it as a [`Sealed`] body that only the secret opens. What an
//! operation must decide on (used, revoked, which generation) lies beside the body in the clear.
//!
//! Each operation touches the keys of one record, so that it can be one command or one script
//! wherever the records are kept. The exceptions are [`OAuthStore::access_token`], which reads two,
//! and a user's list of grants, which is written after the grant itself: a grant that nobody could
//! be told of is not yet created.

mod client;
mod codec;
mod documents;
mod grant;
mod limits;
mod name;
mod records;
mod replays;
mod seal;

use std::time::Duration;

use async_trait::async_trait;

pub use client::{ClientAuth, ClientKeys, ClientRecord};
pub use codec::{decode, encode};
pub use documents::{Document, DocumentKind, Documents};
pub use grant::{Grant, GrantId, GrantRecord, LiveGrant};
pub use limits::Limits;
pub use name::{AttemptId, SecretHash};
pub use records::{
    CodeGrant, IssuedToken, LoginPurpose, PendingAuthorization, PendingLogin, RefreshFamily,
};
pub use replays::Replays;
pub use seal::{Sealed, SealedRecord};

use crate::StoreError;

/// Storage of an authorization server.
///
/// Every change may run twice: a `put` of what is already there changes nothing and succeeds, and
/// what consumes carries an [`AttemptId`], which gets the same answer again. A record is gone when
/// its life is over, by the store's own clock. "Not there", "expired" and "revoked" are `None` or a
/// variant that says so; an error means that nothing is known.
///
/// Strangers make most of what is kept, so there is an end to how much. Logins under way make room
/// for newer ones, the oldest first. Of grants, codes and tokens, what is kept stays, and one too
/// many gets [`StoreError::LimitReached`]; a `put` of what is already there is never one too many.
/// How many are too many, is for each store to say: [`Limits`] are those of the stores here.
#[async_trait]
pub trait OAuthStore: Documents + Replays {
    /// Keeps a new registration for `life`.
    ///
    /// With `capacity` registrations kept, the oldest one that was never prolonged makes room: a
    /// newer one may have a login under way, and goes only when there is nothing older. One that was
    /// prolonged never goes; if there are no others, [`StoreError::LimitReached`].
    ///
    /// Anybody can call this as often as they like, so it must not look at every registration. A
    /// store that several instances share may count roughly while they register at the same time,
    /// and take registrations of the same second in any order.
    async fn put_client(
        &self,
        client: &ClientRecord,
        life: Duration,
        capacity: usize,
    ) -> Result<(), StoreError>;

    /// The registration of this `client_id`.
    async fn client(&self, id: &str) -> Result<Option<ClientRecord>, StoreError>;

    /// Marks a registration as in use and keeps it for at least `life` from now. `false` if it is
    /// not there.
    async fn prolong_client(&self, id: &str, life: Duration) -> Result<bool, StoreError>;

    /// Keeps a login under way, named by the state that the browser brings back, and gives the one
    /// that is kept: this, or the one that was there before, as it was. `None` if that one was taken.
    async fn put_pending(
        &self,
        name: &SecretHash,
        body: &Sealed<PendingLogin>,
        life: Duration,
    ) -> Result<Option<Sealed<PendingLogin>>, StoreError>;

    /// Looks at a login under way that was not taken yet.
    async fn pending(&self, name: &SecretHash) -> Result<Option<Sealed<PendingLogin>>, StoreError>;

    /// Ends a login under way. `true` for the one attempt that gets it, however often it asks.
    async fn take_pending(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError>;

    /// Keeps what a user granted a client. Codes and tokens are worth nothing without it.
    async fn create_grant(
        &self,
        id: &GrantId,
        grant: &GrantRecord,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// A grant, revoked or not.
    async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreError>;

    /// The grants of a user that are neither revoked nor over: `most` at most, and of more those
    /// that end last. They come in that order, the last to end first.
    async fn grants_of(&self, user: &str, most: usize) -> Result<Vec<LiveGrant>, StoreError>;

    /// Keeps a grant for at least `life` from now. `false` if it is not there or revoked: then
    /// nothing may be issued from it.
    async fn prolong_grant(&self, id: &GrantId, life: Duration) -> Result<bool, StoreError>;

    /// Ends a grant and with it every code and token that was or will be issued from it. `false`
    /// if it is not there.
    async fn revoke_grant(&self, id: &GrantId) -> Result<bool, StoreError>;

    /// Keeps an authorization code.
    async fn put_code(
        &self,
        name: &SecretHash,
        body: &Sealed<CodeGrant>,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// Looks at a code, redeemed or not, so that client, redirect URI and verifier can be checked
    /// before it is redeemed.
    async fn code(&self, name: &SecretHash) -> Result<Option<Code>, StoreError>;

    /// Redeems a code: the first attempt wins and wins again if it asks again; every other attempt
    /// is a replay for as long as the code would have lived.
    async fn redeem_code(
        &self,
        name: &SecretHash,
        attempt: &AttemptId,
    ) -> Result<Redemption, StoreError>;

    /// Keeps an access token for its whole life.
    async fn put_access_token(
        &self,
        name: &SecretHash,
        body: &Sealed<IssuedToken>,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// An access token, unless it or its grant is revoked or gone.
    ///
    /// The two keys are known beforehand, because the token names its grant: one round trip.
    async fn access_token(
        &self,
        name: &SecretHash,
        grant: &GrantId,
    ) -> Result<Option<AccessToken>, StoreError>;

    /// Ends one access token. A mark stays in its place for as long as it would have lived, so that
    /// a late `put` does not bring it back. One that is not there leaves no mark: a token is handed
    /// out only when its `put` is done.
    async fn revoke_access_token(&self, name: &SecretHash) -> Result<(), StoreError>;

    /// Starts a family of refresh tokens at generation 0.
    async fn put_refresh_family(
        &self,
        name: &SecretHash,
        body: &Sealed<RefreshFamily>,
        life: Duration,
    ) -> Result<(), StoreError>;

    /// Looks at a family, so that the client and what it asks for can be checked before a rotation.
    async fn refresh_family(
        &self,
        name: &SecretHash,
    ) -> Result<Option<Sealed<RefreshFamily>>, StoreError>;

    /// Uses the refresh token of one generation; the caller has checked its MAC.
    ///
    /// Needs no attempt id: a repeat falls into `window`. `life` is the family's from now on.
    async fn rotate_refresh(
        &self,
        name: &SecretHash,
        presented: u64,
        window: Duration,
        life: Duration,
    ) -> Result<Rotation, StoreError>;
}

/// An authorization code that is still kept.
#[derive(Clone, Debug)]
pub struct Code {
    /// What it is good for; the code opens it.
    pub body: Sealed<CodeGrant>,
    /// Whether it was redeemed before.
    pub redeemed: bool,
}

/// What became of an attempt to redeem a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This attempt has it.
    Redeemed,
    /// Another attempt had it before.
    Replayed,
    /// There is no such code, or it is too old.
    Unknown,
}

/// An access token that is good.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// What it allows; the token opens it.
    pub body: Sealed<IssuedToken>,
    /// How much of its life is left.
    pub expires_in: Duration,
}

/// What became of the use of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was the newest one, or newer than what a store that lost its last writes remembers.
    Rotated {
        /// The generation of its successor.
        next: u64,
    },
    /// It was replaced within the window: the client did not get the answer, or asked twice.
    Repeated {
        /// The generation of the successor it got before.
        next: u64,
    },
    /// It was replaced longer ago: somebody holds a copy. The family is dead from now on, and this
    /// is the answer to each of its tokens.
    Reused,
    /// There is no such family, or it is too old.
    Unknown,
}
