//! Randomness, injected so that tests can fix it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Where random bytes come from.
pub trait Random: Send + Sync + 'static {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Random {
    /// `BYTES` random bytes in unpadded base64url.
    pub fn token<const BYTES: usize>(&self) -> String {
        let mut bytes = [0; BYTES];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// A generator of each thread's own, which the operating system seeds again and again: for
/// anything that must not be guessed, without a system call each time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is what all others draw from")]
        rand::rng().fill_bytes(buffer);
    }
}

/// A generator whose output follows from its seed. For tests only.
#[derive(Debug)]
pub struct TestRandom {
    rng: Mutex<StdRng>,
    drawn: AtomicU64,
}

impl TestRandom {
    /// A generator that starts from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { rng: Mutex::new(StdRng::seed_from_u64(seed)), drawn: AtomicU64::new(0) }
    }

    /// How often it was asked.
    pub fn drawn(&self) -> u64 {
        self.drawn.load(Ordering::SeqCst)
    }
}

impl Random for TestRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.drawn.fetch_add(1, Ordering::SeqCst);
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}
