//! What a token allows.
//!
//! No scope includes another: a monitoring job that holds `mcp:admin` cannot run tools. What needs
//! which, says [`Scope::for_method`]; the resource asks it of every request.

use std::fmt;

use thiserror::Error;

/// One thing that a user can grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read: resources, prompts, completions.
    Read,
    /// Act: run tools, and follow the tasks that this begins.
    Tools,
    /// Look at the server itself: metrics and status.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Tools, Self::Admin];

    /// Its value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "mcp:read",
            Self::Tools => "mcp:tools",
            Self::Admin => "mcp:admin",
        }
    }

    /// What a request of the Model Context Protocol needs; `None` if any good token will do, as for
    /// the session itself and for `tools/list`, which says what there would be to ask for.
    ///
    /// | method | scope |
    /// |---|---|
    /// | `tools/call`, `tasks/*` | `mcp:tools` |
    /// | `resources/*`, `prompts/*`, `completion/complete` | `mcp:read` |
    /// | everything else | none |
    ///
    /// ```
    /// use mcp_everything_oauth::Scope;
    ///
    /// assert_eq!(Scope::for_method("tools/call"), Some(Scope::Tools));
    /// assert_eq!(Scope::for_method("resources/read"), Some(Scope::Read));
    /// assert_eq!(Scope::for_method("initialize"), None);
    /// ```
    pub fn for_method(method: &str) -> Option<Self> {
        let below = |family: &str| method.strip_prefix(family).is_some_and(|m| m.starts_with('/'));
        if method == "tools/call" || below("tasks") {
            Some(Self::Tools)
        } else if method == "completion/complete" || below("resources") || below("prompts") {
            Some(Self::Read)
        } else {
            None
        }
    }

    /// What it means to the user who is asked for it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Read => "See the tools, resources and prompts of this server, and read them",
            Self::Tools => "Run the tools of this server in your name",
            Self::Admin => "See the metrics and the status of this server",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Some scopes, without order and each once. As text their values are separated by spaces
