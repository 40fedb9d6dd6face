//! What is wrong with a setting, in one line.

use std::fmt;

/// A wrong value: which variable, what it holds, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    variable: &'static str,
    holds: Option<String>,
    takes: String,
}

impl Problem {
    pub(crate) fn new(variable: &'static str, holds: &str, takes: impl Into<String>) -> Self {
        Self { variable, holds: Some(holds.to_owned()), takes: takes.into() }
    }

    /// Of a variable whose value must not be shown.
    pub(crate) fn secret(variable: &'static str, takes: impl Into<String>) -> Self {
        Self { variable, holds: None, takes: takes.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holds {
            Some(holds) => write!(f, "{} is {holds:?}; it takes {}", self.variable, self.takes),
            None => write!(f, "{} is wrong: {}", self.variable, self.takes),
        }
    }
}

/// Prefixes that other programs do not use for variables of their own.
const OUR_PREFIXES: [&str; 10] = [
    "ALLOWED_",
    "AUTH_",
    "DRAIN_",
    "FAULT_TOOLS",
    "INTROSPECTION_",
    "RATE_LIMITS",
    "REDIS_",
    "TOKEN_",
    "TRUSTED_",
    "UPSTREAM_",
];

/// What is not there yet, and what would go wrong unseen if it were passed over: whoever sets one
/// of these relies on it.
const NOT_YET: [(&str, &str); 7] = [
    ("REDIS_", "a store that instances share"),
    ("UPSTREAM_", "a real identity provider"),
    ("TOKEN_", "a separate authorization server"),
    ("INTROSPECTION_", "a separate authorization server"),
    ("CLIENTS_FILE", "pre-registered clients"),
    ("TLS_CERT", "TLS of its own; put a proxy before it"),
    ("TLS_KEY", "TLS of its own; put a proxy before it"),
];

/// The variables of the environment that ask for what this version does not have.
pub(crate) fn unsupported(environment: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let asked = environment.filter(|(_, value)| !value.trim().is_empty());
    asked
        .filter_map(|(name, _)| {
            let (_, what) = NOT_YET.iter().find(|(prefix, _)| name.starts_with(prefix))?;
            Some(format!("{name} is set, but this version does not have {what}"))
        })
        .collect()
}

/// The variables of the environment that look like settings and are none.
pub(crate) fn unknown_variables<'a>(
    environment: impl Iterator<Item = String> + 'a,
    known: &'a [&'static str],
) -> impl Iterator<Item = String> + 'a {
    environment.filter(|name| {
        OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !known.contains(&&**name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_noticed_and_a_foreign_one_is_not() {
        let environment = ["AUTH_MODE", "AUTH_MOOD", "PATH", "DRAIN_TIME"].map(str::to_owned);
        let unknown: Vec<_> = unknown_variables(environment.into_iter(), &["AUTH_MODE"]).collect();
        assert_eq!(unknown, ["AUTH_MOOD", "DRAIN_TIME"]);
    }

    #[test]
    fn what_is_not_there_is_not_passed_over() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = [set("REDIS_URL", "redis://x"), set("TLS_KEY", " "), set("PATH", "x")];
        let told = unsupported(environment.into_iter());
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("REDIS_URL is set"), "{told:?}");
    }

    #[test]
    fn a_problem_is_one_line_that_names_the_variable() {
        let problem = Problem::new("PORT", "x\ny", "a number from 0 to 65535");
        assert_eq!(problem.to_string(), r#"PORT is "x\ny"; it takes a number from 0 to 65535"#);
    }
}
