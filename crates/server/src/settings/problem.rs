//! What is wrong with a setting, in one line.

use std::fmt;

/// A wrong value: which variable, what it holds, and what it takes; or why it does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    variable: &'static str,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Wrong { holds: String, takes: String },
    WrongSecret(String),
    Useless(&'static str),
    Missing(&'static str),
}

impl Problem {
    pub(crate) fn new(variable: &'static str, holds: &str, takes: impl Into<String>) -> Self {
        let what = What::Wrong { holds: holds.to_owned(), takes: takes.into() };
        Self { variable, what }
    }

    /// Of a variable whose value must not be shown.
    pub(crate) fn secret(variable: &'static str, why: impl Into<String>) -> Self {
        Self { variable, what: What::WrongSecret(why.into()) }
    }

    /// Of a variable that does nothing for want of another.
    pub(crate) fn useless(variable: &'static str, but: &'static str) -> Self {
        Self { variable, what: What::Useless(but) }
    }

    /// Of a variable that another one needs.
    pub(crate) fn missing(variable: &'static str, but: &'static str) -> Self {
        Self { variable, what: What::Missing(but) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, what } = self;
        match what {
            What::Wrong { holds, takes } => write!(f, "{variable} is {holds:?}; it takes {takes}"),
            What::WrongSecret(why) => write!(f, "{variable} is wrong: {why}"),
            What::Useless(but) => write!(f, "{variable} is set, but {but}"),
            What::Missing(but) => write!(f, "{variable} is not set, but {but}"),
        }
    }
}

/// Prefixes that other programs do not use for variables of their own.
const OUR_PREFIXES: [&str; 17] = [
    "ALLOWED_",
    "AUTH_",
    "BASE_UR",
    "CLIENTS_",
    "CLIENT_METADATA_",
    "DRAIN_",
    "FAULT_TOOLS",
    "INTROSPECTION_",
    "RATE_LIMITS",
    "REDIS_",
    "SECRET_KEY",
    "SESSION_T",
    "TLS_CERT",
    "TLS_KEY",
    "TOKEN_",
    "TRUSTED_",
    "UPSTREAM_",
];

/// The variables of the environment that look like settings and are none.
pub(crate) fn unknown_variables<'a>(
    environment: impl Iterator<Item = String> + 'a,
    known: &'a [&'static str],
) -> impl Iterator<Item = String> + 'a {
    environment.filter(|name| {
        OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !known.contains(&&**name)
    })
}

/// The setting whose name is most like this one, if any is.
pub(crate) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let near = known.iter().map(|known| (changes(name, known), *known)).min()?;
    (near.0 <= name.len() / 4).then_some(near.1)
}

/// How many letters must be added, taken away or replaced to make the one of the other.
fn changes(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let replaced = before + usize::from(a != b);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_noticed_and_a_foreign_one_is_not() {
        let misspelt = ["AUTH_MOOD", "BASE_URL", "DRAIN_TIME", "SECRET_KEY", "SESSION_TIMEOUT"];
        let environment = misspelt.iter().chain(&["AUTH_MODE", "PATH", "SESSION_MANAGER"]);
        let environment = environment.map(|name| (*name).to_owned());
        let unknown: Vec<_> = unknown_variables(environment, &["AUTH_MODE"]).collect();
        assert_eq!(unknown, misspelt);
    }

    #[test]
    fn what_was_meant_is_named() {
        let known = crate::settings::RawSettings::VARIABLES;
        for (wrong, meant) in [
            ("BASE_URL", Some("BASE_URI")),
            ("REDIS_URI", Some("REDIS_URL")),
            ("SECRET_KEY", Some("SECRET_KEYS")),
            ("AUTH_MOOD", Some("AUTH_MODE")),
            ("SESSION_TIMEOUT", None),
            ("TOKEN_X", None),
        ] {
            assert_eq!(nearest(wrong, known), meant, "{wrong}");
        }
        assert_eq!((changes("", "ab"), changes("abc", "abc"), changes("abc", "b")), (2, 0, 2));
    }

    #[test]
    fn a_problem_is_one_line_that_names_the_variable() {
        let problem = Problem::new("PORT", "x\ny", "a number from 0 to 65535");
        assert_eq!(problem.to_string(), r#"PORT is "x\ny"; it takes a number from 0 to 65535"#);
    }
}
