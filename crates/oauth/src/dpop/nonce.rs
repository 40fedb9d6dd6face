//! Nonces that need no storing: the time, signed (RFC 9449, section 8).

use std::time::Duration;

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{SecretKeys, Timestamp};

use crate::jose::SKEW;

const PURPOSE: &str = "dpop nonce";
const LIFE: Duration = Duration::from_secs(5 * 60);

/// The nonce of this second.
pub(super) fn at(keys: &SecretKeys, now: Timestamp) -> HeaderValue {
    let seconds = now.as_secs().to_string();
    let tag = URL_SAFE_NO_PAD.encode(keys.sign(PURPOSE, &[seconds.as_bytes()]));
    let nonce = HeaderValue::from_str(&format!("{seconds}.{tag}"));
    nonce.unwrap_or_else(|_| unreachable!("digits and base64url can stand in a header"))
}

/// Whether any instance with these keys made it a short while ago.
pub(super) fn is_new(nonce: &str, keys: &SecretKeys, now: Timestamp) -> bool {
    let Some((seconds, tag)) = nonce.split_once('.') else { return false };
    let (Ok(made), Ok(tag)) = (seconds.parse::<u64>(), URL_SAFE_NO_PAD.decode(tag)) else {
        return false;
    };
    let made = Timestamp::from_millis(made.saturating_mul(1000));
    keys.verify(PURPOSE, &[seconds.as_bytes()], &tag) && now <= made + LIFE && made <= now + SKEW
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::{Clock as _, TestClock, TestRandom};

    use super::*;

    #[test]
    fn a_nonce_is_good_for_five_minutes_and_on_every_instance() {
        let clock = TestClock::default();
        let keys = SecretKeys::generate(&TestRandom::seeded(1));
        let nonce = at(&keys, clock.now());
        let nonce = nonce.to_str().unwrap();
        assert!(is_new(nonce, &keys.clone(), clock.now()));
        let others = SecretKeys::generate(&TestRandom::seeded(2));
        assert!(!is_new(nonce, &others, clock.now()));
        clock.advance(LIFE);
        assert!(is_new(nonce, &keys, clock.now()));
        clock.advance(Duration::from_millis(1));
        assert!(!is_new(nonce, &keys, clock.now()));
    }

    #[test]
    fn what_nobody_made_is_none() {
        let now = TestClock::default().now();
        let keys = SecretKeys::generate(&TestRandom::seeded(1));
        let nonce = at(&keys, now);
        let (seconds, tag) = nonce.to_str().unwrap().split_once('.').unwrap();
        let later = now.as_secs() + 1;
        for bad in
            ["", ".", "x.y", seconds, &format!("{later}.{tag}"), &format!("{seconds}.{tag}A")]
        {
            assert!(!is_new(bad, &keys, now), "{bad}");
        }
        let ahead = at(&keys, now + SKEW + Duration::from_secs(1));
        assert!(!is_new(ahead.to_str().unwrap(), &keys, now));
    }
}
