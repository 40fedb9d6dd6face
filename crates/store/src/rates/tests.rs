use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::*;
use crate::{Owner, TestClock, memory::MemoryRates};

const SECOND: Duration = Duration::from_secs(1);

fn rate(count: u32, period: Duration) -> Rate {
    Rate::new(count, period).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Rates that may be away, and how often they were asked.
struct Faulty {
    asked: AtomicU32,
    is_away: AtomicBool,
    kept: MemoryRates,
}

impl Faulty {
    fn new(clock: &TestClock) -> Arc<Self> {
        let kept = MemoryRates::new(Arc::new(clock.clone()));
        Arc::new(Self { asked: AtomicU32::new(0), is_away: AtomicBool::new(false), kept })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn set_away(&self, away: bool) {
        self.is_away.store(away, Ordering::SeqCst);
    }
}

#[async_trait]
impl Rates for Faulty {
    async fn take(&self, key: &RateKey, rate: Rate, most: u32) -> Result<Taken, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        // An answer is not there at once: others go on meanwhile.
        tokio::task::yield_now().await;
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { reason: "on purpose".into() });
        }
        self.kept.take(key, rate, most).await
    }
}

fn sharing(rates: &Arc<Faulty>, clock: &TestClock) -> Arc<Limiter> {
    Arc::new(Limiter::sharing(Arc::clone(rates) as _, Arc::new(clock.clone())))
}

async fn passed(limit: &Limit, subject: &Subject<'_>, asked: u32) -> u32 {
    let mut passed = 0;
    for _ in 0..asked {
        passed += u32::from(limit.take(subject).await.is_ok());
    }
    passed
}

#[test]
fn a_rate_that_cannot_be_counted_is_none() {
    assert_eq!(Rate::new(0, SECOND), None);
    assert_eq!(Rate::new(1, Duration::ZERO), None);
    assert_eq!(Rate::new(1001, Duration::from_millis(1)), None);
    assert_eq!(Rate::new(1, Duration::from_secs(86_401)), None);
    assert_eq!(rate(5, 60 * SECOND).to_string(), "5/60s");
    assert_eq!(rate(5, Duration::from_millis(1500)).to_string(), "5/1500ms");
}

#[tokio::test]
async fn what_exceeds_a_limit_is_told_when_to_come_back() {
    let clock = TestClock::default();
    let limiter = Arc::new(Limiter::alone(Arc::new(clock.clone())));
    let limit = Limit::new("test", rate(3, 30 * SECOND), limiter);
    let subject = Subject::Client("c");
    assert_eq!(passed(&limit, &subject, 5).await, 3);
    let exceeded = limit.take(&subject).await.unwrap_err();
    assert_eq!((exceeded.limit(), exceeded.retry_after()), ("test", 10));
    clock.advance(9 * SECOND);
    assert_eq!(limit.take(&subject).await.unwrap_err().retry_after(), 1);
    clock.advance(SECOND);
    assert_eq!(passed(&limit, &subject, 2).await, 1);
    assert!(limit.look(&subject).await.is_err());
    clock.advance(10 * SECOND);
    assert!(limit.look(&subject).await.is_ok() && limit.look(&subject).await.is_ok());
    assert_eq!(passed(&limit, &subject, 2).await, 1);
}

#[tokio::test]
async fn several_at_once_are_counted_as_such() {
    let clock = TestClock::default();
    let limiter = Arc::new(Limiter::alone(Arc::new(clock.clone())));
    let limit = Limit::new("test", rate(10, 10 * SECOND), limiter);
    let subject = Subject::Client("c");
    limit.take_many(&subject, 6).await.unwrap();
    let exceeded = limit.take_many(&subject, 6).await.unwrap_err();
    assert_eq!(exceeded.retry_after(), 2);
    clock.advance(2 * SECOND);
    limit.take_many(&subject, 6).await.unwrap();
    clock.advance(10 * SECOND);
    limit.take_many(&subject, 1000).await.unwrap();
    limit.take_many(&subject, 1).await.unwrap_err();
}

