//! The tools that misbehave: which they are, and their way to the exchange that carries their call.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header, request::Parts};
use mcp_everything_features as features;
use mcp_everything_features::{Challenge, FAULT_TOOLS, FaultHook, FaultyWire, HttpAnswer};
use mcp_everything_oauth::{Caller, ProtectedResource, Scope};
use mcp_everything_transport::{Delivery, Faults, FaultyTools};

use super::routes::resource;
use crate::settings::Settings;

/// The tools whose calls are given such a way.
pub(super) fn tools(settings: &Settings) -> FaultyTools {
    if settings.fault_tools {
        FaultyTools::new(|name| FAULT_TOOLS.contains(&name))
    } else {
        FaultyTools::default()
    }
}

pub(super) fn hook(settings: &Settings) -> FaultHook {
    let [mcp, sse] = ["/mcp", "/sse"].map(|path| resource(settings, path));
    Arc::new(move |extensions| {
        let parts = extensions.get::<Parts>()?;
        let faults = parts.extensions.get::<Faults>()?.clone();
        let resource = if parts.uri.path() == "/message" { &sse } else { &mcp };
        let caller = parts.extensions.get::<Caller>().cloned();
        Some(Arc::new(Exchange { faults, resource: Arc::clone(resource), caller }) as _)
    })
}

/// What the features may do to one call.
struct Exchange {
    faults: Faults,
    resource: Arc<ProtectedResource>,
    /// `None` without authentication.
    caller: Option<Caller>,
}

impl FaultyWire for Exchange {
    fn respond(&self, answer: HttpAnswer) {
        let HttpAnswer { status, content_type, body, retry_after, challenge } = answer;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        let challenge = match challenge {
            Challenge::None => None,
            Challenge::InvalidToken => Some(self.resource.invalid_token_challenge()),
            Challenge::InsufficientScope => {
                let caller = self.caller.as_ref();
                Some(self.resource.insufficient_scope_challenge(caller, Scope::Admin))
            }
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        self.faults.respond(response);
    }

    fn hang_up(&self) {
        self.faults.hang_up();
    }

    fn event(&self, data: Vec<u8>, delivery: features::Delivery) {
        let delivery = match delivery {
            features::Delivery::Once => Delivery::Once,
            features::Delivery::Never => Delivery::Never,
            features::Delivery::Twice => Delivery::Twice,
            features::Delivery::Late => Delivery::Late,
            features::Delivery::Half => Delivery::Half,
        };
        self.faults.event(data, delivery);
    }

    fn last(&self, data: Vec<u8>) {
        self.faults.last(data);
    }

    fn write(&self, bytes: Vec<u8>) {
        self.faults.write(bytes);
    }

    fn close(&self, retry: Duration) {
        self.faults.close(retry);
    }

    fn break_off(&self) {
        self.faults.break_off();
    }

    fn silence(&self) {
        self.faults.silence();
    }

    fn die(&self) {
        self.faults.die();
    }
}
