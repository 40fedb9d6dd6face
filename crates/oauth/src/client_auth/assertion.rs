//! `private_key_jwt`: a client signs who it is (RFC 7523, section 2.2).

use std::time::Duration;

use mcp_everything_store::{
    StoreError,
    oauth::{AttemptId, ClientRecord, SecretHash},
};
use serde::Deserialize;
use thiserror::Error;

use crate::{
    jose::{Audience, ClaimError, Jws, JwsError, KeySet, Times},
    resources::same_resource,
    server::Context,
};

/// The value of `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Each is good once, so its life bounds what must be remembered and not what a thief can do.
const LONGEST_LIFE: Duration = Duration::from_secs(60 * 60);
const LONGEST_ID: usize = 255;

/// Why an assertion does not prove who a client is. The text has nothing of the assertion in it.
#[derive(Debug, Error)]
pub(crate) enum AssertionError {
    #[error("client_assertion_type is not that of a JWT")]
    OtherKind,
    #[error("client_assertion is missing")]
    Missing,
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("its typ is that of something else")]
    OtherType,
    #[error("its iss and sub must both be the client_id")]
    NotOfItself,
    #[error("its aud must be the issuer, and nobody else")]
    OtherAudience,
    #[error(transparent)]
    Times(#[from] ClaimError),
    #[error("its jti is missing or too long")]
    NoId,
    #[error("it was used before")]
    Replayed,
}

#[derive(Deserialize)]
struct Subject {
    iss: Option<String>,
    sub: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: Option<Audience>,
    jti: Option<String>,
    #[serde(flatten)]
    times: Times,
}

/// Whom an assertion says it is from. Nothing is verified yet.
pub(super) fn claimed_client(text: &str) -> Result<String, AssertionError> {
    match Jws::read(text)?.unverified()? {
        Subject { iss: Some(iss), sub: Some(sub) } if iss == sub => Ok(sub),
        Subject { .. } => Err(AssertionError::NotOfItself),
    }
}

/// An assertion that the client made, for this server, and for this moment.
pub(super) struct Verified {
    name: SecretHash,
    life: Duration,
}

pub(super) fn verify(
    context: &Context,
    client: &ClientRecord,
    keys: &KeySet,
    text: &str,
) -> Result<Verified, AssertionError> {
    let jws = Jws::read(text)?;
    // What it says it is may be left out (RFC 7519, section 5.1), but it must not be signed for
    // something else (RFC 8725, section 3.11).
    if jws.has_type() && !jws.is_typed("jwt") && !jws.is_typed("client-authentication+jwt") {
        return Err(AssertionError::OtherType);
    }
    let Claims { aud, jti, times } = jws.verify_with(keys)?;
    let issuer = &context.config.issuer;
    let names_us = |aud: &str| same_resource(aud, issuer.as_str()) || aud == issuer.join("/token");
    // Alone: for two recipients, each could use it with the other.
    if !aud.as_ref().and_then(Audience::sole).is_some_and(names_us) {
        return Err(AssertionError::OtherAudience);
    }
    let life = times.check(context.clock.now(), LONGEST_LIFE)?;
    let jti =
        jti.filter(|jti| (1..=LONGEST_ID).contains(&jti.len())).ok_or(AssertionError::NoId)?;
    let name = SecretHash::of(&format!("client assertion\n{}\n{jti}", client.id));
    Ok(Verified { name, life })
}

