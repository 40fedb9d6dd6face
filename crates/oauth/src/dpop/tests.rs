//! Proofs by themselves, at the token endpoint and at the door of a resource.

mod at_the_door;
mod at_token;
mod by_itself;

use mcp_everything_store::Clock as _;
use serde_json::{Value, json};

use super::hash_of;
use crate::testing::{Signer, TestServer};

/// A proof that is right for this request, but for the changes to its header and claims; `null`
/// leaves one out.
fn proof_with(
    server: &TestServer,
    signer: &Signer,
    (method, uri): (&str, &str),
    header: &Value,
    changes: &Value,
) -> String {
    let mut all = json!({"typ": "dpop+jwt", "kid": null, "jwk": signer.bare_jwk()});
    all.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let mut claims = json!({
        "htm": method,
        "htu": uri,
        "iat": server.clock.now().as_secs(),
        "jti": server.unique(),
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    signer.sign(&all, &claims)
}

fn proof(server: &TestServer, signer: &Signer, method: &str, uri: &str, changes: &Value) -> String {
    proof_with(server, signer, (method, uri), &json!({}), changes)
}

/// The `ath` of a token.
fn ath(token: &str) -> Value {
    json!({"ath": hash_of(token)})
}

/// The thumbprint of a signer's key.
fn thumbprint(signer: &Signer) -> String {
    crate::jose::PublicKey::parse(&signer.jwk()).unwrap().thumbprint().to_owned()
}
