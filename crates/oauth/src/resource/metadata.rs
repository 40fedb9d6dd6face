//! `/.well-known/oauth-protected-resource` (RFC 9728): where to get a token for what.

use axum::{Router, routing::get};
use serde::Serialize;

use super::ProtectedResource;
use crate::{Scope, jose::SigningAlgorithm, wire::public_json};

#[derive(Clone, Serialize)]
struct Metadata {
    /// Must be the identifier that the document's URL was made from (section 3.3).
    resource: String,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 6],
    resource_name: String,
}

/// The documents about these resources, each at the path that follows from its own.
pub fn protected_resource_metadata<'a>(
    resources: impl IntoIterator<Item = &'a ProtectedResource>,
) -> Router {
    resources.into_iter().fold(Router::new(), |router, resource| {
        let metadata = Metadata {
            resource: resource.resource.clone(),
            authorization_servers: resource.authorization_servers.clone(),
            scopes_supported: resource.scopes.iter().map(Scope::as_str).collect(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: SigningAlgorithm::NAMES,
            resource_name: resource.name.clone(),
        };
        resource.metadata_paths.iter().fold(router, |router, path| {
            let metadata = metadata.clone();
            router.route(path, get(async move || public_json(&metadata)))
        })
    })
}
