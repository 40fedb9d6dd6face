//! Doorbells over pub/sub.
//!
//! Each instance subscribes to a channel of its own and to one of all, from boot to exit, on a
//! connection of its own. It publishes a beat to itself, which also keeps its lease: if its beats
//! do not come back, the connection is remade, and after each one it is told that bells may have
//! been lost.

mod desk;
mod health;
mod heart;
mod listener;
mod payload;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tracing::{Instrument as _, instrument};

pub(super) use self::health::Health;
use self::{desk::Desk, listener::Listener};
use super::{Redis, keys, link::away};
use crate::{
    Attendance, Bell, Bells, Bus, InstanceId, Ring, Ringer, SessionId, StoreError,
    bus::MAX_CARRIED,
    spans::{Place, TARGET},
    witness,
};

/// How often an instance says that it lives.
const BEAT: Duration = Duration::from_millis(300);
/// How long it counts as alive after that.
const LEASE: Duration = Duration::from_secs(2);

/// A bus over Redis. One instance listens to it: the process that made it.
pub struct RedisBus {
    redis: Redis,
    presence: Mutex<Option<Presence>>,
    /// Whether somebody listens here.
    listening: watch::Sender<bool>,
    desk: Arc<Desk>,
}

/// The instance that listens here.
#[derive(Clone)]
struct Presence {
    instance: InstanceId,
    ringer: Ringer,
}

impl RedisBus {
    /// The bus of whoever shares that Redis.
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            presence: Mutex::default(),
            listening: watch::Sender::default(),
            desk: Arc::default(),
        }
    }

    /// Returns when nobody listens here any more and the lease is given back, so that every other
    /// instance knows it: what a process should wait for before it exits.
    pub async fn gone(&self) {
        // It is there as long as this bus.
        let _ = self.listening.subscribe().wait_for(|listening| !listening).await;
    }

    /// How long ago this instance heard its own beat, which says that others' bells are heard;
    /// `None` while they are not.
    pub fn heard(&self) -> Option<Duration> {
        self.redis.recent.health.ago()
    }

    fn presence(&self) -> MutexGuard<'_, Option<Presence>> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        if bell.carried().is_some_and(|data| data.len() > MAX_CARRIED) {
            return Ok(());
        }
        let kind = bell.kind();
        let span = tracing::info_span!(target: TARGET, "ring", otel.kind = "producer",
            otel.name = format_args!("ring {kind}"), messaging.system = "redis",
            messaging.operation.name = "ring", messaging.operation.type = "send");
        let channel = match whom.clone() {
            Ring::One(instance) => {
                let here = self.presence().clone().filter(|here| here.instance == instance);
                if let Some(here) = here {
                    here.ringer.ring_at(Place::of(&span), bell);
                    return Ok(());
                }
                keys::instance(&instance)
            }
            Ring::All => keys::BUS.to_owned(),
        };
        witness::rang(&whom, &bell);
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(payload::write(&bell, Place::of(&span).as_ref()));
        self.redis.hot.run_anywhere(&publish).instrument(span).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError> {
        let lease = keys::instance(instance);
        if self.redis.hot.run(redis::cmd("EXISTS").arg(lease)).await? {
            return Ok(true);
        }
        if self.redis.recent.health.is_steady() {
            Ok(false)
        } else {
            Err(away("the bus has not been heard for long enough"))
        }
    }

    async fn listen(&self, instance: &InstanceId) -> Result<Bells, StoreError> {
        let (ringer, bells) = Bells::new();
        let here = Presence { instance: instance.clone(), ringer };
        {
            let mut presence = self.presence();
            if presence.as_ref().is_some_and(|before| !before.ringer.is_closed()) {
                return Err(away("the bus is listened to already"));
            }
            *presence = Some(here.clone());
            self.redis.notices.listens(Some(instance.clone()));
        }
        let (redis, desk) = (self.redis.clone(), Arc::clone(&self.desk));
        let listening = self.listening.clone();
        listening.send_replace(true);
        tokio::spawn(async move {
            let (Presence { instance, ringer }, began) = (&here, Instant::now());
            let listens = &Notify::new();
            let listener =
                Listener { redis: &redis, desk: &desk, instance, ringer, began, listens };
            let heart = heart::run(&redis, instance, ringer, began, listens);
            tokio::join!(heart, listener.run());
            redis.notices.listens(None);
            listening.send_replace(false);
        });
        Ok(bells)
    }

    fn attend(&self, session: SessionId) -> Attendance {
        self.desk.attend(session)
    }
}
