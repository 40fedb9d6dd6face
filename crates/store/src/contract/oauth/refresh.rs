//! Families of refresh tokens.

use super::{Damage, MANY, MINUTE, OAuthHarness, all_at_once, assert_corrupt, done, secret};
use crate::{
    SystemRandom, Timestamp,
    oauth::{RefreshFamily, Rotation, Sealed, SecretHash},
};

const LIFE: std::time::Duration = MINUTE.saturating_mul(10);

fn allows() -> RefreshFamily {
    RefreshFamily {
        user: "alice".into(),
        client: "c".into(),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        created_at: Timestamp::from_millis(1),
        confirmation: Some("the thumbprint of a key".into()),
    }
}

async fn put(harness: &dyn OAuthHarness, secret: &str) -> SecretHash {
    let name = SecretHash::of(secret);
    let body = done(Sealed::seal(&allows(), secret, &SystemRandom));
    done(harness.store().put_refresh_family(&name, &body, LIFE).await);
    name
}

async fn rotate(harness: &dyn OAuthHarness, name: &SecretHash, presented: u64) -> Rotation {
    done(harness.store().rotate_refresh(name, presented, MINUTE, LIFE).await)
}

/// The newest token is exchanged for the next one, and the family can be read all along.
pub async fn rotates_from_generation_zero(harness: &dyn OAuthHarness) {
    let secret = secret();
    assert!(done(harness.store().refresh_family(&SecretHash::of(&secret)).await).is_none());
    let name = put(harness, &secret).await;
    for generation in 0..3 {
        let family = done(harness.store().refresh_family(&name).await).expect("it is there");
        assert_eq!(done(family.open(&secret)), allows());
        let next = generation + 1;
        assert_eq!(rotate(harness, &name, generation).await, Rotation::Rotated { next });
        harness.pass(2 * MINUTE).await;
    }
}

/// Within the window the token that was just replaced gets the same successor.
pub async fn answers_the_same_within_the_window(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    rotate(harness, &name, 0).await;
    for _ in 0..3 {
        assert_eq!(rotate(harness, &name, 0).await, Rotation::Repeated { next: 1 });
        harness.pass(MINUTE / 4).await;
    }
    assert_eq!(rotate(harness, &name, 1).await, Rotation::Rotated { next: 2 });
}

/// After the window, and a repetition does not lengthen it, a replaced token betrays a copy.
pub async fn dies_when_an_old_one_comes_after_the_window(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    rotate(harness, &name, 0).await;
    harness.pass(MINUTE * 3 / 4).await;
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Repeated { next: 1 });
    harness.pass(MINUTE / 2).await;
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Reused);
}

/// A token replaced twice over has no window.
pub async fn dies_when_a_much_older_one_comes(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    rotate(harness, &name, 0).await;
    rotate(harness, &name, 1).await;
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Reused);
}

/// After reuse every token of the family gets the same answer, however often it is asked.
pub async fn stays_dead(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    rotate(harness, &name, 0).await;
    rotate(harness, &name, 1).await;
    for generation in [0, 0, 1, 2, 3] {
        assert_eq!(rotate(harness, &name, generation).await, Rotation::Reused, "{generation}");
    }
}

/// A store that lost its last writes believes the token, whose MAC the caller has checked.
pub async fn rolls_forward_over_lost_rotations(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    assert_eq!(rotate(harness, &name, 2).await, Rotation::Rotated { next: 3 });
    assert_eq!(rotate(harness, &name, 2).await, Rotation::Repeated { next: 3 });
    assert_eq!(rotate(harness, &name, 1).await, Rotation::Reused);
}

/// Many concurrent uses of one token rotate once, and all get the same successor.
pub async fn rotates_once_for_many_at_a_time(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    let outcomes = all_at_once(|| {
        let store = harness.store();
        async move { store.rotate_refresh(&name, 0, MINUTE, LIFE).await }
    })
    .await;
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    assert_eq!(count(Rotation::Rotated { next: 1 }), 1);
    assert_eq!(count(Rotation::Repeated { next: 1 }), MANY - 1);
}

/// A rotation gives the family a new life; a repetition does not.
pub async fn lives_longer_with_each_rotation(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    harness.pass(LIFE.saturating_sub(MINUTE)).await;
    rotate(harness, &name, 0).await;
    harness.pass(MINUTE / 2).await;
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Repeated { next: 1 });
    harness.pass(LIFE.saturating_sub(MINUTE)).await;
    assert!(done(harness.store().refresh_family(&name).await).is_some());
    harness.pass(MINUTE / 2).await;
    assert!(done(harness.store().refresh_family(&name).await).is_none());
}

/// After its life the family is unknown.
pub async fn ends_with_its_life(harness: &dyn OAuthHarness) {
    let name = put(harness, &secret()).await;
    harness.pass(LIFE).await;
    assert!(done(harness.store().refresh_family(&name).await).is_none());
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Unknown);
}

/// A late repetition of `put_refresh_family` neither revives it nor starts it over.
pub async fn does_not_start_again_when_put_again(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    rotate(harness, &name, 0).await;
    put(harness, &secret).await;
    assert_eq!(rotate(harness, &name, 1).await, Rotation::Rotated { next: 2 });
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Reused);
    put(harness, &secret).await;
    assert_eq!(rotate(harness, &name, 0).await, Rotation::Reused);
}

/// A damaged family is an error, never "unknown".
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    let secret = secret();
    let name = put(harness, &secret).await;
    harness.damage(Damage::RefreshFamily(&name)).await;
    let family = harness.store().refresh_family(&name).await;
    assert_corrupt(&family.and_then(|family| family.expect("it is there").open(&secret)));
}