#[tokio::test]
async fn who_is_who_is_told_by_network_client_and_user() {
    let limiter = Arc::new(Limiter::alone(Arc::new(TestClock::default())));
    let limit = Limit::new("test", rate(1, SECOND), limiter);
    let same = ["2001:db8::1", "2001:db8::ffff:0:0:1"].map(address);
    limit.take(&Subject::Address(same[0])).await.unwrap();
    limit.take(&Subject::Address(same[1])).await.unwrap_err();
    limit.take(&Subject::Address(address("2001:db8:0:1::1"))).await.unwrap();
    limit.take(&Subject::Address(address("192.0.2.1"))).await.unwrap();
    limit.take(&Subject::Address(address("::ffff:192.0.2.1"))).await.unwrap_err();
    limit.take(&Subject::Address(address("192.0.2.2"))).await.unwrap();
    let alice = Owner { user: "alice".into(), issuer: "i".into(), client: "c".into() };
    limit.take(&Subject::User(&alice)).await.unwrap();
    limit.take(&Subject::User(&Owner { client: "d".into(), ..alice.clone() })).await.unwrap_err();
    limit.take(&Subject::User(&Owner { user: "bob".into(), ..alice.clone() })).await.unwrap();
    limit.take(&Subject::User(&Owner { issuer: "j".into(), ..alice })).await.unwrap();
    limit.take(&Subject::ClientAt("c", same[0])).await.unwrap();
    limit.take(&Subject::ClientAt("c", same[1])).await.unwrap_err();
    limit.take(&Subject::ClientAt("c", address("192.0.2.1"))).await.unwrap();
    limit.take(&Subject::Client("c")).await.unwrap();
}

#[tokio::test]
async fn instances_share_a_limit_exactly_where_it_is_small() {
    let clock = TestClock::default();
    let rates = Faulty::new(&clock);
    let limits =
        [(), ()].map(|()| Limit::new("test", rate(20, 60 * SECOND), sharing(&rates, &clock)));
    let subject = Subject::Client("c");
    let mut let_through = 0;
    for limit in limits.iter().cycle().take(40) {
        let_through += u32::from(limit.take(&subject).await.is_ok());
    }
    assert_eq!(let_through, 20);
}

/// The promise of the page: one request in a hundred asks, and the error is what is held.
#[tokio::test]
async fn few_requests_ask_where_it_is_large() {
    let clock = TestClock::default();
    let rates = Faulty::new(&clock);
    let limits =
        [(), ()].map(|()| Limit::new("test", rate(10_000, 100 * SECOND), sharing(&rates, &clock)));
    let subject = Subject::Client("c");
    let mut let_through = 0;
    for limit in limits.iter().cycle().take(12_000) {
        let_through += u32::from(limit.take(&subject).await.is_ok());
    }
    assert_eq!(let_through, 10_000);
    assert!(rates.asked() <= 102, "{}", rates.asked());
    // Who is refused does not ask either, until there is something to be had.
    let exceeded = limits[0].take(&subject).await.unwrap_err();
    assert_eq!(exceeded.retry_after(), 1);
    // One that takes some in advance and rests keeps them from others for a while only.
    clock.advance(100 * SECOND);
    assert_eq!(passed(&limits[0], &subject, 1).await, 1);
    assert_eq!(passed(&limits[1], &subject, 10_000).await, 9_900);
    clock.advance(100 * SECOND);
    assert_eq!(passed(&limits[1], &subject, 10_001).await, 10_000);
    assert_eq!(passed(&limits[0], &subject, 1).await, 0, "what was taken before has lapsed");
}

#[tokio::test]
async fn many_at_a_time_wait_for_one_that_asks() {
    let clock = TestClock::default();
    let rates = Faulty::new(&clock);
    let limit = Limit::new("test", rate(10_000, 100 * SECOND), sharing(&rates, &clock));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let limit = limit.clone();
        tasks.spawn(async move { limit.take(&Subject::Client("c")).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|passed| passed));
    assert_eq!(rates.asked(), 1);
}

