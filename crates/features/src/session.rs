//! What a session of the stateful revisions remembers.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use rmcp::model::LoggingLevel;

use crate::error::StateError;

/// What a session remembers between requests.
///
/// Every method is one step that may run twice with the same outcome, and none may bring an
/// ended session back: that is [`StateError::Gone`].
#[async_trait]
pub trait SessionState: Send + Sync + 'static {
    /// The least severe level the client wants to see; [`LoggingLevel::Debug`] until it says.
    /// Read for each log message of a call, so keep it near.
    async fn log_level(&self) -> Result<LoggingLevel, StateError>;

    /// Remembers the level.
    async fn set_log_level(&self, level: LoggingLevel) -> Result<(), StateError>;

    /// Adds `uri`, which names a resource that exists, to the subscriptions.
    async fn subscribe(&self, uri: &str) -> Result<(), StateError>;

    /// Takes `uri` off the subscriptions; it need not be among them.
    async fn unsubscribe(&self, uri: &str) -> Result<(), StateError>;

    /// The URIs subscribed to.
    async fn subscriptions(&self) -> Result<BTreeSet<String>, StateError>;

    /// Its name, for people.
    fn id(&self) -> String;

    /// Turns a switch on if it is off, which it is at first, and off if it is on. Says whether it
    /// is on now.
    async fn flip(&self, switch: &str) -> Result<bool, StateError>;

    /// The switches that are on.
    async fn switches(&self) -> Result<BTreeSet<String>, StateError>;
}

/// A session that lives in this process, as the one of a stdio server does.
#[derive(Debug)]
pub struct LocalSession(Mutex<Remembered>);

#[derive(Debug)]
struct Remembered {
    level: LoggingLevel,
    subscriptions: BTreeSet<String>,
    switches: BTreeSet<String>,
}

impl LocalSession {
    /// A session that remembers nothing yet.
    pub fn new() -> Self {
        Self(Mutex::new(Remembered {
            level: LoggingLevel::Debug,
            subscriptions: BTreeSet::new(),
            switches: BTreeSet::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for LocalSession {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl SessionState for LocalSession {
    async fn log_level(&self) -> Result<LoggingLevel, StateError> {
        Ok(self.lock().level)
    }

    async fn set_log_level(&self, level: LoggingLevel) -> Result<(), StateError> {
        self.lock().level = level;
        Ok(())
    }

    async fn subscribe(&self, uri: &str) -> Result<(), StateError> {
        self.lock().subscriptions.insert(uri.to_owned());
        Ok(())
    }

    async fn unsubscribe(&self, uri: &str) -> Result<(), StateError> {
        self.lock().subscriptions.remove(uri);
        Ok(())
    }

    async fn subscriptions(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.lock().subscriptions.clone())
    }

    fn id(&self) -> String {
        "local".to_owned()
    }

    async fn flip(&self, switch: &str) -> Result<bool, StateError> {
        let switches = &mut self.lock().switches;
        let was_on = switches.remove(switch) || !switches.insert(switch.to_owned());
        Ok(!was_on)
    }

    async fn switches(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.lock().switches.clone())
    }
}
