//! The log of changes, and what sessions are told of it.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{
    LIMITS, SessionHarness, done, handshake, instance, new_session, owner, session,
    streams::{events, pulled, take, texts},
};
use crate::{
    Announcement, Audience, CHANGES_PAGE, Change, ChangePosition, Changed, Epoch, Held, LogLevel,
    PAGE, Position, Session, SessionId, SessionState, SessionStore, Settled, SystemRandom, Telling,
    Transport, User, Written, oauth::AttemptId,
};

/// The place before the first change.
const START: ChangePosition = ChangePosition { time: 0, sequence: 0 };
/// One that no log has had: no store is as old as that.
const ELSEWHERE: ChangePosition = ChangePosition { time: 1, sequence: 7 };

fn resource(number: usize) -> Change {
    Change::Resource(format!("test://{number}"))
}

/// As they are read back.
fn all(changes: &[Change]) -> Vec<Announcement> {
    changes.iter().cloned().map(Announcement::from).collect()
}

async fn record(store: &dyn SessionStore, count: usize) {
    for number in 0..count {
        done(store.record(&resource(number).into()).await);
    }
}

async fn held_by(store: &dyn SessionStore, id: SessionId, epoch: Epoch) -> Held {
    done(store.held(&[(id, epoch)]).await).remove(0).expect("it holds the log")
}

fn telling(session: SessionId, from: ChangePosition, upto: ChangePosition) -> Telling {
    Telling { session, from, upto, events: vec![Bytes::from_static(b"told")] }
}

/// Whoever goes on from where it stopped reads each change once.
pub async fn are_read_in_order(harness: &impl SessionHarness) {
    let store = harness.store();
    assert_eq!(done(store.newest().await), START);
    assert_eq!(done(store.since(START).await), Changed { upto: START, ..Changed::default() });
    let first = [Change::Tools, Change::Prompts, resource(1), Change::Missed];
    let second = [Change::Resources, resource(1)];
    let mut upto = START;
    for part in [&first[..], &second[..], &[]] {
        for change in part {
            done(store.record(&change.clone().into()).await);
        }
        let changed = done(store.since(upto).await);
        assert_eq!(changed.changes, all(part));
        upto = changed.upto;
        assert_eq!(done(store.newest().await), upto);
    }
}

/// Whom a change concerns is kept with it.
pub async fn name_whom_they_concern(harness: &impl SessionHarness) {
    let store = harness.store();
    let user = |id: &str| Audience::User(User { id: id.into(), issuer: "https://as.test".into() });
    let audiences = [user("alice"), Audience::Everyone, user("bob"), user("")];
    let announced = [resource(1), Change::Tools].into_iter().flat_map(|change| {
        audiences.clone().map(|audience| Announcement { change: change.clone(), audience })
    });
    let announced: Vec<_> = announced.collect();
    for announcement in &announced {
        done(store.record(announcement).await);
    }
    assert_eq!(done(store.since(START).await).changes, announced);
}

/// A long log is read a page at a time.
pub async fn are_read_in_pages(harness: &impl SessionHarness) {
    let store = harness.store();
    record(&*store, CHANGES_PAGE + 1).await;
    let first = done(store.since(START).await);
    assert_eq!(first.changes.len(), CHANGES_PAGE);
    assert_eq!(first.changes[0], resource(0).into());
    let second = done(store.since(first.upto).await);
    assert_eq!(second.changes, [resource(CHANGES_PAGE).into()]);
    assert_eq!(second.upto, done(store.newest().await));
}

/// What a full log dropped is said to be missed.
pub async fn are_missed_when_the_log_is_too_short(harness: &impl SessionHarness) {
    let store = harness.store();
    done(store.record(&Change::Tools.into()).await);
    let before = done(store.newest().await);
    record(&*store, LIMITS.changes + 1).await;
    let newest = done(store.newest().await);
    for after in [START, before] {
        let missed = Changed::missed(newest);
        assert_eq!(done(store.since(after).await), missed);
    }
    assert_eq!(done(store.since(newest).await).changes, []);
}

/// A store that lost its log, or has another one now, does not take a place in the old one for one
/// of its own.
pub async fn are_missed_by_whoever_comes_from_another_log(harness: &impl SessionHarness) {
    let store = harness.store();
    let missed = Changed::missed(START);
    assert_eq!(done(store.since(ELSEWHERE).await), missed);
    record(&*store, 1).await;
    let missed = Changed::missed(done(store.newest().await));
    assert_eq!(done(store.since(ELSEWHERE).await), missed);
}

/// What was before a session does not concern it.
pub async fn are_told_from_the_start_of_a_session(harness: &impl SessionHarness) {
    let store = harness.store();
    record(&*store, 2).await;
    let id = session(&*store).await;
    let newest = done(store.newest().await);
    record(&*store, 1).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    assert_eq!(held_by(&*store, id, epoch).await.told, newest);
}

