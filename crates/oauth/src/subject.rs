//! Whom a token is about, its `sub`, where no user signed in.
//!
//! A [`UserId`](crate::upstream::UserId) has no space in it, so nobody who signs in can be taken for
//! one of these.

/// A client that acts for itself.
pub(crate) fn of_client(id: &str) -> String {
    format!("client {id}")
}
