//! The sessions that were in use of late, counted for all instances together.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use http::StatusCode;

/// How many marks there are for sessions.
const MARKS: u32 = 4096;
const WORDS: usize = MARKS as usize / 64;
/// For how many minutes a session counts that was seen.
const MINUTES: usize = 5;

/// The sessions that requests named within the last minutes.
#[derive(Debug, Default)]
pub(crate) struct SeenSessions {
    seen: [Marks; MINUTES],
    minute: AtomicUsize,
}

/// The sessions of a minute. Each leaves a mark, the same at every instance, so that those of all
/// instances can be counted together and none twice.
#[derive(Debug)]
struct Marks([AtomicU64; WORDS]);

impl Default for Marks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The marks of the sessions that were seen within the last minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen([u64; WORDS]);

impl Default for Seen {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl SeenSessions {
    /// A request that named this session was answered. What names no session of this server, and
    /// is refused, leaves no mark.
    pub(crate) fn answered(&self, session: &str, status: StatusCode) {
        if status.is_success() {
            self.mark(session);
        }
    }

    /// A minute is over: the oldest is forgotten.
    pub(super) fn turn(&self) {
        let next = (self.minute.load(Relaxed) + 1) % MINUTES;
        self.seen[next].0.iter().for_each(|word| word.store(0, Relaxed));
        self.minute.store(next, Relaxed);
    }

    pub(super) fn seen(&self) -> Seen {
        Seen(std::array::from_fn(|place| {
            self.seen.iter().fold(0, |all, minute| all | minute.0[place].load(Relaxed))
        }))
    }

    fn mark(&self, session: &str) {
        let mut hasher = DefaultHasher::new();
        session.hash(&mut hasher);
        let mark = usize::try_from(hasher.finish() % u64::from(MARKS)).unwrap_or_default();
        let (word, bit) = (&self.seen[self.minute.load(Relaxed)].0[mark / 64], 1 << (mark % 64));
        if word.load(Relaxed) & bit == 0 {
            word.fetch_or(bit, Relaxed);
        }
    }
}

impl Seen {
    pub(super) fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    /// About how many sessions there are: two may leave the same mark, the more the likelier
    /// (linear counting). Within a few in a hundred up to ten thousand.
    pub(super) fn count(&self) -> u64 {
        let free: u32 = self.0.iter().map(|word| word.count_zeros()).sum();
        let marks = f64::from(MARKS);
        let count = -marks * (f64::from(free.max(1)) / marks).ln();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a whole number between 0 and 34,070"
        )]
        let count = count.round() as u64;
        count
    }

    pub(super) fn written(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        STANDARD_NO_PAD.encode(bytes)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        Some(Self(words.try_into().ok().filter(|_| rest.is_empty())?))
    }
}

#[cfg(test)]
mod tests {
    use mcp_everything_store::{SessionId, TestRandom};

    use super::*;

    #[test]
    fn sessions_are_counted_once_at_all_instances_together() {
        let random = TestRandom::seeded(1);
        let [one, two] = [SeenSessions::default(), SeenSessions::default()];
        for number in 0..1000 {
            let session = SessionId::random(&random).to_string();
            one.answered(&session, StatusCode::OK);
            if number % 2 == 0 {
                two.answered(&session, StatusCode::ACCEPTED);
            }
            one.answered(&number.to_string(), StatusCode::NOT_FOUND);
            if number == 2 {
                assert_eq!(one.seen().count(), 3, "a few are counted exactly");
            }
        }
        let (mut all, other) = (one.seen(), Seen::read(&two.seen().written()).unwrap());
        assert_eq!(other, two.seen());
        assert!((480..520).contains(&other.count()), "{}", other.count());
        all.join(&other);
        assert!((960..1040).contains(&all.count()), "{}", all.count());
        (0..MINUTES).for_each(|_| one.turn());
        assert_eq!(one.seen().count(), 0);
        assert_eq!(Seen::read("AAAA"), None);
    }
}
