//! Where Redis is.

use std::{fmt, path::PathBuf, str::FromStr};

use thiserror::Error;

use super::connect::Source;

const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where Redis is and how to speak to it, as an operator writes it:
///
/// | | |
/// |---|---|
/// | `redis://host:6379/0` | one server |
/// | `redis+cluster://a:6379,b:6379` | a cluster; one node that answers is enough |
/// | `redis+sentinel://a:26379,b:26379/mymaster` | the master that these sentinels name |
///
/// `rediss` in place of `redis` means TLS. `user:password@` may stand before the first host.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    pub(super) topology: Topology,
    pub(super) nodes: Vec<(String, u16)>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: bool,
    /// A file with the certificates to trust in place of the machine's.
    pub(super) ca: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    Single { db: i64 },
    Cluster,
    Sentinel { master: String },
}

/// An address that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidAddress {
    /// It is not written as one.
    #[error("{0}")]
    Form(&'static str),
    /// The certificates cannot be read.
    #[error("{path}: {reason}")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The client library takes it for none.
    #[error("{0}")]
    Client(String),
}

impl RedisAddress {
    /// The same with another password.
    #[must_use]
    pub fn with_password(self, password: impl Into<String>) -> Self {
        Self { password: Some(password.into()), ..self }
    }

    /// The same over TLS, trusting the certificates in a file in place of the machine's.
    #[must_use]
    pub fn with_tls(self, ca: Option<PathBuf>) -> Self {
        Self { tls: true, ca, ..self }
    }

    /// Whether it is spoken to over TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether a password goes with it.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether connections can be made by it at all, be there a server or not: reads the file of
    /// certificates.
    pub fn check(&self) -> Result<(), InvalidAddress> {
        Source::new(self).map(drop)
    }
}

impl FromStr for RedisAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let form = InvalidAddress::Form;
        let (scheme, rest) = text.split_once("://").ok_or(form("it has no scheme"))?;
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return Err(form("its scheme is neither redis nor rediss")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let port = if kind == "sentinel" { SENTINEL_PORT } else { DEFAULT_PORT };
        let nodes: Vec<_> =
            hosts.split(',').map(|host| node(host, port)).collect::<Result<_, _>>()?;
        let topology = match kind {
            "" if nodes.len() == 1 => {
                let db = if path.is_empty() { Ok(0) } else { path.parse() };
                Topology::Single {
                    db: db.map_err(|_| form("its path is no number of a database"))?,
                }
            }
            "" => return Err(form("it names several hosts and no +cluster or +sentinel")),
            "cluster" if path.is_empty() => Topology::Cluster,
            "cluster" => return Err(form("a cluster has no databases")),
            "sentinel" if path.is_empty() => {
                return Err(form("it does not name the master after the sentinels"));
            }
            "sentinel" => Topology::Sentinel { master: path.to_owned() },
            _ => return Err(form("after + comes cluster or sentinel")),
        };
        Ok(Self { topology, nodes, user, password, tls, ca: None })
    }
}

/// Without the password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(match self.topology {
            Topology::Single { .. } => "",
            Topology::Cluster => "+cluster",
            Topology::Sentinel { .. } => "+sentinel",
        })?;
        f.write_str("://")?;
        for (number, (host, port)) in self.nodes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{host}:{port}")?;
        }
        match &self.topology {
            Topology::Single { db: 0 } | Topology::Cluster => Ok(()),
            Topology::Single { db } => write!(f, "/{db}"),
            Topology::Sentinel { master } => write!(f, "/{master}"),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn node(text: &str, default: u16) -> Result<(String, u16), InvalidAddress> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (text, Some(default)),
    };
    let port = port.ok_or(InvalidAddress::Form("a port is no number up to 65535"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(InvalidAddress::Form("a host is missing"));
    }
    Ok((host.to_owned(), port))
}

fn decoded(text: &str) -> Result<Option<String>, InvalidAddress> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| InvalidAddress::Form("the login is not UTF-8"))?;
    Ok(Some(decoded.into_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RedisAddress {
        text.parse().unwrap()
    }

    #[test]
    fn each_kind_is_read() {
        let single = read("redis://localhost");
        assert_eq!(single.nodes, [("localhost".to_owned(), 6379)]);
        assert_eq!(single.topology, Topology::Single { db: 0 });
        assert_eq!(read("redis://h/3").topology, Topology::Single { db: 3 });
        let cluster = read("redis+cluster://a:1,b:2");
        assert_eq!((cluster.topology, cluster.nodes.len()), (Topology::Cluster, 2));
        let sentinel = read("rediss+sentinel://a,[::1]:7/main");
        assert_eq!(sentinel.topology, Topology::Sentinel { master: "main".to_owned() });
        assert_eq!(sentinel.nodes, [("a".to_owned(), 26379), ("::1".to_owned(), 7)]);
        assert!(sentinel.tls);
    }

    #[test]
    fn the_login_is_decoded_and_never_shown() {
        let address = read("redis://me:p%40ss@host:1");
        assert_eq!(address.user.as_deref(), Some("me"));
        assert_eq!(address.password.as_deref(), Some("p@ss"));
        assert_eq!(address.to_string(), "redis://host:1");
        assert_eq!(read("redis://:secret@host").user, None);
        assert!(!format!("{:?}", read("redis://:secret@host")).contains("secret"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("localhost:6379", "scheme"),
            ("http://localhost", "redis"),
            ("redis://", "host"),
            ("redis://a:b", "port"),
            ("redis://a,b", "several"),
            ("redis://a/x", "database"),
            ("redis+cluster://a/1", "databases"),
            ("redis+sentinel://a", "master"),
            ("redis+ring://a", "cluster or sentinel"),
        ] {
            let error = text.parse::<RedisAddress>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
