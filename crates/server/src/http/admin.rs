//! Who may look at the server itself: whoever is on its machine, and elsewhere whoever has an access
//! token with the scope `mcp:admin`.
//!
//! `docs/security.md`, "Who may look", says why being on its machine is all of what is asked here.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use mcp_everything_oauth::{
    BearerLayer, Caller, ProtectedResource, Scope, TokenVerifier, VerifyError,
    protected_resource_metadata,
};
use mcp_everything_store::Refused;
use mcp_everything_transport::HostPolicy;
use serde_json::json;
use thiserror::Error;
use tower::ServiceExt as _;

use super::{Proxies, names::FORWARDED_FOR};

/// What a proxy adds to what it passes on. What came through one comes from somewhere else, whatever
/// the header says: anybody can write one, so it takes away and gives nothing.
const PASSED_ON: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Whether a request comes from this machine, straight and by its own name.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    /// The names of a server whose public URL is on loopback; `None` of any other.
    pub(crate) hosts: Option<HostPolicy>,
    /// Those whom everybody's requests come from, on this machine too.
    pub(crate) proxies: Proxies,
}

impl Here {
    fn sent(&self, request: &Request) -> bool {
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
            return false;
        };
        let (peer, headers) = (peer.ip().to_canonical(), request.headers());
        let by_name = self.hosts.as_ref().is_some_and(|own| own.allows(request.uri(), headers));
        // The pages of this server have no need to name theirs: they ask where they are from.
        let by_a_page = headers.contains_key(header::ORIGIN);
        by_name
            && peer.is_loopback()
            && !self.proxies.trusts(peer)
            && !PASSED_ON.iter().any(|name| headers.contains_key(name))
            && !by_a_page
    }
}

/// Those who may look.
#[derive(Clone)]
pub(crate) struct Lookers {
    pub(crate) here: Here,
    /// `None` where no tokens are checked: then nobody looks from elsewhere.
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// Why whoever has a token may not look.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum NoLooker {
    #[error("this server checks no tokens")]
    NoTokens,
    #[error("the access token is unknown, expired or revoked, or for another resource")]
    NotGood,
    #[error("the access token is bound to a key, and good in a header with a proof alone")]
    Bound,
    #[error("access tokens cannot be checked now")]
    NotChecked,
}

impl NoLooker {
    /// How whoever shows such a token is answered.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::NoTokens | Self::NotGood | Self::Bound => StatusCode::FORBIDDEN,
            Self::NotChecked => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<VerifyError> for NoLooker {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NotGood(_) => Self::NotGood,
            VerifyError::Unavailable { .. } | VerifyError::Failed { .. } => Self::NotChecked,
        }
    }
}

/// Who says which tokens are good.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    pub(crate) resource: Arc<ProtectedResource>,
    pub(crate) door: BearerLayer,
}

impl Lookers {
    /// Whether a request comes from this machine, and needs no token.
    pub(crate) fn are_here(&self, request: &Request) -> bool {
        self.here.sent(request)
    }

    /// Whose a token is that came in another way than in the `Authorization` header. What they may
    /// see, its scopes say.
    pub(crate) async fn by_token(&self, token: &str) -> Result<Caller, NoLooker> {
        let Elsewhere { verifier, resource, .. } =
            self.elsewhere.as_ref().ok_or(NoLooker::NoTokens)?;
        let caller = verifier.verify(token).await?;
        if !resource.accepts(&caller.audience) {
            Err(NoLooker::NotGood)
        } else if caller.confirmation.is_some() {
            Err(NoLooker::Bound)
        } else {
            Ok(caller)
        }
    }

    /// Where a token is to be had, for a server that does not say so anyway.
    pub(crate) fn metadata(&self) -> Router {
        let resource = self.elsewhere.as_ref().map(|elsewhere| &*elsewhere.resource);
        protected_resource_metadata(resource)
    }

    /// Routes that answer whoever may look, and tell others what they lack: 401 with a challenge, 403
    /// `insufficient_scope` (RFC 6750, section 3.1).
    pub(crate) fn only(&self, routes: Router) -> Router {
        let elsewhere = match &self.elsewhere {
            Some(Elsewhere { resource, door, .. }) => {
                let scope = middleware::from_fn_with_state(Arc::clone(resource), check_scope);
                routes.clone().route_layer(scope).route_layer(door.clone())
            }
            None => Router::new().fallback(nobody),
        };
        routes.route_layer(middleware::from_fn_with_state((self.clone(), elsewhere), choose))
    }
}

async fn choose(
    State((lookers, elsewhere)): State<(Lookers, Router)>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if lookers.are_here(&request) {
        next.run(request).await
    } else {
        elsewhere.oneshot(request).await.into_response()
    };
    // No page of another site may have it loaded into its own process.
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    response.headers_mut().insert(policy, HeaderValue::from_static("same-origin"));
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    response
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

async fn check_scope(
    State(resource): State<Arc<ProtectedResource>>,
    request: Request,
    next: Next,
) -> Response {
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.may(Scope::Admin) => next.run(request).await,
        Some(caller) => resource.insufficient_scope(caller, Scope::Admin),
        // The door before this one lets nobody through without a token.
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn nobody() -> Response {
    let body = json!({
        "error": "access_denied",
        "error_description": "this server checks no tokens, and tells this to its own machine alone",
    });
    (StatusCode::FORBIDDEN, Extension(Refused("access_denied")), Json(body)).into_response()
}
