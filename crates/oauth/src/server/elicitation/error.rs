//! What can go wrong on the page of an elicitation.

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use mcp_everything_store::StoreError;
use thiserror::Error;

use super::Desk;
use crate::{
    events,
    pages::{self, ErrorPage},
    params::{FormError, Repeated},
    wire::ErrorResponse,
};

/// Why nothing was shown or done. The text is for the log.
#[derive(Debug, Error)]
pub(super) enum ElicitationError {
    #[error(transparent)]
    Unreadable(#[from] FormError),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("there is no such elicitation")]
    NoSuch,
    #[error("the elicitation is another user's")]
    OtherUser,
    #[error("the session is over")]
    SignedOut,
    #[error("the form was not made for this browser, user and elicitation, or is too old")]
    OtherForm,
    #[error("the form has no answer that can be taken")]
    NoAnswer,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ElicitationError {
    pub(super) fn respond(&self, desk: &Desk) -> Response {
        let mut retry_after = None;
        let status = match self {
            Self::Unreadable(error) => ErrorResponse::from(*error).status,
            Self::Repeated(_) | Self::NoAnswer => StatusCode::BAD_REQUEST,
            Self::NoSuch => StatusCode::NOT_FOUND,
            Self::OtherUser | Self::SignedOut | Self::OtherForm => StatusCode::FORBIDDEN,
            Self::Store(error) => {
                let mut response = ErrorResponse::from(error);
                retry_after = response.headers.remove(header::RETRY_AFTER);
                response.status
            }
        };
        // A store that fails is logged as such.
        if !matches!(self, Self::Store(_)) {
            events::elicitation_refused(self);
        }
        let (what, advice) = self.in_words();
        // There they sign out, and in as somebody else.
        let to_account = matches!(self, Self::OtherUser) && desk.server.is_some();
        let page = ErrorPage { site: desk.site(), what, advice, to_account };
        let mut response = pages::respond(status, &page);
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response
    }

    const fn in_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Unreadable(_) | Self::Repeated(_) => {
                ("The form could not be read. Nothing was answered.", "Try again from the page.")
            }
            Self::NoSuch => (
                "There is no such question. Nobody waits for an answer to one after ten minutes.",
                "If a program of yours still needs an answer, have it ask again.",
            ),
            Self::OtherUser => (
                "This question is for somebody else, and you are not asked.",
                "If somebody sent you the link, they may want an answer of yours for themselves: \
                 leave it. If it is your own, sign out and in again as the user of your program.",
            ),
            Self::SignedOut => (
                "You are not signed in any more, so nothing was answered.",
                "Open the link again, sign in, and then answer.",
            ),
            Self::OtherForm => (
                "This form was not made for you in this browser, or it is too old. Nothing was \
                 answered.",
                "Open the link again, and answer from there.",
            ),
            Self::NoAnswer => (
                "There was no answer that could be taken.",
                "Go back, and answer with 1 to 200 characters.",
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
