//! Everything for one client over standard input and output.
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates logging (SEP-2577); the revisions before have it"
)]

use std::{
    collections::BTreeSet,
    io,
    os::fd::{AsFd as _, BorrowedFd},
    sync::Arc,
};

use async_trait::async_trait;
use mcp_everything_features::{
    Change, Changes as _, Everything, Listener, LocalChanges, LocalSession, SessionState as _,
    User, is_untyped, notifications,
};
use mcp_everything_store::InstanceId;
use mcp_everything_transport::{Stdio, StdioConfig, StdioSession};
use rmcp::model::{
    LoggingLevel, PromptListChangedNotification, ResourceListChangedNotification,
    ServerNotification, ToolListChangedNotification,
};
use tokio_util::sync::CancellationToken;

use super::{StartError, base::Base, everything::options};
use crate::{
    metrics::Metrics,
    settings::Settings,
    unasked::{Audience, Listening, Unasked},
};

/// A server that has its client.
pub(crate) struct StdioApp {
    connection: Stdio<Everything>,
    leaving: CancellationToken,
    stop: CancellationToken,
}

impl StdioApp {
    /// Keeps everything in memory, whatever the settings say: the client is alone, and gone when it
    /// is gone.
    pub(crate) async fn start(
        settings: &Settings,
        instance: &InstanceId,
    ) -> Result<Self, StartError> {
        let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
        // There is nobody who could look at them.
        let metrics = Metrics::new(instance);
        let base = Base::new(settings, instance, &metrics, &stop).await?;
        let changes = Arc::new(LocalChanges::new());
        let tasks = base.task_desk();
        let heard = tasks.hear().await?;
        let options = options(settings, &base, changes.clone(), tasks, &leaving)?;
        let everything = Everything::new(options)?;
        let session = Arc::new(LocalSession::new());
        let connection = Stdio::start(
            everything.with_session(session.clone()),
            standard(io::stdin().as_fd())?,
            standard(io::stdout().as_fd())?,
            StdioConfig { untyped: is_untyped, ..StdioConfig::default() },
            Arc::clone(&base.random),
            leaving.clone(),
        );
        let audience = Client { connection: connection.session(), session };
        // It has no name, and there is nobody else.
        let telling = tell(changes.subscribe().of(&User::default()), audience.clone());
        let unasked = Unasked { audience, clock: base.clock, random: base.random };
        tokio::spawn(unasked.run(stop.clone()));
        let until = stop.clone();
        tokio::spawn(async move {
            until.run_until_cancelled(async { tokio::join!(heard, telling) }).await
        });
        Ok(Self { connection, leaving, stop })
    }

    /// Lets the client go, if it has not left.
    pub(crate) fn leave(&self) {
        self.leaving.cancel();
    }

    /// Returns when the client has left, or was let go.
    pub(crate) async fn left(&self) {
        self.leaving.cancelled().await;
    }

    /// Returns when all is said to it.
    pub(crate) async fn over(mut self) {
        self.connection.over().await;
        self.stop.cancel();
    }
}

/// A standard stream without the buffer that Rust has before it.
fn standard(stream: BorrowedFd<'_>) -> io::Result<tokio::fs::File> {
    Ok(std::fs::File::from(stream.try_clone_to_owned()?).into())
}

/// The one client, and what it has set.
#[derive(Clone)]
struct Client {
    connection: StdioSession,
    session: Arc<LocalSession>,
}

struct State {
    level: LoggingLevel,
    subscriptions: BTreeSet<String>,
    switches: BTreeSet<String>,
}

impl Client {
    /// What it has set, if it has a session to hear something in.
    async fn state(&self) -> Option<State> {
        if !self.connection.is_ready() {
            return None;
        }
        // What is in this process does not fail to answer.
        Some(State {
            level: self.session.log_level().await.ok()?,
            subscriptions: self.session.subscriptions().await.ok()?,
            switches: self.session.switches().await.ok()?,
        })
    }
}

#[async_trait]
impl Audience for Client {
    type Session = ();

    async fn listening(&self) -> Vec<Listening<()>> {
        let Some(State { level, subscriptions, switches }) = self.state().await else {
            return Vec::new();
        };
        vec![Listening { session: (), id: self.session.id(), level, subscriptions, switches }]
    }

    /// It is asked at no cost.
    async fn switched(&self) -> Vec<Listening<()>> {
        self.listening().await
    }

    async fn send_now(&self, (): (), notifications: Vec<ServerNotification>) {
        for notification in notifications {
            self.connection.notify(notification).await;
        }
    }
}

/// Tells the client of changes that concern it. A client of 2026-07-28 asks for them itself.
async fn tell(mut changes: Listener, client: Client) {
    loop {
        let heard = changes.next().await;
        if let Some(State { subscriptions, .. }) = client.state().await {
            let said = heard.iter().flat_map(|change| told(change, &subscriptions)).collect();
            client.send_now((), said).await;
        }
    }
}

fn told(change: &Change, subscriptions: &BTreeSet<String>) -> Vec<ServerNotification> {
    let tools = || ToolListChangedNotification::default().into();
    let prompts = || PromptListChangedNotification::default().into();
    let resources = || ResourceListChangedNotification::default().into();
    let updated = |uri: &String| notifications::resource_updated(uri);
    match change {
        Change::Tools => vec![tools()],
        Change::Prompts => vec![prompts()],
        Change::Resources => vec![resources()],
        Change::Resource(uri) => subscriptions.get(uri).map(updated).into_iter().collect(),
        Change::Missed => {
            let lists = [tools(), prompts(), resources()].into_iter();
            lists.chain(subscriptions.iter().map(updated)).collect()
        }
    }
}
