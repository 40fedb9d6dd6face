//! The door: only requests with a good token pass.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::{StoreError, oauth::AttemptId};
use tower::{Layer, Service};

use super::{
    Caller, Flaw, ProtectedResource, TokenVerifier, VerifyError, WhileAway,
    credentials::{Credentials, NoCredentials, Scheme},
};
use crate::{
    dpop::{self, About, ProofError, Proofs},
    events,
    wire::{Code, ErrorResponse},
};

/// Lets requests through that bring a token for this resource, alone (RFC 6750) or, if it is bound
/// to a key, with a proof of possession (RFC 9449). They go in with a [`Caller`], its
/// [`Owner`](mcp_everything_store::Owner) and its [`Access`](mcp_everything_store::Access) in their
/// extensions and without token and proof: what lies behind has no use for them, and cannot pass
/// them on or log them.
#[derive(Clone)]
pub struct BearerLayer(Arc<Door>);

#[derive(Clone)]
struct Door {
    verifier: Arc<dyn TokenVerifier>,
    resource: Arc<ProtectedResource>,
    proofs: Proofs,
    while_away: Option<Arc<dyn WhileAway>>,
}

impl BearerLayer {
    /// A door to `resource`. While tokens cannot be checked it answers 503, as OAuth has it.
    pub fn new(
        verifier: Arc<dyn TokenVerifier>,
        resource: Arc<ProtectedResource>,
        proofs: Proofs,
    ) -> Self {
        Self(Arc::new(Door { verifier, resource, proofs, while_away: None }))
    }

    /// Leaves it to somebody else what becomes of requests while tokens cannot be checked.
    #[must_use]
    pub fn while_away(mut self, while_away: Arc<dyn WhileAway>) -> Self {
        Arc::make_mut(&mut self.0).while_away = Some(while_away);
        self
    }
}

impl Door {
    /// Says who is asking, or what to answer.
    async fn admit(&self, request: &mut Request<Body>) -> Result<Caller, Box<Response>> {
        // The same for each try, so that a proof is not used up by one that the store did not see
        // through.
        let attempt = OnceLock::new();
        loop {
            let asked = Asked {
                method: request.method(),
                path: request.uri().path(),
                headers: request.headers(),
                attempt: &attempt,
            };
            let rejection = match self.check(&asked).await {
                Ok(caller) => return Ok(caller),
                Err(rejection) => rejection,
            };
            let Some(while_away) =
                self.while_away.as_ref().filter(|_| rejection == Rejection::Unavailable)
            else {
                let scheme = Credentials::read(request.headers())
                    .map_or(Scheme::Bearer, |credentials| credentials.scheme);
                let mut response = rejection.respond(&self.resource, scheme);
                self.add_nonce(scheme, &mut response);
                return Err(Box::new(response));
            };
            if let Err(answer) = while_away.wait(request).await {
                events::token_rejected(self.resource.resource(), NOT_CHECKED);
                return Err(answer);
            }
        }
    }

    async fn check(&self, asked: &Asked<'_>) -> Result<Caller, Rejection> {
        let Credentials { scheme, token } = Credentials::read(asked.headers)?;
        let caller = self.verifier.verify(token).await?;
        if !self.resource.accepts(&caller.audience) {
            return Err(Rejection::OtherAudience);
        }
        match (scheme, &caller.confirmation) {
            (Scheme::Bearer, None) => {}
            // RFC 9449, section 7.2: whoever has stolen it must not get rid of the binding.
            (Scheme::Bearer, Some(_)) => return Err(Rejection::Bound),
            (Scheme::Dpop, None) => return Err(Rejection::NotBound),
            (Scheme::Dpop, Some(key)) => self.prove(asked, token, key).await?,
        }
        Ok(caller)
    }

    /// Whether the key is shown, with a proof that nobody has used.
    async fn prove(&self, asked: &Asked<'_>, token: &str, key: &str) -> Result<(), Rejection> {
        let uri = self.resource.base.join(asked.path);
        let about = About { method: asked.method, uri: &uri, token: Some(token) };
        let proof = self.proofs.read(asked.headers, &about)?;
        if proof.thumbprint() != key {
            return Err(ProofError::OtherKey.into());
        }
        let attempt = asked.attempt.get_or_init(|| self.proofs.attempt());
        match self.proofs.is_first(&proof, attempt).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProofError::Replayed.into()),
            Err(error) => {
                events::store_failed(&error);
                Err(match error {
                    StoreError::Unavailable { .. } | StoreError::LimitReached { .. } => {
                        Rejection::Unavailable
                    }
                    StoreError::Corrupt { .. } => Rejection::Failed,
                })
            }
        }
    }

    /// With whatever is answered: the next proof needs it (RFC 9449, section 8.2).
    fn add_nonce(&self, scheme: Scheme, response: &mut Response) {
        if scheme == Scheme::Dpop
            && let Some(nonce) = self.proofs.nonce()
        {
            response.headers_mut().insert(dpop::NONCE_HEADER, nonce);
        }
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer { inner, door: Arc::clone(&self.0) }
    }
}

