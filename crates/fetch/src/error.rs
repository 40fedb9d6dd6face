//! Why nothing was fetched.

use std::{net::IpAddr, time::Duration};

use reqwest::StatusCode;
use thiserror::Error;

/// Why nothing was fetched. The text is for a log: what it says of addresses is not for whoever
/// named the URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FetchError {
    /// Another scheme than `https`, or no host.
    #[error("the URL is not an https URL")]
    NotHttps,
    /// They serve to disguise the host.
    #[error("the URL has a user name or password")]
    UserInfo,
    /// The host is, or has among others, an address that is not public.
    #[error("{host} is at {address}, which is {what}")]
    NotPublic {
        /// As in the URL.
        host: String,
        /// The address that spoils it.
        address: IpAddr,
        /// What that is for.
        what: &'static str,
    },
    /// No address is known for the name.
    #[error("the name {host} cannot be resolved")]
    Unresolved {
        /// As in the URL.
        host: String,
    },
    /// No connection, or none with TLS and a certificate that is good for the host.
    #[error("no connection: {reason}")]
    Unreachable {
        /// In the words of the library.
        reason: String,
    },
    /// Another status than 200; a redirect is one.
    #[error("the answer has status {}", .0.as_u16())]
    Status(StatusCode),
    /// The answer was not read to its end.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// What was allowed.
        limit: usize,
    },
    /// The answer was not waited for.
    #[error("the answer took longer than {} ms", .limit.as_millis())]
    TooSlow {
        /// What was allowed.
        limit: Duration,
    },
    /// It is not HTTP, or ended before its end.
    #[error("the answer broke off: {reason}")]
    Broken {
        /// In the words of the library.
        reason: String,
    },
}

impl FetchError {
    /// A word for it that stays the same.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotHttps => "not_https",
            Self::UserInfo => "user_info",
            Self::NotPublic { .. } => "address_not_public",
            Self::Unresolved { .. } => "unresolved",
            Self::Unreachable { .. } => "unreachable",
            Self::Status(_) => "status",
            Self::TooLong { .. } => "too_long",
            Self::TooSlow { .. } => "too_slow",
            Self::Broken { .. } => "broken",
        }
    }

    /// Whether the same may well succeed in a moment.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotHttps | Self::UserInfo | Self::NotPublic { .. } | Self::TooLong { .. } => {
                false
            }
            Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::TooSlow { .. }
            | Self::Broken { .. } => true,
            Self::Status(status) => {
                status.is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(status)
            }
        }
    }
}

/// Why there is no [`Fetcher`](crate::Fetcher): the machine has no certificates to trust, or those
/// that were given cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no HTTPS client can be made: {reason}")]
pub struct BuildError {
    /// In the words of the library.
    pub reason: String,
}

/// Of an error and its causes, the one that says most.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}
