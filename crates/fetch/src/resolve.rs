//! Looks names up, and lets nothing through that is not public.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{FetchError, Guard};

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where addresses are known from.
pub(crate) trait Lookup: Send + Sync + 'static {
    fn addresses(&self, host: String) -> Looking;
}

/// The machine's own resolver.
pub(crate) struct System;

impl Lookup for System {
    fn addresses(&self, host: String) -> Looking {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What the connection is made to is what this gives, and nothing is looked up after it.
pub(crate) struct Vetted {
    pub(crate) guard: Guard,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (self.guard, Arc::clone(&self.lookup));
        Box::pin(async move {
            let addresses = vetted(guard, &*lookup, name.as_str()).await?;
            // Port 0 stands for that of the URL.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

async fn vetted(guard: Guard, lookup: &dyn Lookup, host: &str) -> Result<Vec<IpAddr>, FetchError> {
    let found = lookup.addresses(host.to_owned()).await.unwrap_or_default();
    if found.is_empty() {
        return Err(FetchError::Unresolved { host: host.to_owned() });
    }
    // One that is not public among public ones is no mistake of an honest host.
    for address in &found {
        guard.admit(host, *address)?;
    }
    Ok(found)
}
