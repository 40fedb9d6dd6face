//! What was found out about tokens, for a few seconds.
//!
//! Tokens are known by their hashes. Only good ones are kept: an authorization server is asked
//! about any other as often as it comes, and nothing that anybody can send pushes good ones out.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mcp_everything_store::{Clock, Timestamp, oauth::SecretHash};
use tokio::sync::OnceCell;

use crate::{Caller, VerifyError};

/// How long an answer counts, so how long a token may be used after it was revoked elsewhere.
const KEPT: Duration = Duration::from_secs(5);
/// How many are kept; the oldest makes room.
const MOST: usize = 10_000;

pub(super) struct Cache {
    clock: Arc<dyn Clock>,
    most: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    good: HashMap<SecretHash, (Timestamp, Caller)>,
    /// The good ones, in the order in which they are forgotten.
    in_turn: VecDeque<(Timestamp, SecretHash)>,
    /// What is being found out. Whoever comes meanwhile waits for that.
    asked: HashMap<SecretHash, Arc<OnceCell<Caller>>>,
}

impl Cache {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, most: MOST, known: Mutex::default() }
    }

    /// What is known of a token, or what `find` finds out, for one request at a time.
    pub(super) async fn get(
        &self,
        token: SecretHash,
        find: impl Future<Output = Result<Caller, VerifyError>> + Send,
    ) -> Result<Caller, VerifyError> {
        let question = {
            let mut known = self.known();
            if let Some(caller) = known.good(&token, self.clock.now()) {
                return Ok(caller);
            }
            let answer = Arc::clone(known.asked.entry(token).or_default());
            Question { cache: self, token, answer }
        };
        let caller = question.answer.get_or_try_init(|| find).await?.clone();
        self.known().keep(token, &caller, self.clock.now(), self.most);
        Ok(caller)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn good(&mut self, token: &SecretHash, now: Timestamp) -> Option<Caller> {
        let (until, caller) = self.good.get(token)?;
        (now < *until).then(|| caller.clone())
    }

    fn keep(&mut self, token: SecretHash, caller: &Caller, now: Timestamp, most: usize) {
        while let Some((until, oldest)) = self.in_turn.front().copied() {
            if now < until && self.in_turn.len() < most {
                break;
            }
            self.in_turn.pop_front();
            // It may have been found out again since.
            if self.good.get(&oldest).is_some_and(|(later, _)| *later <= until) {
                self.good.remove(&oldest);
            }
        }
        let until = (now + KEPT).min(caller.expires_at);
        self.good.insert(token, (until, caller.clone()));
        self.in_turn.push_back((until, token));
    }
}

/// One request's interest in a token. The last one takes the question away, also when its client
/// hangs up.
struct Question<'a> {
    cache: &'a Cache,
    token: SecretHash,
    answer: Arc<OnceCell<Caller>>,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        let mut known = self.cache.known();
        // This one and the table's.
        if Arc::strong_count(&self.answer) <= 2 {
            known.asked.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mcp_everything_store::{Owner, TestClock};

    use super::*;
    use crate::{Flaw, ScopeSet};

    fn caller(expires_at: Timestamp) -> Caller {
        Caller {
            owner: Owner::anonymous(),
            scopes: ScopeSet::EMPTY,
            audience: Vec::new(),
            expires_at,
            grant: None,
            confirmation: None,
        }
    }

    struct Asked {
        cache: Cache,
        clock: TestClock,
        times: AtomicUsize,
        life: Duration,
    }

    impl Asked {
        fn living(life: Duration) -> Self {
            let clock = TestClock::default();
            let cache = Cache { most: 2, ..Cache::new(Arc::new(clock.clone())) };
            Self { cache, clock, times: AtomicUsize::new(0), life }
        }

        async fn about(&self, token: &str) -> usize {
            let find = async {
                self.times.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(caller(self.clock.now() + self.life))
            };
            self.cache.get(SecretHash::of(token), find).await.unwrap();
            self.times.load(Ordering::SeqCst)
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn an_answer_counts_for_seconds() {
        let asked = Asked::living(LONG);
        assert_eq!(asked.about("a").await, 1);
        asked.clock.advance(KEPT / 2);
        assert_eq!(asked.about("a").await, 1);
        asked.clock.advance(KEPT / 2);
        assert_eq!(asked.about("a").await, 2);
    }

    #[tokio::test]
    async fn and_never_longer_than_its_token() {
        let asked = Asked::living(Duration::from_secs(1));
        assert_eq!(asked.about("a").await, 1);
        asked.clock.advance(Duration::from_secs(1));
        assert_eq!(asked.about("a").await, 2);
    }

    #[tokio::test]
    async fn whoever_comes_meanwhile_waits_for_the_same_answer() {
        let asked = Asked::living(LONG);
        let (one, other, third) =
            tokio::join!(asked.about("a"), asked.about("a"), asked.about("b"));
        assert_eq!((one, other, third), (2, 2, 2));
        assert!(asked.cache.known().asked.is_empty());
    }

    #[tokio::test]
    async fn the_oldest_makes_room() {
        let asked = Asked::living(LONG);
        for token in ["a", "b", "c"] {
            asked.about(token).await;
        }
        assert_eq!(asked.cache.known().good.len(), 2);
        assert_eq!(asked.about("c").await, 3);
        assert_eq!(asked.about("a").await, 4);
    }

    #[tokio::test]
    async fn what_is_not_good_leaves_nothing() {
        let asked = Asked::living(LONG);
        asked.about("a").await;
        asked.about("b").await;
        for number in 0..10 {
            let token = SecretHash::of(&format!("{number}"));
            let refused = asked.cache.get(token, async { Err(Flaw::Unknown.into()) }).await;
            assert_eq!(refused, Err(Flaw::Unknown.into()));
        }
        assert_eq!(asked.about("a").await, 2, "it is still known");
        assert!(asked.cache.known().asked.is_empty());
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_leaves_nothing() {
        let asked = Asked::living(LONG);
        let find = std::future::pending();
        tokio::select! {
            biased;
            _ = asked.cache.get(SecretHash::of("a"), find) => panic!("it never answers"),
            () = tokio::task::yield_now() => {}
        }
        assert!(asked.cache.known().asked.is_empty());
        assert_eq!(asked.about("a").await, 1);
    }
}
