//! Calls that are more than short.

use std::time::Duration;

use bytes::Bytes;

use super::{LIMITS, SECOND, SessionHarness, assert_full, call_id, done, instance, owner, session};
use crate::{
    Answer, Appended, CallEvent, CallId, CallNews, NewCall, OpenedCall, RequestKey, RunningCall,
    Said, SessionId, SessionStore,
};

async fn opened(store: &dyn SessionStore, id: SessionId, request: i64) -> NewCall {
    let new = NewCall {
        id: call_id(),
        request: Some(RequestKey::number(request)),
        instance: instance("a"),
        age: Duration::from_millis(25),
        last_words: None,
    };
    assert_eq!(done(store.open_call(id, new.clone()).await), OpenedCall::Open);
    new
}

fn event(seq: u64, data: &'static str) -> CallEvent {
    CallEvent { seq, data: Bytes::from_static(data.as_bytes()), last: false }
}

fn last(seq: u64) -> CallEvent {
    CallEvent { last: true, ..event(seq, "last") }
}

async fn numbers(store: &dyn SessionStore, id: SessionId, call: CallId, after: u64) -> Vec<u64> {
    let log = done(store.read_call(id, call, after, None).await).expect("it is kept");
    log.events.iter().map(|event| event.seq).collect()
}

/// What goes in comes out.
pub async fn keep_events_in_order(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    for number in 1..=3 {
        let kept = done(store.append(id, call.id, event(number, "x")).await);
        assert_eq!(kept, Appended::Kept { reader: None });
    }
    assert_eq!(numbers(&*store, id, call.id, 0).await, [1, 2, 3]);
    assert_eq!(numbers(&*store, id, call.id, 2).await, [3]);
    let log = done(store.read_call(id, call.id, 0, None).await).expect("it is kept");
    assert_eq!((log.ended, log.lost, log.instance), (false, false, call.instance));
    assert_eq!(log.events[0].data, "x");
    assert_eq!(done(store.read_call(id, call_id(), 0, None).await), None);
}

/// A repeat after a lost answer is the first one.
pub async fn keep_an_event_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    for _ in 0..2 {
        let _ = done(store.append(id, call.id, event(1, "x")).await);
    }
    assert_eq!(numbers(&*store, id, call.id, 0).await, [1]);
    let new = NewCall { age: SECOND, ..call.clone() };
    assert_eq!(done(store.open_call(id, new).await), OpenedCall::Open);
    assert_eq!(numbers(&*store, id, call.id, 0).await, [1]);
}

/// After the last event nothing is kept: whoever sends more was declared dead.
pub async fn end_with_the_last_event(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let _ = done(store.append(id, call.id, last(1)).await);
    assert_eq!(done(store.append(id, call.id, event(2, "x")).await), Appended::Ended);
    let log = done(store.read_call(id, call.id, 0, None).await).expect("it is kept");
    assert!(log.ended && log.events.len() == 1 && log.events[0].last);
    let repeated = done(store.append(id, call.id, last(1)).await);
    assert_eq!(repeated, Appended::Kept { reader: None });
}

/// Whoever is taken for dead and comes back learns that its call has ended.
pub async fn are_fenced_when_ended_by_another_hand(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let _ = done(store.append(id, call.id, event(1, "x")).await);
    let _ = done(store.append(id, call.id, last(2)).await);
    assert_eq!(done(store.append(id, call.id, event(2, "late")).await), Appended::Ended);
    assert_eq!(done(store.append(id, call.id, event(3, "late")).await), Appended::Ended);
    let log = done(store.read_call(id, call.id, 1, None).await).expect("it is kept");
    assert_eq!(log.events, [last(2)]);
}

/// The log is there for another instance, too, and knows where the call runs.
pub async fn are_read_from_anywhere(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, other) = (session(&*store).await, session(&*store).await);
    let call = opened(&*store, id, 1).await;
    let reader = instance("b");
    let log = done(store.read_call(id, call.id, 0, Some(&reader)).await).expect("it is kept");
    assert_eq!(log.instance, call.instance);
    assert_eq!(
        done(store.read_call(other, call.id, 0, None).await),
        None,
        "not in another session"
    );
}

