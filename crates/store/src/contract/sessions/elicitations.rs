//! Elicitations in URL mode.

use std::time::Duration;

use super::{LIMITS, MANY, SECOND, SessionHarness, assert_full, done, owner, session};
use crate::{
    Elicitation, ElicitationId, ElicitationState, NewElicitation, Owner, SessionStore,
    SettledElicitation, Settlement, SystemRandom, Timestamp, oauth::AttemptId,
};

const LIFE: Duration = Duration::from_secs(60);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn new(owner: &Owner, purpose: Option<&str>) -> NewElicitation {
    NewElicitation {
        id: ElicitationId::random(&SystemRandom),
        owner: owner.clone(),
        message: "Please say yes.".to_owned(),
        session: None,
        purpose: purpose.map(str::to_owned),
        at: at(0),
        life: LIFE,
    }
}

async fn begun(store: &dyn SessionStore, purpose: Option<&str>) -> NewElicitation {
    let elicitation = new(&owner("alice"), purpose);
    done(store.begin_elicitation(elicitation.clone()).await);
    elicitation
}

fn attempt() -> AttemptId {
    AttemptId::draw(&SystemRandom)
}

async fn settle(
    store: &dyn SessionStore,
    id: ElicitationId,
    to: Settlement,
) -> Option<SettledElicitation> {
    done(store.settle_elicitation(id, to, &attempt()).await)
}

async fn state(store: &dyn SessionStore, id: ElicitationId) -> Option<ElicitationState> {
    done(store.elicitation(id).await).map(|elicitation| elicitation.state)
}

/// What goes in comes out, and a repeat changes nothing.
pub async fn begin_once_and_are_known(harness: &impl SessionHarness) {
    let store = harness.store();
    let session = session(&*store).await;
    let plain = new(&owner("alice"), None);
    let full = NewElicitation { session: Some(session), ..new(&owner("alice"), Some("a purpose")) };
    for new in [plain, full] {
        done(store.begin_elicitation(new.clone()).await);
        assert!(settle(&*store, new.id, Settlement::Completed).await.is_some());
        done(store.begin_elicitation(new.clone()).await);
        let expected = Elicitation {
            owner: new.owner,
            message: new.message,
            session: new.session,
            purpose: new.purpose,
            at: at(0),
            state: ElicitationState::Completed,
        };
        assert_eq!(done(store.elicitation(new.id).await), Some(expected));
    }
    let other = ElicitationId::random(&SystemRandom);
    assert_eq!(done(store.elicitation(other).await), None);
    assert_eq!(settle(&*store, other, Settlement::Completed).await, None);
}

/// One that waits comes to one end, and only a completed one is used.
pub async fn are_settled_once(harness: &impl SessionHarness) {
    use ElicitationState::{Completed, Declined, Used, Waiting};
    let store = harness.store();
    let settled = |state, by_this| Some(SettledElicitation { state, by_this });
    let id = begun(&*store, None).await.id;
    assert_eq!(settle(&*store, id, Settlement::Used).await, settled(Waiting, false));
    assert_eq!(settle(&*store, id, Settlement::Completed).await, settled(Completed, true));
    for to in [Settlement::Completed, Settlement::Declined] {
        assert_eq!(settle(&*store, id, to).await, settled(Completed, false));
    }
    assert_eq!(settle(&*store, id, Settlement::Used).await, settled(Used, true));
    for to in [Settlement::Completed, Settlement::Declined, Settlement::Used] {
        assert_eq!(settle(&*store, id, to).await, settled(Used, false));
    }
    let id = begun(&*store, None).await.id;
    assert_eq!(settle(&*store, id, Settlement::Declined).await, settled(Declined, true));
    for to in [Settlement::Completed, Settlement::Declined, Settlement::Used] {
        assert_eq!(settle(&*store, id, to).await, settled(Declined, false));
    }
}

/// An answer that was lost is asked for again by the same attempt.
pub async fn are_settled_by_an_attempt_that_is_made_twice(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = begun(&*store, None).await.id;
    for to in [Settlement::Completed, Settlement::Used] {
        let attempt = attempt();
        let first = done(store.settle_elicitation(id, to, &attempt).await);
        assert!(first.is_some_and(|settled| settled.by_this));
        assert_eq!(done(store.settle_elicitation(id, to, &attempt).await), first);
    }
}

