//! Sockets and connections.

mod addresses;
mod busy;
mod connections;
mod converse;
mod listen;
mod room;
mod tls;
mod unread;
mod written;

use std::error::Error;

pub(crate) use addresses::Addresses;
pub(crate) use connections::Connections;
pub(crate) use listen::listen;
pub(crate) use room::Room;
pub(crate) use tls::{Others, Tls, TlsFiles, TlsProblem, trusting};

/// Why a request got no answer: the innermost reason, as reqwest's own text says little.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut reason: &dyn Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
