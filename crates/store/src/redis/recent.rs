//! What was found good just now: for a second it need not be asked about again.
//!
//! Nothing here is believed that was read more than a second ago, or while bells may go unheard. A
//! second is so the longest that anything is believed too long, whatever fails. What is ended or
//! revoked is taken out sooner, by a [notice](super::notices).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::bus::Health;
use crate::{
    Halves, SessionId,
    oauth::{AccessToken, GrantId, SecretHash},
};

/// How long what was read is believed.
pub(super) const BELIEVED: Duration = Duration::from_secs(1);
/// Of a session's life not more than this share: its life is counted from when Redis was last asked
/// for it, so much before it was last used.
const SHARE: u32 = 100;

/// What is no longer so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// This session.
    Session(SessionId),
    /// This access token.
    Token(SecretHash),
    /// Every token of this grant.
    Grant(GrantId),
}

/// What is believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Believed<T> {
    pub(super) what: T,
    /// Whether whoever is told this should look again meanwhile, so that nobody has to wait for it
    /// later. One is told so of each.
    pub(super) is_due: bool,
}

/// One for each process that shares a Redis.
#[derive(Default)]
pub(super) struct Recent {
    /// Whether bells are heard.
    pub(super) health: Health,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    sessions: Halves<SessionId, Seen>,
    tokens: Halves<SecretHash, Good>,
    /// How often something was taken out.
    taken: u64,
    turned: Option<Instant>,
}

impl Found {
    fn remove(&mut self, ended: &Ended) {
        match ended {
            Ended::Session(id) => self.sessions.remove(id),
            Ended::Token(name) => self.tokens.remove(name),
            Ended::Grant(grant) => self.tokens.retain(|kept| kept.grant != *grant),
        }
    }
}

/// When something was seen, and whether somebody looks again.
struct Seen {
    at: Instant,
    is_looked_at: bool,
}

struct Good {
    token: AccessToken,
    grant: GrantId,
    seen: Seen,
}

/// When something was looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    taken: u64,
    at: Instant,
}

impl Seen {
    const fn at(mark: Mark) -> Self {
        Self { at: mark.at, is_looked_at: false }
    }

    /// Whether it is still believed, and whether it is time to look again.
    fn believed(&mut self, life: Duration) -> Option<bool> {
        let age = self.at.elapsed();
        if age >= life {
            return None;
        }
        let is_due = age >= life / 2 && !self.is_looked_at;
        self.is_looked_at |= is_due;
        Some(is_due)
    }
}

impl Recent {
    /// To be taken before something is read that is to be kept: what is taken out between the two
    /// may be what was read.
    pub(super) fn mark(&self) -> Mark {
        Mark { taken: self.found().taken, at: Instant::now() }
    }

    /// Keeps that a session lives.
    pub(super) fn keep_session(&self, id: SessionId, mark: Mark) {
        let mut found = self.found();
        if found.taken == mark.taken {
            found.sessions.insert(id, Seen::at(mark));
        }
    }

    /// Whether a session that lives for `life` from when Redis is asked for it is believed to.
    pub(super) fn session(&self, id: SessionId, life: Duration) -> Option<Believed<()>> {
        if !self.health.is_heard() {
            return None;
        }
        let is_due = self.found().sessions.get(&id)?.believed(BELIEVED.min(life / SHARE))?;
        Some(Believed { what: (), is_due })
    }

    /// Keeps a token that is good, and of what grant it is.
    pub(super) fn keep_token(
        &self,
        name: SecretHash,
        grant: GrantId,
        token: AccessToken,
        mark: Mark,
    ) {
        let mut found = self.found();
        if found.taken == mark.taken {
            found.tokens.insert(name, Good { token, grant, seen: Seen::at(mark) });
        }
    }

