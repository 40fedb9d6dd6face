//! The contract of rates, and instances that count together.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::{
    Limit, Limiter, MonotonicClock, Rate, RateKey, Rates, StoreError, Subject,
    contract::{rates::RateHarness, redis_cluster::RedisCluster, redis_server::RedisServer},
    redis::{RedisRates, keys},
};

use crate::support::{Served, connect, until};

struct Harness<S> {
    server: S,
    rates: Arc<RedisRates>,
}

impl<S: Served> Harness<S> {
    async fn on(server: S) -> Self {
        let rates = Arc::new(RedisRates::new(connect(&server).await));
        Self { server, rates }
    }
}

/// Moves what is kept of the subject `a`, as if time had passed.
const EARLIER: &str = r"
    local due, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
    if due then
      due = string.format('%.0f', due - ARGV[1] * 1000)
      if left <= tonumber(ARGV[1]) then
        redis.call('DEL', KEYS[1])
      else
        redis.call('SET', KEYS[1], due, 'PX', left - ARGV[1])
      end
    end";

#[async_trait::async_trait]
impl<S: Served> RateHarness for Harness<S> {
    fn rates(&self) -> Arc<dyn Rates> {
        Arc::<RedisRates>::clone(&self.rates)
    }

    async fn pass(&self, span: Duration) {
        let (key, span) = (keys::rate(&key("a")), span.as_millis().to_string());
        self.server.ask(&["EVAL", EARLIER, "1", &key, &span]).unwrap();
    }
}

mcp_everything_store::rate_contract!(Harness::on(RedisServer::start()));

mod on_a_cluster {
    use super::*;

    async fn cleared(cluster: &RedisCluster) -> Harness<&RedisCluster> {
        cluster.clear();
        Harness::on(cluster).await
    }

    mcp_everything_store::rate_contract!(in a row: RedisCluster::start(), cleared);
}

const HOUR: Duration = Duration::from_secs(3600);

fn key(subject: &str) -> RateKey {
    RateKey::new("test", &[subject])
}

fn rate(count: u32) -> Rate {
    Rate::new(count, HOUR).unwrap()
}

/// The same limit at an instance of its own.
async fn limit(server: &RedisServer, count: u32) -> Limit {
    let rates = Arc::new(RedisRates::new(connect(server).await));
    let limiter = Limiter::sharing(rates, Arc::new(MonotonicClock::start()));
    Limit::new("test", rate(count), Arc::new(limiter))
}

async fn passed(limit: &Limit, asked: u32) -> u32 {
    let mut passed = 0;
    for _ in 0..asked {
        passed += u32::from(limit.take(&Subject::Client("c")).await.is_ok());
    }
    passed
}

#[tokio::test]
async fn instances_let_through_together_what_the_limit_says() {
    let server = RedisServer::start();
    let (one, two) = (limit(&server, 1000).await, limit(&server, 1000).await);
    let (one, two) = tokio::join!(passed(&one, 700), passed(&two, 700));
    assert_eq!(one + two, 1000);
}

#[tokio::test]
async fn while_it_is_away_each_counts_for_itself() {
    let server = RedisServer::start();
    let limit = limit(&server, 5).await;
    server.freeze();
    assert_eq!(passed(&limit, 8).await, 5);
    server.thaw();
    until(
        || async {
            let _ = limit.take(&Subject::Client("another")).await;
            server.number(&["DBSIZE"])
        },
        |kept| *kept > 0,
    )
    .await;
}

#[tokio::test]
async fn what_is_no_rate_is_damaged() {
    let harness = Harness::on(RedisServer::start()).await;
    let name = keys::rate(&key("a"));
    for garbage in ["nonsense", "-1", "1e9"] {
        harness.server.ask(&["SET", &name, garbage]).unwrap();
        let taken = harness.rates.take(&key("a"), rate(1), 1).await;
        assert!(
            matches!(&taken, Err(StoreError::Corrupt { key, .. }) if *key == name),
            "{taken:?}"
        );
    }
    harness.server.ask(&["DEL", &name]).unwrap();
    harness.server.ask(&["HSET", &name, "a", "b"]).unwrap();
    let taken = harness.rates.take(&key("a"), rate(1), 1).await;
    assert!(matches!(taken, Err(StoreError::Corrupt { .. })), "{taken:?}");
}

#[tokio::test]
async fn a_record_lives_until_all_that_was_taken_has_come_back() {
    let harness = Harness::on(RedisServer::start()).await;
    harness.rates.take(&key("a"), rate(100), 0).await.unwrap();
    assert_eq!(harness.server.number(&["DBSIZE"]), 0, "looking keeps nothing");
    harness.rates.take(&key("a"), rate(100), 10).await.unwrap();
    let left = harness.server.number(&["PTTL", &keys::rate(&key("a"))]);
    assert!((300_000..=360_000).contains(&left), "{left}");
}
