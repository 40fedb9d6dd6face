//! A connection that is always there, or says at once that it is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, interval, sleep},
};
use tracing::Span;

use super::{
    Answer, LinkName, Observer, connect::Source, connection::Connection, script, unreadable,
};
use crate::{StoreError, spans};

/// How long something waits for a connection that was lost just now. One that is away for longer
/// is not waited for.
const GRACE: Duration = Duration::from_secs(1);
/// Answers that may fail to come in a row before the connection is taken for dead.
const TIMEOUTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a connection that nobody uses is tried.
const PROBE: Duration = Duration::from_secs(1);

#[derive(Clone)]
enum State {
    Up { generation: u64, connection: Connection },
    Down { since: Instant },
}

/// What is asked.
#[derive(Clone, Copy)]
enum Asked<'a> {
    One(&'a Cmd),
    Several(&'a Pipeline),
    /// What every node of a cluster can be asked.
    Anywhere(&'a Cmd),
}

impl<'a> Asked<'a> {
    async fn of(self, connection: &mut Connection) -> RedisResult<Value> {
        match self {
            Self::One(command) => command.query_async(connection).await,
            Self::Several(pipeline) => pipeline.query_async(connection).await,
            Self::Anywhere(command) => connection.ask_any(command).await?.extract_error(),
        }
    }

    /// The command whose key says which node of a cluster is asked.
    fn first(self) -> Option<&'a Cmd> {
        match self {
            Self::One(command) | Self::Anywhere(command) => Some(command),
            Self::Several(pipeline) => pipeline.cmd_iter().next(),
        }
    }
}

/// A connection, remade whenever it breaks.
#[derive(Clone)]
pub(super) struct Link {
    name: LinkName,
    observer: Arc<dyn Observer>,
    state: watch::Receiver<State>,
    broken: mpsc::Sender<u64>,
    timeouts: Arc<AtomicU32>,
    /// Whether the connection is to the nodes of a cluster, and is mended where it breaks.
    mends: bool,
}

impl Link {
    pub(super) fn start(name: LinkName, source: Arc<Source>, observer: Arc<dyn Observer>) -> Self {
        let (states, state) = watch::channel(State::Down { since: Instant::now() });
        let (broken, breaks) = mpsc::channel(1);
        let mends = source.is_cluster();
        let told = Arc::clone(&observer);
        tokio::spawn(Keeper { name, source, observer: told, states, breaks }.run());
        Self { name, observer, state, broken, timeouts: Arc::default(), mends }
    }

    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.ask(Asked::One(command)).await
    }

    /// Several commands of one hash slot in one round trip.
    pub(super) async fn pipe<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
    ) -> Result<T, StoreError> {
        self.ask(Asked::Several(pipeline)).await
    }

    /// A command without a key, for whichever node of a cluster answers.
    pub(super) async fn run_anywhere<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        self.ask(Asked::Anywhere(command)).await
    }

    async fn ask<T: FromRedisValue>(&self, asked: Asked<'_>) -> Result<T, StoreError> {
        let since = Instant::now();
        let told = |answer| self.observer.answered(self.name, answer, since.elapsed());
        let (generation, mut connection) =
            self.connection().await.inspect_err(|_| told(Answer::None))?;
        let mut answer = asked.of(&mut connection).await;
        if answer.as_ref().is_err_and(is_no_script) {
            // Redis was restarted, or told to forget them. Every operation may run twice.
            answer = match connection.teach(asked.first()).await {
                Ok(()) => asked.of(&mut connection).await,
                Err(error) => Err(error),
            };
        }
        told(Answer::of(&answer));
        match answer {
            Ok(answer) => {
                self.timeouts.store(0, Ordering::Relaxed);
                // Not left to the client library, to which an answer of another shape is one that
                // broke the connection.
                T::from_redis_value(answer).map_err(|error| unlike(&error))
            }
            Err(error) => {
                if self.is_over(&error) {
                    // The keeper may have heard of it already.
                    let _ = self.broken.try_send(generation);
                }
                spans::failed(&Span::current(), "unavailable");
                Err(failed(&error))
            }
        }
    }

    async fn connection(&self) -> Result<(u64, Connection), StoreError> {
        let mut state = self.state.clone();
        loop {
            let since = match &*state.borrow_and_update() {
                State::Up { generation, connection } => {
                    return Ok((*generation, connection.clone()));
                }
                State::Down { since } => *since,
            };
            tokio::select! {
                changed = state.changed() => {
                    changed.map_err(|_| away("the process ends"))?;
                }
                () = tokio::time::sleep_until(since + GRACE) => return Err(away("no connection")),
            }
        }
    }

    /// Whether a connection is of no more use after an error.
    fn is_over(&self, error: &RedisError) -> bool {
        if self.mends {
            return false;
        }
        if error.is_timeout() {
            return self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS;
        }
        matches!(
            error.kind(),
            ErrorKind::Io
                | ErrorKind::Parse
                | ErrorKind::AuthenticationFailed
                | ErrorKind::ClusterConnectionNotFound
                // It was demoted, or is not what it was.
                | ErrorKind::Server(
                    ServerErrorKind::ReadOnly
                        | ServerErrorKind::MasterDown
                        | ServerErrorKind::BusyLoading
                )
        ) || error.code() == Some("NOREPLICAS")
    }
}

