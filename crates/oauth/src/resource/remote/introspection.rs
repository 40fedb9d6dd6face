//! Asking an authorization server about a token (RFC 7662).

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use zeroize::Zeroizing;

use super::{TrustedServer, claims::Claims, discovery::ServerMetadata, registration};
use crate::{Flaw, VerifyError, events, http::HttpError};

/// Questions that may be open at once; more wait.
const AT_ONCE: usize = 64;
/// How long until a registration is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// The client that asks about tokens. Its secret is not printed.
#[derive(Clone)]
pub struct IntrospectionClient {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

impl IntrospectionClient {
    /// A client that the authorization server knows.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: Zeroizing::new(secret.into()) }
    }
}

/// The client that this server registered itself as, where none is configured.
#[derive(Default)]
struct Registered {
    client: Option<Arc<IntrospectionClient>>,
    tried: Option<Instant>,
}

/// Asks, as whichever client is known there.
pub(super) struct Introspection {
    server: Arc<TrustedServer>,
    configured: Option<Arc<IntrospectionClient>>,
    registered: Mutex<Registered>,
    places: Semaphore,
}

impl Introspection {
    pub(super) fn new(server: Arc<TrustedServer>, client: Option<IntrospectionClient>) -> Self {
        Self {
            server,
            configured: client.map(Arc::new),
            registered: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// What the server says of a token that is active.
    pub(super) async fn ask(
        &self,
        metadata: &ServerMetadata,
        endpoint: &str,
        token: &str,
    ) -> Result<Claims, VerifyError> {
        // It is never closed.
        let _place = self.places.acquire().await;
        let client = self.client(metadata).await?;
        let mut answer = self.send(metadata, endpoint, token, client.as_deref()).await;
        if answer == Err(HttpError::Status(401)) && self.configured.is_none() {
            // The registration is gone, as registrations may be.
            if let Some(refused) = client {
                self.forget(&refused).await;
            }
            let client = self.client(metadata).await?;
            answer = self.send(metadata, endpoint, token, client.as_deref()).await;
        }
        let answer = answer.map_err(|error| {
            away(match error {
                HttpError::Status(status @ (400 | 401 | 403)) => format!(
                    "{endpoint} answers {status}: it does not take this client; see \
                     INTROSPECTION_CLIENT_ID"
                ),
                error => format!("{endpoint}: {error}"),
            })
        })?;
        let claims = Claims::new(answer).ok_or_else(|| away(format!("{endpoint}: no object")))?;
        match claims.get("active") {
            Some(Value::Bool(true)) => Ok(claims),
            Some(Value::Bool(false)) => Err(VerifyError::NotGood(Flaw::Unknown)),
            Some(_) | None => Err(away(format!("{endpoint}: its answer has no `active`"))),
        }
    }

    async fn client(
        &self,
        metadata: &ServerMetadata,
    ) -> Result<Option<Arc<IntrospectionClient>>, VerifyError> {
        if let Some(configured) = &self.configured {
            return Ok(Some(Arc::clone(configured)));
        }
        let Some(endpoint) = &metadata.registration_endpoint else { return Ok(None) };
        // Whoever comes meanwhile waits for the one registration.
        let mut registered = self.registered.lock().await;
        if registered.client.is_none() {
            if registered.tried.is_some_and(|tried| tried.elapsed() < AGAIN) {
                return Err(away(format!("{endpoint}: what it registers may not ask, it seems")));
            }
            registered.tried = Some(Instant::now());
            let client = registration::register(&self.server.http, endpoint).await;
            let client = client.map_err(|error| away(format!("{endpoint}: {error}")))?;
            events::registered_elsewhere(self.server.issuer.as_str(), &client.id);
            registered.client = Some(Arc::new(client));
        }
        Ok(registered.client.clone())
    }

    async fn forget(&self, refused: &Arc<IntrospectionClient>) {
        let client = &mut self.registered.lock().await.client;
        client.take_if(|client| Arc::ptr_eq(client, refused));
    }

    async fn send(
        &self,
        metadata: &ServerMetadata,
        endpoint: &str,
        token: &str,
        client: Option<&IntrospectionClient>,
    ) -> Result<Value, HttpError> {
        let mut form = vec![("token", token), ("token_type_hint", "access_token")];
        let mut request = self.server.http.post(endpoint);
        if let Some(client) = client {
            if by_header(&metadata.introspection_auth_methods) {
                request = request.header("authorization", basic(client));
            } else {
                form.extend([("client_id", client.id.as_str()), ("client_secret", &client.secret)]);
            }
        }
        self.server.http.json(request.form(&form)).await
    }
}

/// The method that every server knows (RFC 6749 section 2.3.1), unless the metadata leaves it out
/// and has the other.
fn by_header(methods: &[String]) -> bool {
    let has = |name: &str| methods.iter().any(|method| method == name);
    has("client_secret_basic") || !has("client_secret_post")
}

/// RFC 6749 section 2.3.1: both are form-encoded first.
fn basic(client: &IntrospectionClient) -> String {
    let encoded =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = Zeroizing::new(format!("{}:{}", encoded(&client.id), encoded(&client.secret)));
    format!("Basic {}", STANDARD.encode(pair.as_bytes()))
}

/// Whatever is wrong there, the token is not to blame.
pub(super) fn away(reason: String) -> VerifyError {
    VerifyError::Unavailable { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_as_the_server_wants_them() {
        let methods = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        assert!(by_header(&[]));
        assert!(by_header(&methods(&["none", "client_secret_post", "client_secret_basic"])));
        assert!(by_header(&methods(&["private_key_jwt"])));
        assert!(!by_header(&methods(&["none", "client_secret_post"])));
        let client = IntrospectionClient::new("a b", "x:ä");
        assert_eq!(basic(&client), format!("Basic {}", STANDARD.encode("a+b:x%3A%C3%A4")));
    }
}
