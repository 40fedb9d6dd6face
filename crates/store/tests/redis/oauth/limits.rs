//! There is an end to everything that strangers make.

use std::time::Duration;

use mcp_everything_store::{
    StoreError,
    contract::oauth::OAuthHarness as _,
    oauth::{DocumentKind, Documents as _, Limits, OAuthStore as _, Replays as _},
    redis::keys::oauth as keys,
};

use super::{
    Harness,
    fixture::{MINUTE, attempt, body, client, document, grant, id, name},
};

const SMALL: Limits = Limits {
    pending: 3,
    pending_bytes: 100,
    grants: 3,
    codes: 3,
    access_tokens: 3,
    refresh_families: 3,
    replays: 3,
    documents: 3,
};

#[tokio::test]
async fn the_oldest_login_makes_room() {
    let harness = Harness::with_limits(SMALL).await;
    let store = &harness.store;
    for number in 0..5 {
        assert!(store.put_pending(&name(number), &body(1), MINUTE).await.unwrap().is_some());
        // What is there already takes no room.
        store.put_pending(&name(number), &body(1), MINUTE).await.unwrap();
        harness.pass(Duration::from_millis(1)).await;
    }
    let mut there = Vec::new();
    for number in 0..5 {
        there.push(store.pending(&name(number)).await.unwrap().is_some());
    }
    assert_eq!(there, [false, false, true, true, true]);
}

#[tokio::test]
async fn long_logins_take_more_room() {
    let harness = Harness::with_limits(SMALL).await;
    for (number, bytes, there) in [
        (0, 60, &[0][..]),
        (1, 40, &[0, 1]),
        (2, 1, &[1, 2]),
        (3, 100, &[3]),
        (4, 1000, &[4]),
        (5, 1, &[5]),
    ] {
        let put = harness.store.put_pending(&name(number), &body(bytes), MINUTE).await.unwrap();
        assert!(put.is_some());
        for other in 0..=number {
            let is_there = harness.store.pending(&name(other)).await.unwrap().is_some();
            assert_eq!(is_there, there.contains(&other), "{other} after {number}");
        }
        harness.pass(Duration::from_millis(1)).await;
    }
}

