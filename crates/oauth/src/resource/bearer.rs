//! The door: only requests with a good token pass.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tower::{Layer, Service};

use super::{Caller, Flaw, ProtectedResource, TokenVerifier, VerifyError, WhileAway};
use crate::{
    events,
    wire::{Code, ErrorResponse},
};

/// Lets requests through that bring a token for this resource, with a [`Caller`], its
/// [`Owner`](mcp_everything_store::Owner) and its [`Access`](mcp_everything_store::Access) in their
/// extensions and without the token: what lies behind has no use for it, and cannot pass it on or
/// log it.
#[derive(Clone)]
pub struct BearerLayer {
    verifier: Arc<dyn TokenVerifier>,
    resource: Arc<ProtectedResource>,
    while_away: Option<Arc<dyn WhileAway>>,
}

impl BearerLayer {
    /// A door to `resource`. While tokens cannot be checked it answers 503, as OAuth has it.
    pub fn new(verifier: Arc<dyn TokenVerifier>, resource: Arc<ProtectedResource>) -> Self {
        Self { verifier, resource, while_away: None }
    }

    /// Leaves it to somebody else what becomes of requests while tokens cannot be checked.
    #[must_use]
    pub fn while_away(mut self, while_away: Arc<dyn WhileAway>) -> Self {
        self.while_away = Some(while_away);
        self
    }

    /// Says who is asking, or what to answer.
    async fn admit(&self, request: &mut Request<Body>) -> Result<Caller, Box<Response>> {
        loop {
            let rejection = match self.check(request.headers()).await {
                Ok(caller) => return Ok(caller),
                Err(rejection) => rejection,
            };
            let Some(while_away) =
                self.while_away.as_ref().filter(|_| rejection == Rejection::Unavailable)
            else {
                return Err(Box::new(rejection.respond(&self.resource)));
            };
            if let Err(answer) = while_away.wait(request).await {
                events::token_rejected(self.resource.resource(), NOT_CHECKED);
                return Err(answer);
            }
        }
    }

    async fn check(&self, headers: &HeaderMap) -> Result<Caller, Rejection> {
        let caller = self.verifier.verify(token(headers)?).await?;
        if !self.resource.accepts(&caller.audience) {
            return Err(Rejection::OtherAudience);
        }
        // RFC 9449, section 7.2: whoever has stolen it must not get rid of the binding.
        if caller.confirmation.is_some() {
            return Err(Rejection::Bound);
        }
        Ok(caller)
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer { inner, door: self.clone() }
    }
}

/// The service of [`BearerLayer`].
#[derive(Clone)]
pub struct Bearer<S> {
    inner: S,
    door: BearerLayer,
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
        let door = self.door.clone();
        // The one that was polled ready goes along; its clone waits for the next request.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let caller = match door.admit(&mut request).await {
                Ok(caller) => caller,
                Err(answer) => return Ok(*answer),
            };
            request.headers_mut().remove(header::AUTHORIZATION);
            let extensions = request.extensions_mut();
            extensions.insert(caller.owner.clone());
            extensions.insert(caller.access());
            extensions.insert(caller);
            inner.call(request).await
        })
    }
}

const NOT_CHECKED: &str = "not checked";

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    NoToken,
    Malformed,
    NotGood(Flaw),
    OtherAudience,
    Bound,
    Unavailable,
    Failed,
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
    fn respond(&self, resource: &ProtectedResource) -> Response {
        let (reason, response) = match self {
            Self::NoToken => ("no token", resource.no_token()),
            Self::Malformed => (
                "malformed",
                resource.refused(
                    StatusCode::BAD_REQUEST,
                    Code::InvalidRequest,
                    "the Authorization header is not one Bearer token",
                ),
            ),
            Self::NotGood(flaw) => (
                flaw.as_str(),
                resource.refused(
                    StatusCode::UNAUTHORIZED,
                    Code::InvalidToken,
                    "the access token is unknown, expired or revoked",
                ),
            ),
            Self::OtherAudience => (
                "for another resource",
                resource.refused(
                    StatusCode::UNAUTHORIZED,
                    Code::InvalidToken,
                    "the access token is for another resource",
                ),
            ),
            Self::Bound => (
                "bound to a key",
                resource.refused(
                    StatusCode::UNAUTHORIZED,
                    Code::InvalidToken,
                    "the access token is bound to a key",
                ),
            ),
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

/// The token, from the one place where it counts: never from the query or the body (RFC 6750,
/// section 5.3; the MCP specification forbids them).
fn token(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Rejection::NoToken)?;
    if values.next().is_some() {
        return Err(Rejection::Malformed);
    }
    let value = value.to_str().map_err(|_| Rejection::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::NoToken);
    }
    let token = token.trim_start_matches(' ');
    if is_b64token(token) { Ok(token) } else { Err(Rejection::Malformed) }
}

/// RFC 6750, section 2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(allowed)
}
