//! What every [`OAuthStore`] must do.
//!
//! Each function is one rule and gets a store of its own. [`oauth_store_contract!`] turns all of
//! them into tests.
//!
//! [`oauth_store_contract!`]: crate::oauth_store_contract

#![expect(clippy::missing_panics_doc, reason = "these are the bodies of tests")]

pub mod clients;
pub mod codes;
pub mod documents;
pub mod grants;
pub mod pending;
pub mod refresh;
pub mod replays;
pub mod secret_keys;
pub mod tokens;

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    KeyStore, Random as _, StoreError, SystemRandom,
    oauth::{AttemptId, DocumentKind, GrantId, OAuthStore, SecretHash},
};

/// A store under test and what a test must be able to do to it.
#[async_trait]
pub trait OAuthHarness: Send + Sync {
    /// The store. Empty when the harness is made.
    fn store(&self) -> Arc<dyn OAuthStore>;

    /// The same store as the keeper of the server's keys.
    fn keys(&self) -> Arc<dyn KeyStore>;

    /// Lets time pass for the store.
    async fn pass(&self, span: Duration);

    /// Overwrites what is kept of a record with bytes that nobody wrote.
    async fn damage(&self, record: Damage<'_>);
}

/// A record to be damaged.
#[derive(Clone, Copy, Debug)]
pub enum Damage<'a> {
    /// A registration.
    Client(&'a str),
    /// A login under way.
    Pending(&'a SecretHash),
    /// A grant.
    Grant(&'a GrantId),
    /// An authorization code.
    Code(&'a SecretHash),
    /// An access token.
    AccessToken(&'a SecretHash),
    /// A family of refresh tokens.
    RefreshFamily(&'a SecretHash),
    /// A document that was fetched.
    Document(DocumentKind, &'a str),
}

/// Makes a test of each rule. Takes an expression that makes a future of a new harness.
#[macro_export]
macro_rules! oauth_store_contract {
    (in a row: $shared:expr, $make:path) => {
        $crate::oauth_store_contract! { row $shared, $make }
    };
    ($make:expr) => {
        $crate::oauth_store_contract! { each $make }
    };
    ($how:ident $($make:expr),+) => {
        $crate::oauth_store_contract! { $how $($make),+;
            clients: is_found_until_its_life_ends, is_read_back_however_it_authenticates,
                lives_longer_when_prolonged, is_not_shortened_by_prolonging,
                stays_as_it_was_when_put_again, oldest_unused_makes_room,
                used_ones_do_not_make_room, nobody_makes_room_in_vain, expired_ones_make_room,
                prolonging_an_unknown_one_says_so, damaged_is_an_error;
            pending: is_seen_until_it_is_taken, the_first_of_a_name_stays,
                one_of_a_name_is_kept_of_many_at_a_time, is_taken_by_one_attempt,
                is_taken_once_by_many_at_a_time, ends_with_its_life,
                does_not_come_back_when_put_again, damaged_is_an_error;
            grants: is_found_until_its_life_ends, lives_longer_when_prolonged,
                is_not_prolonged_when_revoked, stays_revoked_when_put_again,
                revoking_an_unknown_one_says_so, is_listed_for_its_user,
                is_listed_as_long_as_it_lives, is_listed_once_when_put_again,
                more_are_listed_when_others_are_revoked, damaged_is_an_error;
            codes: is_seen_without_being_redeemed, is_redeemed_by_one_attempt,
                is_redeemed_once_by_many_at_a_time, ends_with_its_life,
                stays_redeemed_when_put_again, damaged_is_an_error;
            tokens: is_good_until_its_life_ends, needs_its_grant, dies_with_its_grant,
                issued_after_the_revocation_is_dead, dies_alone,
                does_not_come_back_when_put_again, revoking_an_unknown_one_leaves_no_mark,
                damaged_is_an_error;
            refresh: rotates_from_generation_zero, answers_the_same_within_the_window,
                dies_when_an_old_one_comes_after_the_window, dies_when_a_much_older_one_comes,
                stays_dead, rolls_forward_over_lost_rotations, rotates_once_for_many_at_a_time,
                lives_longer_with_each_rotation, ends_with_its_life,
                does_not_start_again_when_put_again, damaged_is_an_error;
            replays: the_first_attempt_has_it, one_of_many_at_a_time_has_it,
                is_forgotten_after_its_life;
            documents: is_found_until_its_life_ends, a_newer_one_takes_its_place, is_of_one_kind,
                damaged_is_an_error;
            secret_keys: the_first_ring_stays, everyone_gets_the_same_ring;
        }
    };
    (row $shared:expr, $make:expr; $($module:ident: $($rule:ident),+;)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_rule_in_a_row() {
            let shared = $shared;
            $($(
                println!("{}: {}", stringify!($module), stringify!($rule));
                $crate::contract::oauth::$module::$rule(&$make(&shared).await).await;
            )+)+
        }
    };
    (each $make:expr; $($module:ident: $($rule:ident),+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    $crate::contract::oauth::$module::$rule(&$make.await).await;
                }
            )+
        }
    )+};
}

const MINUTE: Duration = Duration::from_secs(60);
const MANY: usize = 16;

/// A secret like a real one.
fn secret() -> String {
    let random: &dyn crate::Random = &SystemRandom;
    random.token::<32>()
}

fn attempt() -> AttemptId {
    AttemptId::draw(&SystemRandom)
}

fn grant_id() -> GrantId {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    GrantId::from_bytes(bytes)
}

#[track_caller]
fn done<T>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| panic!("the store should have answered: {error}"))
}

#[track_caller]
fn assert_corrupt<T: Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Corrupt { .. })), "{answer:?}");
}

/// Runs the same operation many times at once, and gives what each got.
async fn all_at_once<T, F>(operation: impl Fn() -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(MANY));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..MANY {
        let (start, operation) = (Arc::clone(&start), operation());
        tasks.spawn(async move {
            start.wait().await;
            operation.await
        });
    }
    tasks.join_all().await.into_iter().map(done).collect()
}
