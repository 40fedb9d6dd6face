//! The authorization server that is trusted, once it is found.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::Value;
use tokio::{sync::watch, time::sleep};

use super::discovery::{ServerMetadata, discover};
use crate::{
    BaseUri, events,
    http::{Http, NoHttpClient},
    wire::{ErrorResponse, public_json},
};

/// How long until a server that is not there is asked again: at first, and at the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often it is said again that it is still not there, in attempts.
const SAID_EVERY: u32 = 15;
/// How old metadata may become.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// An authorization server elsewhere, known by its URL and found by its metadata.
pub struct TrustedServer {
    pub(super) issuer: BaseUri,
    pub(super) http: Http,
    found: watch::Sender<Option<Arc<ServerMetadata>>>,
}

impl TrustedServer {
    /// The server with this issuer, which nobody has looked for yet.
    pub fn new(issuer: BaseUri) -> Result<Self, NoHttpClient> {
        Ok(Self { issuer, http: Http::new()?, found: watch::Sender::default() })
    }

    /// Its URL, as its metadata must have it.
    pub fn issuer(&self) -> &BaseUri {
        &self.issuer
    }

    /// Looks for the server until it is there, and for news of it from then on. Never returns: an
    /// end is put to it from outside.
    pub async fn keep_finding(&self) {
        loop {
            self.find().await;
            sleep(FRESH).await;
        }
    }

    async fn find(&self) {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        let mut said = None;
        loop {
            let why = match discover(&self.http, &self.issuer).await {
                Ok(metadata) => {
                    if self.found.borrow().is_none() {
                        events::server_found(self.issuer.as_str());
                    }
                    self.found.send_replace(Some(Arc::new(metadata)));
                    return;
                }
                Err(why) => why.to_string(),
            };
            if attempts % SAID_EVERY == 0 || said.as_ref() != Some(&why) {
                events::server_awaited(self.issuer.as_str(), &why);
            }
            attempts += 1;
            said = Some(why);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Returns when it has been found.
    pub async fn found(&self) {
        // The sender is this very value.
        let _ = self.found.subscribe().wait_for(Option::is_some).await;
    }

    pub(super) fn metadata(&self) -> Option<Arc<ServerMetadata>> {
        self.found.borrow().clone()
    }

    /// Its metadata at the places where clients of revision 2025-03-26 look for it: at the MCP
    /// server, which was the authorization server itself then. `base` is that server's URL.
    pub fn metadata_copy(self: &Arc<Self>, base: &BaseUri) -> Router {
        let at = |name: &'static str| {
            let mut paths = vec![format!("/.well-known/{name}")];
            if !base.path().is_empty() {
                paths.push(base.well_known_path(name, ""));
            }
            paths
        };
        let mut routes = Router::new();
        for path in at("oauth-authorization-server") {
            routes = routes.route(&path, get(copied));
        }
        for path in at("openid-configuration") {
            routes = routes.route(&path, get(copied_openid));
        }
        routes.with_state(Arc::clone(self))
    }
}

async fn copied(State(server): State<Arc<TrustedServer>>) -> Response {
    copy(server.metadata().as_ref().map(|metadata| &metadata.document))
}

async fn copied_openid(State(server): State<Arc<TrustedServer>>) -> Response {
    let metadata = server.metadata();
    copy(metadata.as_ref().map(|all| all.openid.as_ref().unwrap_or(&all.document)))
}

fn copy(document: Option<&Value>) -> Response {
    match document {
        Some(document) => public_json(document),
        None => ErrorResponse::unavailable(2).into_response(),
    }
}
