//! `/status/events`: what the page shows, as it comes.
//!
//! Nothing waits for a viewer who reads too slowly: figures are the newest there are, steps that find
//! no room are skipped, and a viewer who reads nothing for a while is let go.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension,
    extract::{Query, State},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures::stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use mcp_everything_store::{OwnerMark, Session, SessionId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch},
    time::{Duration, Instant, MissedTickBehavior, interval, timeout},
};

use super::{StatusPage, door::Viewer, page};
use crate::status::{Reports, SAYS_SO_EVERY, Step};

/// How many may look at an instance at a time.
const MOST: usize = 64;
/// How many events wait for a viewer.
const WAITING: usize = 4;
/// How long a viewer may read nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a viewer's sessions and the log are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How many sessions are listed.
const SESSIONS: usize = 50;
/// When to come back to a stream that ended.
const RETRY: Duration = Duration::from_secs(1);

/// The room there is for viewers.
#[derive(Clone)]
pub(crate) struct Viewers(Arc<Semaphore>);

impl Default for Viewers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// What somebody wants to see besides.
#[derive(Deserialize)]
pub(super) struct About {
    session: Option<String>,
}

pub(super) async fn stream(
    State(page): State<Arc<StatusPage>>,
    Extension(viewer): Extension<Viewer>,
    Query(about): Query<About>,
) -> Response {
    let watched = match about.session.map(|id| id.parse::<SessionId>().ok()) {
        None => None,
        Some(id) => match page::known(&page, &viewer, id).await {
            Ok((id, session)) => Some(Watched {
                id,
                owner: OwnerMark::from(&session.owner),
                contents: viewer.owns(&session.owner),
            }),
            Err(status) => return status.into_response(),
        },
    };
    let Ok(place) = Arc::clone(&page.viewers.0).try_acquire_owned() else {
        let headers = [(header::RETRY_AFTER, "5")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, "too many look already\n")
            .into_response();
    };
    let (events, waiting) = mpsc::channel(WAITING);
    let showing = Showing { page, viewer, watched, events };
    tokio::spawn(showing.run(place));
    let events = stream::unfold(waiting, |mut waiting| async move {
        let event: Event = waiting.recv().await?;
        Some((Ok::<_, Infallible>(event), waiting))
    });
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// What one viewer is shown.
struct Showing {
    page: Arc<StatusPage>,
    viewer: Viewer,
    watched: Option<Watched>,
    events: mpsc::Sender<Event>,
}

/// The session that a viewer watches. Whose it is never changes.
#[derive(Clone, Copy)]
struct Watched {
    id: SessionId,
    owner: OwnerMark,
    /// Whether it is the viewer's, who sees what is in its messages.
    contents: bool,
}

/// The viewer is gone, or may not see any more.
struct Over;

impl Showing {
    /// Shows what there is until the viewer leaves, may not look any more, or the instance goes away.
    async fn run(self, place: OwnedSemaphorePermit) {
        let _place = place;
        let ended = self.page.draining.clone();
        // Whatever ends it, the browser comes back and is told then.
        let _ = ended.run_until_cancelled(self.show()).await;
    }

    async fn show(&self) -> Result<(), Over> {
        self.put(Event::default().retry(RETRY).comment("hello")).await?;
        let mut reports = self.page.status.reports();
        self.watch().await?;
        let mut steps = self.watched.as_ref().map(|watched| self.page.status.steps(watched.id));
        let mut lines = 0;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut said = None::<Instant>;
        loop {
            tokio::select! {
                _ = looks.tick() => {
                    self.is_over()?;
                    if said.is_none_or(|said| said.elapsed() >= SAYS_SO_EVERY) {
                        said = Some(Instant::now());
                        self.page.status.look().await;
                        self.watch().await?;
                        // A viewer who sees nothing else is told that the stream lives.
                        self.sessions().await?;
                    }
                    lines = self.lines(lines).await?;
                }
                changed = reports.changed(), if self.viewer.all => {
                    changed.map_err(|_| Over)?;
                    self.figures(&mut reports).await?;
                }
                step = next(&mut steps) => self.steps(step).await?,
            }
        }
    }

    fn is_over(&self) -> Result<(), Over> {
        let now = self.page.status.clock.now();
        let is_over = self.viewer.until.is_some_and(|until| now >= until);
        if is_over { Err(Over) } else { Ok(()) }
    }

    /// Says that the session is watched, and whether it still lives.
    async fn watch(&self) -> Result<(), Over> {
        let Some(Watched { id, owner, contents }) = self.watched else { return Ok(()) };
        let status = &self.page.status;
        status.watch(id, owner, contents).await;
        match status.store.glance(id).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.put(event("gone", &Value::Null)).await,
            // It is looked at again soon.
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error,
                    "a session that is watched could not be looked at");
                Ok(())
            }
        }
    }

    async fn figures(&self, reports: &mut watch::Receiver<Arc<Reports>>) -> Result<(), Over> {
        let shown = reports.borrow_and_update().shown(&self.page.status.instance);
        self.put(event("figures", &shown)).await
    }

    async fn sessions(&self) -> Result<(), Over> {
        let Some(user) = &self.viewer.user else {
            return self.put(Event::default().comment("")).await;
        };
        match self.page.status.store.of_user(user, SESSIONS).await {
            Ok(sessions) => {
                let shown = sessions.iter().map(|(id, session)| named(*id, session));
                self.put(event("sessions", &shown.collect())).await
            }
            Err(error) => {
                tracing::debug!(event = "store.unavailable", %error,
                    "the sessions of a user could not be listed");
                Ok(())
            }
        }
    }

    async fn lines(&self, seen: u64) -> Result<u64, Over> {
        if !self.viewer.all {
            return Ok(seen);
        }
        let (lines, count) = self.page.lines.since(seen);
        if !lines.is_empty() {
            self.put(event("lines", &json!(lines))).await?;
        }
        Ok(count)
    }

    async fn steps(&self, told: Told) -> Result<(), Over> {
        let steps = match told {
            Told::Steps(steps) => steps,
            Told::Skipped => return self.put(event("skipped", &Value::Null)).await,
        };
        // Somebody else who watches here may see more.
        let contents = self.watched.is_some_and(|watched| watched.contents);
        let shown =
            steps.iter().map(|step| if contents { step.clone() } else { step.without_contents() });
        self.put(event("steps", &json!(shown.collect::<Vec<_>>()))).await
    }

    async fn put(&self, event: Event) -> Result<(), Over> {
        put(&self.events, event).await
    }
}

