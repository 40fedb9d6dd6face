//! Instances on a Redis.

use std::time::Duration;

use mcp_everything_store::{
    Bell, Bells, Bus as _, InstanceId, Ring, SystemRandom,
    redis::{Redis, RedisBus},
};

/// No test waits longer for anything.
const BOUND: Duration = Duration::from_secs(30);
/// How long a bell may be on its way before it is rung again.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, what).await.expect("it happens within the bound")
}

/// Asks until the answer is the one waited for.
pub(crate) async fn until<T, F: Future<Output = T>>(ask: impl Fn() -> F, is: impl Fn(&T) -> bool) {
    soon(async {
        while !is(&ask().await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// An instance that listens.
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) bus: RedisBus,
    pub(crate) bells: Bells,
}

impl Instance {
    pub(crate) async fn start(url: &str) -> Self {
        let bus = RedisBus::new(Redis::connect(&url.parse().unwrap()).unwrap());
        let id = InstanceId::random("test", &SystemRandom);
        let bells = bus.listen(&id).await.unwrap();
        let mut instance = Self { id, bus, bells };
        assert_eq!(instance.bell().await, Bell::Missed, "bells are heard from here on");
        instance
    }

    pub(crate) async fn bell(&mut self) -> Bell {
        soon(self.bells.recv()).await.unwrap()
    }

    /// The next bell that says what it is about.
    pub(crate) async fn heard(&mut self) -> Bell {
        loop {
            let bell = self.bell().await;
            if bell != Bell::Missed {
                return bell;
            }
        }
    }

    /// Waits until bells may have been lost.
    pub(crate) async fn misses(&mut self) {
        while self.bell().await != Bell::Missed {}
    }

    /// Waits until it hears a bell that somebody rings. On a machine that is busy the connection
    /// may be taken for dead, and the bell be lost.
    pub(crate) async fn hears(&mut self, by: &RedisBus, whom: Ring, bell: &Bell) {
        soon(async {
            loop {
                let _ = by.ring(whom.clone(), bell.clone()).await;
                while let Ok(heard) = tokio::time::timeout(AGAIN, self.bells.recv()).await {
                    if heard.unwrap() == *bell {
                        return;
                    }
                }
            }
        })
        .await;
    }

    pub(crate) async fn knows(&self, other: &InstanceId, lives: bool) {
        until(|| self.bus.is_alive(other), |answer| *answer == Ok(lives)).await;
    }
}
