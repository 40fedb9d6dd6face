//! How things may be signed.

use jsonwebtoken::Algorithm;

/// A signature algorithm that is taken. Only asymmetric ones: whoever verifies must not be able to
/// sign, and `none` is no signature (RFC 8725, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigningAlgorithm {
    Es256,
    Es384,
    Ps256,
    Rs256,
    /// Ed25519 by its own name (RFC 9864).
    Ed25519,
    /// Ed25519 by the older name, which leaves the curve to the key (RFC 8037).
    EdDsa,
}

impl SigningAlgorithm {
    pub(crate) const ALL: [Self; 6] =
        [Self::Es256, Self::Es384, Self::Ps256, Self::Rs256, Self::Ed25519, Self::EdDsa];

    /// The names, as metadata lists them.
    pub(crate) const NAMES: [&'static str; 6] = {
        let mut names = [""; 6];
        let mut index = 0;
        while index < names.len() {
            names[index] = Self::ALL[index].as_str();
            index += 1;
        }
        names
    };

    /// The value of `alg`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::Ed25519 => "Ed25519",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    pub(super) const fn verified_as(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::Ps256 => Algorithm::PS256,
            Self::Rs256 => Algorithm::RS256,
            Self::Ed25519 | Self::EdDsa => Algorithm::EdDSA,
        }
    }
}
