//! Access tokens that say everything themselves, signed by their issuer (RFC 9068, and those that
//! came before it).

use std::sync::Arc;

use super::{
    TrustedServer,
    claims::Claims,
    introspection::away,
    keys::{Keys, Unverified},
};
use crate::{
    Flaw, VerifyError,
    jose::{Jws, JwsError},
};

/// What access tokens call themselves: RFC 9068 section 2.1, and before it.
const TYPES: [&str; 2] = ["at+jwt", "jwt"];

/// Whether a token has the form of a signed JWT, right or not.
pub(super) fn is_jws(token: &str) -> bool {
    !matches!(Jws::read(token), Err(JwsError::Malformed))
}

/// Checks signatures.
pub(super) struct Jwt {
    keys: Keys,
}

impl Jwt {
    pub(super) fn new(server: Arc<TrustedServer>) -> Self {
        Self { keys: Keys::new(server) }
    }

    /// The claims of a token that one of the keys at `jwks_uri` signed.
    pub(super) async fn check(&self, jwks_uri: &str, token: &str) -> Result<Claims, VerifyError> {
        let jws = Jws::read(token).map_err(flaw)?;
        if jws.has_type() && !TYPES.iter().any(|one| jws.is_typed(one)) {
            return Err(Flaw::Kind.into());
        }
        let said = self.keys.verify(jwks_uri, &jws).await.map_err(|error| match error {
            Unverified::Jws(error) => flaw(error).into(),
            Unverified::NoKeys(error) => away(format!("{jwks_uri}: {error}")),
        })?;
        let claims = Claims::new(said).ok_or(Flaw::Malformed)?;
        // Both are required (RFC 9068 section 2.2): without them a token is for ever, or anybody's.
        match (claims.get("exp"), claims.get("iss")) {
            (None, _) => Err(Flaw::Malformed.into()),
            (Some(_), None) => Err(Flaw::Issuer.into()),
            (Some(_), Some(_)) => Ok(claims),
        }
    }
}

fn flaw(error: JwsError) -> Flaw {
    match error {
        JwsError::TooLong
        | JwsError::Malformed
        | JwsError::Header
        | JwsError::Critical
        | JwsError::Claims => Flaw::Malformed,
        JwsError::Algorithm => Flaw::Algorithm,
        JwsError::NoKey => Flaw::Key,
        JwsError::Signature => Flaw::Signature,
    }
}