/// Nothing is said in a session before the handshake, and nothing of that time after it.
pub async fn are_told_from_the_handshake(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = SessionId::random(&SystemRandom);
    let transport = Transport::HttpSse;
    let bare = Session { transport, handshake: None, ..new_session(&owner("alice")) };
    done(store.create(id, bare).await);
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    record(&*store, 1).await;
    assert_eq!(done(store.held(&[(id, epoch)]).await), [None]);
    assert_eq!(done(store.settle(id, handshake()).await), Settled::Done);
    let newest = done(store.newest().await);
    record(&*store, 1).await;
    assert_eq!(held_by(&*store, id, epoch).await.told, newest);
    assert_eq!(done(store.settle(id, handshake()).await), Settled::Done);
    assert_eq!(held_by(&*store, id, epoch).await.told, newest, "it is the first again");
}

/// Whoever tells a session the same again changes nothing, and knows whom to ring all the same.
pub async fn are_told_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, here) = (session(&*store).await, instance("a"));
    let (epoch, start, _) = take(&*store, id, &here, None).await;
    record(&*store, 1).await;
    let upto = done(store.newest().await);
    for _ in 0..2 {
        let told = done(store.tell(&[telling(id, START, upto)]).await);
        assert_eq!(told, [(Written::Done, Some(here.clone()))]);
        assert_eq!(held_by(&*store, id, epoch).await.told, upto);
        assert_eq!(pulled(&*store, id, epoch, start).await, texts(&["told"]));
    }
    record(&*store, 1).await;
    let newest = done(store.newest().await);
    let nothing = Telling { events: vec![], ..telling(id, upto, newest) };
    assert_eq!(done(store.tell(&[nothing]).await), [(Written::Done, Some(here))]);
    assert_eq!(held_by(&*store, id, epoch).await.told, newest);
    assert_eq!(pulled(&*store, id, epoch, start).await, texts(&["told"]));
}

/// A stream that holds its log no more is not asked to speak.
pub async fn are_told_to_the_holder_only(harness: &impl SessionHarness) {
    let store = harness.store();
    let (one, other) = (session(&*store).await, session(&*store).await);
    let (older, ..) = take(&*store, one, &instance("a"), None).await;
    let (newer, ..) = take(&*store, one, &instance("b"), None).await;
    let (closed, ..) = take(&*store, other, &instance("a"), None).await;
    let _ = done(store.set_level(one, LogLevel::Error).await);
    let _ = done(store.close_stream(other, closed, Position(0)).await);
    let streams = [(one, older), (other, closed), (one, newer), (one, older)];
    let held = done(store.held(&streams).await);
    assert!(held[0].is_none() && held[1].is_none() && held[3].is_none(), "{held:?}");
    assert_eq!(held[2].as_ref().expect("it holds the log").state.level, LogLevel::Error);
}

/// The state is the one of the moment.
pub async fn are_told_with_what_the_client_set(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    assert_eq!(held_by(&*store, id, epoch).await, Held::default());
    let _ = done(store.set_level(id, LogLevel::Alert).await);
    let _ = done(store.subscribe(id, "test://a").await);
    let subscriptions = BTreeSet::from(["test://a".to_owned()]);
    let attempt = AttemptId::draw(&SystemRandom);
    assert_eq!(done(store.flip(id, "one", &attempt).await), Some(true));
    let switches = BTreeSet::from(["one".to_owned()]);
    let state = SessionState { level: LogLevel::Alert, subscriptions, switches };
    assert_eq!(held_by(&*store, id, epoch).await.state, state);
    assert_eq!(done(store.state(id).await), Some(state));
}

/// The place is the session's, whichever stream is open, and what was told waits in the log.
pub async fn wait_for_a_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    record(&*store, 1).await;
    let upto = done(store.newest().await);
    assert_eq!(done(store.tell(&[telling(id, START, upto)]).await), [(Written::Done, None)]);
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    assert_eq!(held_by(&*store, id, epoch).await.told, upto);
    assert_eq!(pulled(&*store, id, epoch, start).await, texts(&["told"]));
}

/// A log is bounded whoever adds to it.
pub async fn do_not_outgrow_a_log(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    record(&*store, 1).await;
    let events_told = vec![Bytes::from_static(b"{}"); LIMITS.log_events + 1];
    let upto = done(store.newest().await);
    let telling = Telling { events: events_told, ..telling(id, START, upto) };
    assert_eq!(done(store.tell(&[telling]).await), [(Written::Done, None)]);
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    let (got, gap) = events(&*store, id, epoch, start).await;
    assert!(gap && got.len() == PAGE);
    let (rest, _) = events(&*store, id, epoch, got[PAGE - 1].0).await;
    assert_eq!(rest.len(), LIMITS.log_events - PAGE);
}

/// Whoever tells a session that is gone writes nothing.
pub async fn do_not_bring_a_session_back(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, other) = (session(&*store).await, session(&*store).await);
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    done(store.delete(id, &owner("alice")).await);
    record(&*store, 1).await;
    let upto = done(store.newest().await);
    let told = done(store.tell(&[telling(id, START, upto), telling(other, START, upto)]).await);
    assert_eq!(told, [(Written::Gone, None), (Written::Done, None)]);
    assert_eq!(done(store.held(&[(id, epoch)]).await), [None]);
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}
