//! Making connections.

use std::time::Duration;

use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, RedisError,
    RedisResult, TlsCertificates, Value,
    aio::{ConnectionLike, PubSubSink, PubSubStream},
    cluster::ClusterClient,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::time::timeout;

use super::{InvalidAddress, RedisAddress, address::Topology, connection::Connection};

/// How long a connection may take to be made, and Redis to answer.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_millis(900);

/// Where connections are made to.
pub(super) enum Source {
    Single(Box<Client>),
    Sentinel { sentinels: Vec<Sentinel>, master: String, address: RedisAddress },
    Cluster { client: Box<ClusterClient>, nodes: Vec<Client> },
}

/// A sentinel. It may have the login of what it watches over, or none.
pub(super) struct Sentinel {
    with_login: Client,
    without: Client,
}

impl Source {
    pub(super) fn new(address: &RedisAddress) -> Result<Self, InvalidAddress> {
        let certificates = certificates(address)?;
        let clients = address.nodes.iter().map(|(host, port)| client(address, host, *port));
        let mut clients = clients.collect::<Result<Vec<_>, _>>()?;
        Ok(match &address.topology {
            Topology::Single { .. } => Self::Single(Box::new(clients.swap_remove(0))),
            Topology::Sentinel { master } => {
                let anybody = RedisAddress { user: None, password: None, ..address.clone() };
                let without = |(host, port): &(String, u16)| client(&anybody, host, *port);
                let sentinels = clients
                    .into_iter()
                    .zip(&address.nodes)
                    .map(|(with_login, node)| Ok(Sentinel { with_login, without: without(node)? }));
                Self::Sentinel {
                    sentinels: sentinels.collect::<Result<_, _>>()?,
                    master: master.clone(),
                    address: address.clone(),
                }
            }
            Topology::Cluster => {
                let infos = clients.iter().map(|client| client.get_connection_info().clone());
                let mut builder = ClusterClient::builder(infos)
                    .tcp_settings(tcp())
                    .connection_timeout(CONNECT)
                    .response_timeout(ANSWER)
                    // Every operation may run twice.
                    .retries(3);
                if let Some(user) = &address.user {
                    builder = builder.username(user);
                }
                if let Some(password) = &address.password {
                    builder = builder.password(password);
                }
                if address.tls {
                    builder = builder.tls(redis::cluster::TlsMode::Secure).certs(certificates);
                }
                let client = builder.build().map_err(|error| unusable(&error))?;
                Self::Cluster { client: Box::new(client), nodes: clients }
            }
        })
    }