/// Keeps a link connected.
struct Keeper {
    name: LinkName,
    source: Arc<Source>,
    observer: Arc<dyn Observer>,
    states: watch::Sender<State>,
    breaks: mpsc::Receiver<u64>,
}

impl Keeper {
    async fn run(mut self) {
        let mut generation = 0;
        loop {
            let Some(connection) = self.connect().await else { return };
            generation += 1;
            self.observer.connected(self.name);
            self.states.send_replace(State::Up { generation, connection: connection.clone() });
            tracing::info!(
                event = "redis.connected",
                link = self.name.as_str(),
                generation,
                "connected to Redis"
            );
            if !self.until_broken(generation, connection).await {
                return;
            }
            if self.source.is_cluster() {
                // The nodes that answer are used until there is a new one.
                continue;
            }
            self.states.send_replace(State::Down { since: Instant::now() });
            self.observer.lost(self.name);
            tracing::warn!(
                event = "redis.lost",
                link = self.name.as_str(),
                "the connection to Redis is lost"
            );
        }
    }

    /// `None` if nobody uses the link any more.
    async fn connect(&self) -> Option<Connection> {
        let mut pause = FIRST_PAUSE;
        loop {
            let made = async {
                let mut connection = self.source.connect().await?;
                if !self.source.is_cluster() {
                    script::load(&mut connection).await?;
                }
                Ok::<_, RedisError>(connection)
            };
            match made.await {
                Ok(connection) => return Some(connection),
                Err(error) => {
                    tracing::debug!(event = "redis.away", link = self.name.as_str(), %error,
                        "Redis cannot be reached");
                }
            }
            tokio::select! {
                () = self.states.closed() => return None,
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    /// `false` if nobody uses the link any more.
    async fn until_broken(&mut self, generation: u64, mut connection: Connection) -> bool {
        let mut probes = interval(PROBE);
        let mut silent = 0;
        loop {
            tokio::select! {
                () = self.states.closed() => return false,
                broken = self.breaks.recv() => match broken {
                    Some(broken) if broken == generation => return true,
                    Some(_) => {}
                    None => return false,
                },
                _ = probes.tick() => {
                    match self.source.probe(&mut connection).await {
                        Ok(()) => silent = 0,
                        Err(error) if error.is_timeout() || self.source.is_cluster() => silent += 1,
                        Err(_) => return true,
                    }
                    if silent >= TIMEOUTS {
                        return true;
                    }
                }
            }
        }
    }
}

fn is_no_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn failed(error: &RedisError) -> StoreError {
    let mut errors = error.clone().into_server_errors().into_iter();
    if errors.any(|errors| errors.iter().any(|(_, error)| error.code() == "WRONGTYPE")) {
        return unlike(error);
    }
    away(&error.to_string())
}

/// What is there is not what this program wrote.
fn unlike(reason: &impl ToString) -> StoreError {
    unreadable("?".to_owned(), &reason.to_string())
}

pub(super) fn away(reason: &str) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned() }
}
