//! Refresh tokens: `family.generation.MAC`.
//!
//! The family is a secret like any other. The generation counts rotations, and the MAC says that
//! this server counted: so a successor need not be kept to be given out again, and one that the
//! store has lost is recognised.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{Random, SecretKeys, oauth::GrantId};
use zeroize::Zeroizing;

use super::Family;

const PURPOSE: &str = "refresh token";

/// One generation of a family.
pub(crate) struct RefreshToken {
    family: Family,
    generation: u64,
}

impl RefreshToken {
    /// The first of a new family.
    pub(crate) fn first(grant: GrantId, random: &dyn Random) -> Self {
        Self { family: Family::draw(grant, random), generation: 0 }
    }

    /// Another generation of the same family.
    pub(crate) fn at_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// Reads what a client sent; `None` if this server did not make it.
    pub(crate) fn parse(text: &str, keys: &SecretKeys) -> Option<Self> {
        let mut parts = text.split('.');
        let (family, number, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let family = Family::parse(family)?;
        let generation = number.parse().ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let token = Self { family, generation };
        let is_ours = keys.verify(PURPOSE, &token.signed(&generation.to_be_bytes()), &mac);
        // One token has one text: "+1" and "01" are numbers too.
        (is_ours && generation.to_string() == number).then_some(token)
    }

    pub(crate) const fn family(&self) -> &Family {
        &self.family
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Its text, signed.
    pub(crate) fn expose(&self, keys: &SecretKeys) -> Zeroizing<String> {
        let mac = keys.sign(PURPOSE, &self.signed(&self.generation.to_be_bytes()));
        let mac = Zeroizing::new(URL_SAFE_NO_PAD.encode(mac));
        Zeroizing::new(format!("{}.{}.{}", self.family.expose(), self.generation, *mac))
    }

    fn signed<'a>(&'a self, generation: &'a [u8; 8]) -> [&'a [u8]; 2] {
        [self.family.expose().as_bytes(), generation]
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;

    use super::*;

    fn keys(seed: u64) -> SecretKeys {
        SecretKeys::generate(&TestRandom::seeded(seed))
    }

    fn token() -> RefreshToken {
        let random = TestRandom::seeded(7);
        RefreshToken::first(GrantId::draw(&random), &random)
    }

    #[test]
    fn generations_share_a_family() {
        let first = token();
        let name = first.family().name();
        let text = first.at_generation(3).expose(&keys(1));
        let read = RefreshToken::parse(&text, &keys(1)).unwrap();
        assert_eq!(read.generation(), 3);
        assert_eq!(read.family().name(), name);
    }

    #[test]
    fn the_same_generation_has_the_same_text() {
        assert_eq!(token().expose(&keys(1)), token().expose(&keys(1)));
    }

    #[test]
    fn nobody_else_can_make_one() {
        let text = token().expose(&keys(1));
        let parts: Vec<&str> = text.split('.').collect();
        let [family, number, mac] = parts[..] else { panic!("{} parts", parts.len()) };
        assert!(RefreshToken::parse(&text, &keys(2)).is_none(), "another server's key");
        for bad in [
            format!("{family}.1.{mac}"),
            format!("{family}.+0.{mac}"),
            format!("{family}.00.{mac}"),
            format!("{family}.{number}"),
            format!("{family}.{number}."),
            format!("{family}.{number}.{mac}."),
            format!("{family}.{number}.{}", &mac[1..]),
            format!("{family}.18446744073709551616.{mac}"),
            format!("{}.{number}.{mac}", token_of_another_family()),
            String::new(),
        ] {
            assert!(RefreshToken::parse(&bad, &keys(1)).is_none(), "{bad}");
        }
    }

    fn token_of_another_family() -> String {
        let random = TestRandom::seeded(8);
        Family::draw(GrantId::draw(&random), &random).expose().to_owned()
    }
}
