use std::time::Duration;

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::{super::*, ath, proof_with};
use crate::testing::{Signer, TestServer};

const URI: &str = "http://localhost:3232/mcp";
const TOKEN: &str = "mca_x";

/// What is found in the headers, about a POST to [`URI`] with [`TOKEN`].
fn read(server: &TestServer, values: &[&str]) -> Result<Proof, ProofError> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(HEADER, value.parse().unwrap());
    }
    let about = About { method: &Method::POST, uri: URI, token: Some(TOKEN) };
    server.context.proofs().read(&headers, &about)
}

fn made(server: &TestServer, signer: &Signer, header: &Value, changes: &Value) -> String {
    let mut all = ath(TOKEN);
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    proof_with(server, signer, ("POST", URI), header, &all)
}

#[test]
fn a_proof_shows_its_key() {
    let server = TestServer::new();
    for signer in Signer::one_of_each() {
        let proof = made(&server, &signer, &json!({}), &json!({}));
        let read = read(&server, &[&proof]).unwrap();
        assert_eq!(read.thumbprint(), super::thumbprint(&signer));
        assert!(is_thumbprint(read.thumbprint()));
    }
}

#[test]
fn the_url_counts_without_its_query_and_its_spelling() {
    let server = TestServer::new();
    let signer = Signer::es256();
    for uri in ["http://LOCALHOST:3232/mcp", "http://localhost:3232/mcp/", &format!("{URI}?a=b#c")]
    {
        let proof = made(&server, &signer, &json!({}), &json!({"htu": uri}));
        assert!(read(&server, &[&proof]).is_ok(), "{uri}");
    }
}

#[test]
fn each_thing_that_is_wrong_is_said() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let now = server.clock.now().as_secs();
    let mut private = signer.bare_jwk();
    private["d"] = json!("AAAA");
    for (header, changes, error) in [
        (json!({"typ": "jwt"}), json!({}), ProofError::Type),
        (json!({"typ": null}), json!({}), ProofError::Type),
        (json!({"alg": "none"}), json!({}), ProofError::Jws(JwsError::Algorithm)),
        (json!({"alg": "HS256"}), json!({}), ProofError::Jws(JwsError::Algorithm)),
        (json!({"alg": "ES384"}), json!({}), ProofError::Jws(JwsError::NoKey)),
        (json!({"crit": ["x"]}), json!({}), ProofError::Jws(JwsError::Critical)),
        (json!({"jwk": null}), json!({}), ProofError::NoKey),
        (json!({"jwk": private}), json!({}), ProofError::NoKey),
        (json!({"jwk": {"kty": "oct", "k": "AAAA"}}), json!({}), ProofError::NoKey),
        (
            json!({"jwk": Signer::es256().bare_jwk()}),
            json!({}),
            ProofError::Jws(JwsError::Signature),
        ),
        (json!({}), json!({"htm": "GET"}), ProofError::Method),
        (json!({}), json!({"htm": "post"}), ProofError::Method),
        (json!({}), json!({"htm": null}), ProofError::Method),
        (json!({}), json!({"htm": 1}), ProofError::Jws(JwsError::Claims)),
        (json!({}), json!({"htu": "http://localhost:3232/sse"}), ProofError::Uri),
        (json!({}), json!({"htu": "https://localhost:3232/mcp"}), ProofError::Uri),
        (json!({}), json!({"htu": "http://elsewhere.example/mcp"}), ProofError::Uri),
        (json!({}), json!({"htu": "/mcp"}), ProofError::Uri),
        (json!({}), json!({"htu": null}), ProofError::Uri),
        (json!({}), json!({"iat": now - 301}), ProofError::Time),
        (json!({}), json!({"iat": now + 301}), ProofError::Time),
        (json!({}), json!({"iat": null}), ProofError::Time),
        (json!({}), json!({"jti": null}), ProofError::NoId),
        (json!({}), json!({"jti": ""}), ProofError::NoId),
        (json!({}), json!({"jti": "x".repeat(256)}), ProofError::NoId),
        (json!({}), json!({"ath": null}), ProofError::OtherToken),
        (json!({}), ath("mca_y"), ProofError::OtherToken),
    ] {
        let proof = made(&server, &signer, &header, &changes);
        assert_eq!(read(&server, &[&proof]).err(), Some(error), "{header} {changes}");
    }
    let good = made(&server, &signer, &json!({}), &json!({}));
    assert_eq!(read(&server, &[]).err(), Some(ProofError::Missing));
    assert_eq!(read(&server, &[&good, &good]).err(), Some(ProofError::Several));
    let malformed = Some(ProofError::Jws(JwsError::Malformed));
    assert_eq!(read(&server, &[&format!("{good}, {good}")]).err(), malformed);
    assert_eq!(read(&server, &["x"]).err(), malformed);
    for seconds in [now - 300, now + 300] {
        let proof = made(&server, &signer, &json!({}), &json!({"iat": seconds}));
        assert!(read(&server, &[&proof]).is_ok(), "{seconds}");
    }
}

#[tokio::test]
async fn it_is_remembered_for_as_long_as_it_would_be_taken() {
    let server = TestServer::new();
    let signer = Signer::es256();
    let proofs = server.context.proofs();
    let ahead = server.clock.now().as_secs() + 300;
    let proof = made(&server, &signer, &json!({}), &json!({"iat": ahead}));
    let first = read(&server, &[&proof]).unwrap();
    let attempt = proofs.attempt();
    for _ in 0..2 {
        assert_eq!(proofs.is_first(&first, &attempt).await, Ok(true), "the same attempt");
    }
    server.clock.advance(Duration::from_secs(600));
    let last = read(&server, &[&proof]).unwrap();
    assert_eq!(proofs.is_first(&last, &proofs.attempt()).await, Ok(false));
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(read(&server, &[&proof]).err(), Some(ProofError::Time));
}

#[test]
fn where_nonces_are_wanted_each_proof_has_one() {
    let server = TestServer::with_config(|config| config.dpop_nonces = true);
    let signer = Signer::es256();
    let nonce = server.context.proofs().nonce().unwrap();
    let nonce = json!({"nonce": nonce.to_str().unwrap()});
    let read_with = |changes: &Value| {
        read(&server, &[&made(&server, &signer, &json!({}), changes)]).map(|_| ())
    };
    assert_eq!(read_with(&nonce), Ok(()));
    assert_eq!(read_with(&json!({})), Err(ProofError::Nonce));
    assert_eq!(read_with(&json!({"nonce": "x"})), Err(ProofError::Nonce));
    server.clock.advance(Duration::from_secs(302));
    assert_eq!(read_with(&nonce), Err(ProofError::Nonce), "it is too old");
    assert!(TestServer::new().context.proofs().nonce().is_none());
}
