//! What every response has in common, whichever crate it comes from.

mod address;
mod admin;
mod cors;
mod health;
mod hosts;
mod log;
mod metrics;
mod panic;
mod security_headers;
mod slash;
mod splash;
mod unknown;

pub(crate) use address::Proxies;
pub(crate) use admin::{Elsewhere, Here, Lookers};
pub(crate) use cors::cors;
pub(crate) use health::{Health, health};
pub(crate) use hosts::{Hosts, check as check_host};
pub(crate) use log::{Requests, log};
pub(crate) use metrics::metrics;
pub(crate) use panic::catch_panics;
pub(crate) use security_headers::security_headers;
pub(crate) use slash::without_slash;
pub(crate) use splash::splash;
pub(crate) use unknown::unknown;
