//! A connection that many requests share.

use redis::{
    Arg, Cmd, Pipeline, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
};

use super::script;

/// To one server, or to the nodes of a cluster.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Asks one node of a cluster, whichever is there.
    pub(super) async fn ask_any(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => {
                let any = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                connection.route_command(command.clone(), any).await
            }
        }
    }

    /// Makes the scripts known to the node that runs a command, which calls one on a key.
    pub(super) async fn teach(&mut self, call: Option<&Cmd>) -> RedisResult<()> {
        match self {
            Self::One(connection) => script::load(connection).await,
            Self::Cluster(connection) => {
                let to = match call.and_then(|call| call.args_iter().nth(3)) {
                    Some(Arg::Simple(key)) => {
                        SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
                    }
                    Some(_) | None => SingleNodeRoutingInfo::RandomPrimary,
                };
                let scripts = script::loading();
                let count = scripts.len();
                let taught = connection.route_pipeline(scripts, 0, count, to).await?;
                taught.into_iter().try_for_each(|answer| answer.extract_error().map(|_| ()))
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
