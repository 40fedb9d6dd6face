//! OAuth 2.1 for MCP servers.
//!
//! [`AuthorizationServer`] is a router with everything a client needs to get a token.
//! [`BearerLayer`] lets only requests with a good token through to a resource and says who sent
//! them; [`ProtectedResource`] tells clients where to get one. The two share a store or nothing:
//! what the layer asks is behind [`TokenVerifier`]: a [`LocalVerifier`] looks into the store of the
//! authorization server, a [`RemoteVerifier`] knows nothing of that server but its URL.
//!
//! A server that is its own authorization server:
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::{Extension, Router, routing::post};
//! use mcp_everything_oauth::{
//!     AuthorizationServer, BaseUri, BearerLayer, Caller, ClientDocuments, Config, LocalVerifier,
//!     Proofs,
//!     ProtectedResource, protected_resource_metadata, upstream::FakeUpstream,
//! };
//! use mcp_everything_fetch::{Fetcher, Guard};
//! use mcp_everything_store::{
//!     SecretKeys, SystemClock, SystemRandom,
//!     memory::{MemoryBus, MemoryOAuth},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let base = BaseUri::parse("https://tools.example.com")?;
//! let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
//! let store = Arc::new(MemoryOAuth::new(clock.clone()));
//!
//! let authorization_server = AuthorizationServer {
//!     config: Config::integrated(base.clone(), "Example Tools"),
//!     store: store.clone(),
//!     bus: Arc::new(MemoryBus::default()),
//!     keys: SecretKeys::generate(&SystemRandom),
//!     clock: clock.clone(),
//!     random: random.clone(),
//!     upstream: Arc::new(FakeUpstream::new(base.clone(), "Example Tools", random.clone())),
//!     documents: ClientDocuments::new(Fetcher::new(Guard::public())?),
//!     elicitations: None,
//! };
//!
//! let resource = ProtectedResource::new(&base, "/mcp", "Example Tools", base.as_str());
//! let metadata = protected_resource_metadata([&resource]);
//! let proofs =
//!     Proofs { replays: store.clone(), clock: clock.clone(), random, nonces: None };
//! let verifier = LocalVerifier::new(store, clock, base.as_str());
//! let door = BearerLayer::new(Arc::new(verifier), Arc::new(resource), proofs);
//!
//! let who = async |Extension(caller): Extension<Caller>| caller.owner.user;
//! let app: Router = Router::new()
//!     .route("/mcp", post(who))
//!     .layer(door)
//!     .merge(metadata)
//!     .merge(authorization_server.router());
//! # let _ = app;
//! # Ok(())
//! # }
//! ```

mod base_uri;
mod browser;
mod client_auth;
mod client_metadata;
mod clients;
mod config;
mod cookies;
mod dpop;
pub mod events;
mod http;
mod jose;
mod limits;
mod pages;
mod params;
mod pkce;
mod redirect_uri;
mod resource;
mod resources;
mod scope;
mod secret;
mod server;
mod subject;
mod tokens;
pub mod upstream;
mod wire;

#[cfg(test)]
mod flow;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod testing;

pub use base_uri::{BaseUri, BaseUriError};
pub use browser::is_sent_by_others;
pub use clients::{ClientDocuments, DocumentHosts, ListedClients, ListedClientsError};
pub use config::{Config, Lifetimes};
pub use cookies::CookieName;
pub use dpop::Proofs;
pub use http::NoHttpClient;
pub use limits::{Limits, RemoteAddress};
pub use redirect_uri::RedirectUriError;
pub(crate) use resource::NotSaid;
pub use resource::{
    Bearer, BearerLayer, Caller, Flaw, IntrospectionClient, LocalVerifier, NoAudience,
    ProtectedResource, RemoteTokens, RemoteVerifier, TokenAudience, TokenCheck, TokenVerifier,
    TrustedIssuers, TrustedServer, UnknownTokenCheck, VerifyError, WhileAway,
    protected_resource_metadata,
};
pub use resources::{NoResource, Resources, UnknownResource, same_resource};
pub use scope::{Scope, ScopeSet, UnknownScope};
pub use server::{
    AuthorizationServer, ElicitationPages, Elicitations, GRANT_TYPES, SignedIn, elicitation_path,
};
pub use wire::REFUSALS;
