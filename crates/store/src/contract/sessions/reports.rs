//! What instances say of themselves.

use bytes::Bytes;

use super::{LIMITS, SECOND, SessionHarness, assert_full, done, instance};

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

/// What an instance says last counts, the same said twice too, and others' stays.
pub async fn are_read_by_all(harness: &impl SessionHarness) {
    let store = harness.store();
    assert_eq!(done(store.reports().await), []);
    let (one, two) = (instance("one"), instance("two"));
    for (who, said) in [(&one, "a"), (&two, "b"), (&one, "c"), (&one, "c")] {
        done(store.report(who, Bytes::from_static(said.as_bytes()), MINUTE).await);
    }
    let mut said = done(store.reports().await);
    said.sort();
    assert_eq!(said, [(one, Bytes::from_static(b"c")), (two, Bytes::from_static(b"b"))]);
}

/// Each counts for as long as it was said for, and no other shortens or prolongs that.
pub async fn are_gone_when_their_life_is_over(harness: &impl SessionHarness) {
    let store = harness.store();
    let (short, long) = (instance("short"), instance("long"));
    let said = Bytes::from_static(b"{}");
    done(store.report(&long, said.clone(), MINUTE).await);
    done(store.report(&short, said.clone(), 10 * SECOND).await);
    harness.pass(10 * SECOND).await;
    assert_eq!(done(store.reports().await), [(long.clone(), said.clone())]);
    done(store.report(&short, said.clone(), 10 * SECOND).await);
    harness.pass(50 * SECOND).await;
    assert_eq!(done(store.reports().await), []);
}

/// Nobody says more than a log may hold.
pub async fn say_nothing_of_any_size(harness: &impl SessionHarness) {
    let store = harness.store();
    let long = Bytes::from(vec![b'x'; LIMITS.log_bytes + 1]);
    assert_full(&store.report(&instance("one"), long, SECOND).await);
    assert_eq!(done(store.reports().await), []);
}