/// The service of [`BearerLayer`].
#[derive(Clone)]
pub struct Bearer<S> {
    inner: S,
    door: Arc<Door>,
}

impl<S> Service<Request<Body>> for Bearer<S>
where
    S: Service<Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let door = Arc::clone(&self.door);
        // The one that was polled ready goes along; its clone waits for the next request.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let caller = match door.admit(&mut request).await {
                Ok(caller) => caller,
                Err(answer) => return Ok(*answer),
            };
            request.headers_mut().remove(header::AUTHORIZATION);
            request.headers_mut().remove(dpop::HEADER);
            let scheme = match caller.confirmation {
                Some(_) => Scheme::Dpop,
                None => Scheme::Bearer,
            };
            let extensions = request.extensions_mut();
            extensions.insert(caller.owner.clone());
            extensions.insert(caller.access());
            extensions.insert(caller);
            let mut response = inner.call(request).await?;
            door.add_nonce(scheme, &mut response);
            Ok(response)
        })
    }
}

/// A request, without its body.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    headers: &'a HeaderMap,
    /// Drawn if a proof is used up.
    attempt: &'a OnceLock<AttemptId>,
}

const NOT_CHECKED: &str = "not checked";

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    NoToken,
    Malformed(Scheme),
    NotGood(Flaw),
    OtherAudience,
    Bound,
    NotBound,
    Proof(ProofError),
    Unavailable,
    Failed,
}

impl From<NoCredentials> for Rejection {
    fn from(none: NoCredentials) -> Self {
        match none {
            NoCredentials::None => Self::NoToken,
            NoCredentials::Malformed(scheme) => Self::Malformed(scheme),
        }
    }
}

impl From<ProofError> for Rejection {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NotGood(flaw) => Self::NotGood(flaw),
            // Logged by the verifier, which knows what failed.
            VerifyError::Unavailable { .. } => Self::Unavailable,
            VerifyError::Failed { .. } => Self::Failed,
        }
    }
}

impl Rejection {
    fn respond(&self, resource: &ProtectedResource, scheme: Scheme) -> Response {
        let invalid = |description| {
            resource.refused(scheme, StatusCode::UNAUTHORIZED, Code::InvalidToken, description)
        };
        let (reason, response) = match self {
            Self::NoToken => ("no token", resource.no_token()),
            Self::Malformed(scheme) => (
                "malformed",
                resource.refused(
                    *scheme,
                    StatusCode::BAD_REQUEST,
                    Code::InvalidRequest,
                    match scheme {
                        Scheme::Bearer => "the Authorization header is not one Bearer token",
                        Scheme::Dpop => "the Authorization header is not one DPoP token",
                    },
                ),
            ),
            Self::NotGood(flaw) => {
                (flaw.as_str(), invalid("the access token is unknown, expired or revoked"))
            }
            Self::OtherAudience => {
                ("for another resource", invalid("the access token is for another resource"))
            }
            Self::Bound => (
                "bound to a key",
                invalid("the access token is bound to a key: send it with the DPoP scheme"),
            ),
            Self::NotBound => (
                "not bound to a key",
                invalid("the access token is bound to no key: send it with the Bearer scheme"),
            ),
            Self::Proof(error) => {
                let (status, description) = (StatusCode::UNAUTHORIZED, error.to_string());
                events::token_rejected(resource.resource(), &description);
                return resource.refused(scheme, status, error.code(), &description);
            }
            // Never 401: clients would throw a good token away.
            Self::Unavailable => (NOT_CHECKED, ErrorResponse::unavailable(2).into_response()),
            Self::Failed => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let response = ErrorResponse::new(status, Code::ServerError, "the server failed");
                (NOT_CHECKED, response.into_response())
            }
        };
        events::token_rejected(resource.resource(), reason);
        response
    }
}
