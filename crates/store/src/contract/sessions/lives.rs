//! How sessions live and end.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{
    LIMITS, MANY, SECOND, SessionHarness, assert_full, call_id, done, handshake, instance,
    new_session, owner, session, session_of,
};
use crate::{
    Claim, Handshake, NewCall, Owner, Session, SessionId, Settled, SystemRandom, Transport, User,
};

/// A session is there with what it was made with.
pub async fn begins_and_is_admitted(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = owner("alice");
    let id = session_of(&*store, &alice).await;
    let admitted = done(store.admit(id, &alice).await).expect("it is kept");
    assert_eq!(*admitted, new_session(&alice));
    let unknown = SessionId::random(&SystemRandom);
    assert_eq!(done(store.admit(unknown, &alice).await), None);
}

/// A session may begin without a handshake, and gets one.
pub async fn is_settled_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, alice) = (SessionId::random(&SystemRandom), owner("alice"));
    let bare = Session { transport: Transport::HttpSse, handshake: None, ..new_session(&alice) };
    done(store.create(id, bare.clone()).await);
    assert_eq!(done(store.admit(id, &alice).await).as_deref(), Some(&bare));
    let other = Handshake { protocol_version: "2024-11-05".into(), ..handshake() };
    assert_eq!(done(store.settle(id, handshake()).await), Settled::Done);
    assert_eq!(done(store.settle(id, handshake()).await), Settled::Done, "it is the first again");
    assert_eq!(done(store.settle(id, other).await), Settled::Already);
    let settled = done(store.admit(id, &alice).await).expect("it lives");
    assert_eq!(settled.handshake.as_deref(), Some(&handshake()));
    let unknown = SessionId::random(&SystemRandom);
    assert_eq!(done(store.settle(unknown, handshake()).await), Settled::Gone);
}

/// Each part of the owner counts.
pub async fn is_admitted_for_its_owner_only(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = owner("alice");
    let id = session_of(&*store, &alice).await;
    let mut strangers = [owner("mallory"), alice.clone(), alice.clone()];
    strangers[1].client = "another".into();
    strangers[2].issuer = "https://other.test".into();
    for stranger in strangers {
        assert_eq!(done(store.admit(id, &stranger).await), None);
    }
    assert!(done(store.admit(id, &alice).await).is_some());
}

/// What is expired is gone on read.
pub async fn ends_when_it_is_not_used(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    harness.pass(LIMITS.session_ttl).await;
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
    assert_eq!(done(store.state(id).await), None);
    assert!(!done(store.delete(id, &owner("alice")).await));
}

/// The life is a sliding one.
pub async fn begins_anew_when_it_is_admitted(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    for _ in 0..3 {
        harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
        assert!(done(store.admit(id, &owner("alice")).await).is_some());
    }
}

/// Somebody else's request changes nothing.
pub async fn is_not_prolonged_by_strangers(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    assert_eq!(done(store.admit(id, &owner("mallory")).await), None);
    harness.pass(SECOND).await;
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}

/// An open stream or a running call keeps a session.
pub async fn begins_anew_when_it_is_held(harness: &impl SessionHarness) {
    let store = harness.store();
    let (one, other) = (session(&*store).await, session(&*store).await);
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    assert_eq!(done(store.hold(&[one]).await), [true]);
    harness.pass(SECOND).await;
    assert_eq!(done(store.hold(&[one, other]).await), [true, false]);
    assert_eq!(done(store.hold(&[]).await), Vec::<bool>::new());
}

/// Holding a session that is gone creates nothing.
pub async fn is_not_held_back_to_life(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert!(done(store.delete(id, &owner("alice")).await));
    assert_eq!(done(store.hold(&[id]).await), [false]);
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}

/// DELETE by somebody else is one of an unknown session.
pub async fn is_deleted_by_its_owner_only(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert!(!done(store.delete(id, &owner("mallory")).await));
    assert!(done(store.admit(id, &owner("alice")).await).is_some());
    assert!(done(store.delete(id, &owner("alice")).await));
    assert!(!done(store.delete(id, &owner("alice")).await));
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}

