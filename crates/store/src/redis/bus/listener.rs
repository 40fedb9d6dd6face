//! The one connection on which an instance hears what is published.

use std::{convert::Infallible, future, time::Duration};

use futures::StreamExt as _;
use redis::{
    Msg, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    desk::Desk,
    health::SILENCE,
    payload::{self, Heard},
};
use crate::{
    Bell, InstanceId, Ringer,
    redis::{LinkName, Redis, connect::no_answer, keys, notices::Sender, recent::Ended},
    spans::Place,
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How much of what cannot be read is shown in the log, in bytes.
const SHOWN: usize = 64;

pub(super) struct Listener<'a> {
    pub(super) redis: &'a Redis,
    pub(super) desk: &'a Desk,
    pub(super) instance: &'a InstanceId,
    pub(super) ringer: &'a Ringer,
    /// What the times of beats are counted from.
    pub(super) began: Instant,
    /// Told whenever what is published from then on is heard.
    pub(super) listens: &'a Notify,
}

impl Listener<'_> {
    /// Listens for as long as somebody hears it. The connection is remade whenever it breaks or
    /// falls silent.
    pub(super) async fn run(self) {
        tokio::select! {
            () = self.ringer.closed() => {}
            () = self.listen() => {}
        }
        self.redis.recent.health.lost();
    }

    async fn listen(&self) {
        let mut pause = FIRST_PAUSE;
        for time in 0.. {
            match self.subscribe(time).await {
                Ok((sink, stream)) => {
                    self.redis.observer.connected(LinkName::Bus);
                    tracing::info!(event = "bus.connected", "bells are heard");
                    // Only now: what rings from here on is heard, what rang before may be lost.
                    self.ring(None, Bell::Missed);
                    self.listens.notify_one();
                    let beaten = tokio::select! {
                        beaten = self.hear(stream) => beaten,
                        never = self.follow(sink) => match never {},
                    };
                    if beaten {
                        pause = FIRST_PAUSE;
                    }
                    self.redis.recent.health.lost();
                    self.redis.observer.lost(LinkName::Bus);
                    tracing::warn!(event = "bus.lost", "bells are not heard");
                }
                Err(error) => {
                    tracing::debug!(event = "bus.away", %error, "bells are not heard yet");
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn subscribe(&self, time: usize) -> RedisResult<(PubSubSink, PubSubStream)> {
        let (mut sink, stream) = self.redis.source.subscribe(time).await?;
        let channels = [keys::instance(self.instance), keys::BUS.to_owned()];
        timeout(SILENCE, sink.subscribe(&channels)).await.unwrap_or_else(|_| Err(no_answer()))?;
        Ok((sink, stream))
    }

    /// Nothing depends on the channels of sessions. Where they cannot be subscribed to, bells are
    /// heard all the same, and a connection that broke is noticed by that.
    async fn follow(&self, sink: PubSubSink) -> Infallible {
        if let Err(error) = self.desk.follow(sink).await {
            tracing::debug!(event = "bus.unavailable", %error, "sessions are served unseen");
        }
        future::pending().await
    }

    /// What a bell is about is believed no more, also where its notice was not heard: instances of
    /// versions before send none.
    fn ring(&self, at: Option<Place>, bell: Bell) {
        match &bell {
            // Whatever was believed may have ended unheard.
            Bell::Missed => self.redis.recent.forget_all(),
            Bell::Ended(session) => self.redis.recent.forget(&Ended::Session(*session)),
            Bell::Revoked(grant) => self.redis.recent.forget(&Ended::Grant(*grant)),
            _ => {}
        }
        self.ringer.ring_at(at, bell);
    }

    /// Forgets what has ended, and says so to whoever waits for that. The notice was published in
    /// the same step as the end, and so it rings the bell as well: whoever ended it may be gone.
    fn ended(&self, ended: &Ended, sender: Option<Sender>) {
        match ended {
            Ended::Session(session) => self.ring(None, Bell::Ended(*session)),
            Ended::Grant(grant) => self.ring(None, Bell::Revoked(*grant)),
            Ended::Token(_) => self.redis.recent.forget(ended),
        }
        let Some(Sender { instance, number }) = sender else { return };
        if instance == *self.instance {
            self.redis.notices.heard(number, instance);
            return;
        }
        let mut known = redis::cmd("PUBLISH");
        known.arg(keys::instance(&instance)).arg(payload::known(number, self.instance));
        let redis = self.redis.clone();
        tokio::spawn(async move {
            // Who is not told waits until nobody can believe it any more.
            if let Err(error) = redis.hot.run_anywhere::<()>(&known).await {
                tracing::debug!(event = "bus.unavailable", %error, "a notice is heard in silence");
            }
        });
    }

    /// Hears what comes, until nothing does. Whether a beat was among it.
    async fn hear(&self, mut stream: PubSubStream) -> bool {
        let mut beaten = false;
        let mut silent = Instant::now() + SILENCE;
        loop {
            tokio::select! {
                message = stream.next() => match message.map(|message| read(&message)) {
                    Some(Some(Heard::Beat(at))) => {
                        let (sent, now) = (Duration::from_millis(at), Instant::now());
                        // Nothing was sent later than now.
                        let sent = self.began.checked_add(sent).map_or(now, |sent| sent.min(now));
                        self.redis.recent.health.heard(sent);
                        beaten = true;
                        silent = Instant::now() + SILENCE;
                    }
                    Some(Some(Heard::Bell(bell, at))) => self.ring(at, bell),
                    Some(Some(Heard::Ended(ended, sender))) => self.ended(&ended, sender),
                    Some(Some(Heard::Known(number, by))) => self.redis.notices.heard(number, by),
                    Some(None) => {}
                    None => return beaten,
                },
                () = sleep_until(silent) => return beaten,
            }
        }
    }
}

/// `None` for what is not for this instance to hear.
fn read(message: &Msg) -> Option<Heard> {
    let channel = message.get_channel_name();
    if channel.starts_with(keys::TO_SERVER) {
        return None;
    }
    let payload = message.get_payload_bytes();
    let heard = payload::read(payload);
    if heard.is_none() {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(SHOWN)]);
        tracing::warn!(event = "bus.unreadable", channel, payload = %shown,
            "something was published that is no bell");
    }
    heard
}