    /// A token that is believed to be good. It ends when it ends.
    pub(super) fn token(
        &self,
        name: &SecretHash,
        grant: &GrantId,
    ) -> Option<Believed<AccessToken>> {
        if !self.health.is_heard() {
            return None;
        }
        let mut found = self.found();
        let kept = found.tokens.get(name).filter(|kept| kept.grant == *grant)?;
        let is_due = kept.seen.believed(BELIEVED)?;
        let left = kept.token.expires_in.checked_sub(kept.seen.at.elapsed());
        let expires_in = left.filter(|left| !left.is_zero())?;
        Some(Believed { what: AccessToken { body: kept.token.body.clone(), expires_in }, is_due })
    }

    /// Takes out what has just ended. Nothing is kept any more that is being read.
    pub(super) fn forget(&self, ended: &Ended) {
        let mut found = self.found();
        found.taken += 1;
        found.remove(ended);
    }

    /// Takes out what was looked for and is not there. What is being read may be kept: anybody can
    /// ask for what is not there.
    pub(super) fn is_gone(&self, ended: &Ended) {
        self.found().remove(ended);
    }

    /// Takes out everything, as anything may have ended.
    pub(super) fn forget_all(&self) {
        let mut found = self.found();
        *found = Found { taken: found.taken + 1, ..Found::default() };
    }