/// The sum is made again from what it sums up.
#[tokio::test]
async fn a_lost_sum_is_found_again() {
    let harness = Harness::with_limits(SMALL).await;
    for number in 0..2 {
        harness.store.put_pending(&name(number), &body(50), MINUTE).await.unwrap();
        harness.pass(Duration::from_millis(1)).await;
    }
    let sum = format!("{{{}}}:bytes", keys::PENDING);
    assert_eq!(harness.server.ask(&["DEL", &sum]).unwrap().lines().next(), Some(":1"));
    harness.store.put_pending(&name(2), &body(1), MINUTE).await.unwrap();
    assert!(harness.store.pending(&name(0)).await.unwrap().is_none());
    assert!(harness.store.pending(&name(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_documents_that_end_first_make_room() {
    let harness = Harness::with_limits(SMALL).await;
    let store = &harness.store;
    let kind = DocumentKind::Client;
    for (url, minutes) in [("a", 4), ("b", 1), ("c", 3), ("c", 3), ("d", 2), ("e", 5)] {
        store.keep_document(kind, url, &document(), minutes * MINUTE).await.unwrap();
    }
    let mut there = Vec::new();
    for url in ["a", "b", "c", "d", "e"] {
        there.push(store.document(kind, url).await.unwrap().is_some());
    }
    assert_eq!(there, [true, false, true, false, true]);
    let counted = harness.server.ask(&["ZCARD", keys::DOCUMENTS]).unwrap();
    assert_eq!(counted.lines().next(), Some(":3"), "{counted}");
}

/// Everything else stays until its life is over, and what is one too many is refused.
#[tokio::test]
async fn there_is_an_end_to_grants_codes_and_tokens() {
    let harness = Harness::with_limits(SMALL).await;
    let store = &harness.store;
    let put = async |number: u8| {
        let name = name(number.into());
        [
            store.create_grant(&id(number), &grant(), MINUTE).await,
            store.put_code(&name, &body(1), MINUTE).await,
            store.put_access_token(&name, &body(1), MINUTE).await,
            store.put_refresh_family(&name, &body(1), MINUTE).await,
        ]
    };
    for number in 0..3 {
        assert_eq!(put(number).await, [const { Ok(()) }; 4]);
    }
    assert_eq!(put(0).await, [const { Ok(()) }; 4], "what is there takes no room");
    for refused in put(3).await {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::LimitReached { limit: 3, .. }), "{refused}");
    }
    assert!(store.grant(&id(3)).await.unwrap().is_none(), "what is refused is not kept");
    assert!(store.code(&name(3)).await.unwrap().is_none());
    assert!(store.refresh_family(&name(3)).await.unwrap().is_none());
    harness.pass(MINUTE).await;
    assert_eq!(put(3).await, [const { Ok(()) }; 4]);
}

/// A replay is told from what is new where there is no room for anything.
#[tokio::test]
async fn there_is_an_end_to_what_was_used_once() {
    let harness = Harness::with_limits(SMALL).await;
    let remember =
        async |number| harness.store.remember_once(&name(number), &attempt(), MINUTE).await;
    for number in 0..3 {
        assert_eq!(remember(number).await, Ok(true));
    }
    let full = remember(3).await;
    assert!(matches!(full, Err(StoreError::LimitReached { limit: 3, .. })), "{full:?}");
    assert_eq!(remember(0).await, Ok(false));
    harness.pass(MINUTE).await;
    assert_eq!(remember(3).await, Ok(true));
}

/// What is there is never one too many, even if nobody has counted it.
#[tokio::test]
async fn what_is_there_needs_no_room() {
    let harness = Harness::with_limits(SMALL).await;
    let store = &harness.store;
    store.create_grant(&id(9), &grant(), MINUTE).await.unwrap();
    store.put_client(&client("9"), MINUTE, 1).await.unwrap();
    for count in [keys::GRANTS, &format!("{{{}}}:unused", keys::CLIENTS)] {
        assert_eq!(harness.server.ask(&["DEL", count]).unwrap().lines().next(), Some(":1"));
    }
    for number in 0..3 {
        store.create_grant(&id(number), &grant(), MINUTE).await.unwrap();
    }
    store.put_client(&client("used"), MINUTE, 1).await.unwrap();
    assert!(store.prolong_client("used", MINUTE).await.unwrap());
    store.create_grant(&id(9), &grant(), MINUTE).await.unwrap();
    store.put_client(&client("9"), MINUTE, 1).await.unwrap();
    assert!(store.grant(&id(9)).await.unwrap().is_some());
    assert!(store.client("9").await.unwrap().is_some());
}

/// What is prolonged goes on to count.
#[tokio::test]
async fn what_lives_longer_counts_longer() {
    let harness = Harness::with_limits(SMALL).await;
    let store = &harness.store;
    for number in 0..3 {
        store.create_grant(&id(number), &grant(), MINUTE).await.unwrap();
        store.put_refresh_family(&name(number.into()), &body(1), MINUTE).await.unwrap();
    }
    for number in 0..2 {
        assert!(store.prolong_grant(&id(number), 3 * MINUTE).await.unwrap());
        store.rotate_refresh(&name(number.into()), 0, MINUTE, 3 * MINUTE).await.unwrap();
    }
    harness.pass(2 * MINUTE).await;
    for (number, fits) in [(3, true), (4, false)] {
        let created = store.create_grant(&id(number), &grant(), MINUTE).await;
        let put = store.put_refresh_family(&name(number.into()), &body(1), MINUTE).await;
        assert_eq!((created.is_ok(), put.is_ok()), (fits, fits), "{number}");
    }
}

/// A user who signs in without end has no list without end.
#[tokio::test]
async fn what_has_ended_leaves_the_list_of_its_user() {
    let harness = Harness::new().await;
    let store = &harness.store;
    let list = keys::grants_of(&grant().user);
    store.create_grant(&id(0), &grant(), 9 * MINUTE).await.unwrap();
    for number in 1..5 {
        store.create_grant(&id(number), &grant(), MINUTE).await.unwrap();
        harness.pass(MINUTE).await;
    }
    store.create_grant(&id(5), &grant(), MINUTE).await.unwrap();
    assert_eq!(harness.server.ask(&["ZCARD", &list]).unwrap().lines().next(), Some(":2"));
}

/// The first ones of a flood give way to its last ones; who has got through before stays.
#[tokio::test]
async fn a_flood_of_registrations_does_not_grow_and_reaches_nobody_in_use() {
    let harness = Harness::new().await;
    for number in 0..300_u32 {
        let id = number.to_string();
        harness.store.put_client(&client(&id), MINUTE, 50).await.unwrap();
        if number < 20 {
            assert!(harness.store.prolong_client(&id, MINUTE).await.unwrap());
        }
        // Those of the same millisecond may make room in any order.
        harness.pass(Duration::from_millis(1)).await;
    }
    for number in 0..300_u32 {
        let is_there = harness.store.client(&number.to_string()).await.unwrap().is_some();
        assert_eq!(is_there, !(20..270).contains(&number), "{number}");
    }
}

/// Whoever prolonged it may have ended before it was counted as used.
#[tokio::test]
async fn one_in_use_stays_even_if_it_is_counted_wrong() {
    let harness = Harness::new().await;
    let store = &harness.store;
    for id in ["used", "unused"] {
        store.put_client(&client(id), MINUTE, 2).await.unwrap();
        harness.pass(Duration::from_millis(1)).await;
    }
    let unused = format!("{{{}}}:unused", keys::CLIENTS);
    let end = harness.server.ask(&["ZSCORE", &unused, "used"]).unwrap();
    let end = end.lines().nth(1).unwrap();
    assert!(store.prolong_client("used", MINUTE).await.unwrap());
    harness.server.ask(&["ZREM", keys::CLIENTS, "used"]).unwrap();
    harness.server.ask(&["ZADD", &unused, end, "used"]).unwrap();
    // The first one finds it out, and the second one counts it right.
    for id in ["one", "two"] {
        store.put_client(&client(id), MINUTE, 2).await.unwrap();
        harness.pass(Duration::from_millis(1)).await;
    }
    let mut there = Vec::new();
    for id in ["used", "unused", "one", "two"] {
        there.push(store.client(id).await.unwrap().is_some());
    }
    assert_eq!(there, [true, false, false, true]);
}

/// What counts ends with what it counts.
#[tokio::test]
async fn nothing_is_left_when_everything_has_ended() {
    let harness = Harness::new().await;
    let store = &harness.store;
    store.put_client(&client("a"), MINUTE, 9).await.unwrap();
    store.put_client(&client("b"), MINUTE, 9).await.unwrap();
    store.prolong_client("b", 2 * MINUTE).await.unwrap();
    store.put_pending(&name(1), &body(1), MINUTE).await.unwrap();
    store.create_grant(&id(1), &grant(), MINUTE).await.unwrap();
    store.prolong_grant(&id(1), 3 * MINUTE).await.unwrap();
    store.put_code(&name(1), &body(1), MINUTE).await.unwrap();
    store.put_access_token(&name(1), &body(1), MINUTE).await.unwrap();
    store.put_refresh_family(&name(1), &body(1), MINUTE).await.unwrap();
    store.rotate_refresh(&name(1), 0, MINUTE, 3 * MINUTE).await.unwrap();
    store.remember_once(&name(1), &attempt(), MINUTE).await.unwrap();
    harness.pass(3 * MINUTE).await;
    assert_eq!(harness.server.ask(&["DBSIZE"]).unwrap().lines().next(), Some(":0"));
}
