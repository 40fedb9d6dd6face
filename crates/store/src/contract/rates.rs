//! What everybody who keeps [`Rates`] must do.
//!
//! Each function is one rule and gets rates of its own. [`rate_contract!`] turns all of them into
//! tests.
//!
//! [`rate_contract!`]: crate::rate_contract

#![expect(clippy::missing_panics_doc, reason = "these are the bodies of tests")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::task::JoinSet;

use crate::{Rate, RateKey, Rates, Taken};

/// Rates under test and what a test must be able to do to them.
#[async_trait]
pub trait RateHarness: Send + Sync {
    /// The rates. None is used when the harness is made.
    fn rates(&self) -> Arc<dyn Rates>;

    /// Lets time pass for them.
    async fn pass(&self, span: Duration);
}

/// Makes a test of each rule. Takes an expression that makes a future of a new harness; or, for
/// what takes long to start, `in a row: shared, make`, where `make` is a function that makes a
/// future of a new harness on what they share.
#[macro_export]
macro_rules! rate_contract {
    (in a row: $shared:expr, $make:path) => {
        $crate::rate_contract! { row $shared, $make }
    };
    ($make:expr) => {
        $crate::rate_contract! { each $make }
    };
    ($how:ident $($make:expr),+) => {
        $crate::rate_contract! { $how $($make),+;
            begin_with_all_of_it, come_back_one_at_a_time, come_back_and_no_more,
            are_looked_at_without_being_used, say_how_long_to_wait, are_told_apart,
            are_shared_by_many_at_a_time, may_be_quicker_than_a_millisecond, may_change
        }
    };
    (row $shared:expr, $make:expr; $($rule:ident),+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_rule_in_a_row() {
            let shared = $shared;
            $(
                println!("{}", stringify!($rule));
                $crate::contract::rates::$rule(&$make(&shared).await).await;
            )+
        }
    };
    (each $make:expr; $($rule:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            $crate::contract::rates::$rule(&$make.await).await;
        }
    )+};
}

const MINUTE: Duration = Duration::from_secs(60);
/// One comes back in 10 s.
const COUNT: u32 = 6;
const ONE: Duration = Duration::from_secs(10);

fn rate(count: u32, period: Duration) -> Rate {
    Rate::new(count, period).expect("it can be counted")
}

fn key(subject: &str) -> RateKey {
    RateKey::new("test", &[subject])
}

async fn take(harness: &impl RateHarness, subject: &str, most: u32) -> Taken {
    let taken = harness.rates().take(&key(subject), rate(COUNT, MINUTE), most).await;
    taken.expect("they answer")
}

/// After a rest all of it may be taken at once.
pub async fn begin_with_all_of_it(harness: &impl RateHarness) {
    assert_eq!(take(harness, "a", 4).await.count, 4);
    assert_eq!(take(harness, "a", 4).await.count, 2, "as many as there are");
    assert_eq!(take(harness, "a", 4).await.count, 0);
}

/// What was taken comes back evenly.
pub async fn come_back_one_at_a_time(harness: &impl RateHarness) {
    take(harness, "a", COUNT).await;
    for _ in 0..3 {
        harness.pass(ONE).await;
        assert_eq!(take(harness, "a", 2).await.count, 1);
    }
    harness.pass(3 * ONE).await;
    assert_eq!(take(harness, "a", COUNT).await.count, 3);
}

/// However long the rest was.
pub async fn come_back_and_no_more(harness: &impl RateHarness) {
    take(harness, "a", COUNT).await;
    harness.pass(10 * MINUTE).await;
    assert_eq!(take(harness, "a", 100).await.count, COUNT);
}

/// Looking takes nothing.
pub async fn are_looked_at_without_being_used(harness: &impl RateHarness) {
    for _ in 0..3 {
        assert_eq!(take(harness, "a", 0).await, Taken { count: 0, wait: Duration::ZERO });
    }
    take(harness, "a", COUNT).await;
    let wait = take(harness, "a", 0).await.wait;
    assert!(!wait.is_zero() && wait <= ONE, "{wait:?}");
}

/// Who waits as long as is said gets one, and who does not, does not.
pub async fn say_how_long_to_wait(harness: &impl RateHarness) {
    assert_eq!(take(harness, "a", COUNT - 1).await.wait, Duration::ZERO, "there is one more");
    let wait = take(harness, "a", 1).await.wait;
    assert!(wait > ONE * 9 / 10 && wait <= ONE, "{wait:?}");
    harness.pass(wait / 2).await;
    let left = take(harness, "a", 1).await;
    assert_eq!(left.count, 0);
    assert!(left.wait <= wait / 2 + Duration::from_millis(1), "{left:?}");
    harness.pass(left.wait + Duration::from_millis(1)).await;
    assert_eq!(take(harness, "a", 1).await.count, 1);
}

/// One subject's use is not another's, nor is that of another limit.
pub async fn are_told_apart(harness: &impl RateHarness) {
    take(harness, "a", COUNT).await;
    assert_eq!(take(harness, "b", COUNT).await.count, COUNT);
    let other = RateKey::new("other", &["a"]);
    let taken = harness.rates().take(&other, rate(COUNT, MINUTE), 1).await.expect("they answer");
    assert_eq!(taken.count, 1);
    assert_ne!(RateKey::new("test", &["ab", "c"]), RateKey::new("test", &["a", "bc"]));
}

/// Of many that ask at the same time, no more get one than there are.
pub async fn are_shared_by_many_at_a_time(harness: &impl RateHarness) {
    let mut tasks = JoinSet::new();
    for _ in 0..4 * COUNT {
        let rates = harness.rates();
        tasks.spawn(async move { rates.take(&key("a"), rate(COUNT, MINUTE), 1).await });
    }
    let taken = tasks.join_all().await;
    let count: u32 = taken.into_iter().map(|taken| taken.expect("they answer").count).sum();
    assert_eq!(count, COUNT);
}

/// Nothing is rounded away.
pub async fn may_be_quicker_than_a_millisecond(harness: &impl RateHarness) {
    let (rates, hour) = (harness.rates(), rate(36_000_000, 60 * MINUTE));
    let taken = rates.take(&key("a"), hour, 30_000_000).await.expect("they answer");
    assert_eq!(taken.count, 30_000_000);
    let taken = rates.take(&key("a"), hour, u32::MAX).await.expect("they answer");
    // Some have come back meanwhile.
    assert!((6_000_000..7_000_000).contains(&taken.count), "{taken:?}");
    harness.pass(MINUTE).await;
    let taken = rates.take(&key("a"), hour, u32::MAX).await.expect("they answer");
    assert!((600_000..1_600_000).contains(&taken.count), "{taken:?}");
}

/// A rate that was made smaller holds at once, and takes no longer to come back than it says.
pub async fn may_change(harness: &impl RateHarness) {
    take(harness, "a", COUNT).await;
    let small = rate(2, Duration::from_secs(2));
    let rates = harness.rates();
    let taken = rates.take(&key("a"), small, 1).await.expect("they answer");
    assert_eq!(taken.count, 0);
    harness.pass(Duration::from_secs(2)).await;
    let due = rates.take(&key("a"), small, 0).await.expect("they answer").wait;
    assert!(due <= Duration::from_secs(1), "{due:?}");
}
