//! How many connections an address may have: nobody takes all there are.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mcp_everything_store::network;
use tokio::time::Instant;

use crate::http::Proxies;

/// How often the log says that connections are refused.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The connections that are open, by address; of IPv6 by network. Those of trusted proxies, which
/// are everybody's, have no bound.
#[derive(Clone)]
pub(crate) struct Addresses(Arc<Inner>);

struct Inner {
    most: Option<u32>,
    proxies: Proxies,
    open: Mutex<HashMap<IpAddr, u32>>,
    refusals: Mutex<Refusals>,
}

#[derive(Default)]
struct Refusals {
    untold: u64,
    told: Option<Instant>,
}

/// One of the connections of an address, until it is dropped.
pub(super) struct Place(Option<(Addresses, IpAddr)>);

impl Addresses {
    /// No more than so many of an address.
    pub(crate) fn new(most: Option<u32>, proxies: Proxies) -> Self {
        let (open, refusals) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { most, proxies, open, refusals }))
    }

    /// A place for one more connection, if there is one.
    pub(super) fn place(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let Some(most) = self.0.most.filter(|_| !self.0.proxies.trusts(peer)) else {
            return Some(Place(None));
        };
        let network = network(peer);
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_insert(0);
        if *count < most {
            *count += 1;
            return Some(Place(Some((self.clone(), network))));
        }
        drop(open);
        self.refused(peer, most);
        None
    }

    fn refused(&self, address: IpAddr, most: u32) {
        let mut refusals = self.0.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.untold += 1;
        if refusals.told.is_some_and(|told| told.elapsed() < LINE_EVERY) {
            return;
        }
        refusals.told = Some(Instant::now());
        let refused = std::mem::take(&mut refusals.untold);
        tracing::warn!(event = "connections.refused", %address, most, refused,
            "an address has as many connections as it may; if it is a proxy of yours, name it in \
             TRUSTED_PROXIES");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((addresses, network)) = self.0.take() else { return };
        let mut open = addresses.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(most: u32, trusted: &[&str]) -> Addresses {
        let trusted = trusted.iter().map(|network| network.parse().unwrap());
        Addresses::new(Some(most), Proxies::new(trusted.collect()))
    }

    #[test]
    fn an_address_has_as_many_as_it_may_and_others_have_theirs() {
        let addresses = addresses(2, &[]);
        let place = |text: &str| addresses.place(text.parse().unwrap());
        let one = place("2001:db8::1");
        let two = place("2001:db8::2");
        assert!(one.is_some() && two.is_some() && place("2001:db8::3").is_none());
        assert!(place("2001:db8:1::1").is_some());
        let (one, mapped) = (place("192.0.2.1"), place("::ffff:192.0.2.1"));
        assert!(one.is_some() && mapped.is_some() && place("192.0.2.1").is_none());
        drop(mapped);
        assert!(place("192.0.2.1").is_some());
        drop((one, two));
        assert_eq!(addresses.0.open.lock().unwrap().len(), 1, "only who has one is remembered");
    }

    #[test]
    fn a_trusted_proxy_has_no_bound() {
        let addresses = addresses(1, &["10.0.0.0/8"]);
        let proxy: IpAddr = "10.1.2.3".parse().unwrap();
        let places: Vec<_> = (0..10).filter_map(|_| addresses.place(proxy)).collect();
        assert_eq!(places.len(), 10);
    }
}
