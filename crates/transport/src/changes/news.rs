//! What a part of the log of changes comes to for one session.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use mcp_everything_store::Change;
use rmcp::model::{
    PromptListChangedNotification, ResourceListChangedNotification, ResourceUpdatedNotification,
    ResourceUpdatedNotificationParam, ServerNotification, ToolListChangedNotification,
};

use crate::scope::message_bytes;

/// What changed, each thing once: a client that reads it again has it as it is now.
#[derive(Debug)]
pub(super) struct News(HashSet<Change>);

impl FromIterator<Change> for News {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

impl News {
    fn has(&self, change: &Change) -> bool {
        self.0.contains(change) || self.0.contains(&Change::Missed)
    }

    /// What a session with these subscriptions is told.
    pub(super) fn told(&self, subscriptions: &BTreeSet<String>) -> Vec<Bytes> {
        let mut told: Vec<ServerNotification> = Vec::new();
        if self.has(&Change::Tools) {
            told.push(ToolListChangedNotification::default().into());
        }
        if self.has(&Change::Prompts) {
            told.push(PromptListChangedNotification::default().into());
        }
        if self.has(&Change::Resources) {
            told.push(ResourceListChangedNotification::default().into());
        }
        let updated =
            subscriptions.iter().filter(|uri| self.has(&Change::Resource((*uri).clone())));
        told.extend(updated.map(|uri| {
            ResourceUpdatedNotification::new(ResourceUpdatedNotificationParam::new(uri)).into()
        }));
        told.into_iter().map(message_bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What a session that subscribed to `a` and `b` is told.
    fn told(changes: &[Change]) -> Vec<String> {
        let news: News = changes.iter().cloned().collect();
        let subscriptions = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let said = |message: &Bytes| {
            let wire: Value = serde_json::from_slice(message).unwrap();
            assert_eq!(wire["jsonrpc"], "2.0");
            let method = wire["method"].as_str().unwrap();
            let method = method.strip_prefix("notifications/").unwrap();
            match wire["params"]["uri"].as_str() {
                Some(uri) => format!("{method} {uri}"),
                None => method.to_owned(),
            }
        };
        news.told(&subscriptions).iter().map(said).collect()
    }

    #[test]
    fn changes_are_told_to_those_they_concern() {
        assert_eq!(told(&[Change::Tools]), ["tools/list_changed"]);
        assert_eq!(told(&[Change::Prompts]), ["prompts/list_changed"]);
        assert_eq!(told(&[Change::Resources]), ["resources/list_changed"]);
        assert_eq!(told(&[Change::Resource("b".to_owned())]), ["resources/updated b"]);
        assert_eq!(told(&[Change::Resource("c".to_owned())]), Vec::<String>::new());
        assert_eq!(told(&[]), Vec::<String>::new());
    }

    #[test]
    fn what_changed_often_is_told_once() {
        let b = Change::Resource("b".to_owned());
        let changes = [b.clone(), Change::Tools, b.clone(), Change::Tools, b];
        assert_eq!(told(&changes), ["tools/list_changed", "resources/updated b"]);
    }

    #[test]
    fn what_is_not_known_may_be_anything() {
        let everything = [
            "tools/list_changed",
            "prompts/list_changed",
            "resources/list_changed",
            "resources/updated a",
            "resources/updated b",
        ];
        assert_eq!(told(&[Change::Missed]), everything);
        assert_eq!(told(&[Change::Tools, Change::Missed, Change::Tools]), everything);
    }
}
