//! The status page, and what it shows.

use std::sync::Arc;

use axum::Router;
use mcp_everything_oauth::SignedIn;
use tokio_util::sync::CancellationToken;

use super::base::Base;
use crate::{
    http::{Door, Lookers, SignIn, StatusPage, Viewers, status},
    settings::{AuthMode, Settings},
    status::{Status, Tap},
    telemetry::Lines,
};

/// What is known here of this instance and the others.
pub(super) fn of(base: &Base) -> Arc<Status> {
    let status = Status::new(
        base.instance.clone(),
        Arc::clone(&base.stores.sessions),
        Arc::clone(&base.stores.bus),
        Arc::clone(&base.clock),
    );
    base.overhearing.tell(&status);
    status
}

/// What sees the requests of sessions that are watched.
pub(super) fn tapped(base: &Base, status: &Status) -> Tap {
    Tap { recorder: Arc::clone(&status.recorder), random: Arc::clone(&base.random) }
}

/// Its routes.
pub(super) fn page(
    settings: &Settings,
    base: &Base,
    shown: &Arc<Status>,
    lookers: Lookers,
    lines: &Lines,
    draining: &CancellationToken,
) -> Router {
    let (uri, keys, clock) = (&settings.base_uri, base.keys.clone(), Arc::clone(&base.clock));
    let sign_in = match settings.auth_mode {
        AuthMode::Integrated => {
            SignIn::Here(SignedIn::new(uri.clone(), keys.clone(), Arc::clone(&clock)))
        }
        AuthMode::Separate => SignIn::Elsewhere,
        AuthMode::None => SignIn::Nowhere,
    };
    let random = Arc::clone(&base.random);
    let door = Door { lookers, sign_in, base: uri.clone(), keys, clock, random };
    status(StatusPage {
        status: Arc::clone(shown),
        lines: lines.clone(),
        viewers: Viewers::default(),
        base: uri.clone(),
        store: settings.store(),
        door,
        draining: draining.clone(),
    })
}
