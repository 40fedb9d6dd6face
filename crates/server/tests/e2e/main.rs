//! What takes longer: instances killed and restarted under load, Redis failing in every way, ten
//! thousand sessions, real clients behind a real balancer. Each prints its figures.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "they are figures for people")]

#[path = "../it"]
mod it {
    #[expect(dead_code, unused_imports, reason = "the tests in `it` use the rest")]
    pub(crate) mod support;
}

#[expect(dead_code, reason = "the tests in `external` use the rest")]
#[path = "../programs/chromium.rs"]
mod chromium;
#[path = "../programs/desktop.rs"]
mod desktop;
#[expect(dead_code, reason = "the tests in `external` use the rest")]
#[path = "../programs/pages.rs"]
mod pages;
#[expect(dead_code, reason = "the tests in `external` use the rest")]
#[path = "../programs/running.rs"]
mod running;
#[path = "../programs/tools.rs"]
mod tools;

#[macro_use]
mod on_every_deployment;
mod deployed;
mod figures;
#[path = "../programs/haproxy.rs"]
mod haproxy;
mod load;

mod idle_sessions;
mod instances_killed;
mod newcomer;
mod real_clients;
mod redis_away;
mod redis_emptied;
mod redis_failover;
mod redis_pubsub_cut;
mod replay;
mod rolling_restart;
mod sign_in;
mod walks;
