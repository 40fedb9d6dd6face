//! Spreading out what many clients would otherwise do at the same time.

use std::time::Duration;

use mcp_everything_store::Random;

/// A span between `least` and `most`, any as likely as another.
pub(crate) fn between(random: &dyn Random, least: Duration, most: Duration) -> Duration {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
    least + most.saturating_sub(least).mul_f64(share)
}

/// A span around `middle`: from half of it to one and a half.
pub(crate) fn around(random: &dyn Random, middle: Duration) -> Duration {
    between(random, middle / 2, middle + middle / 2)
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::TestRandom;

    use super::*;

    #[test]
    fn spans_are_spread_and_stay_within_their_bounds() {
        let random = TestRandom::seeded(1);
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3));
        let mut spans: Vec<_> = (0..100).map(|_| between(&random, least, most)).collect();
        assert!(spans.iter().all(|span| (least..=most).contains(span)));
        spans.sort_unstable();
        spans.dedup();
        assert!(spans.len() > 90, "{spans:?}");
        assert!(spans[10] < Duration::from_millis(1500) && spans[80] > Duration::from_millis(2300));
    }
}