impl Verified {
    /// Uses it up, for all instances.
    pub(super) async fn is_first(&self, context: &Context) -> Result<bool, StoreError> {
        let attempt = AttemptId::draw(&*context.random);
        context.store.remember_once(&self.name, &attempt, self.life).await
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::{
        Clock as _, Random as _,
        oauth::{ClientAuth, ClientKeys},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Page, Signer, TestServer, basic, client, confidential, form};

    const ISSUER: &str = "http://localhost:3232";

    /// A server that knows a client `c` by its keys.
    async fn server(keys: &[&Signer]) -> TestServer {
        let server = TestServer::with_config(|config| config.open_client_credentials = true);
        let keys: Vec<_> = keys.iter().map(|signer| signer.jwk()).collect();
        let keys = ClientKeys::Jwks(json!({"keys": keys}));
        let auth = ClientAuth::PrivateKeyJwt { keys };
        let grant_types = vec!["client_credentials".to_owned()];
        server.put_client(&ClientRecord { auth, grant_types, ..client("c") }).await;
        server
    }

    /// Right but for the changes; `null` leaves one out.
    fn claims(server: &TestServer, changes: &Value) -> Value {
        let now = server.clock.now().as_secs();
        let mut jti = [0; 8];
        server.random.fill(&mut jti);
        let mut claims = json!({
            "iss": "c", "sub": "c", "aud": ISSUER, "iat": now, "exp": now + 300,
            "jti": format!("{jti:?}"),
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    async fn ask(server: &TestServer, assertion: &str, changes: &[(&str, &str)]) -> Page {
        let request = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        server.post_form("/token", &form(&request, changes)).await
    }

    #[tokio::test]
    async fn a_client_proves_who_it_is_with_any_of_its_keys() {
        let signers = Signer::one_of_each();
        let server = server(&signers.each_ref()).await;
        for signer in &signers {
            for (header, changes) in [
                (json!({}), json!({})),
                (json!({"kid": null, "typ": "JWT"}), json!({"aud": [ISSUER]})),
                (
                    json!({"typ": "client-authentication+jwt"}),
                    json!({"aud": "http://localhost:3232/", "iat": null}),
                ),
                (json!({}), json!({"aud": "http://localhost:3232/token", "nbf": 1})),
            ] {
                let assertion = signer.sign(&header, &claims(&server, &changes));
                let page = ask(&server, &assertion, &[]).await;
                assert_eq!(page.status, 200, "{header} {changes}: {}", page.body);
            }
        }
    }

    #[tokio::test]
    async fn it_does_so_at_every_endpoint() {
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        let assertion = || signer.sign(&json!({}), &claims(&server, &json!({})));
        let tokens = ask(&server, &assertion(), &[("client_id", "c")]).await.json();
        let token = tokens["access_token"].as_str().unwrap();
        let post = async |path: &str| {
            let assertion = assertion();
            let request = [
                ("client_assertion_type", TYPE),
                ("client_assertion", assertion.as_str()),
                ("token", token),
            ];
            server.post_form(path, &form(&request, &[])).await
        };
        assert_eq!(post("/introspect").await.json()["active"], true);
        assert_eq!(post("/revoke").await.status, 200);
        assert_eq!(post("/introspect").await.json()["active"], false);
    }

    #[tokio::test]
    async fn an_assertion_is_good_once() {
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        let auth =
            ClientAuth::PrivateKeyJwt { keys: ClientKeys::Jwks(json!({"keys": [signer.jwk()]})) };
        let grant_types = vec!["client_credentials".to_owned()];
        server.put_client(&ClientRecord { auth, grant_types, ..client("d") }).await;
        let named = json!({"jti": "one"});
        let assertion = signer.sign(&json!({}), &claims(&server, &named));
        assert_eq!(ask(&server, &assertion, &[]).await.status, 200);
        let again = signer.sign(&json!({}), &claims(&server, &named));
        for replayed in [&assertion, &again] {
            ask(&server, replayed, &[]).await.assert_error(401, "invalid_client");
        }
        let of_another = json!({"jti": "one", "iss": "d", "sub": "d"});
        let of_another = signer.sign(&json!({}), &claims(&server, &of_another));
        assert_eq!(ask(&server, &of_another, &[]).await.status, 200, "they count for themselves");
        // Past its end it is not remembered, and not good.
        server.clock.advance(Duration::from_secs(330));
        ask(&server, &assertion, &[]).await.assert_error(401, "invalid_client");
        let new = signer.sign(&json!({}), &claims(&server, &named));
        assert_eq!(ask(&server, &new, &[]).await.status, 200);
    }

    #[tokio::test]
    async fn each_thing_that_is_wrong_is_said() {
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        let now = server.clock.now().as_secs();
        for (header, changes, says) in [
            (json!({"alg": "none"}), json!({}), "alg"),
            (json!({"alg": "HS256"}), json!({}), "alg"),
            (json!({"alg": "RS256"}), json!({}), "no key"),
            (json!({"kid": "another"}), json!({}), "no key"),
            (json!({"typ": "oauth-id-jag+jwt"}), json!({}), "typ"),
            (json!({"typ": "at+jwt"}), json!({}), "typ"),
            (json!({"typ": "dpop+jwt"}), json!({}), "typ"),
            (json!({"crit": ["x"], "x": 1}), json!({}), "critical"),
            (json!({}), json!({"iss": "d"}), "iss and sub"),
            (json!({}), json!({"iss": null}), "iss and sub"),
            (json!({}), json!({"sub": null}), "iss and sub"),
            (json!({}), json!({"sub": 1}), "claims"),
            (json!({}), json!({"iss": "d", "sub": "d"}), "not registered"),
            (json!({}), json!({"aud": null}), "aud"),
            (json!({}), json!({"aud": "https://elsewhere.example"}), "aud"),
            (json!({}), json!({"aud": [ISSUER, "https://elsewhere.example"]}), "aud"),
            (json!({}), json!({"aud": "http://localhost:3232/mcp"}), "aud"),
            (json!({}), json!({"aud": []}), "aud"),
            (json!({}), json!({"exp": null}), "exp"),
            (json!({}), json!({"exp": "soon"}), "claims"),
            (json!({}), json!({"exp": now - 30}), "expired"),
            (json!({}), json!({"exp": now + 3631}), "longer"),
            (json!({}), json!({"iat": now + 31}), "not good yet"),
            (json!({}), json!({"nbf": now + 31}), "not good yet"),
            (json!({}), json!({"jti": null}), "jti"),
            (json!({}), json!({"jti": ""}), "jti"),
            (json!({}), json!({"jti": "x".repeat(256)}), "jti"),
            (json!({}), json!({"x": "x".repeat(9000)}), "8 KiB"),
        ] {
            let assertion = signer.sign(&header, &claims(&server, &changes));
            let page = ask(&server, &assertion, &[]).await;
            page.assert_error(401, "invalid_client");
            assert!(!page.headers.contains_key("www-authenticate"));
            let description = page.json()["error_description"].to_string();
            assert!(description.contains(says), "{header} {changes}: {description}");
        }
        let stolen = Signer::es256().sign(&json!({"kid": null}), &claims(&server, &json!({})));
        let page = ask(&server, &stolen, &[]).await;
        page.assert_error(401, "invalid_client");
        assert!(page.body.contains("signature"), "{}", page.body);
    }

    #[tokio::test]
    async fn a_request_uses_one_method_and_the_one_that_was_registered() {
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        server.put_client(&confidential("s", "secret")).await;
        let assertion = |changes: Value| signer.sign(&json!({}), &claims(&server, &changes));
        for (changes, status, error) in [
            (&[("client_assertion_type", "")][..], 401, "invalid_client"),
            (&[("client_assertion_type", "urn:x")], 401, "invalid_client"),
            (&[("client_assertion", "")], 401, "invalid_client"),
            (&[("client_assertion", "x.y.z")], 401, "invalid_client"),
            (&[("client_secret", "x")], 400, "invalid_request"),
            (&[("client_id", "d")], 400, "invalid_request"),
        ] {
            let page = ask(&server, &assertion(json!({})), changes).await;
            page.assert_error(status, error);
        }
        let of_another = assertion(json!({"iss": "s", "sub": "s"}));
        ask(&server, &of_another, &[]).await.assert_error(401, "invalid_client");
        let good = assertion(json!({}));
        let request = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", TYPE),
            ("client_assertion", good.as_str()),
        ];
        let request = form(&request, &[]);
        let both = server.post_form_as(&basic("c", "x"), "/token", &request).await;
        both.assert_error(400, "invalid_request");
        let twice = format!("{request}&client_assertion=x");
        server.post_form("/token", &twice).await.assert_error(400, "invalid_request");
        assert_eq!(server.post_form("/token", &request).await.status, 200, "it was not used up");
        let without = "grant_type=client_credentials&client_id=c";
        server.post_form("/token", without).await.assert_error(401, "invalid_client");
        let secret = server.post_form_as(&basic("c", "x"), "/token", "grant_type=x").await;
        secret.assert_error(401, "invalid_client");
    }

    #[tokio::test]
    async fn nothing_of_it_is_logged() {
        let captured = crate::testing::logs::Capture::start();
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        let good = signer.sign(&json!({}), &claims(&server, &json!({"jti": "an-id-of-its-own"})));
        assert_eq!(ask(&server, &good, &[]).await.status, 200);
        ask(&server, &good, &[]).await.assert_error(401, "invalid_client");
        let lines = captured.lines();
        assert!(lines.iter().any(|line| line.contains("auth.client.rejected")), "{lines:?}");
        let parts: Vec<_> = good.split('.').collect();
        for line in &lines {
            assert!(!line.contains("an-id-of-its-own"), "{line}");
            assert!(!parts.iter().any(|part| line.contains(part)), "{line}");
        }
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_not_the_assertions_fault() {
        let signer = Signer::es256();
        let server = server(&[&signer]).await;
        let assertion = signer.sign(&json!({}), &claims(&server, &json!({})));
        for operations in 0..2 {
            server.faults.is_away_after(operations);
            let away = ask(&server, &assertion, &[]).await;
            away.assert_error(503, "temporarily_unavailable");
            server.faults.is_back();
        }
        assert_eq!(ask(&server, &assertion, &[]).await.status, 200);
    }
}
