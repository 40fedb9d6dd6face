//! The limits by their names.

use std::sync::Arc;

use mcp_everything_oauth::Limits;
use mcp_everything_store::{Limit, Limiter};

use crate::settings::{AuthMode, Settings};

/// Of each user: its requests, and the sessions it begins. Without authentication nobody is told
/// from anybody else.
pub(super) fn of_users(settings: &Settings, limiter: &Arc<Limiter>) -> (Limit, Limit) {
    match settings.auth_mode {
        AuthMode::None => (Limit::default(), Limit::default()),
        AuthMode::Integrated | AuthMode::Separate => {
            (limit(settings, limiter, "requests"), limit(settings, limiter, "sessions"))
        }
    }
}

pub(super) fn of_the_authorization_server(settings: &Settings, limiter: &Arc<Limiter>) -> Limits {
    Limits {
        register: limit(settings, limiter, "register"),
        authorize: limit(settings, limiter, "authorize"),
        failures: limit(settings, limiter, "failures"),
        client: limit(settings, limiter, "client"),
        introspect: limit(settings, limiter, "introspect"),
    }
}

fn limit(settings: &Settings, limiter: &Arc<Limiter>, name: &str) -> Limit {
    let rate = settings.rate_limits.rate(name);
    rate.map_or_else(Limit::default, |(name, rate)| Limit::new(name, rate, Arc::clone(limiter)))
}