    /// A connection for commands.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        Ok(match self {
            Self::Cluster { client, .. } => {
                Connection::Cluster(soon(client.get_async_connection()).await?)
            }
            Self::Single(client) => Connection::One(
                soon(client.get_multiplexed_async_connection_with_config(&config)).await?,
            ),
            Self::Sentinel { .. } => {
                let client = self.master().await?;
                Connection::One(
                    soon(client.get_multiplexed_async_connection_with_config(&config)).await?,
                )
            }
        })
    }

    /// Speaks to a node of a cluster itself, which says why it cannot be used: the cluster's client
    /// hides that.
    pub(super) async fn ask_a_node(&self) -> RedisResult<()> {
        let Self::Cluster { nodes, .. } = self else { return Ok(()) };
        let mut last = no_answer();
        for node in nodes {
            let asked = async {
                let mut connection = node.get_multiplexed_async_connection().await?;
                redis::cmd("PING").query_async(&mut connection).await
            };
            match soon(asked).await {
                Ok(()) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A connection for subscriptions. In a cluster any node will do, since what is published
    /// reaches all of them; but one that is cut off from the others still answers, so that the
    /// search begins with another each time.
    pub(super) async fn subscribe(&self, time: usize) -> RedisResult<(PubSubSink, PubSubStream)> {
        let client = match self {
            Self::Single(client) => client,
            Self::Sentinel { .. } => &self.master().await?,
            Self::Cluster { nodes, .. } => {
                let mut last = no_answer();
                for node in nodes.iter().cycle().skip(time % nodes.len()).take(nodes.len()) {
                    match soon(node.get_async_pubsub()).await {
                        Ok(pubsub) => return Ok(pubsub.split()),
                        Err(error) => last = error,
                    }
                }
                return Err(last);
            }
        };
        Ok(soon(client.get_async_pubsub()).await?.split())
    }

    /// The master that the first sentinel to answer names, if it takes itself for one.
    async fn master(&self) -> RedisResult<Client> {
        let Self::Sentinel { sentinels, master, address } = self else { return Err(no_answer()) };
        let mut last = no_answer();
        for sentinel in sentinels {
            match soon(named(sentinel, master, address)).await {
                Ok(client) => return Ok(client),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Whether a connection still leads where it should.
    pub(super) async fn probe(&self, connection: &mut Connection) -> RedisResult<()> {
        match self {
            Self::Single(_) | Self::Cluster { .. } => {
                redis::cmd("PING").query_async(connection).await
            }
            Self::Sentinel { .. } => is_master(connection).await,
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }
}

async fn named(sentinel: &Sentinel, master: &str, address: &RedisAddress) -> RedisResult<Client> {
    let asked = match sentinel.with_login.get_multiplexed_async_connection().await {
        Err(error) if error.kind() == ErrorKind::AuthenticationFailed => {
            sentinel.without.get_multiplexed_async_connection().await
        }
        asked => asked,
    };
    let mut asked = asked?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("get-master-addr-by-name").arg(master);
    let named: Option<(String, u16)> = command.query_async(&mut asked).await?;
    let unknown = (ErrorKind::Client, "the sentinel knows no master of that name");
    let (host, port) = named.ok_or(unknown)?;
    let client = client(address, &host, port).map_err(|error| {
        RedisError::from((ErrorKind::InvalidClientConfig, "no client", error.to_string()))
    })?;
    // A sentinel may not have noticed yet.
    is_master(&mut client.get_multiplexed_async_connection().await?).await?;
    Ok(client)
}

async fn is_master(connection: &mut impl ConnectionLike) -> RedisResult<()> {
    let role: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(()),
        _ => Err((ErrorKind::Client, "it is no master").into()),
    }
}

fn client(address: &RedisAddress, host: &str, port: u16) -> Result<Client, InvalidAddress> {
    let host = host.to_owned();
    let addr = if address.tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let mut info: ConnectionInfo = addr.into_connection_info().map_err(|error| unusable(&error))?;
    let mut login = info.redis_settings().clone();
    if let Topology::Single { db } = address.topology {
        login = login.set_db(db);
    }
    if let Some(user) = &address.user {
        login = login.set_username(user);
    }
    if let Some(password) = &address.password {
        login = login.set_password(password);
    }
    info = info.set_redis_settings(login).set_tcp_settings(tcp());
    if address.tls {
        Client::build_with_tls(info, certificates(address)?).map_err(|error| unusable(&error))
    } else {
        Client::open(info).map_err(|error| unusable(&error))
    }
}

fn certificates(address: &RedisAddress) -> Result<TlsCertificates, InvalidAddress> {
    if address.tls {
        // One provider for everything in the process; whoever was first has chosen.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let root_cert = address.ca.as_ref().map(|path| {
        let invalid =
            |reason| InvalidAddress::Certificates { path: path.display().to_string(), reason };
        let read = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
        // The client library takes a file without any, and then trusts nobody.
        match CertificateDer::pem_slice_iter(&read).next() {
            Some(Ok(_)) => Ok(read),
            Some(Err(error)) => Err(invalid(error.to_string())),
            None => Err(invalid("there is no certificate in it".to_owned())),
        }
    });
    Ok(TlsCertificates { client_tls: None, root_cert: root_cert.transpose()? })
}

/// A connection that died in silence is noticed within seconds, also with requests under way.
fn tcp() -> TcpSettings {
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(5))
        .with_interval(Duration::from_secs(1))
        .with_retries(3);
    TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(probes)
        .set_user_timeout(Duration::from_secs(5))
}

async fn soon<T>(making: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(CONNECT + ANSWER, making).await.unwrap_or_else(|_| Err(no_answer()))
}

pub(super) fn no_answer() -> RedisError {
    RedisError::from((ErrorKind::Io, "no answer"))
}

fn unusable(error: &RedisError) -> InvalidAddress {
    InvalidAddress::Client(error.to_string())
}
