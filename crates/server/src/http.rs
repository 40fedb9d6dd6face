//! What every response has in common, whichever crate it comes from.

mod address;
mod admin;
mod assets;
mod connect;
mod cors;
mod endpoints;
mod front;
mod health;
mod hosts;
mod log;
mod metrics;
pub(crate) mod names;
mod panic;
mod path;
mod people;
mod security_headers;
mod splash;
mod status;
mod unknown;

pub(crate) use address::Proxies;
pub(crate) use admin::{Elsewhere, Here, Lookers};
pub(crate) use assets::assets;
pub(crate) use connect::{Connect, TokenFrom, shell};
pub(crate) use endpoints::{Listed, endpoints};
pub(crate) use front::Front;
pub(crate) use health::{Health, health};
pub(crate) use log::{Requests, TARGET as REQUESTS};
pub(crate) use metrics::metrics;
pub(crate) use splash::{Site, auth_server_splash, splash};
pub(crate) use status::{Door, SignIn, StatusPage, Viewers, status};
pub(crate) use unknown::unknown;
