//! How streams end that another instance can go on with.

use std::{sync::Arc, time::Duration};

use mcp_everything_store::Random;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{http::SseEvent, jitter};

/// How long it takes until the streams of an instance that goes away have ended: their clients
/// come back as they leave, and not all at once.
pub(crate) const SPREAD: Duration = Duration::from_secs(2);
/// When a client whose stream was ended comes back to it.
const BACK: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(3)];

/// When one stream leaves an instance that goes away, and what it ends with.
pub(crate) struct Leaving {
    draining: CancellationToken,
    random: Arc<dyn Random>,
    at: Option<Instant>,
    /// Whether its client is to be told when to come back.
    tells: bool,
    over: bool,
}

impl Leaving {
    /// Of a stream whose client `primes`, that is, knows events without data. One that does not
    /// would try to read the last word as a message.
    pub(crate) fn new(
        draining: &CancellationToken,
        random: &Arc<dyn Random>,
        primes: bool,
    ) -> Self {
        let (draining, random) = (draining.clone(), Arc::clone(random));
        Self { draining, random, at: None, tells: primes, over: false }
    }

    /// Returns when the stream is to end. May be dropped and asked again.
    pub(crate) async fn due(&mut self) {
        self.draining.cancelled().await;
        sleep_until(self.at()).await;
    }

    /// Whether it is to end now, for a stream that has too much to say to wait.
    pub(crate) fn is_due(&mut self) -> bool {
        self.draining.is_cancelled() && Instant::now() >= self.at()
    }

    fn at(&mut self) -> Instant {
        let spread = || Instant::now() + jitter::between(&*self.random, Duration::ZERO, SPREAD);
        *self.at.get_or_insert_with(spread)
    }

    /// The client need not come back.
    pub(crate) fn for_good(&mut self) {
        self.tells = false;
    }

    /// Passes an event on, and in place of the end the last word: when to come back ("the server
    /// SHOULD send an SSE event with a standard `retry` field before closing the connection").
    pub(crate) fn or_last_word(&mut self, event: Option<SseEvent>) -> Option<SseEvent> {
        if event.is_none() {
            self.over = true;
            let [least, most] = BACK;
            return self
                .tells
                .then(|| SseEvent::Retry(jitter::between(&*self.random, least, most)));
        }
        event
    }

    /// Whether the last word was said.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }
}