/// Whoever reads is rung when there is more.
pub async fn name_their_reader(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let reader = instance("b");
    let log = done(store.read_call(id, call.id, 0, Some(&reader)).await);
    assert_eq!(log.expect("it is kept").reader, None);
    let log = done(store.read_call(id, call.id, 0, Some(&reader)).await);
    assert_eq!(log.expect("it is kept").reader, Some(reader.clone()));
    let kept = Appended::Kept { reader: Some(reader.clone()) };
    assert_eq!(done(store.append(id, call.id, event(1, "x")).await), kept);
    // Reading on does not change it, and another reader leaves it behind.
    let log = done(store.read_call(id, call.id, 1, None).await);
    assert_eq!(log.expect("it is kept").reader, Some(reader.clone()));
    assert_eq!(done(store.append(id, call.id, event(2, "x")).await), kept);
    let newer = instance("c");
    let log = done(store.read_call(id, call.id, 0, Some(&newer)).await);
    assert_eq!(log.expect("it is kept").reader, Some(reader));
    let kept = Appended::Kept { reader: Some(newer) };
    assert_eq!(done(store.append(id, call.id, last(3)).await), kept);
}

/// The log of a call that has ended stays for its retention and no longer.
pub async fn are_forgotten_after_their_retention(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let _ = done(store.append(id, call.id, last(1)).await);
    harness.pass(LIMITS.log_retention.saturating_sub(SECOND)).await;
    assert_eq!(numbers(&*store, id, call.id, 0).await, [1]);
    harness.pass(SECOND).await;
    assert_eq!(done(store.read_call(id, call.id, 0, None).await), None);
}

/// A log holds so many events; what is missing is said, and the last one is always there.
pub async fn are_bounded_in_events(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let most = LIMITS.log_events as u64;
    for number in 1..=most {
        let _ = done(store.append(id, call.id, event(number, "x")).await);
    }
    let full = done(store.append(id, call.id, event(most + 1, "x")).await);
    assert_eq!(full, Appended::Full { reader: None });
    let _ = done(store.append(id, call.id, last(most + 2)).await);
    let log = done(store.read_call(id, call.id, 0, None).await).expect("it is kept");
    assert!(log.lost && log.ended);
    assert_eq!(log.newest, most + 2);
    assert_eq!(numbers(&*store, id, call.id, most).await, [most + 2]);
}

/// And so many bytes.
pub async fn are_bounded_in_bytes(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let data = Bytes::from(vec![b'x'; LIMITS.log_bytes]);
    let large = CallEvent { seq: 1, data, last: false };
    assert_eq!(done(store.append(id, call.id, large).await), Appended::Kept { reader: None });
    let full = done(store.append(id, call.id, event(2, "x")).await);
    assert_eq!(full, Appended::Full { reader: None });
    // What comes after a gap is not kept either: a log has no holes.
    let full = done(store.append(id, call.id, event(3, "")).await);
    assert_eq!(full, Appended::Full { reader: None });
}

/// The logs of all calls together, too: the oldest that have ended make room.
pub async fn are_bounded_in_bytes_together(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let data = Bytes::from(vec![b'x'; LIMITS.log_bytes]);
    let mut calls = Vec::new();
    for _ in 0..3 {
        harness.pass(SECOND).await;
        let call = opened(&*store, id, 1).await;
        let large = CallEvent { seq: 1, data: data.clone(), last: true };
        let _ = done(store.append(id, call.id, large).await);
        calls.push(call.id);
    }
    assert_eq!(done(store.read_call(id, calls[0], 0, None).await), None);
    assert_eq!(numbers(&*store, id, calls[1], 0).await, [1]);
    assert_eq!(numbers(&*store, id, calls[2], 0).await, [1]);
}

/// One session does not take all the room.
pub async fn are_bounded_in_number(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let mut calls = Vec::new();
    for number in 0..LIMITS.calls_per_session {
        calls.push(opened(&*store, id, i64::try_from(number).unwrap_or_default()).await);
    }
    let more = NewCall { id: call_id(), ..calls[0].clone() };
    assert_full(&store.open_call(id, more.clone()).await);
    let _ = done(store.append(id, calls[0].id, last(1)).await);
    assert_eq!(done(store.open_call(id, more).await), OpenedCall::Open);
}

/// All running calls that bear the id, and no others.
pub async fn are_cancelled_by_the_clients_name(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 7).await;
    let _other = opened(&*store, id, 8).await;
    let ended = opened(&*store, id, 7).await;
    let _ = done(store.append(id, ended.id, last(1)).await);
    let running = done(store.cancel(id, &RequestKey::number(7)).await);
    assert_eq!(running, [RunningCall { id: call.id, instance: call.instance }]);
    assert_eq!(done(store.cancel(id, &RequestKey::text("7")).await), []);
}

/// A cancellation and its call travel on two connections.
pub async fn are_cancelled_before_they_are_opened(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert_eq!(done(store.cancel(id, &RequestKey::number(7)).await), []);
    let new = NewCall {
        id: call_id(),
        request: Some(RequestKey::number(7)),
        instance: instance("a"),
        age: Duration::from_millis(25),
        last_words: None,
    };
    assert_eq!(done(store.open_call(id, new.clone()).await), OpenedCall::Cancelled);
    assert_eq!(done(store.open_call(id, new.clone()).await), OpenedCall::Cancelled, "again");
    // The mark was for one call.
    let next = NewCall { id: call_id(), ..new };
    assert_eq!(done(store.open_call(id, next).await), OpenedCall::Open);
}

