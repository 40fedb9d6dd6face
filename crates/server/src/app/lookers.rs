//! Who may look at a server itself.

use std::sync::Arc;

use mcp_everything_oauth::{BearerLayer, ProtectedResource, Scope, TokenVerifier};
use mcp_everything_transport::HostPolicy;
use url::Url;

use super::{
    base::Base,
    routes::{proofs, resource},
};
use crate::{
    http::{Elsewhere, Here, Lookers, Proxies},
    settings::Settings,
};

/// Those of a server whose tokens `verifier` knows; of none where it is `None`. A token for the
/// server as a whole will do, and one for any part of it.
pub(super) fn lookers(
    settings: &Settings,
    base: &Base,
    verifier: Option<Arc<dyn TokenVerifier>>,
) -> Lookers {
    let elsewhere = verifier.map(|verifier| {
        let whole = ProtectedResource::clone(&resource(settings, "")).asking_for(Scope::Admin);
        let parts = ["/mcp", "/sse"].map(|path| settings.base_uri.join(path));
        let resource = Arc::new(parts.into_iter().fold(whole, ProtectedResource::accepting));
        let (door, proofs) = (Arc::clone(&verifier), proofs(settings, base));
        let door = BearerLayer::new(door, Arc::clone(&resource), proofs);
        Elsewhere { verifier, resource, door }
    });
    let proxies = Proxies::new(settings.trusted_proxies.clone());
    Lookers { here: Here { hosts: own_names(settings), proxies }, elsewhere }
}

/// The names that programs on the machine of a server call it by, if its public URL is one of them.
fn own_names(settings: &Settings) -> Option<HostPolicy> {
    let url = Url::parse(settings.base_uri.as_str()).ok()?;
    let names = ["localhost", "127.0.0.1", "[::1]", url.host_str()?];
    HostPolicy::new(names).ok().filter(|_| settings.is_local())
}
