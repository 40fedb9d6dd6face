//! What can go wrong while a user is being asked.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use mcp_everything_store::{Exceeded, Refused, StoreError};
use thiserror::Error;

use super::ReturnTo;
use crate::{
    UnknownScope,
    clients::{DocumentError, LookupError},
    events,
    pages::{self, ErrorPage},
    params::{FormError, Repeated},
    server::Context,
    upstream::UpstreamError,
    wire::{Code, ErrorResponse},
};

/// An authorization request that is not granted. Only what comes after the redirect URI was
/// verified can be told to the client (RFC 6749, section 4.1.2.1).
#[derive(Debug)]
pub(in crate::server) enum AuthorizeError {
    /// The user is told.
    Page(PageError),
    /// The client is told.
    Redirect(ReturnTo, Refusal),
}

impl AuthorizeError {
    pub(in crate::server) fn respond(&self, context: &Context) -> Response {
        match self {
            Self::Page(error) => error.respond(context),
            Self::Redirect(return_to, refusal) => {
                events::request_refused(Some(return_to.client()), refusal, true);
                return_to.refuse(context, refusal)
            }
        }
    }
}

impl<E: Into<PageError>> From<E> for AuthorizeError {
    fn from(error: E) -> Self {
        Self::Page(error.into())
    }
}

/// What is told to the client. The text is the `error_description`.
#[derive(Debug, Error)]
pub(in crate::server) enum Refusal {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("response_type is missing")]
    NoResponseType,
    #[error("response_type must be code")]
    ResponseType,
    #[error("response_mode must be query")]
    ResponseMode,
    #[error("code_challenge is missing: PKCE is required")]
    NoChallenge,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error("code_challenge is not the base64url form of a SHA-256 hash")]
    Challenge,
    #[error("dpop_jkt is not the base64url form of a SHA-256 hash")]
    Thumbprint,
    #[error("a token is good for one resource; ask for one")]
    SeveralResources,
    #[error("resource is not one that tokens are issued for")]
    Resource,
    #[error(transparent)]
    Scope(#[from] UnknownScope),
    #[error("the user refused")]
    Denied,
    #[error("the server has no room for another login now; try again later")]
    Full,
}

impl Refusal {
    pub(in crate::server) const fn code(&self) -> Code {
        match self {
            Self::Repeated(_)
            | Self::NoResponseType
            | Self::ResponseMode
            | Self::NoChallenge
            | Self::ChallengeMethod
            | Self::Challenge
            | Self::Thumbprint => Code::InvalidRequest,
            Self::ResponseType => Code::UnsupportedResponseType,
            Self::SeveralResources | Self::Resource => Code::InvalidTarget,
            Self::Scope(_) => Code::InvalidScope,
            Self::Denied => Code::AccessDenied,
            Self::Full => Code::TemporarilyUnavailable,
        }
    }
}

/// What is told to the user, on a page. The text is for the log.
#[derive(Debug, Error)]
pub(in crate::server) enum PageError {
    #[error(transparent)]
    Unreadable(#[from] FormError),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("client_id is missing")]
    NoClient,
    #[error("the client is not known")]
    UnknownClient(String),
    #[error("{reason}")]
    Document { id: String, reason: DocumentError },
    #[error("redirect_uri is missing")]
    NoRedirectUri,
    #[error("redirect_uri is not registered for the client")]
    OtherRedirectUri(String),
    #[error("the form was not made for this browser, was changed, or is too old")]
    StaleForm,
    #[error("the form's decision is neither to allow nor to deny")]
    NoDecision,
    #[error("there is no such login under way")]
    NoLogin,
    #[error("the login was begun in another browser")]
    OtherBrowser,
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("a URL cannot be sent in a header")]
    Unsendable,
    #[error(transparent)]
    TooOften(#[from] Exceeded),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PageError {
    /// Why it is not known who the client is that has this identifier.
    pub(in crate::server) fn lookup(id: &str, error: LookupError) -> Self {
        match error {
            LookupError::Store(error) => Self::Store(error),
            LookupError::Document(reason) => Self::Document { id: events::loggable(id), reason },
        }
    }
}

const ASK_THE_CLIENT: &str = "The program that sent you here made a mistake. Tell its makers.";
const START_AGAIN: &str =
    "Go back to the program or page that sent you here, and start again there.";
const TRY_AGAIN: &str = "Wait a moment, then reload this page.";

impl PageError {
    pub(in crate::server) fn respond(&self, context: &Context) -> Response {
        match self {
            // A store that fails is logged as such, and so is a limit.
            Self::Store(_) | Self::TooOften(_) => {}
            Self::NoLogin
            | Self::OtherBrowser
            | Self::Upstream(UpstreamError::Denied | UpstreamError::BadAnswer { .. }) => {
                events::login_failed(None, self);
            }
            Self::Upstream(
                error @ (UpstreamError::Unavailable { .. } | UpstreamError::Faulty { .. }),
            ) => events::upstream_failed(error),
            Self::Unreadable(_)
            | Self::Repeated(_)
            | Self::NoClient
            | Self::UnknownClient(_)
            | Self::NoRedirectUri
            | Self::OtherRedirectUri(_)
            | Self::StaleForm
            | Self::NoDecision
            | Self::Unsendable => events::request_refused(self.client_id(), self, false),
            Self::Document { id, reason } => events::document_refused(id, reason),
        }
        let (status, retry_after) = self.status();
        let (what, advice) = self.in_words();
        let page = ErrorPage { site: context.site(), what: &what, advice, to_account: false };
        let mut response = pages::respond(status, &page);
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response.extensions_mut().insert(self.refused());
        response
    }