/// A mark that nobody took is not for a call that comes much later.
pub async fn are_not_cancelled_by_an_old_mark(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert_eq!(done(store.cancel(id, &RequestKey::number(7)).await), []);
    harness.pass(SECOND * 10).await;
    let call = opened(&*store, id, 7).await;
    assert_eq!(done(store.cancel(id, &RequestKey::number(7)).await).len(), 1);
    let _ = done(store.append(id, call.id, last(1)).await);
}

/// Whoever missed the bell reads it.
pub async fn stay_cancelled(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 7).await;
    assert_eq!(done(store.call_news(id, call.id).await), Some(CallNews::default()));
    for _ in 0..2 {
        assert_eq!(done(store.cancel(id, &RequestKey::number(7)).await).len(), 1);
        let news = done(store.call_news(id, call.id).await).expect("it runs");
        assert!(news.cancelled);
    }
    let _ = done(store.append(id, call.id, last(1)).await);
    assert_eq!(done(store.call_news(id, call.id).await), None);
}

/// The first answer to each request counts, and is there as often as it is asked for.
pub async fn are_answered_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let answer =
        |data: &'static str| Answer { number: 0, data: Bytes::from_static(data.as_bytes()) };
    let waiting = done(store.answer(id, call.id, answer("first")).await);
    assert_eq!(waiting, Some(call.instance.clone()));
    let waiting = done(store.answer(id, call.id, answer("second")).await);
    assert_eq!(waiting, Some(call.instance.clone()));
    for _ in 0..2 {
        let news = done(store.call_news(id, call.id).await).expect("it runs");
        assert_eq!(news.answers, [answer("first")]);
    }
}

/// Answers wait in the store, too.
pub async fn take_no_answer_of_any_size(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    let data = Bytes::from(vec![b'x'; LIMITS.log_bytes + 1]);
    assert_full(&store.answer(id, call.id, Answer { number: 0, data }).await);
}

/// Nobody waits any more, or never did.
pub async fn are_not_answered_when_ended(harness: &impl SessionHarness) {
    let store = harness.store();
    let (id, other) = (session(&*store).await, session(&*store).await);
    let call = opened(&*store, id, 1).await;
    let answer = Answer { number: 0, data: Bytes::from_static(b"{}") };
    assert_eq!(done(store.answer(other, call.id, answer.clone()).await), None);
    assert_eq!(done(store.answer(id, call_id(), answer.clone()).await), None);
    let _ = done(store.append(id, call.id, last(1)).await);
    assert_eq!(done(store.answer(id, call.id, answer).await), None);
}

/// Idleness counts from the end of the last call.
pub async fn prolong_the_session_at_their_end(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    harness.pass(LIMITS.session_ttl.saturating_sub(SECOND)).await;
    let _ = done(store.append(id, call.id, last(1)).await);
    harness.pass(SECOND * 2).await;
    assert!(done(store.admit(id, &owner("alice")).await).is_some());
}

/// A call that goes on after its session writes nothing.
pub async fn do_not_bring_a_session_back(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    let call = opened(&*store, id, 1).await;
    done(store.delete(id, &owner("alice")).await);
    assert_eq!(done(store.append(id, call.id, event(1, "x")).await), Appended::Gone);
    assert_eq!(done(store.open_call(id, call.clone()).await), OpenedCall::Gone);
    assert_eq!(done(store.say(id, call.id, last(1)).await), Said::Gone);
    assert_eq!(done(store.bury(id, call.id).await), Said::Gone);
    assert_eq!(done(store.running(id).await), []);
    let answer = Answer { number: 0, data: Bytes::from_static(b"{}") };
    assert_eq!(done(store.answer(id, call.id, answer).await), None);
    assert_eq!(done(store.cancel(id, &RequestKey::number(1)).await), []);
    assert_eq!(done(store.admit(id, &owner("alice")).await), None);
}

/// Whoever looks after a session learns what runs and where.
pub async fn are_named_while_they_run(harness: &impl SessionHarness) {
    let store = harness.store();
    let id = session(&*store).await;
    assert_eq!(done(store.running(id).await), []);
    let call = opened(&*store, id, 1).await;
    let ended = opened(&*store, id, 2).await;
    let _ = done(store.append(id, ended.id, last(1)).await);
    let running = [RunningCall { id: call.id, instance: call.instance }];
    assert_eq!(done(store.running(id).await), running);
}
