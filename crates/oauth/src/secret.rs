//! The secrets that are handed out.
//!
//! Each has a prefix that says what it is, so that a leaked one is recognised, and 32 random bytes.
//! Codes and tokens also begin with the id of their grant: both can then be looked up at once. None
//! of these types can be printed by accident; `expose` is the way to the text.

mod refresh;

use std::marker::PhantomData;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{
    Random,
    oauth::{GrantId, SecretHash},
};
use zeroize::Zeroizing;

pub(crate) use refresh::RefreshToken;

const GRANT: usize = 16;
const SECRET: usize = 32;

/// What a secret is for.
pub(crate) trait Kind {
    const PREFIX: &'static str;
}

/// Proves that a user granted something; exchanged for tokens once.
pub(crate) enum CodeKind {}
/// Opens the resource.
pub(crate) enum AccessKind {}
/// What the refresh tokens of one family have in common.
pub(crate) enum FamilyKind {}

impl Kind for CodeKind {
    const PREFIX: &'static str = "mcc_";
}
impl Kind for AccessKind {
    const PREFIX: &'static str = "mca_";
}
impl Kind for FamilyKind {
    const PREFIX: &'static str = "mcr_";
}

pub(crate) type AuthorizationCode = GrantSecret<CodeKind>;
pub(crate) type AccessToken = GrantSecret<AccessKind>;
pub(crate) type Family = GrantSecret<FamilyKind>;

/// A secret that belongs to a grant.
pub(crate) struct GrantSecret<K> {
    text: Zeroizing<String>,
    grant: GrantId,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> GrantSecret<K> {
    /// A new one.
    pub(crate) fn draw(grant: GrantId, random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; GRANT + SECRET]);
        let (id, secret) = bytes.split_at_mut(GRANT);
        id.copy_from_slice(grant.as_bytes());
        random.fill(secret);
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
        let text = Zeroizing::new(format!("{}{}", K::PREFIX, *encoded));
        Self { text, grant, kind: PhantomData }
    }

    /// Reads what a client sent. Says only that it has the form of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(K::PREFIX)?;
        let mut bytes = Zeroizing::new([0; GRANT + SECRET]);
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, bytes.as_mut_slice()).ok()?;
        let (grant, _) = bytes.split_first_chunk::<GRANT>()?;
        let grant = GrantId::from_bytes(*grant);
        (length == GRANT + SECRET).then(|| Self {
            text: Zeroizing::new(text.to_owned()),
            grant,
            kind: PhantomData,
        })
    }

    /// The grant it says it belongs to. Believe it only when a record was found by `name`.
    pub(crate) const fn grant(&self) -> GrantId {
        self.grant
    }

    /// What its record is found by.
    pub(crate) fn name(&self) -> SecretHash {
        SecretHash::of(&self.text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.text
    }
}

/// A secret that belongs to nothing else: a client's, or the state of a login.
pub(crate) struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    /// What a confidential client authenticates with.
    pub(crate) fn for_client(random: &dyn Random) -> Self {
        let encoded = Zeroizing::new(random.token::<SECRET>());
        Self(Zeroizing::new(format!("mcs_{}", *encoded)))
    }

    /// What ties the answer of an upstream provider to the login that asked: a tag that only this
    /// server can make.
    pub(crate) fn for_login(tag: [u8; SECRET]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(tag)))
    }

    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;

    use super::*;

    #[test]
    fn what_is_drawn_is_read_back() {
        let random = TestRandom::seeded(1);
        let grant = GrantId::draw(&random);
        let token = AccessToken::draw(grant, &random);
        assert_eq!(token.expose().len(), 4 + 64);
        let read = AccessToken::parse(token.expose()).unwrap();
        assert_eq!(read.grant(), grant);
        assert_eq!(read.name(), token.name());
        assert_ne!(AccessToken::draw(grant, &random).name(), token.name());
    }

    #[test]
    fn one_kind_is_not_taken_for_another() {
        let random = TestRandom::seeded(1);
        let code = AuthorizationCode::draw(GrantId::draw(&random), &random);
        assert!(AccessToken::parse(code.expose()).is_none());
        assert!(Family::parse(code.expose()).is_none());
    }

    #[test]
    fn other_forms_are_refused() {
        let random = TestRandom::seeded(1);
        let good = AccessToken::draw(GrantId::draw(&random), &random);
        let good = good.expose();
        for bad in ["", "mca_", &good[..67], &format!("{good}A"), &format!("{good}AAAA")] {
            assert!(AccessToken::parse(bad).is_none(), "{bad}");
        }
        assert!(AccessToken::parse(&format!("{good}=")).is_none());
        assert!(AccessToken::parse(&good.replace("mca_", "MCA_")).is_none());
    }
}
