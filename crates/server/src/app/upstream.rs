//! Who says to the authorization server who the user is.

use std::sync::Arc;

use mcp_everything_oauth::upstream::{
    self, Endpoints, FakeUpstream, OAuth2Upstream, OpenIdUpstream, Upstream,
};

use super::{base::Base, routes::NAME};
use crate::settings::{Known, Settings};

/// The provider that the settings name, or the fake one, for the authorization server at the URL of
/// this one. A provider that is not there yet is looked for.
pub(super) fn upstream(settings: &Settings, base: &Base) -> Arc<dyn Upstream> {
    let issuer = &settings.base_uri;
    let random = Arc::clone(&base.random);
    let Some(provider) = &settings.upstream else {
        return Arc::new(FakeUpstream::new(issuer.clone(), NAME, random));
    };
    let us = provider.registration(issuer);
    let upstream: Arc<dyn Upstream> = match &provider.known {
        Known::ByIssuer(url) => {
            Arc::new(OpenIdUpstream::new(url.clone(), us, Arc::clone(&base.clock), random))
        }
        Known::ByEndpoints(endpoints) => {
            Arc::new(OAuth2Upstream::new(Endpoints::clone(endpoints), us, random))
        }
    };
    let (looked_for, stop) = (Arc::clone(&upstream), base.stop.clone());
    tokio::spawn(async move {
        stop.run_until_cancelled(upstream::prepare(&*looked_for)).await;
    });
    upstream
}
