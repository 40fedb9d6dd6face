//! Rates, counted in the process.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{Clock, Rate, RateKey, Rates, StoreError, Taken, Timestamp, noted};

/// How many are kept: a record is some hundred bytes.
const MOST: usize = 100_000;

/// Rates in memory. Of more than a hundred thousand, those that are nearest to having all back are
/// forgotten.
pub struct MemoryRates {
    clock: Arc<dyn Clock>,
    most: usize,
    due: Mutex<HashMap<RateKey, Arc<Due>>>,
}

impl MemoryRates {
    /// Nothing was taken yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::keeping(MOST, clock)
    }

    pub(crate) fn keeping(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self { clock, most, due: Mutex::default() }
    }

    /// Takes without having to wait for it.
    pub(crate) fn take_now(&self, key: &RateKey, rate: Rate, most: u32) -> Taken {
        let now = micros(self.clock.now());
        let mut kept = self.kept();
        let known = kept.get(key).and_then(|due| {
            due.step(|due| {
                let (due, taken) = rate.take(due, now, most);
                ((taken.count > 0).then_some(due), taken)
            })
        });
        if let Some(taken) = known {
            return taken;
        }
        let (due, taken) = rate.take(0, now, most);
        if taken.count > 0 {
            self.keep(&mut kept, key, due, now);
        }
        taken
    }

    /// What is counted under a key, for whoever counts there again and again. It may be forgotten
    /// meanwhile, and says so then.
    pub(crate) fn due(&self, key: &RateKey, now: Timestamp) -> Arc<Due> {
        let mut kept = self.kept();
        match kept.get(key) {
            Some(due) => Arc::clone(due),
            None => self.keep(&mut kept, key, 0, micros(now)),
        }
    }

    /// What was counted under a key, if there is something.
    pub(crate) fn counted(&self, key: &RateKey) -> Option<Arc<Due>> {
        self.kept().get(key).map(Arc::clone)
    }

    fn keep(&self, kept: &mut Kept, key: &RateKey, due: u64, now: u64) -> Arc<Due> {
        if kept.len() >= self.most {
            make_room(kept, now, self.most);
        }
        let due = Arc::new(Due(AtomicU64::new(due)));
        kept.insert(key.clone(), Arc::clone(&due));
        due
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Kept = HashMap<RateKey, Arc<Due>>;

/// Forgets what has come back, and if that is not enough, half of the rest.
fn make_room(kept: &mut Kept, now: u64, most: usize) {
    kept.retain(|_, due| !due.forget(now));
    if kept.len() > most / 2 {
        let mut dues: Vec<_> = kept.values().map(|due| due.0.load(Relaxed)).collect();
        let (_, middle, _) = dues.select_nth_unstable(kept.len() - most / 2 - 1);
        let middle = *middle;
        kept.retain(|_, due| !due.forget(middle));
    }
}

const fn micros(now: Timestamp) -> u64 {
    now.as_millis() * 1000
}

/// When all that was taken will have come back, in microseconds: counted without a lock.
pub(crate) struct Due(AtomicU64);

/// Of what is not kept any more: nothing that is counted there would be known.
const FORGOTTEN: u64 = u64::MAX;

impl Due {
    /// Takes so many, or says how long it is until there are as many; `None`: it is forgotten.
    pub(crate) fn take_all(
        &self,
        rate: Rate,
        now: Timestamp,
        count: u32,
    ) -> Option<Result<(), Duration>> {
        self.step(|due| match rate.take_all(due, micros(now), count) {
            Ok(due) => (Some(due), Ok(())),
            Err(wait) => (None, Err(wait)),
        })
    }

    /// The same of one, without taking it.
    pub(crate) fn look(&self, rate: Rate, now: Timestamp) -> Option<Result<(), Duration>> {
        self.step(|due| (None, rate.take_all(due, micros(now), 1).map(drop)))
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.0.load(Relaxed) == FORGOTTEN
    }

    /// Puts what a step says in the place of what there was, if it says so and nobody else did.
    fn step<T>(&self, step: impl Fn(u64) -> (Option<u64>, T)) -> Option<T> {
        let mut due = self.0.load(Relaxed);
        while due != FORGOTTEN {
            let (next, said) = step(due);
            let Some(next) = next else { return Some(said) };
            match self.0.compare_exchange_weak(due, next, Relaxed, Relaxed) {
                Ok(_) => return Some(said),
                Err(changed) => due = changed,
            }
        }
        None
    }

    /// Forgets it, if all has come back by then.
    fn forget(&self, by: u64) -> bool {
        let forgets = |due: u64| (due <= by).then_some(FORGOTTEN);
        self.0.fetch_update(Relaxed, Relaxed, forgets).is_ok()
    }
}

impl fmt::Debug for MemoryRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryRates")
    }
}

#[async_trait]
impl Rates for MemoryRates {
    async fn take(&self, key: &RateKey, rate: Rate, most: u32) -> Result<Taken, StoreError> {
        noted("take");
        Ok(self.take_now(key, rate, most))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{TestClock, contract::rates::RateHarness};

    struct Harness(TestClock, Arc<MemoryRates>);

    impl Harness {
        fn new() -> Self {
            let clock = TestClock::default();
            Self(clock.clone(), Arc::new(MemoryRates::new(Arc::new(clock))))
        }
    }

    #[async_trait]
    impl RateHarness for Harness {
        fn rates(&self) -> Arc<dyn Rates> {
            Arc::<MemoryRates>::clone(&self.1)
        }

        async fn pass(&self, span: Duration) {
            self.0.advance(span);
        }
    }

    crate::rate_contract!(async { Harness::new() });

    #[test]
    fn what_is_kept_is_bounded() {
        let clock = TestClock::default();
        let rates = MemoryRates::keeping(100, Arc::new(clock.clone()));
        let rate = Rate::new(10, Duration::from_secs(10)).unwrap();
        let key = |number: u32| RateKey::new("test", &[&number.to_string()]);
        rates.take_now(&key(0), rate, 10);
        for number in 1..1000 {
            rates.take_now(&key(number), rate, 1);
            assert!(rates.due.lock().unwrap().len() <= 100);
        }
        assert_eq!(rates.take_now(&key(0), rate, 1).count, 0, "who has taken most is remembered");
        clock.advance(Duration::from_secs(10));
        for number in 1000..1060 {
            rates.take_now(&key(number), rate, 1);
        }
        assert!(rates.due.lock().unwrap().len() <= 60 + 50, "what has come back is forgotten");
    }
}
