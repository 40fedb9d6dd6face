//! What a token says, in the words of JWTs and of introspection alike (RFC 7519 section 4.1,
//! RFC 7662 section 2.2, RFC 9068 section 2.2), and what makes of it a caller.

use std::time::Duration;

use mcp_everything_store::{Owner, Timestamp};
use serde_json::{Map, Value};

use super::TokenAudience;
use crate::{
    Caller, Flaw, ScopeSet,
    jose::{NumericDate, SKEW},
};

/// How long a token may be used that does not say when it ends, before it is asked about again.
const UNBOUNDED: Duration = Duration::from_secs(60 * 60);

/// Where providers put the client (RFC 9068; `OpenID` Connect; Okta; Entra).
const CLIENT: [&str; 4] = ["client_id", "azp", "cid", "appid"];
/// What only an ID token has (`OpenID` Connect Core sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// What was said is not in the form in which it must be said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotRead(&'static str);

impl NotRead {
    pub(super) fn claim(&self) -> &'static str {
        self.0
    }
}

/// The claims about one token.
pub(super) struct Claims(Map<String, Value>);

/// Whose tokens are taken, and for what.
pub(super) struct Expected {
    /// Whoever signed the token, or answered for it.
    pub(super) issuer: String,
    pub(super) audience: Option<TokenAudience>,
    /// What a token is for that has the audience above: the server as a whole.
    pub(super) whole: String,
    /// This server's resources, the names of which may stand before a scope.
    pub(super) resources: Vec<String>,
}

impl Claims {
    pub(super) fn new(value: Value) -> Option<Self> {
        match value {
            Value::Object(claims) => Some(Self(claims)),
            _ => None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, NotRead> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or(NotRead(name))
    }

    /// One value or several.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.get(name) {
            None => Some(Vec::new()),
            Some(Value::String(text)) => Some(vec![text]),
            Some(Value::Array(all)) => all.iter().map(Value::as_str).collect(),
            Some(_) => None,
        }
    }

    fn time(&self, name: &'static str) -> Result<Option<Timestamp>, NotRead> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let date: NumericDate = serde_json::from_value(value.clone()).map_err(|_| NotRead(name))?;
        Ok(Some(date.timestamp()))
    }

    /// Whose request it is, if the token is good at `now`. The outer error is about what was said,
    /// the inner one about the token.
    pub(super) fn caller(
        &self,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<Result<Caller, Flaw>, NotRead> {
        let expires_at = self.time("exp")?.map_or(now + UNBOUNDED, |at| at + SKEW);
        let not_before = self.time("nbf")?;
        let client = CLIENT.iter().find_map(|name| self.text(name).transpose()).transpose()?;
        let (user, audience) = (self.text("sub")?, self.audience(expected)?);
        let confirmation = self.confirmation()?;
        let flaw = if now >= expires_at {
            Flaw::Expired
        } else if not_before.is_some_and(|from| now + SKEW < from) {
            Flaw::NotYet
        } else if !self.is_access_token()? {
            Flaw::Kind
        } else if confirmation.is_none() && self.is_bound() {
            Flaw::Bound
        } else if self.text("iss")?.is_some_and(|issuer| issuer != expected.issuer) {
            Flaw::Issuer
        } else if audience.is_empty() {
            Flaw::Audience
        } else if let Some(user) = user.filter(|user| is_subject(user)) {
            let owner = Owner {
                user: user.to_owned(),
                issuer: expected.issuer.clone(),
                client: client.unwrap_or_default().to_owned(),
            };
            let scopes = self.scopes(expected)?;
            let grant = None;
            return Ok(Ok(Caller { owner, scopes, audience, expires_at, grant, confirmation }));
        } else {
            Flaw::User
        };
        Ok(Err(flaw))
    }

    /// The resources the token is for, which the door compares with its own.
    fn audience(&self, expected: &Expected) -> Result<Vec<String>, NotRead> {
        let Some(audience) = &expected.audience else {
            let named = self.texts("aud").ok_or(NotRead("aud"))?;
            return Ok(named.into_iter().map(str::to_owned).collect());
        };
        let named = self.texts(audience.claim()).ok_or(NotRead("the claim of TOKEN_AUDIENCE"))?;
        let is_meant = audience.values().iter().any(|value| named.contains(&value.as_str()));
        Ok(if is_meant { vec![expected.whole.clone()] } else { Vec::new() })
    }

    /// The thumbprint of the key that the token is bound to (RFC 9449 section 6).
    fn confirmation(&self) -> Result<Option<String>, NotRead> {
        let Some(confirmation) = self.get("cnf") else { return Ok(None) };
        match confirmation.get("jkt") {
            Some(thumbprint) => {
                thumbprint.as_str().map(|text| Some(text.to_owned())).ok_or(NotRead("cnf"))
            }
            None => Ok(None),
        }
    }

    /// Whether it needs a proof: that of another key, too, or of a certificate.
    fn is_bound(&self) -> bool {
        let is_dpop = |name| self.get(name).and_then(Value::as_str).is_some_and(is_dpop);
        self.get("cnf").is_some() || is_dpop("token_type") || is_dpop("typ")
    }

    /// ID tokens and refresh tokens of the same issuer are no access tokens, though they may be
    /// signed and addressed alike. `token_use` is Cognito's, `typ` among the claims Keycloak's.
    fn is_access_token(&self) -> Result<bool, NotRead> {
        let says = |name, expected: fn(&str) -> bool| -> Result<bool, NotRead> {
            Ok(self.text(name)?.is_none_or(expected))
        };
        let is_token_type: fn(&str) -> bool =
            |text| text.eq_ignore_ascii_case("Bearer") || is_dpop(text);
        Ok(says("token_type", is_token_type)?
            && says("typ", is_token_type)?
            && says("token_use", |text| text == "access")?
            && OF_ID_TOKENS.iter().all(|name| self.get(name).is_none()))
    }

    /// The scopes that are known here, from `scope` or, as Entra and Okta have it, `scp`.
    fn scopes(&self, expected: &Expected) -> Result<ScopeSet, NotRead> {
        let name = if self.get("scope").is_some() { "scope" } else { "scp" };
        let values = self.texts(name).ok_or(NotRead("scope"))?;
        let values = values.iter().flat_map(|text| text.split(' '));
        Ok(values
            .map(|value| ScopeSet::parse_known(bare(value, &expected.resources)))
            .fold(ScopeSet::EMPTY, ScopeSet::union))
    }
}

