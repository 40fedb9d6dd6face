//! The standalone stream.

use bytes::Bytes;

use super::{LIMITS, SessionHarness, done, instance, owner, session};
use crate::{
    Claim, Epoch, InstanceId, OpenedStream, PAGE, Position, Pulled, Pushed, SessionId,
    SessionStore, Written,
};

pub(super) async fn take(
    store: &dyn SessionStore,
    id: SessionId,
    instance: &InstanceId,
    after: Option<u64>,
) -> (Epoch, Position, Option<InstanceId>) {
    match done(store.open_stream(id, instance, Claim::Take(after.map(Position))).await) {
        OpenedStream::Holder { epoch, position, superseded } => (epoch, position, superseded),
        other => panic!("a new stream takes the log: {other:?}"),
    }
}

async fn push(store: &dyn SessionStore, id: SessionId, data: &'static str) {
    let pushed = done(store.push(id, Bytes::from_static(data.as_bytes())).await);
    assert!(matches!(pushed, Pushed::Kept { .. }), "{pushed:?}");
}

/// The events after what was passed on so far.
pub(super) async fn pulled(
    store: &dyn SessionStore,
    id: SessionId,
    epoch: Epoch,
    passed: Position,
) -> (Vec<String>, bool) {
    let (events, gap) = events(store, id, epoch, passed).await;
    let text = |data: &Bytes| String::from_utf8_lossy(data).into_owned();
    (events.iter().map(|(_, data)| text(data)).collect(), gap)
}

pub(super) async fn events(
    store: &dyn SessionStore,
    id: SessionId,
    epoch: Epoch,
    passed: Position,
) -> (Vec<(Position, Bytes)>, bool) {
    match done(store.pull(id, epoch, passed).await) {
        Pulled::Events { events, gap } => (events, gap),
        other => panic!("the holder gets events: {other:?}"),
    }
}

pub(super) fn texts(texts: &[&str]) -> (Vec<String>, bool) {
    (texts.iter().map(|text| (*text).to_owned()).collect(), false)
}

/// A reply that is lost loses nothing: events are there until they are said to be passed on.
pub async fn hand_out_events_until_they_are_passed_on(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    push(&*store, id, "one").await;
    push(&*store, id, "two").await;
    assert_eq!(pulled(&*store, id, epoch, start).await, texts(&["one", "two"]));
    let (got, _) = events(&*store, id, epoch, start).await;
    assert_eq!(got.len(), 2, "again");
    assert_eq!(pulled(&*store, id, epoch, got[0].0).await, texts(&["two"]));
    assert_eq!(pulled(&*store, id, epoch, got[1].0).await, texts(&[]));
    // What was passed on stays passed on.
    assert_eq!(pulled(&*store, id, epoch, start).await, texts(&[]));
}

/// What comes while no stream is open waits for one.
pub async fn wait_for_a_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "early").await;
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    let (got, _) = events(&*store, id, epoch, start).await;
    let _ = done(store.close_stream(id, epoch, got[0].0).await);
    push(&*store, id, "between").await;
    let (epoch, start, _) = take(&*store, id, &instance("b"), None).await;
    assert_eq!(pulled(&*store, id, epoch, start).await, texts(&["between"]));
}

/// A long log is read a page at a time.
pub async fn hand_out_events_in_pages(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    for _ in 0..=PAGE {
        push(&*store, id, "x").await;
    }
    let (first, _) = events(&*store, id, epoch, start).await;
    assert_eq!(first.len(), PAGE);
    let (second, _) = events(&*store, id, epoch, first[PAGE - 1].0).await;
    assert_eq!(second.len(), 1);
}

/// A newer stream takes the log; the older one gets nothing.
pub async fn go_to_the_newest_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (a, b) = (instance("a"), instance("b"));
    let (older, _, superseded) = take(&*store, id, &a, None).await;
    assert_eq!(superseded, None);
    assert_eq!(done(store.holder(id).await).as_ref(), Some(&a));
    let (newer, start, superseded) = take(&*store, id, &b, None).await;
    assert_eq!(superseded, Some(a));
    push(&*store, id, "one").await;
    assert_eq!(done(store.pull(id, older, start).await), Pulled::Superseded);
    assert_eq!(pulled(&*store, id, newer, start).await, texts(&["one"]));
    // The end of the older one does not free the newer one's.
    let _ = done(store.close_stream(id, older, start).await);
    let held = done(store.open_stream(id, &instance("c"), Claim::IfFree).await);
    assert_eq!(held, OpenedStream::Held { by: b.clone() });
    assert_eq!(done(store.holder(id).await), Some(b));
}

/// A shadow takes the log when nobody holds it.
pub async fn go_to_a_shadow_when_the_holder_ends(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    let _ = done(store.close_stream(id, epoch, Position(0)).await);
    push(&*store, id, "one").await;
    let opened = done(store.open_stream(id, &instance("b"), Claim::IfFree).await);
    let OpenedStream::Holder { epoch, position, superseded: None } = opened else {
        panic!("the log was free: {opened:?}")
    };
    assert_eq!(pulled(&*store, id, epoch, position).await, texts(&["one"]));
}

/// A client that comes back gets again what it had not seen.
pub async fn start_behind_what_the_client_has(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    for text in ["one", "two", "three"] {
        push(&*store, id, text).await;
    }
    let (got, _) = events(&*store, id, epoch, start).await;
    assert_eq!(pulled(&*store, id, epoch, got[2].0).await, texts(&[]));
    let seen = got[0].0;
    let (epoch, position, _) = take(&*store, id, &instance("b"), Some(seen.0)).await;
    assert_eq!(position, seen);
    assert_eq!(pulled(&*store, id, epoch, seen).await, texts(&["two", "three"]));
}

/// A position that the log does not reach is said to be missing.
pub async fn say_what_is_missing(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "one").await;
    let (epoch, start, _) = take(&*store, id, &instance("a"), Some(99)).await;
    let (got, gap) = events(&*store, id, epoch, start).await;
    assert!(gap && got.len() == 1);
    assert_eq!(pulled(&*store, id, epoch, got[0].0).await, texts(&[]));
}

/// A full log loses its oldest events, and says so.
pub async fn drop_the_oldest_when_full(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "lost").await;
    for _ in 0..LIMITS.log_events {
        push(&*store, id, "kept").await;
    }
    let (epoch, start, _) = take(&*store, id, &instance("a"), None).await;
    let (events, gap) = pulled(&*store, id, epoch, start).await;
    assert_eq!(events, vec!["kept"; PAGE]);
    assert!(gap);
}

/// Whoever writes knows whom to ring.
pub async fn name_the_instance_to_ring(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let data = Bytes::from_static(b"{}");
    assert_eq!(done(store.push(id, data.clone()).await), Pushed::Kept { holder: None });
    let here = instance("a");
    let (epoch, ..) = take(&*store, id, &here, None).await;
    assert_eq!(done(store.push(id, data.clone()).await), Pushed::Kept { holder: Some(here) });
    let _ = done(store.close_stream(id, epoch, Position(0)).await);
    assert_eq!(done(store.push(id, data).await), Pushed::Kept { holder: None });
}

/// A stream that goes on after its session writes nothing.
pub async fn do_not_bring_a_session_back(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    done(store.delete(id, &owner("alice")).await);
    assert_eq!(done(store.push(id, Bytes::new()).await), Pushed::Gone);
    assert_eq!(done(store.pull(id, epoch, Position(0)).await), Pulled::Gone);
    assert_eq!(done(store.close_stream(id, epoch, Position(0)).await), Written::Gone);
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}
