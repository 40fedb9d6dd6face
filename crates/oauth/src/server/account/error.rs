//! What can go wrong on the account page.

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use mcp_everything_store::StoreError;
use thiserror::Error;

use super::Context;
use crate::{
    events,
    pages::{self, ErrorPage},
    params::{FormError, Repeated},
    wire::ErrorResponse,
};

/// Why nothing was done. The text is for the log.
#[derive(Debug, Error)]
pub(in crate::server) enum AccountError {
    #[error(transparent)]
    Unreadable(#[from] FormError),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the session is over")]
    SignedOut,
    #[error("the form was not made for this session")]
    OtherSession,
    #[error("the user has no such grant")]
    NoGrant,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountError {
    pub(super) fn respond(&self, context: &Context) -> Response {
        let mut retry_after = None;
        let status = match self {
            Self::Unreadable(error) => ErrorResponse::from(*error).status,
            Self::Repeated(_) => StatusCode::BAD_REQUEST,
            Self::SignedOut | Self::OtherSession => StatusCode::FORBIDDEN,
            Self::NoGrant => StatusCode::NOT_FOUND,
            Self::Store(error) => {
                let mut response = ErrorResponse::from(error);
                retry_after = response.headers.remove(header::RETRY_AFTER);
                response.status
            }
        };
        // A store that fails is logged as such.
        if !matches!(self, Self::Store(_)) {
            events::account_refused(self);
        }
        let (what, advice) = self.in_words();
        let page = ErrorPage { site: context.site(), what, advice, to_account: true };
        let mut response = pages::respond(status, &page);
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }

    const fn in_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Unreadable(_) | Self::Repeated(_) => {
                ("The form could not be read. Nothing was changed.", "Try again from the page.")
            }
            Self::SignedOut => (
                "You are not signed in any more, so nothing was changed.",
                "Sign in again, and then do it again.",
            ),
            Self::OtherSession => (
                "This form is not of the session that you are signed in with. Nothing was changed.",
                "Look at the page again, and do it from there.",
            ),
            Self::NoGrant => (
                "There is no such connection of yours. It may have ended by itself.",
                "Look at the page again to see those that there are.",
            ),
            Self::Store(StoreError::Unavailable { .. } | StoreError::LimitReached { .. }) => {
                ("The server cannot answer now.", "Wait a moment, then try again.")
            }
            Self::Store(StoreError::Corrupt { .. }) => {
                ("The server failed.", "Tell whoever runs it.")
            }
        }
    }
}
