//! The Authorization header of a request to a resource.

use axum::http::{HeaderMap, header};

/// How a token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Alone (RFC 6750).
    Bearer,
    /// With a proof of possession (RFC 9449, section 7.1).
    Dpop,
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case("dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// A token, and how it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credentials<'a> {
    pub(super) scheme: Scheme,
    pub(super) token: &'a str,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCredentials {
    /// Nothing was sent that could be one.
    None,
    /// What was sent is not one token.
    Malformed(Scheme),
}

impl<'a> Credentials<'a> {
    /// The token, from the one place where it counts: never from the query or the body (RFC 6750,
    /// section 5.3; the MCP specification forbids them).
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, NoCredentials> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().ok_or(NoCredentials::None)?;
        let several = values.next().is_some();
        let text = value.to_str().map_err(|_| NoCredentials::Malformed(Scheme::Bearer))?;
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        let scheme = match Scheme::named(scheme) {
            Some(scheme) => scheme,
            None if several => return Err(NoCredentials::Malformed(Scheme::Bearer)),
            None => return Err(NoCredentials::None),
        };
        let token = token.trim_start_matches(' ');
        if several || !is_b64token(token) {
            return Err(NoCredentials::Malformed(scheme));
        }
        Ok(Self { scheme, token })
    }
}

/// RFC 6750, section 2.1; the same in RFC 9449, section 7.1.
fn is_b64token(text: &str) -> bool {
    let mut body = text.as_bytes();
    while let [rest @ .., b'='] = body {
        body = rest;
    }
    !body.is_empty() && body.iter().all(|byte| IN_B64TOKEN[usize::from(*byte)])
}

/// The bytes a token is made of, each looked up: there are many in a token.
const IN_B64TOKEN: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        allowed[byte as usize] = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        byte += 1;
    }
    allowed
};
