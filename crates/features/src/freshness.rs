//! How long an answer may be kept, and by whom (2026-07-28, Caching).

use std::time::Duration;

use rmcp::model::CacheScope;

/// How long an answer may be kept, and by whom.
///
/// A list or a resource says it of itself. It is a hint: what changes before is announced to those
/// who listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    lasts: Duration,
    scope: CacheScope,
}

impl Freshness {
    /// What never changes while the server is the same: a day.
    pub(crate) const FIXED: Self = Self::public(Duration::from_secs(24 * 60 * 60));
    /// What changes with the server's version, and nobody announces it: an hour.
    pub(crate) const WITH_VERSION: Self = Self::public(Duration::from_secs(60 * 60));
    /// What is another user's otherwise, and may change, which is announced to those who listen: a
    /// minute, and in no cache that others ask.
    pub(crate) const OWN: Self =
        Self { lasts: Duration::from_secs(60), scope: CacheScope::Private };

    /// What may be another each time it is read: not at all.
    pub(crate) const NONE: Self = Self::public(Duration::ZERO);

    /// The same for everybody: a shared cache may give it to any user.
    pub(crate) const fn public(lasts: Duration) -> Self {
        Self { lasts, scope: CacheScope::Public }
    }

    /// In `ttlMs` and `cacheScope`.
    pub(crate) fn hints(self) -> (u64, CacheScope) {
        let milliseconds = u64::try_from(self.lasts.as_millis()).unwrap_or(u64::MAX);
        (milliseconds, self.scope)
    }
}
