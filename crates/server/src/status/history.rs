//! What was answered in each of the last seconds.

use std::collections::VecDeque;

/// Two minutes.
const SECONDS: usize = 120;

/// Requests and errors of each of the last seconds, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    last: [u64; 2],
    seconds: VecDeque<[u32; 2]>,
}

impl History {
    /// A second is over: so many there were by now.
    pub(super) fn note(&mut self, totals: [u64; 2]) {
        let since = std::array::from_fn(|which| {
            u32::try_from(totals[which].saturating_sub(self.last[which])).unwrap_or(u32::MAX)
        });
        self.last = totals;
        if self.seconds.len() == SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back(since);
    }

    pub(super) fn seconds(&self) -> Vec<[u32; 2]> {
        self.seconds.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_minutes_are_kept() {
        let mut history = History::default();
        for second in 0..200 {
            history.note([second * 3, second]);
        }
        assert_eq!(history.seconds().len(), SECONDS);
        assert!(history.seconds().iter().all(|second| *second == [3, 1]));
    }
}
