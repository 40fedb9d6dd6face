//! Calls that are heard on the standalone stream.

use std::time::Duration;

use bytes::Bytes;

use super::{
    LIMITS, SECOND, SessionHarness, assert_full, call_id, done, instance, new_session, owner,
    session,
};
use crate::{
    CallEvent, CallId, Claim, Epoch, InstanceId, NewCall, OpenedCall, OpenedStream, Position,
    Pulled, Pushed, RequestKey, Said, Session, SessionId, SessionStore, SystemRandom, Transport,
};

const NOBODY: Said = Said::Kept { holder: None };

/// A session whose answers go to its standalone stream.
async fn http_sse(store: &dyn SessionStore) -> SessionId {
    let id = SessionId::random(&SystemRandom);
    let session = Session { transport: Transport::HttpSse, ..new_session(&owner("alice")) };
    done(store.create(id, session).await);
    id
}

async fn opened(store: &dyn SessionStore, id: SessionId) -> CallId {
    let new = NewCall {
        id: call_id(),
        request: Some(RequestKey::number(1)),
        instance: instance("a"),
        age: Duration::ZERO,
        last_words: Some(Bytes::from_static(b"gone")),
    };
    assert_eq!(done(store.open_call(id, new.clone()).await), OpenedCall::Open);
    new.id
}

fn event(seq: u64, data: &'static str) -> CallEvent {
    CallEvent { seq, data: Bytes::from_static(data.as_bytes()), last: false }
}

fn last(seq: u64, data: &'static str) -> CallEvent {
    CallEvent { last: true, ..event(seq, data) }
}

fn large(seq: u64, bytes: usize) -> CallEvent {
    CallEvent { seq, data: Bytes::from(vec![b'x'; bytes]), last: false }
}

async fn stream(store: &dyn SessionStore, id: SessionId, here: &InstanceId) -> (Epoch, Position) {
    match done(store.open_stream(id, here, Claim::Take(None)).await) {
        OpenedStream::Holder { epoch, position, .. } => (epoch, position),
        other => panic!("a new stream takes the log: {other:?}"),
    }
}

/// What waits for the stream, and whether something is missing.
async fn waiting(
    store: &dyn SessionStore,
    id: SessionId,
    (epoch, passed): (Epoch, Position),
) -> (Vec<(Position, Bytes)>, bool) {
    match done(store.pull(id, epoch, passed).await) {
        Pulled::Events { events, gap } => (events, gap),
        other => panic!("the holder gets events: {other:?}"),
    }
}

async fn texts(store: &dyn SessionStore, id: SessionId) -> Vec<String> {
    let stream = stream(store, id, &instance("reader")).await;
    let (events, _) = waiting(store, id, stream).await;
    events.iter().map(|(_, data)| String::from_utf8_lossy(data).into_owned()).collect()
}

/// In order, each once; the call is over with the last, and nothing is left of it.
pub async fn are_heard_on_the_stream(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    for _ in 0..2 {
        assert_eq!(done(store.say(id, call, event(1, "one")).await), NOBODY);
    }
    assert_eq!(done(store.say(id, call, event(2, "")).await), NOBODY, "which says nothing");
    assert_eq!(done(store.running(id).await).len(), 1);
    assert_eq!(done(store.say(id, call, last(3, "two")).await), NOBODY);
    assert_eq!(done(store.running(id).await), []);
    assert_eq!(done(store.read_call(id, call, 0, None).await), None);
    for late in [event(4, "late"), last(4, "late"), last(3, "two")] {
        assert_eq!(done(store.say(id, call, late).await), Said::Ended);
    }
    assert_eq!(texts(&*store, id).await, ["one", "two"]);
}

/// Whoever says something knows whom to ring.
pub async fn name_the_instance_to_ring(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let (call, here) = (opened(&*store, id).await, instance("b"));
    stream(&*store, id, &here).await;
    let kept = Said::Kept { holder: Some(here) };
    assert_eq!(done(store.say(id, call, event(1, "one")).await), kept);
    assert_eq!(done(store.say(id, call, last(2, "")).await), kept, "also of an end without words");
}

/// A call that has no answer ends all the same.
pub async fn end_without_a_word(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    assert_eq!(done(store.say(id, call, last(1, "")).await), NOBODY);
    assert_eq!(done(store.running(id).await), []);
    assert_eq!(texts(&*store, id).await, Vec::<String>::new());
}

/// Idleness counts from the end of the last call.
pub async fn prolong_the_session_at_their_end(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    assert_eq!(done(store.say(id, call, last(1, "answer")).await), NOBODY);
    harness.pass(SECOND * 2).await;
    assert!(done(store.admit(id, &owner("alice")).await).is_some());
}

/// An answer that waits for its client is not dropped for anything: what comes waits for room, or
/// goes, and that is said.
pub async fn wait_for_room(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    assert_eq!(done(store.say(id, call, large(1, LIMITS.log_bytes - 8)).await), NOBODY);
    assert_eq!(done(store.say(id, call, event(2, "too much")).await), NOBODY);
    assert_eq!(done(store.say(id, call, event(3, "x")).await), Said::Full);
    assert_eq!(done(store.push(id, Bytes::from_static(b"x")).await), Pushed::Full);

    let (epoch, passed) = stream(&*store, id, &instance("b")).await;
    let (events, gap) = waiting(&*store, id, (epoch, passed)).await;
    assert!(gap && events.len() == 2, "what was pushed is missing, and nothing else");
    assert_eq!(done(store.say(id, call, event(3, "x")).await), Said::Full, "until it is passed on");
    waiting(&*store, id, (epoch, events[0].0)).await;
    let kept = done(store.say(id, call, event(3, "x")).await);
    assert!(matches!(kept, Said::Kept { .. }), "{kept:?}");
    let (events, _) = waiting(&*store, id, (epoch, events[0].0)).await;
    let data: Vec<_> = events.into_iter().map(|(_, data)| data).collect();
    assert_eq!(data, ["too much", "x"]);
}

/// Elsewhere a client waits for none of it, and the newest counts.
pub async fn make_room_where_nothing_is_waited_for(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id).await;
    assert_eq!(done(store.say(id, call, large(1, LIMITS.log_bytes)).await), NOBODY);
    assert_eq!(done(store.say(id, call, event(2, "newer")).await), NOBODY);
    assert_eq!(texts(&*store, id).await, ["newer"]);
}

/// One that is larger than the whole log is refused, not lost.
pub async fn say_nothing_of_any_size(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    assert_full(&store.say(id, call, large(1, LIMITS.log_bytes + 1)).await);
    assert_full(&store.push(id, large(1, LIMITS.log_bytes + 1).data).await);
    assert_eq!(done(store.say(id, call, last(1, "answer")).await), NOBODY);
    assert_eq!(texts(&*store, id).await, ["answer"]);
}

/// A client learns that its call died, once, and a late answer of one that was only taken for
/// dead is refused.
pub async fn are_buried_with_their_last_words(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = http_sse(&*store).await;
    let call = opened(&*store, id).await;
    assert_eq!(done(store.say(id, call, event(1, "one")).await), NOBODY);
    assert_eq!(done(store.bury(id, call).await), NOBODY);
    assert_eq!(done(store.bury(id, call).await), Said::Ended);
    assert_eq!(done(store.running(id).await), []);
    assert_eq!(done(store.say(id, call, last(2, "late")).await), Said::Ended);
    assert_eq!(texts(&*store, id).await, ["one", "gone"]);
}
