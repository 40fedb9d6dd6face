//! Whom a token is about, its `sub`, where no user signed in.
//!
//! A [`UserId`] has no space in it, so nobody who signs in can be taken for
//! one of these.

use crate::upstream::UserId;

/// A client that acts for itself.
pub(crate) fn of_client(id: &str) -> String {
    format!("client {id}")
}

/// A user of an enterprise, as its identity provider names it. An issuer is a URL, so no client is
/// named like it, and no two issuers can mean the same.
pub(crate) fn of_enterprise(issuer: &str, user: &UserId) -> String {
    format!("{issuer} {}", user.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_taken_for_another() {
        let user = UserId::parse("alice").unwrap();
        let other = UserId::parse("client").unwrap();
        let all = [
            of_client("alice"),
            of_client("https://idp.example"),
            of_enterprise("https://idp.example", &user),
            of_enterprise("https://idp.example", &other),
            of_enterprise("https://idp.example/x", &user),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(UserId::parse(one).is_none(), "{one}");
            assert!(!all[index + 1..].contains(one), "{one}");
        }
    }
}
