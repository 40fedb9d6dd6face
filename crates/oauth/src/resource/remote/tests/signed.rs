//! Checking signatures.

use jsonwebtoken::{EncodingKey, Header};

use super::*;
use crate::testing::Signer;

/// A server that signs with this key.
fn signing(signer: &Signer) -> Elsewhere {
    let server = Elsewhere::start();
    publish(&server, &[signer]);
    server
}

fn publish(server: &Elsewhere, signers: &[&Signer]) {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    server.answer("/keys", Answer::Json(json!({"keys": keys})));
}

#[tokio::test]
async fn a_signature_is_enough() {
    for signer in Signer::one_of_each() {
        let server = signing(&signer);
        let verifier = Verifier::of(&server).await;
        let said = claims(&server, verifier.now(), &json!({}));
        for header in [json!({"typ": "at+jwt"}), json!({"typ": "JWT"}), json!({"kid": null})] {
            let token = signer.sign(&header, &said);
            let caller = verifier.verify(&token).await.unwrap();
            assert_eq!(caller.owner.user, "alice");
            assert_eq!(caller.owner.issuer, server.issuer);
            assert_eq!(caller.audience, [format!("{BASE}/mcp")]);
            assert_eq!(caller.expires_at.as_secs(), verifier.now() + 630);
        }
        assert!(server.asked("/introspect").is_empty());
        assert_eq!(server.asked("/keys").len(), 1);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_token() {
    let signer = Signer::es256();
    let server = signing(&signer);
    let verifier = Verifier::of(&server).await;
    let now = verifier.now();
    for (header, changes, flaw) in [
        (json!({"alg": "none"}), json!({}), Flaw::Algorithm),
        (json!({"alg": "HS256"}), json!({}), Flaw::Algorithm),
        (json!({"alg": "RS256"}), json!({}), Flaw::Key),
        (json!({"kid": "other"}), json!({}), Flaw::Key),
        (json!({"crit": ["b64"]}), json!({}), Flaw::Malformed),
        (json!({"typ": "dpop+jwt"}), json!({}), Flaw::Kind),
        (json!({"typ": "logout+jwt"}), json!({}), Flaw::Kind),
        (json!({}), json!({"iss": "https://other.example"}), Flaw::Issuer),
        (json!({}), json!({"iss": format!("{}/", server.issuer)}), Flaw::Issuer),
        (json!({}), json!({"iss": null}), Flaw::Issuer),
        (json!({}), json!({"exp": null}), Flaw::Malformed),
        (json!({}), json!({"exp": "soon"}), Flaw::Malformed),
        (json!({}), json!({"exp": now - 30}), Flaw::Expired),
        (json!({}), json!({"nbf": now + 31}), Flaw::NotYet),
        (json!({}), json!({"aud": null}), Flaw::Audience),
        (json!({}), json!({"sub": null}), Flaw::User),
        // ID tokens: of any provider, of Cognito, of Keycloak.
        (json!({}), json!({"nonce": "n"}), Flaw::Kind),
        (json!({}), json!({"at_hash": "h"}), Flaw::Kind),
        (json!({}), json!({"token_use": "id"}), Flaw::Kind),
        (json!({}), json!({"typ": "ID"}), Flaw::Kind),
        (json!({}), json!({"typ": "Refresh"}), Flaw::Kind),
    ] {
        let token = signer.sign(&header, &claims(&server, now, &changes));
        let found = Verifier::flaw(verifier.verify(&token).await);
        assert_eq!(found, flaw, "{header} {changes}");
    }
    for changes in [
        json!({"exp": now - 29}),
        json!({"nbf": now + 30}),
        json!({"typ": "Bearer", "token_use": "access"}),
    ] {
        let token = signer.sign(&json!({}), &claims(&server, now, &changes));
        verifier.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    let signer = Signer::rs256();
    let server = signing(&signer);
    let verifier = Verifier::of(&server).await;
    let said = claims(&server, verifier.now(), &json!({}));
    let mut header = Header { kid: None, ..Header::default() };
    for kid in [None, signer.jwk()["kid"].as_str()] {
        header.kid = kid.map(str::to_owned);
        let key = EncodingKey::from_secret(signer.jwk()["n"].as_str().unwrap().as_bytes());
        let token = jsonwebtoken::encode(&header, &said, &key).unwrap();
        assert_eq!(Verifier::flaw(verifier.verify(&token).await), Flaw::Algorithm);
    }
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let signer = Signer::es256();
    let server = signing(&signer);
    let verifier = Verifier::of(&server).await;
    let said = |user: &str| claims(&server, verifier.now(), &json!({"sub": user}));
    let (alice, bob) =
        (signer.sign(&json!({}), &said("alice")), signer.sign(&json!({}), &said("bob")));
    let part = |token: &str, index| token.split('.').nth(index).unwrap().to_owned();
    let mixed = format!("{}.{}.{}", part(&alice, 0), part(&bob, 1), part(&alice, 2));
    assert_eq!(Verifier::flaw(verifier.verify(&mixed).await), Flaw::Signature);
    verifier.verify(&alice).await.unwrap();
    assert_eq!(verifier.verify(&bob).await.unwrap().owner.user, "bob");
}

/// A stranger names a key that nobody has, while the server with the keys does not answer.
#[tokio::test]
async fn whose_key_is_there_waits_for_no_stranger() {
    let [known, stranger] = [Signer::es256(), Signer::es256()];
    let server = signing(&known);
    let verifier = Verifier::of(&server).await;
    let said = |user: &str| claims(&server, verifier.now(), &json!({"sub": user}));
    verifier.verify(&known.sign(&json!({}), &said("alice"))).await.unwrap();
    server.answer("/keys", Answer::Never);
    for pause in [5, 600] {
        later(Duration::from_secs(pause)).await;
        let user = format!("bob{pause}");
        let (forged, good) =
            (stranger.sign(&json!({}), &said(&user)), known.sign(&json!({}), &said(&user)));
        tokio::select! {
            biased;
            refused = verifier.verify(&forged) => panic!("{refused:?}"),
            caller = verifier.verify(&good) => assert_eq!(caller.unwrap().owner.user, user),
        }
    }
}

#[tokio::test]
async fn keys_change_and_are_not_read_for_every_token() {
    let [old, new, stranger] = [Signer::es256(), Signer::es256(), Signer::es256()];
    let server = signing(&old);
    let verifier = Verifier::of(&server).await;
    let said = claims(&server, verifier.now(), &json!({}));
    let token = |signer: &Signer| signer.sign(&json!({}), &said);
    verifier.verify(&token(&old)).await.unwrap();
    publish(&server, &[&old, &new]);
    // They were read just now.
    assert_eq!(Verifier::flaw(verifier.verify(&token(&new)).await), Flaw::Key);
    assert_eq!(server.asked("/keys").len(), 1);
    later(Duration::from_secs(5)).await;
    verifier.verify(&token(&new)).await.unwrap();
    for _ in 0..10 {
        assert_eq!(Verifier::flaw(verifier.verify(&token(&stranger)).await), Flaw::Key);
    }
    assert_eq!(server.asked("/keys").len(), 2);
    // What is taken back is gone when the keys are read the next time.
    publish(&server, &[&new]);
    later(Duration::from_secs(600)).await;
    verifier.clock.advance(Duration::from_secs(5));
    assert_eq!(Verifier::flaw(verifier.verify(&token(&old)).await), Flaw::Key);
}

#[tokio::test]
async fn keys_at_hand_are_used_while_there_are_no_others() {
    let [signer, newer] = [Signer::es256(), Signer::es256()];
    let server = signing(&signer);
    let verifier = Verifier::of(&server).await;
    let said = claims(&server, verifier.now(), &json!({}));
    server.answer("/keys", Answer::Status(503));
    let token = signer.sign(&json!({}), &said);
    assert!(Verifier::away(verifier.verify(&token).await).contains("503"));
    later(Duration::from_secs(5)).await;
    publish(&server, &[&signer]);
    verifier.verify(&token).await.unwrap();
    for answer in [
        Answer::Status(503),
        Answer::Text("<html>".into()),
        Answer::Json(json!({})),
        Answer::Json(json!({"keys": []})),
        Answer::Json(json!({"keys": [{"kty": "oct", "k": "AAAA"}]})),
    ] {
        server.answer("/keys", answer);
        later(Duration::from_secs(600)).await;
        verifier.clock.advance(Duration::from_secs(5));
        verifier.verify(&token).await.unwrap();
        // Whether that one is good nobody can say.
        Verifier::away(verifier.verify(&newer.sign(&json!({}), &said)).await);
    }
}

#[tokio::test]
async fn settings_and_metadata_say_how_a_token_is_checked() {
    let signer = Signer::es256();
    let server = signing(&signer);
    let said = claims(&server, TestClock::default().now().as_secs(), &json!({}));
    let token = signer.sign(&json!({}), &said);
    server.answer("/introspect", Answer::Json(json!({"active": false})));
    let unknown = Err(Flaw::Unknown.into());
    for (check, token, result) in [
        (TokenCheck::Auto, token.as_str(), Ok("alice")),
        (TokenCheck::Auto, "opaque", unknown.clone()),
        (TokenCheck::Auto, "a.b.c", unknown.clone()),
        (TokenCheck::Jwt, token.as_str(), Ok("alice")),
        (TokenCheck::Jwt, "opaque", Err(Flaw::Malformed.into())),
        (TokenCheck::Introspection, token.as_str(), unknown),
    ] {
        let tokens = RemoteTokens { check, ..RemoteTokens::default() };
        let verified = Verifier::with(&server, tokens).await.verify(token).await;
        let user = verified.as_ref().map(|caller| caller.owner.user.as_str());
        assert_eq!(user.map_err(Clone::clone), result, "{check:?} {token}");
    }
    let without = |name: &str| {
        let metadata = Answer::Json(server.metadata(&json!({ name: null })));
        server.answer("/.well-known/oauth-authorization-server", metadata);
    };
    without("introspection_endpoint");
    let verifier = Verifier::of(&server).await;
    assert_eq!(Verifier::flaw(verifier.verify("opaque").await), Flaw::Malformed);
    without("jwks_uri");
    let verifier = Verifier::of(&server).await;
    assert_eq!(Verifier::flaw(verifier.verify(&token).await), Flaw::Unknown);
    let tokens = RemoteTokens { check: TokenCheck::Jwt, ..RemoteTokens::default() };
    let verifier = Verifier::with(&server, tokens).await;
    assert!(Verifier::away(verifier.verify(&token).await).contains("jwks_uri"));
}
