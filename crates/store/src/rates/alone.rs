//! Counting for an instance that is alone: at each request, and without a lock that others wait for.

use std::{sync::Arc, time::Duration};

use super::{Rate, Subject, known::Known};
use crate::{
    Timestamp,
    memory::{Due, MemoryRates},
};

/// All that is counted, and of those that were counted last where it stands.
pub(super) struct Alone {
    pub(super) rates: MemoryRates,
    known: Known<Arc<Due>>,
}

impl Alone {
    pub(super) fn new(rates: MemoryRates) -> Self {
        Self { rates, known: Known::default() }
    }

    /// Takes so many, or says how long it is until there are as many.
    pub(super) fn take(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
        (count, now): (u32, Timestamp),
    ) -> Result<(), Duration> {
        let act = |due: &Due| due.take_all(rate, now, count);
        if let Some(done) = self.known.look(limit, subject, |due| act(due)).flatten() {
            return done;
        }
        let key = subject.key(limit);
        loop {
            let due = self.rates.due(&key, now);
            self.known.put(limit, subject, Arc::clone(&due), |due| due.is_forgotten());
            if let Some(done) = act(&due) {
                return done;
            }
        }
    }

    /// Whether there is one, without taking it; if not, how long it is until then.
    pub(super) fn look(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        rate: Rate,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let look = |due: &Arc<Due>| due.look(rate, now);
        if let Some(seen) = self.known.look(limit, subject, look).flatten() {
            return seen;
        }
        // Where nothing is kept nothing was taken, and it stays like that.
        self.rates.counted(&subject.key(limit)).as_ref().and_then(look).unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock as _, TestClock};

    #[test]
    fn a_look_keeps_nothing() {
        let clock = TestClock::default();
        let alone = Alone::new(MemoryRates::new(Arc::new(clock.clone())));
        let rate = Rate::new(1, Duration::from_secs(1)).unwrap();
        let subject = Subject::Client("a");
        alone.look("test", &subject, rate, clock.now()).unwrap();
        assert!(alone.rates.counted(&subject.key("test")).is_none());
        assert_eq!(alone.known.len(), 0);
        alone.take("test", &subject, rate, (1, clock.now())).unwrap();
        alone.look("test", &subject, rate, clock.now()).unwrap_err();
    }

    #[test]
    fn what_was_forgotten_is_counted_in_its_new_place() {
        let clock = TestClock::default();
        let alone = Alone::new(MemoryRates::keeping(4, Arc::new(clock.clone())));
        let rate = Rate::new(2, Duration::from_secs(1)).unwrap();
        let take = |client| alone.take("test", &Subject::Client(client), rate, (1, clock.now()));
        assert_eq!([take("a"), take("a")], [Ok(()), Ok(())]);
        take("a").unwrap_err();
        clock.advance(Duration::from_secs(1));
        for client in ["b", "c", "d", "e", "f"] {
            take(client).unwrap();
        }
        assert_eq!(
            alone.known.look("test", &Subject::Client("a"), |due| due.is_forgotten()),
            Some(true)
        );
        assert_eq!([take("a"), take("a")], [Ok(()), Ok(())]);
        take("a").unwrap_err();
    }
}
