//! What every [`SessionStore`] must do.
//!
//! Each function is one rule and gets a store of its own. [`session_store_contract!`] turns all
//! of them into tests.
//!
//! [`session_store_contract!`]: crate::session_store_contract

#![expect(clippy::missing_panics_doc, reason = "these are the bodies of tests")]

pub mod calls;
pub mod changes;
pub mod elicitations;
pub mod lives;
pub mod reports;
pub mod said;
pub mod shelves;
pub mod state;
pub mod streams;
pub mod tasks;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    CHANGES_PAGE, CallId, Handshake, InstanceId, Limits, Owner, PAGE, Session, SessionId,
    SessionStore, StoreError, SystemRandom, Transport,
};

/// A store under test and what a test must be able to do to it.
#[async_trait]
pub trait SessionHarness: Send + Sync {
    /// The store, with [`LIMITS`]. Empty when the harness is made.
    fn store(&self) -> Arc<dyn SessionStore>;

    /// Lets time pass for the store.
    async fn pass(&self, span: Duration);
}

/// Small ones, so that tests reach them.
pub const LIMITS: Limits = Limits {
    session_ttl: Duration::from_secs(300),
    sessions: 8,
    sessions_per_user: 3,
    subscriptions_per_session: 3,
    calls_per_session: 3,
    log_events: PAGE + 1,
    log_bytes: 512,
    session_log_bytes: 1024,
    changes: CHANGES_PAGE + 2,
    log_retention: Duration::from_secs(120),
    tasks: 8,
    tasks_per_user: 3,
    shelves: 8,
    shelves_bytes: 512,
    shelf_items: 3,
    shelf_bytes: 64,
    shelf_ttl: Duration::from_secs(600),
    elicitations: 8,
    elicitations_per_user: 3,
};

/// Makes a test of each rule. Takes an expression that makes a future of a new harness.
///
/// For what takes long to start, `in a row: shared, make` makes one test of all rules: `make` is a
/// function that makes a future of a new harness on what they share.
#[macro_export]
macro_rules! session_store_contract {
    (in a row: $shared:expr, $make:path) => {
        $crate::session_store_contract! { row $shared, $make }
    };
    ($make:expr) => {
        $crate::session_store_contract! { each $make }
    };
    ($how:ident $($make:expr),+) => {
        $crate::session_store_contract! { $how $($make),+;
            lives: begins_and_is_admitted, is_settled_once, is_admitted_for_its_owner_only,
                ends_when_it_is_not_used, begins_anew_when_it_is_admitted,
                is_not_prolonged_by_strangers, begins_anew_when_it_is_held,
                is_not_held_back_to_life, is_deleted_by_its_owner_only,
                takes_everything_along_when_it_ends, is_created_once, are_bounded_for_each_user,
                do_not_count_when_they_are_gone, are_counted_right_by_many_at_a_time,
                are_listed_for_their_user, are_glanced_at;
            reports: are_read_by_all, are_gone_when_their_life_is_over, say_nothing_of_any_size;
            state: begins_with_nothing, remembers_the_level, remembers_subscriptions,
                bounds_subscriptions, flips_switches, does_not_bring_a_session_back, does_not_prolong_a_session;
            calls: keep_events_in_order, keep_an_event_once, end_with_the_last_event,
                are_read_from_anywhere, name_their_reader, are_forgotten_after_their_retention,
                are_bounded_in_events, are_bounded_in_bytes, are_bounded_in_bytes_together,
                are_bounded_in_number, are_fenced_when_ended_by_another_hand,
                are_cancelled_by_the_clients_name, are_cancelled_before_they_are_opened,
                are_not_cancelled_by_an_old_mark, stay_cancelled, are_answered_once,
                are_not_answered_when_ended, take_no_answer_of_any_size,
                prolong_the_session_at_their_end, do_not_bring_a_session_back,
                are_named_while_they_run;
            said: are_heard_on_the_stream, name_the_instance_to_ring, end_without_a_word,
                prolong_the_session_at_their_end, wait_for_room,
                make_room_where_nothing_is_waited_for, say_nothing_of_any_size,
                are_buried_with_their_last_words;
            streams: hand_out_events_until_they_are_passed_on, hand_out_events_in_pages,
                wait_for_a_stream, go_to_the_newest_stream,
                go_to_a_shadow_when_the_holder_ends, start_behind_what_the_client_has,
                say_what_is_missing, drop_the_oldest_when_full, name_the_instance_to_ring,
                do_not_bring_a_session_back;
            changes: are_read_in_order, are_read_in_pages, are_missed_when_the_log_is_too_short,
                are_missed_by_whoever_comes_from_another_log, are_told_from_the_start_of_a_session,
                are_told_from_the_handshake, are_told_once, are_told_to_the_holder_only,
                are_told_with_what_the_client_set, name_whom_they_concern, wait_for_a_stream, do_not_outgrow_a_log,
                do_not_bring_a_session_back;
            tasks: begin_once_and_are_known, belong_to_their_owner, end_once,
                ask_and_are_answered_once, are_answered_in_parts, are_cancelled_by_their_owner,
                ask_nothing_once_they_have_ended, are_gone_when_their_life_is_over,
                are_bounded_for_each_user, keep_nothing_of_any_size, note_how_they_get_on,
                are_listed_for_their_owner;
            shelves: keep_what_was_put_there_last, belong_to_their_user, are_bounded,
                flip_once_for_each_attempt, are_gone_when_nobody_looks;
            elicitations: begin_once_and_are_known, are_settled_once,
                are_settled_by_an_attempt_that_is_made_twice, are_used_by_one_of_many,
                are_found_by_their_purpose, are_found_when_they_are_completed_before_others,
                are_gone_when_their_life_is_over, are_bounded_for_each_user, ask_nothing_of_any_size;
        }
    };
    (row $shared:expr, $make:expr; $($module:ident: $($rule:ident),+;)+) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_rule_in_a_row() {
            let shared = $shared;
            $($(
                println!("{}: {}", stringify!($module), stringify!($rule));
                $crate::contract::sessions::$module::$rule(&$make(&shared).await).await;
            )+)+
        }
    };
    (each $make:expr; $($module:ident: $($rule:ident),+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    $crate::contract::sessions::$module::$rule(&$make.await).await;
                }
            )+
        }
    )+};
}

fn owner(user: &str) -> Owner {
    Owner { user: user.into(), issuer: "https://as.test".into(), client: "client".into() }
}

fn handshake() -> Handshake {
    Handshake {
        initialize: r#"{"protocolVersion":"2025-11-25"}"#.into(),
        protocol_version: "2025-11-25".into(),
    }
}

fn new_session(owner: &Owner) -> Session {
    Session {
        owner: owner.clone(),
        transport: Transport::StreamableHttp,
        handshake: Some(Arc::new(handshake())),
    }
}

async fn session(store: &dyn SessionStore) -> SessionId {
    session_of(store, &owner("alice")).await
}

async fn session_of(store: &dyn SessionStore, owner: &Owner) -> SessionId {
    let id = SessionId::random(&SystemRandom);
    done(store.create(id, new_session(owner)).await);
    id
}

fn instance(name: &str) -> InstanceId {
    InstanceId::random(name, &SystemRandom)
}

fn call_id() -> CallId {
    CallId::random(&SystemRandom)
}

#[track_caller]
fn done<T>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| panic!("the store should have answered: {error}"))
}

#[track_caller]
fn assert_full<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::LimitReached { .. })), "{answer:?}");
}

const SECOND: Duration = Duration::from_secs(1);
const MANY: usize = 16;
