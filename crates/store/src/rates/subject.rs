//! Whom a limit is about.

use std::net::{IpAddr, Ipv6Addr};

use super::RateKey;
use crate::Owner;

/// Whom a limit is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Whoever asks from an address. Of IPv6 the network counts that one customer has (/64).
    Address(IpAddr),
    /// A client that has proved who it is.
    Client(&'a str),
    /// A client that anybody can say to be, at an address: what is asked in its name elsewhere
    /// costs it nothing.
    ClientAt(&'a str, IpAddr),
    /// A user, whatever client acts for it.
    User(&'a Owner),
}

/// A [`Subject`], of which two are the same only if they are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who<'a> {
    Address(IpAddr),
    Client(&'a str),
    ClientAt(&'a str, IpAddr),
    User { issuer: &'a str, user: &'a str },
}

impl Subject<'_> {
    pub(super) fn key(&self, limit: &'static str) -> RateKey {
        match self {
            Self::Address(address) => RateKey::new(limit, &[&network(*address).to_string()]),
            Self::Client(client) => RateKey::new(limit, &[client]),
            Self::ClientAt(client, address) => {
                RateKey::new(limit, &[client, &network(*address).to_string()])
            }
            Self::User(owner) => RateKey::new(limit, &[&owner.issuer, &owner.user]),
        }
    }

    /// What tells it from every other one, in this process: a hash is for what leaves it.
    pub(super) fn who(&self) -> Who<'_> {
        match self {
            Self::Address(address) => Who::Address(network(*address)),
            Self::Client(client) => Who::Client(client),
            Self::ClientAt(client, address) => Who::ClientAt(client, network(*address)),
            Self::User(Owner { issuer, user, .. }) => Who::User { issuer, user },
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) | Self::ClientAt(_, address) => Some(*address),
            Self::Client(_) | Self::User(_) => None,
        }
    }

    pub(super) const fn client(&self) -> Option<&str> {
        match self {
            Self::Client(client) | Self::ClientAt(client, _) => Some(client),
            Self::Address(_) | Self::User(_) => None,
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::User(owner) => Some(&owner.user),
            Self::Address(_) | Self::Client(_) | Self::ClientAt(..) => None,
        }
    }
}

/// What of an address stands for one customer of a network: an IPv4 address, or the first half of
/// one of IPv6 (RFC 6177).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