/// (RFC 6749, section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// No scope.
    pub const EMPTY: Self = Self(0);

    /// What a client gets that does not say what it wants.
    pub const USUAL: Self = Self(Scope::Read.bit() | Scope::Tools.bit());

    /// Every scope.
    pub const ALL: Self = Self(Scope::Read.bit() | Scope::Tools.bit() | Scope::Admin.bit());

    /// Reads what a client asks for.
    ///
    /// `mcp` stands for the usual scopes: it was the only one that earlier servers of this kind
    /// knew. `offline_access` is no right to anything: clients add it to get a refresh token, and
    /// they get one anyway.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let mut set = Self::EMPTY;
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            set = match value {
                "mcp" => set.union(Self::USUAL),
                "offline_access" => set,
                _ => set.with(named(value).ok_or_else(|| UnknownScope::new(value))?),
            };
        }
        Ok(set)
    }

    /// Reads a list that others made, leaving out what is not known here.
    pub fn parse_known(text: &str) -> Self {
        text.split(' ').filter_map(|value| Self::parse(value).ok()).fold(Self::EMPTY, Self::union)
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// These and those.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are among both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those of them that are not among the others.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether this one is among them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether all of those are among them.
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// What is asked for of these: all of them if nothing is, `None` if it is more.
    pub(crate) fn narrowed(self, asked: Self) -> Option<Self> {
        let narrowed = if asked.is_empty() { self } else { asked };
        self.covers(narrowed).then_some(narrowed)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl From<Scope> for ScopeSet {
    fn from(scope: Scope) -> Self {
        Self::EMPTY.with(scope)
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{scope}")?;
        }
        Ok(())
    }
}

/// A scope value that does not exist here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the scope {0} is not known here")]
pub struct UnknownScope(String);

impl UnknownScope {
    /// Keeps only what may stand in an `error_description` (RFC 6749, section 5.2).
    fn new(value: &str) -> Self {
        let allowed = |c: &char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        Self(value.chars().filter(allowed).take(64).collect())
    }
}

fn named(value: &str) -> Option<Scope> {
    Scope::ALL.into_iter().find(|scope| scope.as_str() == value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read() {
        for (text, set) in [
            ("", ""),
            (" ", ""),
            ("mcp:read", "mcp:read"),
            ("mcp:tools mcp:read", "mcp:read mcp:tools"),
            ("mcp:read  mcp:read ", "mcp:read"),
            ("mcp", "mcp:read mcp:tools"),
            ("mcp:admin mcp", "mcp:read mcp:tools mcp:admin"),
            ("offline_access", ""),
            ("mcp:read offline_access", "mcp:read"),
        ] {
            assert_eq!(ScopeSet::parse(text).map(|set| set.to_string()), Ok(set.into()), "{text}");
        }
    }

    #[test]
    fn unknown_ones_are_named_in_plain_characters() {
        for (text, named) in [
            ("mcp:write", "mcp:write"),
            ("mcp:read MCP:READ", "MCP:READ"),
            ("openid", "openid"),
            ("a\"b\\c\u{7}\u{e9}d", "abcd"),
            ("mcp:read\tmcp:tools", "mcp:readmcp:tools"),
        ] {
            assert_eq!(ScopeSet::parse(text), Err(UnknownScope(named.into())), "{text}");
        }
        let long = "x".repeat(1000);
        assert_eq!(ScopeSet::parse(&long), Err(UnknownScope("x".repeat(64))));
    }

    #[test]
    fn some_can_be_left_out() {
        let all = ScopeSet::ALL;
        assert_eq!(all.without(Scope::Tools.into()).to_string(), "mcp:read mcp:admin");
        assert_eq!(all.without(ScopeSet::EMPTY), all);
        assert_eq!(ScopeSet::from(Scope::Read).without(all), ScopeSet::EMPTY);
    }

    #[test]
    fn what_others_wrote_is_read_as_far_as_it_is_known() {
        assert_eq!(ScopeSet::parse_known("openid mcp:read x"), ScopeSet::EMPTY.with(Scope::Read));
        assert_eq!(ScopeSet::parse_known("openid"), ScopeSet::EMPTY);
    }

    #[test]
    fn methods_need_what_they_do() {
        for (scope, methods) in [
            (
                Some(Scope::Tools),
                &["tools/call", "tasks/get", "tasks/result", "tasks/list", "tasks/cancel"][..],
            ),
            (
                Some(Scope::Read),
                &[
                    "resources/list",
                    "resources/templates/list",
                    "resources/read",
                    "resources/subscribe",
                    "resources/unsubscribe",
                    "prompts/list",
                    "prompts/get",
                    "completion/complete",
                ],
            ),
            (
                None,
                &[
                    "initialize",
                    "ping",
                    "tools/list",
                    "logging/setLevel",
                    "server/discover",
                    "notifications/initialized",
                    "notifications/cancelled",
                    "notifications/progress",
                    // Not a method of anything, so nothing will run.
                    "",
                    "tools/call/x",
                    "Tools/Call",
                    "tasks",
                    "tasksx/get",
                    "resources",
                    "promptsx",
                    "completion/complete/x",
                ],
            ),
        ] {
            for method in methods {
                assert_eq!(Scope::for_method(method), scope, "{method}");
            }
        }
    }

    #[test]
    fn no_scope_includes_another() {
        for one in Scope::ALL {
            for other in Scope::ALL {
                assert_eq!(ScopeSet::EMPTY.with(one).has(other), one == other);
            }
        }
    }

    proptest! {
        #[test]
        fn text_is_read_back(bits in 0_u8..8) {
            let set = ScopeSet(bits);
            prop_assert_eq!(ScopeSet::parse(&set.to_string()), Ok(set));
        }

        #[test]
        fn a_subset_is_covered_and_a_superset_is_not(one in 0_u8..8, other in 0_u8..8) {
            let (one, other) = (ScopeSet(one), ScopeSet(other));
            prop_assert!(one.union(other).covers(one));
            prop_assert!(one.covers(one.intersection(other)));
            prop_assert_eq!(one.covers(other), other.iter().all(|scope| one.has(scope)));
        }

        #[test]
        fn any_text_is_either_read_or_refused(text in ".*") {
            if let Err(error) = ScopeSet::parse(&text) {
                let plain = |c: char| c.is_ascii_graphic() || c == ' ';
                prop_assert!(error.to_string().chars().all(plain));
            }
        }
    }
}
