//! What the log says of refusals: a flood of them is no flood of lines.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Exceeded, Rate, Subject};
use crate::Timestamp;

/// Lines of one limit, of all it refuses.
const LINES: (u32, std::time::Duration) = (10, std::time::Duration::from_secs(10));

/// The refusals of each limit that no line has told yet, and when lines may be written again.
#[derive(Default)]
pub(super) struct Lines(Mutex<HashMap<&'static str, Untold>>);

#[derive(Default)]
struct Untold {
    refused: u64,
    /// Told or not.
    all: u64,
    due: u64,
}

impl Lines {
    /// Tells a refusal, or keeps it for the next line.
    pub(super) fn refused(&self, exceeded: &Exceeded, subject: &Subject<'_>, now: Timestamp) {
        let Some(refused) = self.count(exceeded.limit(), now) else { return };
        tracing::warn!(
            event = "limit.exceeded",
            limit = exceeded.limit(),
            address = subject.address().map(tracing::field::display),
            client_id = subject.client(),
            user_id = subject.user(),
            retry_after = exceeded.retry_after(),
            refused,
            "too many requests"
        );
    }

    /// How many there were of a limit.
    pub(super) fn refused_by(&self, limit: &str) -> u64 {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limits.get(limit).map_or(0, |untold| untold.all)
    }

    /// How many refusals a line is about; `None` if it is not time for one.
    fn count(&self, limit: &'static str, now: Timestamp) -> Option<u64> {
        let (count, period) = LINES;
        let rate = Rate::new(count, period)?;
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = limits.entry(limit).or_default();
        untold.refused += 1;
        untold.all += 1;
        let (due, taken) = rate.take(untold.due, now.as_millis() * 1000, 1);
        untold.due = due;
        (taken.count > 0).then(|| std::mem::take(&mut untold.refused))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_told_is_counted() {
        let lines = Lines::default();
        let start = Timestamp::from_millis(1_000_000);
        let told: Vec<_> = (0..1000).filter_map(|_| lines.count("a", start)).collect();
        assert_eq!(told, [1; 10]);
        assert_eq!(lines.count("b", start), Some(1), "limits are told apart");
        assert_eq!(lines.count("a", start + Duration::from_secs(1)), Some(991));
        assert_eq!(["a", "b", "c"].map(|limit| lines.refused_by(limit)), [1001, 1, 0]);
    }
}
