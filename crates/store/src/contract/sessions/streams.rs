//! The standalone stream.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{LIMITS, MANY, SessionHarness, done, instance, owner, session};
use crate::{
    Claim, Epoch, InstanceId, OpenedStream, Position, Pulled, SessionId, SessionStore, Written,
};

async fn take(
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
    let (written, _) = done(store.push(id, Bytes::from_static(data.as_bytes())).await);
    assert_eq!(written, Written::Done);
}

async fn pulled(store: &dyn SessionStore, id: SessionId, epoch: Epoch) -> (Vec<String>, bool) {
    match done(store.pull(id, epoch).await) {
        Pulled::Events { events, gap } => {
            let text = |data: &Bytes| String::from_utf8_lossy(data).into_owned();
            (events.iter().map(|(_, data)| text(data)).collect(), gap)
        }
        other => panic!("the holder gets events: {other:?}"),
    }
}

fn texts(texts: &[&str]) -> (Vec<String>, bool) {
    (texts.iter().map(|text| (*text).to_owned()).collect(), false)
}

/// An event is claimed once.
pub async fn hand_out_each_event_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    push(&*store, id, "one").await;
    push(&*store, id, "two").await;
    assert_eq!(pulled(&*store, id, epoch).await, texts(&["one", "two"]));
    assert_eq!(pulled(&*store, id, epoch).await, texts(&[]));
}

/// What comes while no stream is open waits for one.
pub async fn wait_for_a_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "early").await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    assert_eq!(pulled(&*store, id, epoch).await, texts(&["early"]));
    let _ = done(store.close_stream(id, epoch).await);
    push(&*store, id, "between").await;
    let (epoch, ..) = take(&*store, id, &instance("b"), None).await;
    assert_eq!(pulled(&*store, id, epoch).await, texts(&["between"]));
}

/// A newer stream takes the log; the older one gets nothing.
pub async fn go_to_the_newest_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (a, b) = (instance("a"), instance("b"));
    let (older, _, superseded) = take(&*store, id, &a, None).await;
    assert_eq!(superseded, None);
    let (newer, _, superseded) = take(&*store, id, &b, None).await;
    assert_eq!(superseded, Some(a));
    push(&*store, id, "one").await;
    assert_eq!(done(store.pull(id, older).await), Pulled::Superseded);
    assert_eq!(pulled(&*store, id, newer).await, texts(&["one"]));
    // The end of the older one does not free the newer one's.
    let _ = done(store.close_stream(id, older).await);
    let held = done(store.open_stream(id, &instance("c"), Claim::IfFree).await);
    assert_eq!(held, OpenedStream::Held);
}

/// A shadow takes the log when nobody holds it.
pub async fn go_to_a_shadow_when_the_holder_ends(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    let _ = done(store.close_stream(id, epoch).await);
    push(&*store, id, "one").await;
    let opened = done(store.open_stream(id, &instance("b"), Claim::IfFree).await);
    let OpenedStream::Holder { epoch, superseded: None, .. } = opened else {
        panic!("the log was free: {opened:?}")
    };
    assert_eq!(pulled(&*store, id, epoch).await, texts(&["one"]));
}

/// A client that comes back gets again what it had not seen.
pub async fn start_behind_what_the_client_has(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    for text in ["one", "two", "three"] {
        push(&*store, id, text).await;
    }
    let Pulled::Events { events, .. } = done(store.pull(id, epoch).await) else {
        panic!("the holder gets events")
    };
    let seen = events[0].0;
    let (epoch, position, _) = take(&*store, id, &instance("b"), Some(seen.0)).await;
    assert_eq!(position, seen);
    assert_eq!(pulled(&*store, id, epoch).await, texts(&["two", "three"]));
}

/// A position that the log does not reach is said to be missing, once.
pub async fn say_what_is_missing(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "one").await;
    let (epoch, ..) = take(&*store, id, &instance("a"), Some(99)).await;
    assert_eq!(pulled(&*store, id, epoch).await, (vec!["one".to_owned()], true));
    assert_eq!(pulled(&*store, id, epoch).await, texts(&[]));
}

/// A full log loses its oldest events, and says so.
pub async fn drop_the_oldest_when_full(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    push(&*store, id, "lost").await;
    for _ in 0..LIMITS.log_events {
        push(&*store, id, "kept").await;
    }
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    let (events, gap) = pulled(&*store, id, epoch).await;
    assert_eq!(events, vec!["kept"; LIMITS.log_events]);
    assert!(gap);
}

/// Whoever writes knows whom to ring.
pub async fn name_the_instance_to_ring(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let data = Bytes::from_static(b"{}");
    assert_eq!(done(store.push(id, data.clone()).await), (Written::Done, None));
    let here = instance("a");
    let (epoch, ..) = take(&*store, id, &here, None).await;
    assert_eq!(done(store.push(id, data.clone()).await), (Written::Done, Some(here)));
    let _ = done(store.close_stream(id, epoch).await);
    assert_eq!(done(store.push(id, data).await), (Written::Done, None));
}

/// A stream that goes on after its session writes nothing.
pub async fn do_not_bring_a_session_back(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    done(store.delete(id, &owner("alice")).await);
    assert_eq!(done(store.push(id, Bytes::new()).await), (Written::Gone, None));
    assert_eq!(done(store.pull(id, epoch).await), Pulled::Gone);
    assert_eq!(done(store.close_stream(id, epoch).await), Written::Gone);
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}

/// Whoever claims at the same time shares the events out.
pub async fn claim_each_event_once_for_many_at_a_time(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let (epoch, ..) = take(&*store, id, &instance("a"), None).await;
    for _ in 0..LIMITS.log_events {
        push(&*store, id, "x").await;
    }
    let mut tasks = JoinSet::new();
    for _ in 0..MANY {
        let store = Arc::clone(&store);
        tasks.spawn(async move { pulled(&*store, id, epoch).await.0.len() });
    }
    assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), LIMITS.log_events);
}
