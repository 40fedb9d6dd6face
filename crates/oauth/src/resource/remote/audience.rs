//! What says that a token is for this server, where a provider says it in its own way.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A claim and the values of it that a token for this server has: `client_id=abc`, or values of
/// `aud` alone. Several values are separated by commas.
///
/// ```
/// use mcp_everything_oauth::TokenAudience;
///
/// let cognito: TokenAudience = "client_id=4b7c,91de".parse()?;
/// assert_eq!((cognito.claim(), cognito.values()), ("client_id", &["4b7c", "91de"].map(String::from)[..]));
/// let url: TokenAudience = "https://api.example.com/?a=b".parse()?;
/// assert_eq!(url.claim(), "aud");
/// # Ok::<(), mcp_everything_oauth::NoAudience>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAudience {
    claim: String,
    values: Vec<String>,
}

/// A text that names no value of a claim.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("it names no value")]
pub struct NoAudience;

impl TokenAudience {
    /// The claim to look at.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// What it has in a token for this server; one of them is enough.
    pub fn values(&self) -> &[String] {
        &self.values
    }
}

impl FromStr for TokenAudience {
    type Err = NoAudience;

    fn from_str(text: &str) -> Result<Self, NoAudience> {
        // A URL has other characters before its first `=`.
        let is_name = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            !text.is_empty() && text.chars().all(allowed)
        };
        let (claim, values) =
            text.split_once('=').filter(|(claim, _)| is_name(claim)).unwrap_or(("aud", text));
        let values = values.split(',').map(str::trim).filter(|value| !value.is_empty());
        let values: Vec<_> = values.map(str::to_owned).collect();
        if values.is_empty() {
            return Err(NoAudience);
        }
        Ok(Self { claim: claim.to_owned(), values })
    }
}

impl fmt::Display for TokenAudience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.claim, self.values.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_has_values() {
        for (text, shown) in [
            ("client_id=abc", "client_id=abc"),
            (" abc , def ", "aud=abc,def"),
            ("aud=api://default", "aud=api://default"),
            ("https://a.example/?x=y", "aud=https://a.example/?x=y"),
            ("=x", "aud==x"),
        ] {
            let audience: TokenAudience = text.parse().unwrap();
            assert_eq!(audience.to_string(), shown);
            assert_eq!(shown.parse(), Ok(audience));
        }
        for text in ["", ",", "client_id=", "client_id= , "] {
            assert_eq!(text.parse::<TokenAudience>(), Err(NoAudience), "{text}");
        }
    }
}
