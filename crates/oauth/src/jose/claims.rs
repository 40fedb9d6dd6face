//! Claims that every kind of signed token has (RFC 7519, section 4.1).

use std::time::Duration;

use mcp_everything_store::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;

/// How far the clocks of two machines may be apart.
pub(crate) const SKEW: Duration = Duration::from_secs(30);

/// `aud`: one recipient or several.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
        .iter()
        .map(String::as_str)
    }

    /// The recipient, if it is for one alone.
    pub(crate) fn sole(&self) -> Option<&str> {
        let mut all = self.iter();
        all.next().filter(|_| all.next().is_none())
    }
}

/// Seconds since the Unix epoch, with or without a fraction (RFC 7519, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate(Timestamp);

impl NumericDate {
    pub(crate) const fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // Past the year 9999 nothing is meant.
        if !(0.0..=253_402_300_800.0).contains(&seconds) {
            return Err(D::Error::custom("not a time"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked"
        )]
        let millis = (seconds * 1000.0) as u64;
        Ok(Self(Timestamp::from_millis(millis)))
    }
}

/// When something is good.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Times {
    pub(crate) exp: Option<NumericDate>,
    pub(crate) nbf: Option<NumericDate>,
    pub(crate) iat: Option<NumericDate>,
}

/// What is wrong with when something is good.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ClaimError {
    #[error("exp is missing")]
    NoEnd,
    #[error("it has expired")]
    Expired,
    #[error("it is good for longer than is taken here")]
    TooLongLived,
    #[error("it is not good yet")]
    NotYet,
}

impl Times {
    /// Whether it is good now, and for no longer than `longest`. Gives how long it must be
    /// remembered for it not to be used twice.
    pub(crate) fn check(self, now: Timestamp, longest: Duration) -> Result<Duration, ClaimError> {
        let exp = self.exp.ok_or(ClaimError::NoEnd)?.0;
        let later = |time: NumericDate| now + SKEW < time.0;
        if exp + SKEW <= now {
            return Err(ClaimError::Expired);
        }
        if self.nbf.is_some_and(later) || self.iat.is_some_and(later) {
            return Err(ClaimError::NotYet);
        }
        let from = self.iat.map_or(now, NumericDate::timestamp);
        if exp > now + longest + SKEW || exp > from + longest + SKEW {
            return Err(ClaimError::TooLongLived);
        }
        Ok((exp + SKEW).since(now))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_000_000;
    const LONGEST: Duration = Duration::from_secs(600);

    fn check(claims: Value) -> Result<u64, ClaimError> {
        let times: Times = serde_json::from_value(claims).unwrap();
        times.check(Timestamp::from_millis(NOW * 1000), LONGEST).map(|left| left.as_secs())
    }

    #[test]
    fn it_is_good_from_then_to_then() {
        for (claims, result) in [
            (json!({"exp": NOW + 300}), Ok(330)),
            (json!({"exp": NOW + 300, "iat": NOW, "nbf": NOW}), Ok(330)),
            (json!({"exp": NOW + 630}), Ok(660)),
            (json!({"exp": NOW - 29}), Ok(1)),
            (json!({"exp": 1_000_300.5}), Ok(330)),
            (json!({"exp": NOW + 1, "iat": NOW + 30}), Ok(31)),
            (json!({}), Err(ClaimError::NoEnd)),
            (json!({"iat": NOW}), Err(ClaimError::NoEnd)),
            (json!({"exp": NOW - 30}), Err(ClaimError::Expired)),
            (json!({"exp": 0}), Err(ClaimError::Expired)),
            (json!({"exp": NOW + 300, "iat": NOW + 31}), Err(ClaimError::NotYet)),
            (json!({"exp": NOW + 300, "nbf": NOW + 31}), Err(ClaimError::NotYet)),
            (json!({"exp": NOW + 631}), Err(ClaimError::TooLongLived)),
            (json!({"exp": NOW + 300, "iat": NOW - 331}), Err(ClaimError::TooLongLived)),
        ] {
            assert_eq!(check(claims.clone()), result, "{claims}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for claims in [json!({"exp": "300"}), json!({"exp": -1}), json!({"exp": 1e18})] {
            assert!(serde_json::from_value::<Times>(claims.clone()).is_err(), "{claims}");
        }
    }

    #[test]
    fn recipients_are_one_or_several() {
        let audience = |value| serde_json::from_value::<Audience>(value).unwrap();
        assert_eq!(audience(json!("a")).sole(), Some("a"));
        assert_eq!(audience(json!(["a"])).sole(), Some("a"));
        assert_eq!(audience(json!(["a", "b"])).sole(), None);
        assert_eq!(audience(json!([])).sole(), None);
        assert!(audience(json!(["a", "b"])).iter().eq(["a", "b"]));
    }
}
