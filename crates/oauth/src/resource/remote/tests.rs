//! Against an authorization server on loopback, as it is and as it fails.

mod found;
mod introspected;
mod signed;

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{Clock as _, TestClock};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Elsewhere};

const BASE: &str = "https://mcp.example.com";

/// A verifier of the tokens of a server that was found.
struct Verifier {
    verifier: RemoteVerifier,
    clock: TestClock,
}

impl Verifier {
    async fn of(server: &Elsewhere) -> Self {
        Self::with(server, RemoteTokens::default()).await
    }

    async fn with(server: &Elsewhere, tokens: RemoteTokens) -> Self {
        let verifier = Self::unfound(server, tokens);
        let trusted = Arc::clone(&verifier.verifier.server);
        tokio::select! {
            () = trusted.keep_finding() => {}
            () = trusted.found() => {}
        }
        verifier
    }

    fn unfound(server: &Elsewhere, tokens: RemoteTokens) -> Self {
        let base = BaseUri::parse(BASE).unwrap();
        let trusted = TrustedServer::new(BaseUri::parse(&server.issuer).unwrap()).unwrap();
        let clock = TestClock::default();
        let now = Arc::new(clock.clone());
        let verifier = RemoteVerifier::new(Arc::new(trusted), tokens, &base, &["/mcp"], now);
        Self { verifier, clock }
    }

    async fn verify(&self, token: &str) -> Result<Caller, VerifyError> {
        self.verifier.verify(token).await
    }

    #[track_caller]
    fn flaw(result: Result<Caller, VerifyError>) -> Flaw {
        match result {
            Err(VerifyError::NotGood(flaw)) => flaw,
            other => panic!("{other:?}"),
        }
    }

    /// Why nobody knows whether the token is good.
    #[track_caller]
    fn away(result: Result<Caller, VerifyError>) -> String {
        match result {
            Err(VerifyError::Unavailable { reason }) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }
}

/// What is said of a good token, but for the changes. `null` leaves a claim out.
fn claims(server: &Elsewhere, now: u64, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": server.issuer,
        "sub": "alice",
        "aud": format!("{BASE}/mcp"),
        "client_id": "the client",
        "scope": "mcp:read openid",
        "iat": now,
        "exp": now + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// Lets time pass that nobody waits for.
async fn later(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}
