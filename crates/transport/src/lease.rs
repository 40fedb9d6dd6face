//! How long what was opened with a token may stay open.
//!
//! A token is checked on every request ("Access Token Usage"), but a stream outlives the request
//! that opened it: it ends when the token expires or its grant is revoked. The client comes back
//! with a new token, or does not.

mod standing;

use std::{
    collections::VecDeque,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use mcp_everything_store::{Access, Clock, oauth::GrantId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::standing::Standing;
pub(crate) use self::standing::look;

/// How long a revocation is remembered, for requests that were let in just before it.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The grants with which something is open here.
#[derive(Default)]
pub(crate) struct Grants {
    held: Arc<DashMap<GrantId, Held>>,
    revoked: Mutex<VecDeque<(Instant, GrantId)>>,
}

struct Held {
    revoked: CancellationToken,
    leases: usize,
}

impl Grants {
    /// A lease for as long as a request's token is good; without end if it needed none.
    pub(crate) fn lease(&self, extensions: &http::Extensions, clock: &dyn Clock) -> Lease {
        let Some(Access { until, grant }) = extensions.get::<Access>().copied() else {
            return Lease { until: None, revoked: CancellationToken::new(), held: None };
        };
        let mut held = self
            .held
            .entry(grant)
            .or_insert_with(|| Held { revoked: CancellationToken::new(), leases: 0 });
        held.leases += 1;
        let revoked = held.revoked.clone();
        drop(held);
        // Held first and looked up then: a revocation finds it, or is found.
        if self.remembered().iter().any(|(_, remembered)| *remembered == grant) {
            revoked.cancel();
        }
        Lease {
            until: Some(Instant::now() + until.since(clock.now())),
            revoked,
            held: Some((Arc::clone(&self.held), grant)),
        }
    }

    /// Ends what is open with a grant.
    pub(crate) fn revoke(&self, grant: GrantId) {
        self.remembered().push_back((Instant::now(), grant));
        if let Some(held) = self.held.get(&grant) {
            held.revoked.cancel();
        }
    }

    /// The grants with which something is open here. One of somebody else's is not ours to revoke.
    fn held(&self) -> Vec<GrantId> {
        let held = self.held.iter().map(|held| *held.key());
        held.filter(|grant| *grant != GrantId::ELSEWHERE).collect()
    }

    fn remembered(&self) -> MutexGuard<'_, VecDeque<(Instant, GrantId)>> {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        while revoked.front().is_some_and(|(at, _)| at.elapsed() >= REMEMBERED) {
            revoked.pop_front();
        }
        revoked
    }
}

/// The right to keep something open.
pub(crate) struct Lease {
    until: Option<Instant>,
    revoked: CancellationToken,
    held: Option<(Arc<DashMap<GrantId, Held>>, GrantId)>,
}

impl Lease {
    /// Returns when it is over.
    pub(crate) async fn over(&self) {
        let expired = async {
            match self.until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = self.revoked.cancelled() => {}
            () = expired => {}
        }
    }

    /// Whether it is over, for whoever has no time to wait.
    pub(crate) fn is_over(&self) -> bool {
        self.revoked.is_cancelled() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Returns when the grant is revoked, and not when the token's time is over.
    pub(crate) async fn revoked(&self) {
        self.revoked.cancelled().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((grants, grant)) = self.held.take() else { return };
        if let Some(mut held) = grants.get_mut(&grant) {
            held.leases -= 1;
        }
        grants.remove_if(&grant, |_, held| held.leases == 0);
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestClock;

    use super::*;

    fn extensions(clock: &TestClock, grant: u8) -> http::Extensions {
        let mut extensions = http::Extensions::new();
        let until = clock.now() + Duration::from_secs(60);
        extensions.insert(Access { until, grant: GrantId::from_bytes([grant; 16]) });
        extensions
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_with_its_token() {
        let (grants, clock) = (Grants::default(), TestClock::default());
        let lease = grants.lease(&extensions(&clock, 1), &clock);
        let started = Instant::now();
        assert!(!lease.is_over());
        lease.over().await;
        assert_eq!(started.elapsed().as_secs(), 60);
        assert!(lease.is_over() && !lease.revoked.is_cancelled());
    }

    #[tokio::test]
    async fn a_lease_ends_with_its_grant_and_no_other() {
        let (grants, clock) = (Grants::default(), TestClock::default());
        let one = grants.lease(&extensions(&clock, 1), &clock);
        let same = grants.lease(&extensions(&clock, 1), &clock);
        let other = grants.lease(&extensions(&clock, 2), &clock);
        grants.revoke(GrantId::from_bytes([1; 16]));
        one.over().await;
        same.over().await;
        one.revoked().await;
        assert!(!other.revoked.is_cancelled());
        let late = grants.lease(&extensions(&clock, 1), &clock);
        late.over().await;
        drop((one, same, other, late));
        assert!(grants.held.is_empty(), "nothing is left of leases that ended");
    }

    #[tokio::test]
    async fn without_a_token_there_is_no_end() {
        let lease = Grants::default().lease(&http::Extensions::new(), &TestClock::default());
        tokio::select! {
            biased;
            () = lease.over() => panic!("it has no end"),
            () = tokio::task::yield_now() => {}
        }
    }
}