/// Whether this names somebody: a user, or a client that acts for itself, whose name may have a space
/// in it ([`crate::subject`]).
fn is_subject(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn is_dpop(text: &str) -> bool {
    text.eq_ignore_ascii_case("DPoP")
}

/// A scope without the resource before it, which Cognito requires:
/// `https://mcp.example.com/mcp/mcp:read`.
fn bare<'a>(scope: &'a str, resources: &[String]) -> &'a str {
    // The whole server's name begins the names of its parts.
    let after = |resource: &String| {
        let rest = scope.strip_prefix(resource.trim_end_matches('/'))?.strip_prefix('/')?;
        (!rest.contains('/')).then_some(rest)
    };
    resources.iter().find_map(after).unwrap_or(scope)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            Just(json!("https://mcp.example.com")),
            Just(json!("alice")),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                    .prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whoever comes out is named, and is for here.
        #[test]
        fn whatever_is_said_is_read_or_refused(
            claims in prop::collection::btree_map(
                prop::sample::select(vec![
                    "iss", "sub", "aud", "exp", "nbf", "scope", "scp", "client_id", "azp", "cnf",
                    "token_type", "typ", "nonce",
                ]),
                value(),
                0..13,
            ),
        ) {
            let expected = Expected {
                issuer: "https://auth.example.com".into(),
                audience: None,
                whole: "https://mcp.example.com".into(),
                resources: vec!["https://mcp.example.com".into()],
            };
            let claims: Map<_, _> =
                claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let now = Timestamp::from_millis(1_000_000_000_000);
            if let Ok(Ok(caller)) = Claims(claims).caller(&expected, now) {
                prop_assert!(!caller.owner.user.is_empty() && !caller.audience.is_empty());
                prop_assert!(caller.expires_at > now);
                prop_assert_eq!(caller.owner.issuer, expected.issuer);
            }
        }
    }
}