/// Waits a while for a viewer who reads slowly.
async fn put(events: &mpsc::Sender<Event>, event: Event) -> Result<(), Over> {
    let sent = timeout(PATIENCE, events.send(event)).await;
    sent.ok().and_then(Result::ok).ok_or(Over)
}

enum Told {
    Steps(Arc<Vec<Step>>),
    Skipped,
}

/// What comes next of a session that is watched; of none nothing ever.
async fn next(steps: &mut Option<broadcast::Receiver<Arc<Vec<Step>>>>) -> Told {
    let Some(receiver) = steps else { return std::future::pending().await };
    match receiver.recv().await {
        Ok(steps) => Told::Steps(steps),
        Err(broadcast::error::RecvError::Lagged(_)) => Told::Skipped,
        Err(broadcast::error::RecvError::Closed) => {
            *steps = None;
            std::future::pending().await
        }
    }
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// What a user is told of a session of theirs.
fn named(id: SessionId, session: &Session) -> Value {
    let Session { owner, handshake, .. } = session;
    let initialize = handshake.as_ref().map(|handshake| &handshake.initialize);
    let initialize = initialize.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let name = initialize.as_ref().and_then(|said| said["clientInfo"]["name"].as_str());
    let version = handshake.as_ref().map(|handshake| &*handshake.protocol_version);
    json!({ "id": id.to_string(), "client": owner.client, "name": name, "version": version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_viewer_who_does_not_read_is_let_go() {
        let (events, mut reads) = mpsc::channel(WAITING);
        for _ in 0..WAITING {
            assert!(put(&events, Event::default()).await.is_ok());
        }
        let asked = Instant::now();
        assert!(put(&events, Event::default()).await.is_err());
        assert!(asked.elapsed() >= PATIENCE);
        let _ = reads.recv().await.unwrap();
        assert!(put(&events, Event::default()).await.is_ok(), "there is room again");
        drop(reads);
        assert!(put(&events, Event::default()).await.is_err(), "nobody is left");
    }
}
