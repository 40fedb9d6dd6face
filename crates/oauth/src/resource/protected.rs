//! A resource that wants a token, and how it says so (RFC 6750, section 3; RFC 9728, section 5.1).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{Caller, credentials::Scheme};
use crate::{
    BaseUri, ScopeSet, dpop, events,
    resources::same_resource,
    wire::{Code, ErrorResponse},
};

pub(super) const WELL_KNOWN: &str = "oauth-protected-resource";
const NOT_ALLOWED: &str = "the access token does not allow this";

/// A resource at one path of a server.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    pub(super) base: BaseUri,
    pub(super) resource: String,
    pub(super) name: String,
    pub(super) authorization_servers: Vec<String>,
    pub(super) scopes: ScopeSet,
    pub(super) metadata_paths: Vec<String>,
    metadata_url: String,
    accepts: Vec<String>,
}

impl ProtectedResource {
    /// The resource at `path` below `base`; an empty path is the server as a whole. Takes tokens
    /// for itself and for the whole server.
    pub fn new(
        base: &BaseUri,
        path: &str,
        name: impl Into<String>,
        authorization_server: impl Into<String>,
    ) -> Self {
        let whole = base.as_str().to_owned();
        let resource = if path.is_empty() { whole.clone() } else { base.join(path) };
        // RFC 9728, section 3.1; and without the server's own path, which a proxy may take away.
        let mut metadata_paths = vec![base.well_known_path(WELL_KNOWN, path)];
        if !base.path().is_empty() {
            metadata_paths.push(format!("/.well-known/{WELL_KNOWN}{path}"));
        }
        Self {
            base: base.clone(),
            accepts: vec![resource.clone(), whole],
            resource,
            name: name.into(),
            authorization_servers: vec![authorization_server.into()],
            scopes: ScopeSet::USUAL,
            metadata_paths,
            metadata_url: base.well_known(WELL_KNOWN, path),
        }
    }

    /// Takes tokens for another resource, too.
    #[must_use]
    pub fn accepting(mut self, resource: impl Into<String>) -> Self {
        self.accepts.push(resource.into());
        self
    }

    /// What whoever comes without a token is told to ask for, in place of the usual scopes.
    #[must_use]
    pub fn asking_for(mut self, scopes: impl Into<ScopeSet>) -> Self {
        self.scopes = scopes.into();
        self
    }

    /// Its identifier (RFC 8707).
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether a token for these resources is for this one.
    pub fn accepts(&self, audience: &[String]) -> bool {
        audience.iter().any(|one| self.accepts.iter().any(|other| same_resource(one, other)))
    }

    /// 403: the caller is known, but the user has not allowed this (RFC 6750, section 3.1). The
    /// challenge names what is needed and what the caller has as well, so that it does not lose that
    /// by asking again.
    pub fn insufficient_scope(&self, caller: &Caller, needed: impl Into<ScopeSet>) -> Response {
        events::token_rejected(&self.resource, "insufficient scope");
        ErrorResponse::new(StatusCode::FORBIDDEN, Code::InsufficientScope, NOT_ALLOWED)
            .with(header::WWW_AUTHENTICATE, self.insufficient_scope_challenge(Some(caller), needed))
            .into_response()
    }

    /// What `WWW-Authenticate` says to a caller who lacks a scope; `None`: nothing is known of it.
    pub fn insufficient_scope_challenge(
        &self,
        caller: Option<&Caller>,
        needed: impl Into<ScopeSet>,
    ) -> HeaderValue {
        let bound = caller.is_some_and(|caller| caller.confirmation.is_some());
        let scopes = caller.map_or(ScopeSet::EMPTY, |caller| caller.scopes);
        self.challenge(
            if bound { Scheme::Dpop } else { Scheme::Bearer },
            Some((Code::InsufficientScope, NOT_ALLOWED)),
            scopes.union(needed.into()),
        )
    }

    /// What `WWW-Authenticate` says to a token that is not good (RFC 6750, section 3.1).
    pub fn invalid_token_challenge(&self) -> HeaderValue {
        let description = "the access token is not valid";
        self.challenge(Scheme::Bearer, Some((Code::InvalidToken, description)), self.scopes)
    }

    /// 401 without an error code, as nothing was sent that could be wrong (RFC 6750, section 3.1).
    pub(super) fn no_token(&self) -> Response {
        let mut response = ErrorResponse::new(
            StatusCode::UNAUTHORIZED,
            Code::InvalidToken,
            "an access token is needed in the Authorization header",
        );
        response.code = "unauthorized";
        // Bearer comes first, and all that leads on is there: many clients read no further.
        let bearer = self.challenge(Scheme::Bearer, None, self.scopes);
        let mut response = response.with(header::WWW_AUTHENTICATE, bearer);
        let dpop = format!("DPoP algs=\"{}\"", dpop::algorithms());
        if let Ok(dpop) = HeaderValue::from_str(&dpop) {
            response.headers.append(header::WWW_AUTHENTICATE, dpop);
        }
        response.into_response()
    }

    pub(super) fn refused(
        &self,
        scheme: Scheme,
        status: StatusCode,
        code: Code,
        description: &str,
    ) -> Response {
        let challenge = self.challenge(scheme, Some((code, description)), self.scopes);
        ErrorResponse::new(status, code, description.to_owned())
            .with(header::WWW_AUTHENTICATE, challenge)
            .into_response()
    }

    fn challenge(
        &self,
        scheme: Scheme,
        error: Option<(Code, &str)>,
        scopes: ScopeSet,
    ) -> HeaderValue {
        let error = error.map_or_else(String::new, |(code, description)| {
            format!("error=\"{}\", error_description=\"{description}\", ", code.as_str())
        });
        let metadata = &self.metadata_url;
        let (scheme, algorithms) = match scheme {
            Scheme::Bearer => ("Bearer", String::new()),
            Scheme::Dpop => ("DPoP", format!("algs=\"{}\", ", dpop::algorithms())),
        };
        let text = format!(
            "{scheme} {error}{algorithms}resource_metadata=\"{metadata}\", scope=\"{scopes}\""
        );
        // The URL was checked to be visible ASCII, and the rest is ours.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}
