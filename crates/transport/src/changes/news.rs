//! What a part of the log of changes comes to for one session.

use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use mcp_everything_store::{Announcement, Audience, Change, User};
use rmcp::model::{
    PromptListChangedNotification, ResourceListChangedNotification, ResourceUpdatedNotification,
    ResourceUpdatedNotificationParam, ServerNotification, ToolListChangedNotification,
};

use crate::scope::message_bytes;

/// What changed, each thing once: a client that reads it again has it as it is now.
#[derive(Debug, Default)]
pub(super) struct News {
    everyones: HashSet<Change>,
    of_users: HashMap<User, HashSet<Change>>,
}

impl FromIterator<Announcement> for News {
    fn from_iter<I: IntoIterator<Item = Announcement>>(announcements: I) -> Self {
        let mut news = Self::default();
        for announcement in announcements {
            news.add(announcement);
        }
        news
    }
}

impl News {
    pub(super) fn add(&mut self, Announcement { change, audience }: Announcement) {
        match audience {
            Audience::Everyone => self.everyones.insert(change),
            Audience::User(user) => self.of_users.entry(user).or_default().insert(change),
        };
    }

    /// The only users they concern, unless they concern everybody.
    pub(super) fn users(&self) -> Option<HashSet<&User>> {
        self.everyones.is_empty().then(|| self.of_users.keys().collect())
    }

    /// Each change once for each audience.
    pub(super) fn announcements(&self) -> impl Iterator<Item = Announcement> {
        let everyones = self.everyones.iter().cloned().map(Announcement::from);
        everyones.chain(self.of_users.iter().flat_map(|(user, changes)| {
            let audience = || Audience::User(user.clone());
            changes
                .iter()
                .map(move |change| Announcement { change: change.clone(), audience: audience() })
        }))
    }

    /// What a session of this user with these subscriptions is told.
    pub(super) fn told(&self, user: &User, subscriptions: &BTreeSet<String>) -> Vec<Bytes> {
        let own = self.of_users.get(user);
        let is_there = |change: &Change| {
            self.everyones.contains(change) || own.is_some_and(|own| own.contains(change))
        };
        let missed = is_there(&Change::Missed);
        let has = |change: Change| missed || is_there(&change);
        let mut told: Vec<ServerNotification> = Vec::new();
        if has(Change::Tools) {
            told.push(ToolListChangedNotification::default().into());
        }
        if has(Change::Prompts) {
            told.push(PromptListChangedNotification::default().into());
        }
        if has(Change::Resources) {
            told.push(ResourceListChangedNotification::default().into());
        }
        let updated = subscriptions.iter().filter(|uri| has(Change::Resource((*uri).clone())));
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

    fn user(id: &str) -> User {
        User { id: id.to_owned(), issuer: "https://as.test".to_owned() }
    }

    /// What a session that subscribed to `a` and `b` is told of what concerns everybody.
    fn told(changes: &[Change]) -> Vec<String> {
        told_to(&user("alice"), changes.iter().cloned().map(Announcement::from))
    }

    fn told_to(user: &User, announced: impl Iterator<Item = Announcement>) -> Vec<String> {
        let news: News = announced.collect();
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
        news.told(user, &subscriptions).iter().map(said).collect()
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
    fn what_concerns_one_user_is_told_to_nobody_else() {
        let elsewhere = User { issuer: "https://other.test".to_owned(), ..user("alice") };
        let strangers = [user("bob"), user(""), elsewhere];
        let b = Change::Resource("b".to_owned());
        for change in [Change::Tools, Change::Prompts, Change::Resources, b, Change::Missed] {
            let hers = || {
                let audience = Audience::User(user("alice"));
                std::iter::once(Announcement { change: change.clone(), audience })
            };
            assert_eq!(told_to(&user("alice"), hers()), told(std::slice::from_ref(&change)));
            for stranger in &strangers {
                assert_eq!(told_to(stranger, hers()), [""; 0], "{change:?}");
            }
            let news: News = hers().collect();
            assert_eq!(news.users(), Some(HashSet::from([&user("alice")])));
            let more: News = hers().chain([Change::Tools.into()]).collect();
            assert_eq!(more.users(), None);
        }
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
