//! Sessions that are alike, kept once.

use std::{collections::HashSet, sync::Arc};

use crate::Session;

/// How many there may be before it is looked for those that nobody has any more.
const FEW: usize = 64;

/// What of sessions never changes. A client that begins one session after the other says the same
/// of itself each time, so most are like another.
#[derive(Default)]
pub(crate) struct Alike {
    known: HashSet<Arc<Session>>,
    /// At how many to look again for those that nobody has: so often that there are not many more of
    /// them than of those that somebody had at the last look, and so rarely that it costs nothing.
    look_at: usize,
}

impl Alike {
    /// A session like this one.
    pub(crate) fn share(&mut self, session: Session) -> Arc<Session> {
        if let Some(same) = self.known.get(&session) {
            return Arc::clone(same);
        }
        if self.known.len() >= self.look_at {
            self.forget();
        }
        let session = Arc::new(session);
        self.known.insert(Arc::clone(&session));
        session
    }

    /// Lets go of those that nobody has any more.
    pub(crate) fn forget(&mut self) {
        self.known.retain(|known| Arc::strong_count(known) > 1);
        self.known.shrink_to(FEW);
        self.look_at = FEW.max(2 * self.known.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Handshake, Owner, Transport};

    fn session(user: &str) -> Session {
        let (initialize, protocol_version) = ("{}".into(), "2025-11-25".into());
        Session {
            owner: Owner { user: user.to_owned(), ..Owner::anonymous() },
            transport: Transport::StreamableHttp,
            handshake: Some(Arc::new(Handshake { initialize, protocol_version })),
        }
    }

    #[test]
    fn what_is_alike_is_kept_once() {
        let mut alike = Alike::default();
        let [one, same, other] = ["a", "a", "b"].map(|user| alike.share(session(user)));
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!((&*one, &*other), (&session("a"), &session("b")));
    }

    #[test]
    fn what_nobody_has_any_more_goes() {
        let mut alike = Alike::default();
        let held: Vec<_> =
            (0..2 * FEW).map(|number| alike.share(session(&format!("held-{number}")))).collect();
        for number in 0..100 * FEW {
            alike.share(session(&number.to_string()));
        }
        assert!(alike.known.len() <= 2 * held.len() + FEW, "{}", alike.known.len());
        let again = alike.share(session("held-0"));
        assert!(Arc::ptr_eq(&again, &held[0]));
        drop((again, held));
        alike.forget();
        assert!(alike.known.is_empty(), "also when no other comes");
    }
}