/// Of many that need one completed elicitation one goes on.
pub async fn are_used_by_one_of_many(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = begun(&*store, None).await.id;
    assert!(settle(&*store, id, Settlement::Completed).await.is_some());
    let users = (0..MANY).map(|_| {
        let store = harness.store();
        tokio::spawn(async move { settle(&*store, id, Settlement::Used).await })
    });
    let users: Vec<_> = users.collect();
    let mut winners = 0;
    for user in users {
        let settled = user.await.expect("it ends").expect("it is kept");
        winners += u32::from(settled.by_this);
    }
    assert_eq!(winners, 1);
}

/// By its purpose an elicitation is found by its owner, while it is of use.
pub async fn are_found_by_their_purpose(harness: &impl SessionHarness) {
    use ElicitationState::{Completed, Waiting};
    let store = harness.store();
    let alice = owner("alice");
    begun(&*store, None).await;
    assert_eq!(done(store.elicitation_for(&alice, "x").await), None);
    let first = begun(&*store, Some("x")).await.id;
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((first, Waiting)));
    for stranger in [
        owner("bob"),
        Owner { client: "other".into(), ..alice.clone() },
        Owner { issuer: "https://other.test".into(), ..alice.clone() },
    ] {
        assert_eq!(done(store.elicitation_for(&stranger, "x").await), None);
    }
    assert_eq!(done(store.elicitation_for(&alice, "y").await), None);
    assert!(settle(&*store, first, Settlement::Completed).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((first, Completed)));
    assert!(settle(&*store, first, Settlement::Used).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), None, "it is used");
    harness.pass(SECOND).await;
    let second = begun(&*store, Some("x")).await.id;
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((second, Waiting)));
    assert!(settle(&*store, second, Settlement::Declined).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), None, "it is declined");
}

/// Whoever has answered is not asked for another that waits, and the newest comes first.
pub async fn are_found_when_they_are_completed_before_others(harness: &impl SessionHarness) {
    use ElicitationState::{Completed, Waiting};
    let store = harness.store();
    let alice = owner("alice");
    let first = begun(&*store, Some("x")).await.id;
    harness.pass(SECOND).await;
    let second = begun(&*store, Some("x")).await.id;
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((second, Waiting)));
    assert!(settle(&*store, first, Settlement::Completed).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((first, Completed)));
    assert!(settle(&*store, second, Settlement::Completed).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((second, Completed)));
    assert!(settle(&*store, second, Settlement::Used).await.is_some());
    assert_eq!(done(store.elicitation_for(&alice, "x").await), Some((first, Completed)));
}

/// Settling prolongs nothing.
pub async fn are_gone_when_their_life_is_over(harness: &impl SessionHarness) {
    let store = harness.store();
    let elicitation = begun(&*store, Some("x")).await;
    harness.pass(59 * SECOND).await;
    assert!(settle(&*store, elicitation.id, Settlement::Completed).await.is_some());
    assert_eq!(state(&*store, elicitation.id).await, Some(ElicitationState::Completed));
    harness.pass(SECOND).await;
    assert_eq!(state(&*store, elicitation.id).await, None);
    assert_eq!(settle(&*store, elicitation.id, Settlement::Used).await, None);
    assert_eq!(done(store.elicitation_for(&elicitation.owner, "x").await), None);
    assert_eq!(state(&*store, elicitation.id).await, None, "nothing brings it back");
}

/// One user's are not counted against another's, and count until they are gone.
pub async fn are_bounded_for_each_user(harness: &impl SessionHarness) {
    let store = harness.store();
    for _ in 0..LIMITS.elicitations_per_user {
        begun(&*store, None).await;
    }
    let one_more = new(&Owner { client: "other".into(), ..owner("alice") }, None);
    assert_full(&store.begin_elicitation(one_more.clone()).await);
    done(store.begin_elicitation(new(&owner("bob"), None)).await);
    harness.pass(LIFE + SECOND).await;
    done(store.begin_elicitation(one_more).await);
}

/// A question is no larger than a log may be.
pub async fn ask_nothing_of_any_size(harness: &impl SessionHarness) {
    let store = harness.store();
    let message = "x".repeat(LIMITS.log_bytes + 1);
    let large = NewElicitation { message, ..new(&owner("alice"), None) };
    assert_full(&store.begin_elicitation(large.clone()).await);
    assert_eq!(done(store.elicitation(large.id).await), None);
}
