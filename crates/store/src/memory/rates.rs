//! Rates, counted in the process.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{Clock, Rate, RateKey, Rates, StoreError, Taken, noted};

/// How many are kept: a record is some hundred bytes.
const MOST: usize = 100_000;

/// Rates in memory. Of more than a hundred thousand, those that are nearest to having all back are
/// forgotten.
pub struct MemoryRates {
    clock: Arc<dyn Clock>,
    most: usize,
    /// When all that was taken will have come back, in microseconds.
    due: Mutex<HashMap<RateKey, u64>>,
}

impl MemoryRates {
    /// Nothing was taken yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::keeping(MOST, clock)
    }

    fn keeping(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self { clock, most, due: Mutex::default() }
    }

    /// Takes without having to wait for it.
    pub(crate) fn take_now(&self, key: &RateKey, rate: Rate, most: u32) -> Taken {
        let now = self.clock.now().as_millis() * 1000;
        let mut kept = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, taken) = rate.take(kept.get(key).copied().unwrap_or(0), now, most);
        if taken.count == 0 {
            return taken;
        }
        if let Some(kept) = kept.get_mut(key) {
            *kept = due;
            return taken;
        }
        kept.insert(key.clone(), due);
        if kept.len() > self.most {
            make_room(&mut kept, now, self.most);
        }
        taken
    }
}

/// Forgets what has come back, and if that is not enough, half of the rest.
fn make_room(kept: &mut HashMap<RateKey, u64>, now: u64, most: usize) {
    kept.retain(|_, due| *due > now);
    if kept.len() > most / 2 {
        let mut dues: Vec<_> = kept.values().copied().collect();
        let (_, middle, _) = dues.select_nth_unstable(kept.len() - most / 2 - 1);
        let middle = *middle;
        kept.retain(|_, due| *due > middle);
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
