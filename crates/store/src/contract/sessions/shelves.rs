//! Shelves.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;

use super::{LIMITS, SECOND, SessionHarness, assert_full, done};
use crate::{
    Shelf, ShelfItem, Shelved, SystemRandom, Timestamp, User, oauth::AttemptId, session::SWITCHES,
};

fn user(id: &str) -> User {
    User { id: id.into(), issuer: "https://as.test".into() }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn item(bytes: usize, millis: u64) -> ShelfItem {
    ShelfItem { data: Bytes::from(vec![b'x'; bytes]), at: at(millis) }
}

fn attempt() -> AttemptId {
    AttemptId::draw(&SystemRandom)
}

fn names(shelf: &Shelf) -> Vec<&str> {
    shelf.items.keys().map(String::as_str).collect()
}

/// What goes in comes out, a later item takes the place of an earlier one, and a repeat changes
/// nothing.
pub async fn keep_what_was_put_there_last(harness: &impl SessionHarness) {
    let (store, alice) = (harness.store(), user("alice"));
    assert_eq!(done(store.shelf(&alice).await), Shelf::default());
    assert_eq!(done(store.on_shelf(&alice, "a:b c").await), None);
    for item in [item(3, 1), item(5, 2), item(5, 2)] {
        assert_eq!(done(store.put_on_shelf(&alice, "a:b c", item.clone()).await), [""; 0]);
        assert_eq!(done(store.on_shelf(&alice, "a:b c").await), Some(item));
    }
    let bytes = Bytes::from_static(b"\0\xff\r\n");
    let binary = ShelfItem { data: bytes, at: at(3) };
    assert_eq!(done(store.put_on_shelf(&alice, "d", binary.clone()).await), [""; 0]);
    assert_eq!(done(store.on_shelf(&alice, "d").await), Some(binary));
    let shelf = done(store.shelf(&alice).await);
    assert_eq!(names(&shelf), ["a:b c", "d"]);
    assert_eq!(shelf.items["a:b c"], Shelved { bytes: 5, at: at(2) });
    assert_eq!(shelf.items["d"], Shelved { bytes: 4, at: at(3) });
}

/// Another user, and another issuer's user of that name, have shelves of their own.
pub async fn belong_to_their_user(harness: &impl SessionHarness) {
    let (store, alice) = (harness.store(), user("alice"));
    let _ = done(store.put_on_shelf(&alice, "a", item(1, 1)).await);
    assert!(done(store.flip_on_shelf(&alice, "s", &attempt()).await));
    let hers = done(store.shelf(&alice).await);
    let elsewhere = User { issuer: "https://other.test".into(), ..alice.clone() };
    for stranger in [user("bob"), user("alic"), elsewhere] {
        assert_eq!(done(store.shelf(&stranger).await), Shelf::default());
        assert_eq!(done(store.on_shelf(&stranger, "a").await), None);
        let _ = done(store.put_on_shelf(&stranger, "a", item(2, 2)).await);
        let _ = done(store.flip_on_shelf(&stranger, "s", &attempt()).await);
        let _ = done(store.flip_on_shelf(&stranger, "s", &attempt()).await);
        assert_eq!(done(store.shelf(&alice).await), hers);
        assert_eq!(done(store.on_shelf(&alice, "a").await), Some(item(1, 1)));
    }
}

/// What was put there longest ago makes room, in items and in bytes. What is put there again is
/// new.
pub async fn are_bounded(harness: &impl SessionHarness) {
    let (store, alice) = (harness.store(), user("alice"));
    for (millis, name) in (0..).zip(["a", "b", "c", "a"]) {
        assert_eq!(done(store.put_on_shelf(&alice, name, item(1, millis)).await), [""; 0]);
    }
    assert_eq!(LIMITS.shelf_items, 3);
    assert_eq!(done(store.put_on_shelf(&alice, "d", item(1, 5)).await), ["b"]);
    assert_eq!(names(&done(store.shelf(&alice).await)), ["a", "c", "d"]);
    let most = LIMITS.shelf_bytes - 1;
    assert_eq!(done(store.put_on_shelf(&alice, "e", item(most - 2, 6)).await), ["c", "a"]);
    assert_eq!(done(store.put_on_shelf(&alice, "f", item(most, 7)).await), ["d", "e"]);
    assert_full(&store.put_on_shelf(&alice, "g", item(most + 1, 8)).await);
    assert_full(&store.put_on_shelf(&alice, "gg", item(most, 8)).await);
    assert_eq!(names(&done(store.shelf(&alice).await)), ["f"]);
}

/// A switch is off at first, each attempt flips it once, and a repeat says the same.
pub async fn flip_once_for_each_attempt(harness: &impl SessionHarness) {
    let (store, alice) = (harness.store(), user("alice"));
    for on in [true, false, true] {
        let attempt = attempt();
        for _ in 0..2 {
            assert_eq!(done(store.flip_on_shelf(&alice, "one", &attempt).await), on);
        }
    }
    assert!(done(store.flip_on_shelf(&alice, "other", &attempt()).await));
    assert!(!done(store.flip_on_shelf(&alice, "other", &attempt()).await));
    let shelf = done(store.shelf(&alice).await);
    assert_eq!(shelf.switches, BTreeSet::from(["one".to_owned()]));
    for number in 2..SWITCHES {
        let _ = done(store.flip_on_shelf(&alice, &number.to_string(), &attempt()).await);
    }
    assert_full(&store.flip_on_shelf(&alice, "more", &attempt()).await);
    assert!(!done(store.flip_on_shelf(&alice, "one", &attempt()).await));
}

/// Whatever is done with a shelf lets it live on; then everything is gone at once.
pub async fn are_gone_when_nobody_looks(harness: &impl SessionHarness) {
    let (store, alice) = (harness.store(), user("alice"));
    let nearly = LIMITS.shelf_ttl.saturating_sub(SECOND);
    let _ = done(store.put_on_shelf(&alice, "a", item(1, 1)).await);
    harness.pass(nearly).await;
    assert!(done(store.flip_on_shelf(&alice, "s", &attempt()).await));
    harness.pass(nearly).await;
    assert_eq!(names(&done(store.shelf(&alice).await)), ["a"]);
    harness.pass(nearly).await;
    assert!(done(store.on_shelf(&alice, "a").await).is_some());
    harness.pass(nearly).await;
    let _ = done(store.put_on_shelf(&alice, "b", item(1, 2)).await);
    harness.pass(nearly).await;
    let shelf = done(store.shelf(&alice).await);
    assert_eq!((names(&shelf), shelf.switches.len()), (vec!["a", "b"], 1));
    harness.pass(LIMITS.shelf_ttl + Duration::from_millis(1)).await;
    assert_eq!(done(store.on_shelf(&alice, "a").await), None);
    assert_eq!(done(store.shelf(&alice).await), Shelf::default());
    let _ = done(store.put_on_shelf(&alice, "c", item(1, 3)).await);
    let shelf = done(store.shelf(&alice).await);
    assert_eq!((names(&shelf), shelf.switches.len()), (vec!["c"], 0), "nothing comes back");
}