#[tokio::test]
async fn nobody_spends_what_another_asks_for() {
    let clock = TestClock::default();
    let rates = Faulty::new(&clock);
    let limit = Limit::new("test", rate(300, 300 * SECOND), sharing(&rates, &clock));
    let subject = Subject::Client("c");
    limit.take(&subject).await.unwrap();
    let at_once = async {
        tokio::select! {
            biased;
            taken = limit.take(&subject) => Some(taken.is_ok()),
            () = std::future::ready(()) => None,
        }
    };
    let (many, other) = tokio::join!(limit.take_many(&subject, 5), at_once);
    assert!(many.is_ok());
    assert_eq!(other, None, "of the two that are here none is free");
    assert_eq!(rates.asked(), 2, "who asked has it, and does not ask again");
    // What was here and is not enough stays.
    assert_eq!(passed(&limit, &subject, 292).await, 292);
    limit.take_many(&subject, 3).await.unwrap_err();
    limit.take_many(&subject, 3).await.unwrap_err();
    assert_eq!(passed(&limit, &subject, 3).await, 2);
}

#[tokio::test]
async fn an_instance_that_cannot_ask_counts_for_itself() {
    let clock = TestClock::default();
    let rates = Faulty::new(&clock);
    let limit = Limit::new("test", rate(5, 5 * SECOND), sharing(&rates, &clock));
    rates.set_away(true);
    assert_eq!(passed(&limit, &Subject::Client("c"), 8).await, 5);
    assert_eq!(passed(&limit, &Subject::Client("d"), 8).await, 5);
    assert_eq!(rates.asked(), 1, "it does not ask each time");
    clock.advance(SECOND);
    assert_eq!(passed(&limit, &Subject::Client("c"), 8).await, 1);
    assert_eq!(rates.asked(), 2, "now and then it does");
    rates.set_away(false);
    clock.advance(SECOND);
    assert_eq!(passed(&limit, &Subject::Client("c"), 8).await, 5, "all of them, as it was before");
    assert_eq!(passed(&limit, &Subject::Client("e"), 8).await, 5);
    assert!(rates.asked() >= 7, "it is counted together again: {}", rates.asked());
}

#[test]
fn what_is_known_is_bounded() {
    let known = super::known::Known::default();
    for number in 0..25_000_u32 {
        known.put("test", &Subject::Client(&number.to_string()), number, |_| false);
    }
    assert!(known.len() <= 20_000);
    let looked = |limit, number: u32| {
        known.look(limit, &Subject::Client(&number.to_string()), |known| *known)
    };
    assert_eq!(looked("test", 24_999), Some(24_999));
    assert_eq!((looked("test", 25_000), looked("other", 24_999)), (None, None));
}

/// Who floods an instance with names of subjects makes it forget who has taken most last of all.
#[tokio::test]
async fn who_is_forgotten_here_is_counted_all_the_same() {
    let limiter = Arc::new(Limiter::alone(Arc::new(TestClock::default())));
    let limit = Limit::new("test", rate(2, SECOND), limiter);
    assert_eq!(passed(&limit, &Subject::Client("c"), 3).await, 2);
    for number in 0..25_000_u32 {
        limit.take(&Subject::Client(&number.to_string())).await.unwrap();
    }
    limit.take(&Subject::Client("c")).await.unwrap_err();
}

#[test]
fn no_two_subjects_have_one_name() {
    let owner = |issuer: &str, user: &str| Owner {
        issuer: issuer.to_owned(),
        user: user.to_owned(),
        client: "c".to_owned(),
    };
    let (ab, a) = (owner("ab", "c"), owner("a", "bc"));
    let subjects = [
        Subject::Address(address("192.0.2.1")),
        Subject::Client("192.0.2.1"),
        Subject::Client("192.0.2.1 c"),
        Subject::ClientAt("c", address("192.0.2.1")),
        Subject::ClientAt("c", address("192.0.2.2")),
        Subject::User(&ab),
        Subject::User(&a),
    ];
    let known = super::known::Known::default();
    for (number, subject) in subjects.iter().enumerate() {
        known.put("test", subject, number, |_| false);
    }
    for (number, subject) in subjects.iter().enumerate() {
        assert_eq!(known.look("test", subject, |known| *known), Some(number), "{subject:?}");
    }
}