/// Nothing of a session outlives it.
pub async fn takes_everything_along_when_it_ends(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = call_id();
    let new =
        NewCall { id: call, request: None, instance: instance("a"), age: SECOND, last_words: None };
    let _ = done(store.open_call(id, new).await);
    let _ = done(store.push(id, Bytes::from_static(b"{}")).await);
    done(store.delete(id, &owner("alice")).await);
    assert_eq!(done(store.read_call(id, call, 0, None).await), None);
    let opened = done(store.open_stream(id, &instance("a"), Claim::Take(None)).await);
    assert_eq!(opened, crate::OpenedStream::Gone);
}

/// A repeat after a lost answer is the first one.
pub async fn is_created_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = owner("alice");
    let id = session_of(&*store, &alice).await;
    done(store.create(id, new_session(&alice)).await);
    done(store.create(id, new_session(&owner("mallory"))).await);
    assert_eq!(done(store.admit(id, &alice).await).expect("it is kept").owner, alice);
    // The repeats did not count.
    session_of(&*store, &alice).await;
    session_of(&*store, &alice).await;
}

/// One user does not take all the room, by whatever client.
pub async fn are_bounded_for_each_user(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = owner("alice");
    let mut last = None;
    for _ in 0..LIMITS.sessions_per_user {
        last = Some(session_of(&*store, &alice).await);
    }
    let more = SessionId::random(&SystemRandom);
    let by_another_client = Owner { client: "another".into(), ..alice.clone() };
    assert_full(&store.create(more, new_session(&by_another_client)).await);
    assert_eq!(done(store.admit(more, &alice).await), None);
    session_of(&*store, &owner("bob")).await;
    done(store.delete(last.expect("there was room"), &alice).await);
    done(store.create(more, new_session(&alice)).await);
}

/// Expired sessions make room.
pub async fn do_not_count_when_they_are_gone(harness: &impl SessionHarness) {
    let store = harness.store();
    let mut ids = Vec::new();
    for _ in 0..LIMITS.sessions_per_user {
        ids.push(session(&*store).await);
    }
    harness.pass(LIMITS.session_ttl).await;
    session(&*store).await;
}

/// Many that come at once do not slip past the bound.
pub async fn are_counted_right_by_many_at_a_time(harness: &impl SessionHarness) {
    let mut tasks = JoinSet::new();
    for _ in 0..MANY {
        let store = harness.store();
        tasks.spawn(async move {
            let id = SessionId::random(&SystemRandom);
            store.create(id, new_session(&owner("alice"))).await.is_ok()
        });
    }
    let created = tasks.join_all().await.into_iter().filter(|created| *created).count();
    assert_eq!(created, LIMITS.sessions_per_user);
}

/// A user sees the sessions of all clients that live, and no other user's; looking prolongs none.
pub async fn are_listed_for_their_user(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = User::from(&owner("alice"));
    assert_eq!(done(store.of_user(&alice, 9).await), []);
    let other = Owner { client: "other".into(), ..owner("alice") };
    let (one, two) = (session(&*store).await, session_of(&*store, &other).await);
    let gone = session(&*store).await;
    done(store.delete(gone, &owner("alice")).await);
    session_of(&*store, &owner("bob")).await;
    let elsewhere = Owner { issuer: "https://other.test".into(), ..owner("alice") };
    session_of(&*store, &elsewhere).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    let listed: BTreeMap<_, _> = done(store.of_user(&alice, 9).await).into_iter().collect();
    let owners = [(one, owner("alice")), (two, other)];
    let owners = owners.map(|(id, owner)| (id, Arc::new(new_session(&owner))));
    assert_eq!(listed, BTreeMap::from(owners));
    assert_eq!(done(store.of_user(&alice, 1).await).len(), 1);
    harness.pass(SECOND).await;
    assert_eq!(done(store.of_user(&alice, 9).await), [], "they were looked at, not used");
}

/// Whoever may see all sessions sees one by its name, and prolongs nothing.
pub async fn are_glanced_at(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    let seen = done(store.glance(id).await);
    assert_eq!(seen.as_deref(), Some(&new_session(&owner("alice"))));
    harness.pass(SECOND).await;
    assert_eq!(done(store.glance(id).await), None);
    assert_eq!(done(store.glance(SessionId::random(&SystemRandom)).await), None);
}
