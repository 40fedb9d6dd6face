//! The authorization server. Each endpoint is the file of its name.

mod account;
mod assets;
mod authorize;
mod callback;
mod consent;
mod elicitation;
mod introspect;
mod limits;
mod login;
mod metadata;
mod register;
mod revoke;
mod status;
mod token;

use std::sync::Arc;

pub use token::GRANT_TYPES;
pub(crate) use token::GrantType;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use mcp_everything_store::{
    Bell, Bus, Clock, Random, Ring, SecretKeys, StoreError,
    oauth::{GrantId, OAuthStore},
};

pub(crate) use account::ListedGrant;
pub use account::SignedIn;
pub use elicitation::{ElicitationPages, Elicitations, elicitation_path};

use crate::{ClientDocuments, Config, Proofs, events, pages::Site, upstream::Upstream};

/// An authorization server and what it runs on.
///
/// Instances that share `store`, `bus` and `keys` are one server: any of them can answer any request
/// of a login.
pub struct AuthorizationServer {
    /// Its settings.
    pub config: Config,
    /// Where it keeps everything.
    pub store: Arc<dyn OAuthStore>,
    /// Tells every instance which grants were revoked.
    pub bus: Arc<dyn Bus>,
    /// Signs forms and refresh tokens.
    pub keys: SecretKeys,
    /// The time for what it writes; the store has its own for what ends.
    pub clock: Arc<dyn Clock>,
    /// Where codes and tokens come from.
    pub random: Arc<dyn Random>,
    /// Says who the user is.
    pub upstream: Arc<dyn Upstream>,
    /// Fetches what clients that are not registered here say of themselves.
    pub documents: ClientDocuments,
    /// What its users are asked on pages by the server beside it; `None`: nothing.
    pub elicitations: Option<Arc<dyn Elicitations>>,
}

/// No identifier that is looked up is longer, so that none makes a long key.
pub(crate) const LONGEST_CLIENT_ID: usize = 256;

/// What handlers use.
pub(crate) type Context = AuthorizationServer;

impl AuthorizationServer {
    /// Its endpoints, at the paths that metadata names. A proxy that serves them under a path of
    /// the issuer takes that path away; only well-known documents are expected with it.
    pub fn router(self) -> Router {
        routes(Arc::new(self))
    }

    /// Ends a grant and then tells every instance, so that what was opened with it ends as well.
    ///
    /// A bell that does not ring is no failure: the grant is revoked, so nothing new is let in with
    /// it, and what is open ends with its access token. It rings also for a grant that is no longer
    /// there, as streams may be left from before, and again for each repetition of a request.
    pub(crate) async fn revoke_grant(&self, grant: GrantId) -> Result<(), StoreError> {
        self.store.revoke_grant(&grant).await?;
        if let Err(error) = self.bus.ring(Ring::All, Bell::Revoked(grant)).await {
            events::bus_unavailable(grant, &error);
        }
        Ok(())
    }

    /// What checks proofs of possession here.
    pub(crate) fn proofs(&self) -> Proofs {
        Proofs {
            replays: Arc::clone(&self.store) as _,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            nonces: self.config.dpop_nonces.then(|| self.keys.clone()),
        }
    }

    pub(crate) fn site(&self) -> Site<'_> {
        Site { base: self.config.issuer.path(), service: &self.config.service }
    }
}

pub(crate) fn routes(context: Arc<Context>) -> Router {
    let mut pages = Router::new()
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize/consent", post(consent::post))
        .merge(account::router())
        .merge(status::router(&context));
    for path in context.upstream.callback_paths() {
        pages = pages.route(path, get(callback::get).post(callback::post));
    }
    let clients = Router::new()
        .route("/token", post(token::post))
        .route("/revoke", post(revoke::post))
        .route("/introspect", post(introspect::post));
    let register = Router::new().route("/register", post(register::post));
    let router = pages
        .route_layer(from_fn_with_state(Arc::clone(&context), limits::pages))
        .merge(clients.route_layer(from_fn_with_state(Arc::clone(&context), limits::guesses)))
        .merge(register.route_layer(from_fn_with_state(Arc::clone(&context), limits::register)))
        .merge(elicitation::router(&context).unwrap_or_default())
        .merge(assets::router())
        .merge(metadata::router(&context.config.issuer));
    let upstream = context.upstream.pages();
    router.with_state(context).merge(upstream)
}