    const fn refused(&self) -> Refused {
        Refused(match self {
            Self::Unreadable(_)
            | Self::Repeated(_)
            | Self::NoClient
            | Self::NoRedirectUri
            | Self::NoDecision => "invalid_request",
            Self::UnknownClient(_) => "unknown_client",
            Self::Document { .. } => "client_document",
            Self::OtherRedirectUri(_) => "unregistered_redirect_uri",
            Self::StaleForm => "stale_form",
            Self::NoLogin | Self::OtherBrowser => "no_login",
            Self::Upstream(UpstreamError::Denied | UpstreamError::BadAnswer { .. }) => {
                "upstream_refused"
            }
            Self::Upstream(UpstreamError::Unavailable { .. } | UpstreamError::Faulty { .. }) => {
                "upstream_failed"
            }
            Self::TooOften(_) => return Refused::TOO_OFTEN,
            Self::Store(StoreError::Unavailable { .. } | StoreError::LimitReached { .. }) => {
                "temporarily_unavailable"
            }
            Self::Store(StoreError::Corrupt { .. }) | Self::Unsendable => "server_error",
        })
    }

    fn client_id(&self) -> Option<&str> {
        match self {
            Self::UnknownClient(id) | Self::OtherRedirectUri(id) | Self::Document { id, .. } => {
                Some(id)
            }
            Self::Unreadable(_)
            | Self::Repeated(_)
            | Self::NoClient
            | Self::NoRedirectUri
            | Self::StaleForm
            | Self::NoDecision
            | Self::NoLogin
            | Self::OtherBrowser
            | Self::Upstream(_)
            | Self::Unsendable
            | Self::TooOften(_)
            | Self::Store(_) => None,
        }
    }

    fn status(&self) -> (StatusCode, Option<HeaderValue>) {
        match self {
            Self::Store(error) => {
                let mut response = ErrorResponse::from(error);
                (response.status, response.headers.remove(header::RETRY_AFTER))
            }
            Self::TooOften(exceeded) => {
                (StatusCode::TOO_MANY_REQUESTS, Some(HeaderValue::from(exceeded.retry_after())))
            }
            Self::Upstream(UpstreamError::Unavailable { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(HeaderValue::from(5)))
            }
            Self::Document { reason, .. } if reason.is_passing() => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(HeaderValue::from(5)))
            }
            Self::Upstream(UpstreamError::Faulty { .. }) => (StatusCode::BAD_GATEWAY, None),
            Self::Unreadable(error) => (ErrorResponse::from(*error).status, None),
            Self::OtherBrowser | Self::StaleForm => (StatusCode::FORBIDDEN, None),
            Self::Unsendable => (StatusCode::INTERNAL_SERVER_ERROR, None),
            Self::Repeated(_)
            | Self::NoClient
            | Self::UnknownClient(_)
            | Self::Document { .. }
            | Self::NoRedirectUri
            | Self::OtherRedirectUri(_)
            | Self::NoDecision
            | Self::NoLogin
            | Self::Upstream(UpstreamError::Denied | UpstreamError::BadAnswer { .. }) => {
                (StatusCode::BAD_REQUEST, None)
            }
        }
    }

    fn in_words(&self) -> (String, &'static str) {
        let (what, advice) = match self {
            Self::Unreadable(error) => return (sentence(error), ASK_THE_CLIENT),
            Self::Repeated(error) => return (sentence(error), ASK_THE_CLIENT),
            Self::NoClient => ("The request does not say which client it is from.", ASK_THE_CLIENT),
            Self::UnknownClient(_) => (
                "This client is not registered here, or its registration has ended.",
                "Remove the connection in the program you want to connect, and add it again.",
            ),
            Self::Document { reason, .. } => {
                let advice = if reason.is_passing() { TRY_AGAIN } else { ASK_THE_CLIENT };
                let what = "The client cannot be used, because of what its client_id leads to";
                return (format!("{what}: {}.", reason.in_public()), advice);
            }
            Self::NoRedirectUri => ("The request has no redirect_uri.", ASK_THE_CLIENT),
            Self::OtherRedirectUri(_) => (
                "The address to send you back to is not one that this client registered. \
                 You have not been sent there.",
                ASK_THE_CLIENT,
            ),
            Self::StaleForm => (
                "This form is too old, or was not made for this browser. Cookies must be allowed.",
                START_AGAIN,
            ),
            Self::NoDecision => ("The form came without Allow or Deny.", START_AGAIN),
            Self::NoLogin => {
                ("This login has ended: it was finished, or took too long.", START_AGAIN)
            }
            Self::OtherBrowser => {
                ("This login was begun in another browser. Cookies must be allowed.", START_AGAIN)
            }
            Self::Upstream(UpstreamError::Denied) => ("You were not signed in.", START_AGAIN),
            Self::Upstream(UpstreamError::BadAnswer { .. }) => (
                "The sign-in page did not say who you are in a form that can be used here.",
                "Go back and try again.",
            ),
            Self::Upstream(UpstreamError::Unavailable { .. }) => {
                ("The sign-in page cannot be reached.", TRY_AGAIN)
            }
            Self::TooOften(exceeded) => {
                let seconds = exceeded.retry_after();
                let what = format!(
                    "Too much was asked of this server from where you are. It answers again in \
                     {seconds} s."
                );
                return (what, TRY_AGAIN);
            }
            Self::Upstream(UpstreamError::Faulty { .. }) => (
                "The sign-in page and this server do not fit together.",
                "Tell whoever runs this server. Its log says what is wrong.",
            ),
            Self::Store(StoreError::Unavailable { .. } | StoreError::LimitReached { .. }) => {
                ("The server cannot answer now.", TRY_AGAIN)
            }
            Self::Store(StoreError::Corrupt { .. }) | Self::Unsendable => {
                ("The server failed.", START_AGAIN)
            }
        };
        (what.to_owned(), advice)
    }
}

fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
