//! Proof Key for Code Exchange (RFC 7636), by S256 alone: `plain` proves nothing to whoever can
//! read the authorization request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Whether this is base64url of 32 bytes (section 4.2).
pub(crate) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether this is 43 to 128 unreserved characters (section 4.1).
pub(crate) fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// Whether the challenge was made from the verifier (section 4.6).
pub(crate) fn matches(verifier: &str, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_matches() {
        assert!(is_verifier(VERIFIER) && is_challenge(CHALLENGE));
        assert!(matches(VERIFIER, CHALLENGE));
        assert!(!matches(&VERIFIER.replace('d', "e"), CHALLENGE));
        assert!(!matches(CHALLENGE, CHALLENGE), "this would be `plain`");
    }

    #[test]
    fn the_form_is_checked() {
        for bad in ["", "abc", &format!("{CHALLENGE}="), &format!("{CHALLENGE}A"), &"+".repeat(43)]
        {
            assert!(!is_challenge(bad), "{bad}");
        }
        for good in ["a".repeat(43), "~".repeat(128)] {
            assert!(is_verifier(&good), "{good}");
        }
        for bad in ["a".repeat(42), "a".repeat(129), "a b".repeat(20), "é".repeat(30)] {
            assert!(!is_verifier(&bad), "{bad}");
        }
    }
}