    /// Lets go of what has not been believed for a while. To be called now and then.
    pub(super) fn let_go(&self) {
        let mut found = self.found();
        if found.turned.is_some_and(|turned| turned.elapsed() < BELIEVED) {
            return;
        }
        found.turned = Some(Instant::now());
        let gone = (found.sessions.turn(), found.tokens.turn());
        // Nobody waits for thousands to be dropped.
        drop(found);
        drop(gone);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::{
        SystemRandom,
        oauth::{IssuedToken, Sealed},
    };

    const LIFE: Duration = Duration::from_secs(300);
    const MS: Duration = Duration::from_millis(1);

    fn heard() -> Recent {
        let recent = Recent::default();
        recent.health.heard(Instant::now());
        recent
    }

    async fn later(recent: &Recent, span: Duration) {
        advance(span).await;
        recent.health.heard(Instant::now());
    }

    fn session() -> SessionId {
        SessionId::random(&SystemRandom)
    }

    fn token(expires_in: Duration) -> AccessToken {
        AccessToken { body: Sealed::<IssuedToken>::from_bytes(Vec::new()), expires_in }
    }

    fn lives(recent: &Recent, id: SessionId) -> bool {
        recent.session(id, LIFE).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_found_is_believed_for_a_second() {
        let (recent, id) = (heard(), session());
        assert!(!lives(&recent, id));
        recent.keep_session(id, recent.mark());
        assert!(lives(&recent, id));
        let short = Duration::from_secs(1);
        assert!(recent.session(id, short).is_some());
        later(&recent, 10 * MS).await;
        assert!(recent.session(id, short).is_none(), "it is much of a short life");
        later(&recent, 989 * MS).await;
        assert!(lives(&recent, id));
        later(&recent, MS).await;
        assert!(!lives(&recent, id), "from when it was asked for");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_believed_any_more_is_let_go() {
        let (recent, id) = (heard(), session());
        recent.keep_session(id, recent.mark());
        for _ in 0..9 {
            recent.let_go();
            later(&recent, BELIEVED / 10).await;
        }
        assert!(lives(&recent, id), "it is believed still");
        later(&recent, BELIEVED).await;
        recent.let_go();
        assert!(recent.found().sessions.get(&id).is_some(), "as somebody asked for it");
        for _ in 0..2 {
            later(&recent, BELIEVED).await;
            recent.let_go();
        }
        assert!(recent.found().sessions.get(&id).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_looks_again_before_that() {
        let (recent, id) = (heard(), session());
        recent.keep_session(id, recent.mark());
        let is_due = || recent.session(id, LIFE).map(|believed| believed.is_due);
        assert_eq!(is_due(), Some(false));
        later(&recent, BELIEVED / 2).await;
        assert_eq!([is_due(), is_due()], [Some(true), Some(false)]);
        recent.keep_session(id, recent.mark());
        later(&recent, BELIEVED / 2).await;
        assert_eq!(is_due(), Some(true), "of what was found then");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_believed_while_no_bell_is_heard() {
        let (recent, id) = (Recent::default(), session());
        let (name, grant) = (SecretHash::of("t"), GrantId::draw(&SystemRandom));
        recent.keep_session(id, recent.mark());
        recent.keep_token(name, grant, token(LIFE), recent.mark());
        let believed = || (lives(&recent, id), recent.token(&name, &grant).is_some());
        assert_eq!(believed(), (false, false), "nothing was heard yet");
        recent.health.heard(Instant::now());
        assert_eq!(believed(), (true, true));
        recent.health.lost();
        assert_eq!(believed(), (false, false));
        recent.health.heard(Instant::now());
        advance(999 * MS).await;
        assert_eq!(believed(), (false, false), "nothing was heard for a while");
    }

    /// A beat that waited to be heard, as when the process was stopped, says how things were.
    #[tokio::test(start_paused = true)]
    async fn a_beat_counts_from_when_it_was_sent() {
        let (recent, id, sent) = (Recent::default(), session(), Instant::now());
        advance(Duration::from_secs(5)).await;
        recent.keep_session(id, recent.mark());
        recent.health.heard(sent);
        assert!(!lives(&recent, id));
        recent.health.heard(Instant::now());
        assert!(lives(&recent, id));
    }

    #[tokio::test(start_paused = true)]
    async fn a_notice_takes_out_what_it_is_about() {
        let (ended, other) = (session(), session());
        let [one, two, three] = ["one", "two", "three"].map(SecretHash::of);
        let [first, second] = [(); 2].map(|()| GrantId::draw(&SystemRandom));
        let recent = heard();
        for id in [ended, other] {
            recent.keep_session(id, recent.mark());
        }
        for (name, grant) in [(one, first), (two, first), (three, second)] {
            recent.keep_token(name, grant, token(LIFE), recent.mark());
        }
        recent.forget(&Ended::Session(ended));
        assert!(!lives(&recent, ended) && lives(&recent, other));
        recent.forget(&Ended::Token(one));
        assert!(recent.token(&one, &first).is_none() && recent.token(&two, &first).is_some());
        recent.forget(&Ended::Grant(first));
        assert!(recent.token(&two, &first).is_none() && recent.token(&three, &second).is_some());
        recent.forget_all();
        assert!(recent.token(&three, &second).is_none() && !lives(&recent, other));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_before_a_notice_is_not_kept_after_it() {
        let (recent, id) = (heard(), session());
        let (name, grant) = (SecretHash::of("t"), GrantId::draw(&SystemRandom));
        let notices: [&dyn Fn(&Recent); 4] = [
            &|recent| recent.forget(&Ended::Session(id)),
            &|recent| recent.forget(&Ended::Token(name)),
            &|recent| recent.forget(&Ended::Grant(grant)),
            &Recent::forget_all,
        ];
        for notice in notices {
            let mark = recent.mark();
            notice(&recent);
            recent.keep_session(id, mark);
            recent.keep_token(name, grant, token(LIFE), mark);
            assert!(!lives(&recent, id) && recent.token(&name, &grant).is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_ends_when_it_ends() {
        let (recent, name) = (heard(), SecretHash::of("t"));
        let grant = GrantId::draw(&SystemRandom);
        recent.keep_token(name, grant, token(500 * MS), recent.mark());
        advance(300 * MS).await;
        let left = recent.token(&name, &grant).unwrap().what.expires_in;
        assert_eq!(left, 200 * MS);
        let another = GrantId::draw(&SystemRandom);
        assert!(recent.token(&name, &another).is_none(), "it is of one grant");
        later(&recent, left).await;
        assert!(recent.token(&name, &grant).is_none());
    }
}
